//! Written types to types.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::types::{Alias, Field, MAX_MEMBERS, Pack, Param, Record, Signature, Symbol, Type, TypeId, TypeParam};
use super::{File, MAX_SUGGESTIONS, TypeEntry};
use crate::diagnostic::Level;
use crate::spelling::nearest;
use crate::syntax::ast::{
    Block, FunctionType, Generic, RecordField, StatementKind, TypeAlias, TypeKind, TypeNodeId, TypePack, Validator,
    ValidatorArgument,
};
use crate::syntax::{Number, Span, number_value, string_value};

/// The names of the types that are always there.
pub(super) const BASE_TYPES: &[&str] = &[
    "nil", "boolean", "number", "integer", "string", "any", "unknown", "never", "table", "thread", "userdata", "error", "Number",
    "String", "Boolean", "Integer", "Any", "Nil", "Table", "Function",
];

impl File<'_> {
    pub(super) fn open_types(&self) -> usize {
        self.type_open.len()
    }

    pub(super) fn close_types(&mut self, scope: usize) {
        while self.type_open.len() > scope {
            if let Some(entries) = self.type_open.pop().and_then(|name| self.type_scopes.get_mut(&name)) {
                entries.pop();
            }
        }
    }

    fn declare_type(&mut self, name: Symbol, entry: TypeEntry) {
        self.type_scopes.entry(name).or_default().push(entry);
        self.type_open.push(name);
    }

    /// Declares the types of a block before its statements are looked at: they may refer to each other.
    pub(super) fn declare_aliases(&mut self, block: &Block) {
        let mut found: Vec<(&TypeAlias, u32)> = Vec::new();
        let mut names: FxHashMap<&str, Span> = FxHashMap::default();
        for statement in &block.statements {
            let StatementKind::TypeAlias(node) = &statement.kind else { continue };
            let name = self.symbol(node.name);
            if let Some(earlier) = names.insert(self.text(node.name), node.name) {
                let text = self.text(node.name);
                let diagnostic = self
                    .diagnostic(
                        Level::Error,
                        "duplicate-type",
                        node.name,
                        format!("type `{text}` is declared twice"),
                        "declared again here",
                    )
                    .also(self.file.clone(), earlier.range(), "first declared here");
                self.report(diagnostic);
            }
            let id = self.types().alias(Alias { name, params: Vec::new(), body: TypeId::ANY });
            self.alias_ids.insert(node.name.start, id);
            self.declare_type(name, TypeEntry::Alias(id));
            found.push((node, id));
            if node.exported || self.declaration {
                self.exported.insert(self.text(node.name).into(), id);
            }
        }
        // Parameters first: their number must be known wherever the type is named.
        let mut scopes = Vec::new();
        for (node, id) in &found {
            let scope = self.open_types();
            let generics = self.declare_generics(&node.generics);
            let entries: Vec<Symbol> = self.type_open.split_off(scope);
            let params = entries.iter().filter_map(|name| self.type_scopes.get_mut(name).and_then(Vec::pop)).collect::<Vec<_>>();
            if let Some(alias) = self.types().aliases.get_mut(*id as usize) {
                alias.params = generics;
            }
            scopes.push((entries, params));
        }
        for ((node, id), (entries, params)) in found.iter().zip(scopes) {
            let scope = self.open_types();
            for (name, entry) in entries.into_iter().zip(params) {
                self.declare_type(name, entry);
            }
            let body = self.type_of(node.definition);
            self.close_types(scope);
            if let Some(alias) = self.types().aliases.get_mut(*id as usize) {
                alias.body = body;
            }
        }
        for (node, id) in &found {
            self.reject_endless(node, *id);
        }
    }

    /// A type that is itself without a table or function between has no values.
    fn reject_endless(&mut self, node: &TypeAlias, id: u32) {
        let Some(body) = self.types().aliases.get(id as usize).map(|alias| alias.body) else { return };
        if !self.reaches(body, id, 0) {
            return;
        }
        let name = self.text(node.name);
        let diagnostic = self
            .diagnostic(
                Level::Error,
                "recursive-type",
                node.name,
                format!("type `{name}` refers to itself without a table between"),
                "",
            )
            .help(format!("put the reference into a field or an array, as in `{{next: {name}?}}`"));
        self.report(diagnostic);
        if let Some(alias) = self.types().aliases.get_mut(id as usize) {
            alias.body = TypeId::ANY;
        }
    }

    fn reaches(&mut self, from: TypeId, alias: u32, depth: usize) -> bool {
        if depth > 50 {
            return false;
        }
        match self.types().get(from).clone() {
            Type::Named(found, _) if found == alias => true,
            Type::Named(found, _) => {
                let body = self.types().aliases.get(found as usize).map(|found| found.body);
                body.is_some_and(|body| self.reaches(body, alias, depth + 1))
            }
            Type::Union(members) | Type::Intersection(members) => {
                members.iter().any(|member| self.reaches(*member, alias, depth + 1))
            }
            _ => false,
        }
    }

    /// Declares type parameters; the caller closes the scope.
    pub(super) fn declare_generics(&mut self, generics: &[Generic]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(generics.len());
        for generic in generics {
            let name = self.symbol(generic.name);
            let (number, id) = self.types().param(TypeParam { name, bound: None });
            self.declare_type(name, TypeEntry::Param(id));
            numbers.push(number);
        }
        for (generic, number) in generics.iter().zip(&numbers) {
            if let Some(bound) = generic.bound {
                let bound = self.type_of(bound);
                if let Some(param) = self.types().params.get_mut(*number as usize) {
                    param.bound = Some(bound);
                }
            }
        }
        numbers
    }

    /// Gives the type that is written.
    pub(super) fn type_of(&mut self, id: TypeNodeId) -> TypeId {
        let node = self.ast.type_node(id);
        match &node.kind {
            TypeKind::Name { module, name, args } => self.named_type(*module, *name, args, node.span),
            TypeKind::Nil => TypeId::NIL,
            TypeKind::Boolean(true) => TypeId::TRUE,
            TypeKind::Boolean(false) => TypeId::FALSE,
            TypeKind::String => {
                let value = string_value(self.text(node.span));
                let symbol = self.types().symbol(&String::from_utf8_lossy(&value));
                self.types().add(Type::Str(symbol))
            }
            TypeKind::Number => self.number_type(node.span),
            TypeKind::Optional(inner) => {
                let inner = self.type_of(*inner);
                self.types().optional(inner)
            }
            TypeKind::Union(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.type_of(*member)).collect();
                self.types().union(&members)
            }
            TypeKind::Intersection(members) => {
                let members: Arc<[TypeId]> = members.iter().map(|member| self.type_of(*member)).collect();
                self.types().add(Type::Intersection(members))
            }
            TypeKind::Array(element) => {
                let element = self.type_of(*element);
                self.types().add(Type::Array(element))
            }
            TypeKind::Table { fields, indexers } => self.table_type(fields, indexers),
            TypeKind::Function(function) => self.function_type(function),
            TypeKind::Typeof(value) => {
                self.quiet += 1;
                let found = self.infer(*value, None);
                self.quiet -= 1;
                self.types().widen(found)
            }
            TypeKind::Validated { inner, validators } => {
                let inner = self.type_of(*inner);
                for validator in validators {
                    self.check_validator(validator, inner);
                }
                inner
            }
            TypeKind::Paren(inner) => self.type_of(*inner),
            TypeKind::Error => TypeId::ANY,
        }
    }

    fn number_type(&mut self, span: Span) -> TypeId {
        let text: String = self.text(span).split_whitespace().collect();
        let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |digits| (-1, digits.trim_start()));
        let value = match number_value(digits) {
            Some(Number::Integer(value)) => Type::Int(value.wrapping_mul(sign)),
            Some(Number::Float(value)) => Type::Float((if sign < 0 { -value } else { value }).to_bits()),
            None => Type::Number,
        };
        self.types().add(value)
    }

    fn named_type(&mut self, module: Option<Span>, name_span: Span, args: &[TypeNodeId], span: Span) -> TypeId {
        let args: Vec<TypeId> = args.iter().map(|arg| self.type_of(*arg)).collect();
        if let Some(module) = module {
            return self.library_type(module, name_span, args, span);
        }
        let text = self.text(name_span);
        let name = self.checker.types.symbol(text);
        let entry = self.type_scopes.get(&name).and_then(|entries| entries.last()).copied();
        let entry = entry.or_else(|| self.checker.library.base_types.get(text).copied().map(TypeEntry::Alias));
        match entry {
            Some(TypeEntry::Alias(alias)) => self.alias_instance(alias, args, span),
            Some(TypeEntry::Param(id)) => id,
            None => match base_type(text) {
                Some(id) => {
                    if !args.is_empty() {
                        self.error("type-arguments", span, format!("type `{text}` takes no arguments"), "");
                    }
                    id
                }
                None => {
                    self.unknown_type(text, name_span);
                    TypeId::ANY
                }
            },
        }
    }

    fn unknown_type(&mut self, text: &str, span: Span) {
        if self.diagnostics.len() > MAX_SUGGESTIONS {
            return self.error("unknown-type", span, format!("there is no type `{text}` here"), "not declared");
        }
        let mut diagnostic =
            self.diagnostic(Level::Error, "unknown-type", span, format!("there is no type `{text}` here"), "not declared");
        let known: Vec<Arc<str>> = self.type_open.iter().map(|symbol| Arc::from(self.checker.types.name(*symbol))).collect();
        let base = self.checker.library.base_types.keys().map(|name| &**name);
        if let Some(near) = nearest(text, known.iter().map(|name| &**name).chain(BASE_TYPES.iter().copied()).chain(base)) {
            diagnostic =
                diagnostic.help(format!("did you mean `{near}`?")).fix(span.range(), near, format!("replace with `{near}`"));
        } else if matches!(
            text,
            "int" | "float" | "double" | "str" | "bool" | "object" | "array" | "list" | "void" | "null" | "func"
        ) {
            let hint = match text {
                "int" => "integer",
                "float" | "double" => "number",
                "str" => "string",
                "bool" => "boolean",
                "void" | "null" => "nil",
                "func" => "Function",
                _ => "table",
            };
            diagnostic =
                diagnostic.help(format!("did you mean `{hint}`?")).fix(span.range(), hint, format!("replace with `{hint}`"));
        }
        self.report(diagnostic);
    }

    fn alias_instance(&mut self, alias: u32, mut args: Vec<TypeId>, span: Span) -> TypeId {
        let Some(found) = self.types().aliases.get(alias as usize).cloned() else { return TypeId::ANY };
        let wanted = found.params.len();
        if args.len() != wanted {
            // A generic name alone stands for any instance.
            if !(args.is_empty() && self.quiet > 0) {
                let name = self.checker.types.name(found.name).to_owned();
                let message = format!("type `{name}` takes {}, got {}", count(wanted, "argument"), args.len());
                self.error("type-arguments", span, message, "");
            }
            args.resize(wanted, TypeId::ANY);
        }
        for (param, arg) in found.params.iter().zip(args.clone()) {
            let bound = self.types().params.get(*param as usize).and_then(|param| param.bound);
            if let Some(bound) = bound
                && !self.types().assignable(arg, bound)
            {
                let message = format!("`{}` does not satisfy the bound `{}`", self.show(arg), self.show(bound));
                self.error("type-mismatch", span, message, "");
            }
        }
        self.types().add(Type::Named(alias, args.into()))
    }

    /// Finds `lib.Config`.
    fn library_type(&mut self, module: Span, name: Span, args: Vec<TypeId>, span: Span) -> TypeId {
        let module_text = self.text(module);
        let text = self.text(name);
        let exports = self.module_types(module_text);
        if let Some(alias) = exports.as_ref().and_then(|exports| exports.get(text)).copied() {
            return self.alias_instance(alias, args, span);
        }
        // A type that travels as a value in the table of the library.
        let value = self.module_value(module_text);
        if let Some(value) = value {
            let symbol = self.types().symbol(text);
            if let Some(found) = self.lookup_field(value, symbol) {
                return match self.types().get(found).clone() {
                    Type::Meta(inner) => match self.types().get(inner).clone() {
                        Type::Named(alias, _) => self.alias_instance(alias, args, span),
                        _ => inner,
                    },
                    _ => TypeId::ANY,
                };
            }
            if !matches!(self.types().get(value), Type::Any) && exports.is_some() {
                let names: Vec<Arc<str>> = exports.iter().flat_map(|types| types.keys().cloned()).collect();
                let mut diagnostic = self.diagnostic(
                    Level::Error,
                    "unknown-type",
                    name,
                    format!("`{module_text}` offers no type `{text}`"),
                    "not offered",
                );
                if let Some(near) = nearest(text, names.iter().map(|name| &**name)) {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                        name.range(),
                        near,
                        format!("replace with `{near}`"),
                    );
                }
                self.report(diagnostic);
            }
        }
        TypeId::ANY
    }

    fn table_type(&mut self, fields: &[RecordField], indexers: &[(TypeNodeId, TypeNodeId)]) -> TypeId {
        if let ([], [(key, value)]) = (fields, indexers) {
            let key = self.type_of(*key);
            let value = self.type_of(*value);
            return self.types().add(Type::Map(key, value));
        }
        if fields.len() > MAX_MEMBERS {
            return TypeId::ANY;
        }
        let mut record = Record::default();
        for field in fields {
            let text = self.text(field.name);
            let name = if text.starts_with(['"', '\'', '[']) {
                let value = string_value(text);
                self.types().symbol(&String::from_utf8_lossy(&value))
            } else {
                self.symbol(field.name)
            };
            if record.field(name).is_some() {
                self.error("duplicate-field", field.name, format!("field `{text}` is declared twice"), "");
                continue;
            }
            let value = self.type_of(field.value);
            let deprecated = if self.declaration { self.deprecation(field.name) } else { None };
            record.fields.push(Field { name, value, optional: field.optional, readonly: field.readonly, deprecated });
        }
        for (key, value) in indexers {
            let pair = (self.type_of(*key), self.type_of(*value));
            record.indexers.push(pair);
        }
        self.types().record(record)
    }

    /// Finds `-- @deprecated WHY` on the line above a field of a declaration.
    fn deprecation(&self, name: Span) -> Option<Arc<str>> {
        let before = self.source.get(..name.start as usize)?;
        let line = before.lines().rev().nth(1)?.trim();
        line.strip_prefix("-- @deprecated ").map(Into::into)
    }

    fn function_type(&mut self, function: &FunctionType) -> TypeId {
        let scope = self.open_types();
        let generics = self.declare_generics(&function.generics);
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let value = self.type_of(param.value);
            let name = param.name.map(|name| self.symbol(name));
            params.push(Param { name, value, optional: param.optional });
        }
        let rest = function.rest.map(|rest| self.type_of(rest));
        let returns = self.pack_of(&function.returns);
        self.close_types(scope);
        let is_method =
            params.first().is_some_and(|param| param.name.is_some_and(|name| self.checker.types.name(name) == "self"));
        let host = self.declaration;
        self.types().function(Signature { generics, params, rest, returns, declared: true, host, is_method })
    }

    pub(super) fn pack_of(&mut self, pack: &TypePack) -> Pack {
        let types = pack.types.iter().map(|id| self.type_of(*id)).collect();
        let rest = pack.rest.map(|rest| self.type_of(rest));
        Pack { types, rest }
    }

    fn check_validator(&mut self, validator: &Validator, inner: TypeId) {
        let name = self.text(validator.name);
        let (number, wanted): (bool, &[&str]) = match name {
            "min" | "max" => (true, &["number"]),
            "min_len" | "max_len" => (true, &["string", "table"]),
            "pattern" => (false, &["string"]),
            _ => {
                let known = ["min", "max", "min_len", "max_len", "pattern"];
                let mut diagnostic = self.diagnostic(
                    Level::Error,
                    "invalid-validator",
                    validator.name,
                    format!("there is no validator `@{name}`"),
                    "",
                );
                diagnostic = match nearest(name, known.into_iter()) {
                    Some(near) => diagnostic.help(format!("did you mean `@{near}`?")).fix(
                        validator.name.range(),
                        near,
                        format!("replace with `{near}`"),
                    ),
                    None => diagnostic.help("the validators are `@min`, `@max`, `@min_len`, `@max_len` and `@pattern`"),
                };
                return self.report(diagnostic);
            }
        };
        let fits = matches!(
            (validator.argument, number),
            (Some(ValidatorArgument::Number(_)), true) | (Some(ValidatorArgument::String(_)), false)
        );
        if !fits {
            let what = if number { "a number" } else { "a string" };
            self.error("invalid-validator", validator.span, format!("`@{name}` takes {what}"), "");
        }
        let plain = self.types().non_nil(inner);
        let known = self.types().lua_type(plain);
        let record = matches!(self.checker.types.get(plain), Type::Record(_));
        if record || known.is_some_and(|known| !wanted.contains(&known)) {
            let message = format!("`@{name}` does not apply to `{}`", self.show(inner));
            self.error("invalid-validator", validator.span, message, "");
        }
    }
}

/// Gives the type of a base name.
pub(super) fn base_type(name: &str) -> Option<TypeId> {
    Some(match name {
        "nil" | "Nil" => TypeId::NIL,
        "boolean" | "Boolean" => TypeId::BOOLEAN,
        "number" | "Number" => TypeId::NUMBER,
        "integer" | "Integer" => TypeId::INTEGER,
        "string" | "String" => TypeId::STRING,
        "any" | "Any" => TypeId::ANY,
        "unknown" => TypeId::UNKNOWN,
        "never" => TypeId::NEVER,
        "table" | "Table" => TypeId::TABLE,
        "thread" => TypeId::THREAD,
        "userdata" => TypeId::USERDATA,
        "error" => TypeId::ERROR,
        "Function" => TypeId::FUNCTION,
        _ => return None,
    })
}

/// Gives a number with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
