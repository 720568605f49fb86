//! Tables: constructors, fields, and what is learned about tables without a declared type.

use std::sync::Arc;

use super::flow::Path;
use super::scopes::Use;
use super::types::{Field, Inferred, InferredField, Record, Symbol, Type, TypeId};
use super::{DeferredField, File};
use crate::diagnostic::Level;
use crate::spelling::nearest;
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind};

/// Nothing is remembered about fields deeper than this.
const MAX_PATH: usize = 12;

/// How the name of a key that is a variable starts in a path.
pub(super) const VARIABLE_KEY: &str = "[$";

impl<'a> File<'a> {
    /// A field keeps a type only if nothing else in the file writes a field of its name.
    pub(super) fn certain_field(&mut self, name: Symbol, found: TypeId) -> TypeId {
        // `nil` and `false` keep a place for something that comes later.
        if self.types().has_nil(found) || found == TypeId::FALSE {
            return TypeId::ANY;
        }
        // What a function takes and gives is written at the function, whatever other tables have under that name.
        if let Type::Function(index) = *self.types().get(found)
            && self.types().get_function(index).is_some_and(|signature| signature.declared)
        {
            return found;
        }
        if found == TypeId::TRUE {
            return if self.writes_of(name) <= 1 { TypeId::BOOLEAN } else { TypeId::ANY };
        }
        if self.writes_of(name) <= 1 { found } else { TypeId::ANY }
    }

    fn writes_of(&self, name: Symbol) -> u32 {
        self.scopes.field_writes.get(self.checker.types.name(name)).copied().unwrap_or(0)
    }

    pub(super) fn field_names(&self, record: &Record) -> Vec<String> {
        record.fields.iter().map(|field| self.checker.types.name(field.name).to_owned()).collect()
    }

    /// Notes that code that is not seen may write to a table.
    pub(super) fn escape(&mut self, id: TypeId) {
        if let Type::Inferred(index) = *self.types().get(id)
            && let Some(table) = self.types().inferred_mut(index)
        {
            table.escaped = true;
        }
    }

    /// Gives the path of an expression, if facts about it can be kept.
    pub(super) fn path(&mut self, id: ExprId) -> Option<Path> {
        self.path_at(id, 0)
    }

    fn path_at(&mut self, id: ExprId, depth: usize) -> Option<Path> {
        if depth > MAX_PATH {
            return None;
        }
        let depth = depth + 1;
        let id = self.ast.unwrap_parens(id);
        let expr = self.ast.expr(id);
        match &expr.kind {
            ExprKind::Name => match self.scopes.uses.get(id.index()).copied() {
                Some(Use::Var(var)) => {
                    let unsafe_var = self.scopes.vars.get(var.0 as usize).is_some_and(|var| var.written_in_closure);
                    if unsafe_var { None } else { Some(self.flow.var(var)) }
                }
                Some(Use::Global) => {
                    let symbol = self.symbol(expr.span);
                    Some(self.flow.global(symbol))
                }
                _ => None,
            },
            ExprKind::Field { object, name } => {
                let parent = self.path_at(*object, depth)?;
                let symbol = self.symbol(*name);
                Some(self.flow.field(parent, symbol))
            }
            ExprKind::Index { object, key } => {
                let key_expr = self.ast.expr(*key);
                if let (ExprKind::Name, Some(Use::Var(var))) = (&key_expr.kind, self.scopes.uses.get(key.index()).copied()) {
                    if self.scopes.vars.get(var.0 as usize).is_none_or(|var| var.written_in_closure) {
                        return None;
                    }
                    let parent = self.path_at(*object, depth)?;
                    let symbol = self.types().symbol(&format!("{VARIABLE_KEY}{}]", var.0));
                    return Some(self.flow.keyed(parent, var, symbol));
                }
                if !matches!(key_expr.kind, ExprKind::String | ExprKind::Number) {
                    return None;
                }
                let parent = self.path_at(*object, depth)?;
                let text = self.text(key_expr.span).to_owned();
                let symbol = if matches!(key_expr.kind, ExprKind::String) {
                    let value = crate::syntax::string_value(&text);
                    self.types().symbol(&String::from_utf8_lossy(&value))
                } else {
                    self.types().symbol(&format!("[{text}]"))
                };
                Some(self.flow.field(parent, symbol))
            }
            ExprKind::NonNil(inner) | ExprKind::Cast { value: inner, .. } => self.path_at(*inner, depth),
            _ => None,
        }
    }

    /// Gives the type of `object.name`.
    pub(super) fn field(&mut self, id: ExprId, object: ExprId, name: Span) -> TypeId {
        let found = self.infer(object, None);
        let symbol = self.symbol(name);
        if let Some(fact) = self.path(id).and_then(|path| self.flow.fact(path)) {
            return fact;
        }
        let found = self.without_nil(object, found, "indexed");
        self.read_field(found, symbol, name, Some(object))
    }

    /// Reports a value that may be nil where it must not be, and gives it without nil.
    pub(super) fn without_nil(&mut self, id: ExprId, found: TypeId, what: &str) -> TypeId {
        if found == TypeId::NIL {
            self.maybe_nil(id, found, what);
            return TypeId::ANY;
        }
        let plain = self.types().non_nil(found);
        if plain != found {
            self.maybe_nil(id, found, what);
        }
        plain
    }

    pub(super) fn index(&mut self, id: ExprId, object: ExprId, key: ExprId) -> TypeId {
        let found = self.infer(object, None);
        let key_type = self.infer(key, None);
        if let Some(fact) = self.path(id).and_then(|path| self.flow.fact(path)) {
            return fact;
        }
        let found = self.without_nil(object, found, "indexed");
        let key_span = self.ast.expr(key).span;
        if let Type::Str(symbol) = *self.types().get(key_type) {
            return self.read_field(found, symbol, key_span, Some(object));
        }
        let resolved = self.types().resolve(found);
        match self.types().get(resolved).clone() {
            Type::Array(element) => {
                if !self.fits(key_type, TypeId::NUMBER) {
                    let message = format!("an array is indexed by numbers, not by `{}`", self.show(key_type));
                    self.error("type-mismatch", key_span, message, "");
                }
                element
            }
            Type::Map(wanted, value) => {
                let plain = self.types().non_nil(key_type);
                self.expect_type(plain, wanted, key_span, &|_| "key of the map".to_owned());
                value
            }
            Type::Record(index) => {
                let Some(record) = self.types().get_record(index).cloned() else { return TypeId::ANY };
                record
                    .indexers
                    .iter()
                    .find(|(wanted, _)| self.checker.types.assignable(key_type, *wanted))
                    .map_or(TypeId::ANY, |(_, value)| *value)
            }
            Type::Inferred(index) => {
                let table = self.types().get_inferred(index).cloned().unwrap_or_default();
                let number = self.types().lua_type(key_type) == Some("number");
                // An element may be absent; nothing was declared, so nothing is said about that.
                match table.element {
                    Some(element) if number && !table.dynamic && !table.escaped && self.strict => element,
                    _ => TypeId::ANY,
                }
            }
            Type::Number
            | Type::Integer
            | Type::Int(_)
            | Type::Boolean
            | Type::Bool(_)
            | Type::Function(_)
            | Type::AnyFunction => {
                self.not_indexable(found, self.ast.expr(object).span);
                TypeId::ANY
            }
            _ => TypeId::ANY,
        }
    }

    fn not_indexable(&mut self, found: TypeId, span: Span) {
        let message = format!("`{}` has no fields", self.show(found));
        self.error("invalid-operation", span, message, "");
    }

    /// Finds a field without reporting anything.
    pub(super) fn lookup_field(&mut self, id: TypeId, name: Symbol) -> Option<TypeId> {
        let resolved = self.types().resolve(id);
        match self.types().get(resolved).clone() {
            Type::Record(index) => {
                let record = self.types().get_record(index)?;
                if let Some(field) = record.field(name).cloned() {
                    return Some(if field.optional { self.types().optional(field.value) } else { field.value });
                }
                let indexers = record.indexers.clone();
                let key = self.types().add(Type::Str(name));
                indexers.iter().find(|(wanted, _)| self.checker.types.assignable(key, *wanted)).map(|(_, value)| *value)
            }
            Type::Map(key, value) => {
                let literal = self.types().add(Type::Str(name));
                self.types().assignable(literal, key).then_some(value)
            }
            Type::Intersection(members) => members.iter().find_map(|member| self.lookup_field(*member, name)),
            Type::Inferred(index) => {
                let table = self.types().get_inferred(index)?;
                let own = table.by_name.get(&name).and_then(|at| table.fields.get(*at)).map(|field| field.value);
                let parent = table.parent;
                own.or_else(|| parent.and_then(|parent| self.lookup_field(parent, name)))
            }
            Type::Str(_) | Type::String => {
                let string = self.checker.library.string?;
                self.lookup_field(string, name)
            }
            Type::Error => {
                let alias = self.checker.library.base_types.get("Error").copied()?;
                let named = self.types().add(Type::Named(alias, Arc::from([])));
                self.lookup_field(named, name)
            }
            _ => None,
        }
    }

    /// Gives the type of a field and reports if there is none.
    pub(super) fn read_field(&mut self, found: TypeId, name: Symbol, span: Span, object: Option<ExprId>) -> TypeId {
        let resolved = self.types().resolve(found);
        match self.types().get(resolved).clone() {
            Type::Record(index) => {
                if let Some(field) = self.lookup_field(resolved, name) {
                    if let Some(declared) = self.types().get_record(index).and_then(|record| record.field(name)).cloned() {
                        self.deprecated(span, &declared);
                    } else {
                        self.misspelt_of_host(index, name, span, "this module");
                    }
                    return field;
                }
                let Some(record) = self.types().get_record(index).cloned() else { return TypeId::ANY };
                let names = self.field_names(&record);
                self.no_field(found, name, span, &names, object);
                TypeId::ANY
            }
            Type::Intersection(_) | Type::Map(..) => {
                if let Some(field) = self.lookup_field(resolved, name) {
                    return field;
                }
                if matches!(self.types().get(resolved), Type::Intersection(_)) {
                    self.no_field(found, name, span, &[], object);
                }
                TypeId::ANY
            }
            Type::Union(_) => self.union_field(found, name, span, object),
            Type::Str(_) | Type::String => {
                if let Some(field) = self.lookup_field(resolved, name) {
                    return field;
                }
                self.no_field(found, name, span, &[], object);
                TypeId::ANY
            }
            Type::Array(_) => {
                self.no_field(found, name, span, &[], object);
                TypeId::ANY
            }
            Type::Error => {
                if let Some(field) = self.lookup_field(resolved, name) {
                    return field;
                }
                // An error may be a text, which has the methods of strings.
                let text = self.lookup_field(TypeId::STRING, name).is_some();
                if let Some(alias) = self.checker.library.base_types.get("Error").copied().filter(|_| !text) {
                    let named = self.types().add(Type::Named(alias, Arc::from([])));
                    let record = self.types().resolve(named);
                    if let Type::Record(index) = *self.types().get(record) {
                        self.misspelt_of_host(index, name, span, "an error");
                    }
                }
                TypeId::ANY
            }
            Type::Inferred(index) => match self.lookup_field(resolved, name) {
                Some(field) => field,
                None if self.types().get_inferred(index).is_some_and(|table| table.sealed && !table.escaped) => {
                    if self.writes_of(name) == 0 {
                        let names: Vec<Symbol> = self
                            .types()
                            .get_inferred(index)
                            .map(|table| table.fields.iter().map(|field| field.name).collect())
                            .unwrap_or_default();
                        let names: Vec<String> = names.iter().map(|name| self.checker.types.name(*name).to_owned()).collect();
                        self.no_field(found, name, span, &names, object);
                    }
                    TypeId::ANY
                }
                None => {
                    if self.quiet == 0 && !self.flow.dead {
                        self.deferred.push(DeferredField { table: index, name, span });
                    }
                    TypeId::ANY
                }
            },
            Type::Number
            | Type::Integer
            | Type::Int(_)
            | Type::Float(_)
            | Type::Boolean
            | Type::Bool(_)
            | Type::Function(_)
            | Type::AnyFunction
            | Type::Thread => {
                let place = object.map_or(span, |object| self.ast.expr(object).span);
                self.not_indexable(found, place);
                TypeId::ANY
            }
            _ => TypeId::ANY,
        }
    }

    /// A module may have more than its declaration knows, but hardly something that is almost called like what it has.
    fn misspelt_of_host(&mut self, record: u32, name: Symbol, span: Span, owner: &str) {
        let Some(record) = self.types().get_record(record).cloned() else { return };
        let host = record.fields.iter().any(|field| match *self.checker.types.get(field.value) {
            Type::Function(index) => self.checker.types.get_function(index).is_some_and(|signature| signature.host),
            _ => false,
        });
        if !host || self.writes_of(name) > 0 {
            return;
        }
        let text = self.checker.types.name(name).to_owned();
        let names = self.field_names(&record);
        let Some(near) = nearest(&text, names.iter().map(String::as_str)) else { return };
        let message = format!("{owner} is not known to have `{text}`");
        let diagnostic = self
            .diagnostic(Level::Warning, "unknown-field", span, message, "probably nil")
            .help(format!("did you mean `{near}`?"))
            .fix(span.range(), near, format!("replace with `{near}`"));
        self.report(diagnostic);
    }

    /// A field of a union must be in every member.
    fn union_field(&mut self, found: TypeId, name: Symbol, span: Span, object: Option<ExprId>) -> TypeId {
        let members = self.types().members(found);
        let mut values = Vec::with_capacity(members.len());
        let mut lacking = None;
        for member in members {
            let resolved = self.types().resolve(member);
            match self.types().get(resolved) {
                Type::Any
                | Type::Unknown
                | Type::AnyTable
                | Type::Userdata
                | Type::Inferred(_)
                | Type::Error
                | Type::Param(_)
                | Type::Meta(_) => {
                    return TypeId::ANY;
                }
                _ => {}
            }
            match self.lookup_field(member, name) {
                Some(value) => values.push(value),
                None => lacking = Some(member),
            }
        }
        let Some(lacking) = lacking else { return self.types().union(&values) };
        if !self.strict {
            return TypeId::ANY;
        }
        let text = self.checker.types.name(name).to_owned();
        if values.is_empty() {
            self.no_field(found, name, span, &[], object);
        } else {
            let message = format!("`{text}` is not a field of every member of `{}`", self.show(found));
            let diagnostic = self
                .diagnostic(Level::Error, "unknown-field", span, message, format!("`{}` lacks it", self.show(lacking)))
                .help("find out first which member it is, by a field that tells them apart or by `type`");
            self.report(diagnostic);
        }
        TypeId::ANY
    }

    fn no_field(&mut self, found: TypeId, name: Symbol, span: Span, names: &[String], object: Option<ExprId>) {
        let text = self.checker.types.name(name).to_owned();
        // A module is better named than described.
        let owner = match object.map(|object| self.ast.expr(object)) {
            Some(expr) if matches!(expr.kind, ExprKind::Name) && !self.is_declared_here(found) => self.text(expr.span).to_owned(),
            _ => self.show(found),
        };
        let message = format!("`{owner}` has no field `{text}`");
        let diagnostic = self.diagnostic(Level::Error, "unknown-field", span, message, "not a field of it");
        let string_names: Vec<String> = if names.is_empty() && self.types().lua_type(found) == Some("string") {
            let string = self.checker.library.string.map(|string| self.checker.types.resolve(string));
            match string.map(|string| self.checker.types.get(string).clone()) {
                Some(Type::Record(index)) => {
                    self.checker.types.get_record(index).map(|record| self.field_names(record)).unwrap_or_default()
                }
                _ => Vec::new(),
            }
        } else {
            names.to_vec()
        };
        let diagnostic = suggest(diagnostic, &text, &string_names, span);
        self.report(diagnostic);
    }

    /// Tells whether a type has a name that the program itself gave it.
    fn is_declared_here(&self, id: TypeId) -> bool {
        match self.checker.types.get(id) {
            Type::Named(..) => !self.show(id).ends_with("Library"),
            Type::Record(_) | Type::Inferred(_) => false,
            _ => true,
        }
    }

    /// Reads of fields that nothing in the file writes, of tables that only the file writes.
    pub(super) fn settle_deferred(&mut self) {
        for deferred in std::mem::take(&mut self.deferred) {
            let Some(table) = self.types().get_inferred(deferred.table) else { continue };
            let open = table.dynamic || table.metatable || table.escaped || table.parent.is_some() || table.instance.is_some();
            if open || table.by_name.contains_key(&deferred.name) || table.fields.is_empty() {
                continue;
            }
            let names: Vec<Symbol> = table.fields.iter().map(|field| field.name).collect();
            let names: Vec<String> = names.iter().map(|name| self.checker.types.name(*name).to_owned()).collect();
            let text = self.checker.types.name(deferred.name).to_owned();
            if self.writes_of(deferred.name) > 0 {
                continue;
            }
            let Some(near) = nearest(&text, names.iter().map(String::as_str)) else { continue };
            let near = near.to_owned();
            let diagnostic = self
                .diagnostic(
                    Level::Warning,
                    "unknown-field",
                    deferred.span,
                    format!("nothing gives this table a field `{text}`"),
                    "always nil",
                )
                .help(format!("did you mean `{near}`?"))
                .fix(deferred.span.range(), near.clone(), format!("replace with `{near}`"));
            self.report(diagnostic);
        }
    }

    /// Makes a field as if it had not been written, before what it holds becomes known better.
    pub(super) fn forget_field(&mut self, object: TypeId, name: Symbol, before: Option<TypeId>) {
        let Type::Inferred(index) = *self.types().get(object) else { return };
        let known = self.lookup_own(index, name);
        if self.writes_of(name) > 1 && (before.is_none() || known != before) {
            return;
        }
        if let Some(table) = self.types().inferred_mut(index)
            && let Some(at) = table.by_name.remove(&name)
        {
            // The place stays, without a name that could be found.
            if at + 1 == table.fields.len() {
                table.fields.pop();
            } else {
                table.by_name.insert(name, at);
            }
        }
    }

    fn lookup_own(&mut self, table: u32, name: Symbol) -> Option<TypeId> {
        let table = self.types().get_inferred(table)?;
        table.by_name.get(&name).and_then(|at| table.fields.get(*at)).map(|field| field.value)
    }

    /// Learns or checks an assignment to `object.name`.
    pub(super) fn write_field(
        &mut self,
        object: ExprId,
        object_type: TypeId,
        name: Symbol,
        span: Span,
        value: (Option<ExprId>, TypeId),
    ) {
        let plain = self.without_nil(object, object_type, "indexed");
        let resolved = self.types().resolve(plain);
        match self.types().get(resolved).clone() {
            Type::Inferred(index) => {
                let certain = self.certain_field(name, value.1);
                if self.types().get_inferred(index).is_some_and(|table| table.sealed) {
                    // It belongs to another file, which is done with it.
                    return;
                }
                if let Some(table) = self.types().inferred_mut(index) {
                    match table.by_name.get(&name).copied() {
                        Some(at) => {
                            if let Some(field) = table.fields.get_mut(at)
                                && field.value != certain
                            {
                                field.value = TypeId::ANY;
                            }
                        }
                        None => add_field(table, name, certain, span),
                    }
                }
            }
            Type::Record(index) => {
                let Some(record) = self.types().get_record(index).cloned() else { return };
                match record.field(name) {
                    Some(field) => {
                        let text = self.checker.types.name(name).to_owned();
                        if field.readonly {
                            self.error(
                                "readonly-field",
                                span,
                                format!("field `{text}` of `{}` is readonly", self.show(plain)),
                                "",
                            );
                            return;
                        }
                        let wanted = if field.optional { self.types().optional(field.value) } else { field.value };
                        let place = value.0.map_or(span, |value| self.ast.expr(value).span);
                        self.expect_type(value.1, wanted, place, &move |_| format!("field `{text}`"));
                    }
                    None => {
                        let key = self.types().add(Type::Str(name));
                        let indexer =
                            record.indexers.iter().find(|(wanted, _)| self.checker.types.assignable(key, *wanted)).copied();
                        match indexer {
                            Some((_, wanted)) => {
                                let place = value.0.map_or(span, |value| self.ast.expr(value).span);
                                self.expect_type(value.1, wanted, place, &|_| String::new());
                            }
                            None => {
                                let names = self.field_names(&record);
                                self.no_field(plain, name, span, &names, None);
                            }
                        }
                    }
                }
            }
            Type::Map(key, wanted) => {
                let literal = self.types().add(Type::Str(name));
                self.expect_type(literal, key, span, &|_| "key of the map".to_owned());
                let wanted = self.types().optional(wanted);
                let place = value.0.map_or(span, |value| self.ast.expr(value).span);
                self.expect_type(value.1, wanted, place, &|_| String::new());
            }
            Type::Array(_) => {
                let text = self.checker.types.name(name).to_owned();
                let message = format!("an array is indexed by numbers, not by {text:?}");
                self.error("type-mismatch", span, message, "");
            }
            Type::Union(_) => {
                if let Some(wanted) = self.lookup_in_all(plain, name) {
                    let place = value.0.map_or(span, |value| self.ast.expr(value).span);
                    self.expect_type(value.1, wanted, place, &|_| String::new());
                }
            }
            Type::Number
            | Type::Integer
            | Type::Int(_)
            | Type::Boolean
            | Type::Bool(_)
            | Type::Function(_)
            | Type::AnyFunction
            | Type::String
            | Type::Str(_) => {
                let place = self.ast.expr(object).span;
                let message = format!("`{}` has no fields to write", self.show(plain));
                self.error("invalid-operation", place, message, "");
            }
            _ => {}
        }
        if let Type::Inferred(_) = *self.types().get(resolved) {
            return;
        }
        self.escape(value.1);
    }

    fn lookup_in_all(&mut self, id: TypeId, name: Symbol) -> Option<TypeId> {
        let mut values = Vec::new();
        for member in self.types().members(id) {
            values.push(self.lookup_field(member, name)?);
        }
        Some(self.types().union(&values))
    }

    pub(super) fn deprecated(&mut self, span: Span, field: &Field) {
        let Some(why) = &field.deprecated else { return };
        let name = self.checker.types.name(field.name).to_owned();
        let diagnostic =
            self.diagnostic(Level::Warning, "deprecated", span, format!("`{name}` is deprecated"), "").help(why.to_string());
        self.report(diagnostic);
    }
}

pub(super) fn add_field(table: &mut Inferred, name: Symbol, value: TypeId, span: Span) {
    match table.by_name.get(&name).copied().and_then(|at| table.fields.get_mut(at)) {
        Some(field) => field.value = TypeId::ANY,
        None => {
            table.by_name.insert(name, table.fields.len());
            table.fields.push(InferredField { name, value, span });
        }
    }
}

/// Adds the nearest known name to a report about an unknown one.
pub(super) fn suggest(
    diagnostic: crate::diagnostic::Diagnostic,
    written: &str,
    names: &[String],
    span: Span,
) -> crate::diagnostic::Diagnostic {
    if let Some(near) = nearest(written, names.iter().map(String::as_str)) {
        return diagnostic.help(format!("did you mean `{near}`?")).fix(span.range(), near, format!("replace with `{near}`"));
    }
    if names.is_empty() || names.len() > 12 {
        return diagnostic;
    }
    let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    diagnostic.note(format!("its fields are {}", list.join(", ")))
}
