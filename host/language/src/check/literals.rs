//! Table constructors, alone and held against a declared type.

use super::File;
use super::tables::{add_field, suggest};
use super::types::{Field, Inferred, Record, Symbol, Type, TypeId};
use crate::diagnostic::Level;
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind, TableItem};

impl<'a> File<'a> {
    /// Gives the type of a table constructor.
    pub(super) fn table(&mut self, items: &'a [TableItem], span: Span, expected: Option<TypeId>) -> TypeId {
        if let Some(expected) = expected
            && let Some(model) = self.table_model(items, expected)
        {
            return self.modelled_table(items, span, model, expected);
        }
        if let Some(expected) = expected {
            self.unknown_tag(items, expected);
        }
        let mut table = Inferred::default();
        let mut elements: Vec<TypeId> = Vec::new();
        let last = items.len().saturating_sub(1);
        for (index, item) in items.iter().enumerate() {
            match item {
                TableItem::Positional(value) => {
                    let found = if index == last {
                        let pack = self.infer_pack(*value, None);
                        if pack.rest.is_some() {
                            elements.push(TypeId::ANY);
                        }
                        pack.get(0).unwrap_or(TypeId::ANY)
                    } else {
                        self.infer(*value, None)
                    };
                    let found = self.types().widen(found);
                    if elements.len() < 16 && !elements.contains(&found) {
                        elements.push(found);
                    }
                }
                TableItem::Named(name, value) => {
                    let found = self.infer(*value, None);
                    let symbol = self.symbol(*name);
                    let found = self.certain_field(symbol, found);
                    add_field(&mut table, symbol, found, *name);
                }
                TableItem::Keyed(key, value) => {
                    let key_type = self.infer(*key, None);
                    let found = self.infer(*value, None);
                    match *self.types().get(key_type) {
                        Type::Str(symbol) => {
                            let span = self.ast.expr(*key).span;
                            add_field(&mut table, symbol, TypeId::ANY, span);
                        }
                        _ => table.dynamic = true,
                    }
                    self.escape(found);
                }
            }
        }
        if !elements.is_empty() {
            let element = if elements.iter().any(|element| matches!(self.checker.types.get(*element), Type::Inferred(_)))
                && elements.len() > 1
            {
                TypeId::ANY
            } else {
                self.types().union(&elements)
            };
            table.element = Some(element);
        }
        self.types().inferred_table(table)
    }

    /// Finds which record, array or map a constructor is meant to be.
    pub(super) fn table_model(&mut self, items: &[TableItem], expected: TypeId) -> Option<TypeId> {
        let plain = self.types().non_nil(expected);
        let members = self.types().members(plain);
        let mut candidates = Vec::new();
        for member in members {
            let resolved = self.types().resolve(member);
            match self.types().get(resolved) {
                Type::Any | Type::Unknown => return None,
                Type::Record(_) | Type::Array(_) | Type::Map(..) | Type::Intersection(_) => candidates.push(member),
                _ => {}
            }
        }
        if candidates.len() <= 1 {
            return candidates.pop();
        }
        // The tags decide: fields that are literals in the type.
        let tagged: Vec<TypeId> = candidates.iter().copied().filter(|candidate| self.tags_agree(items, *candidate)).collect();
        match tagged.as_slice() {
            [one] => Some(*one),
            [] => candidates.first().copied().filter(|_| false),
            several => {
                // The first that has every field that is written.
                let fits = |file: &mut Self, candidate: TypeId| {
                    items.iter().all(|item| match item {
                        TableItem::Named(name, _) => {
                            let symbol = file.symbol(*name);
                            file.lookup_field(candidate, symbol).is_some()
                        }
                        TableItem::Positional(_) => {
                            let resolved = file.types().resolve(candidate);
                            matches!(file.types().get(resolved), Type::Array(_))
                        }
                        TableItem::Keyed(..) => true,
                    })
                };
                let several = several.to_vec();
                let mut found: Vec<TypeId> = several.iter().copied().filter(|candidate| fits(self, *candidate)).collect();
                if found.len() == 1 { found.pop() } else { None }
            }
        }
    }

    /// Reports a tag that no member of a union of records has.
    fn unknown_tag(&mut self, items: &[TableItem], expected: TypeId) {
        let plain = self.types().non_nil(expected);
        let mut records = Vec::new();
        for member in self.types().members(plain) {
            let resolved = self.types().resolve(member);
            let kind = self.types().lua_type(resolved);
            match (self.types().get(resolved), kind) {
                (Type::Record(_), _) => records.push(resolved),
                (_, Some(kind)) if kind != "table" => {}
                _ => return,
            }
        }
        if records.len() < 2 {
            return;
        }
        for item in items {
            let TableItem::Named(name, value) = item else { continue };
            let expr = self.ast.expr(*value);
            if !matches!(expr.kind, ExprKind::String) {
                continue;
            }
            let symbol = self.symbol(*name);
            let tags: Option<Vec<TypeId>> = records
                .iter()
                .map(|record| {
                    let tag = self.lookup_field(*record, symbol)?;
                    let members = self.types().members(tag);
                    members.iter().all(|member| matches!(self.checker.types.get(*member), Type::Str(_))).then_some(members)
                })
                .collect::<Option<Vec<_>>>()
                .map(|tags| tags.concat());
            let Some(tags) = tags else { continue };
            let wanted = self.types().union(&tags);
            let found = self.infer(*value, None);
            if self.types().assignable(found, wanted) {
                continue;
            }
            let message = format!("`{}` is none of `{}`", self.text(*name), self.show(wanted));
            let label = format!("this is `{}`", self.show(found));
            let mut diagnostic = self.diagnostic(Level::Error, "type-mismatch", expr.span, message, label);
            if let Some(near) = self.near_literal(found, wanted) {
                let title = format!("replace with `{near}`");
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(expr.span.range(), near, title);
            }
            return self.report(diagnostic);
        }
    }

    fn tags_agree(&mut self, items: &[TableItem], candidate: TypeId) -> bool {
        items.iter().all(|item| {
            let TableItem::Named(name, value) = item else { return true };
            let symbol = self.symbol(*name);
            let Some(field) = self.lookup_field(candidate, symbol) else { return true };
            let field = self.types().resolve(field);
            if !matches!(self.types().get(field), Type::Str(_) | Type::Int(_) | Type::Bool(_)) {
                return true;
            }
            if !matches!(self.ast.expr(*value).kind, ExprKind::String | ExprKind::Number | ExprKind::True | ExprKind::False) {
                return true;
            }
            let found = self.infer(*value, None);
            self.types().assignable(found, field)
        })
    }

    /// Holds a constructor against the type that its place wants.
    fn modelled_table(&mut self, items: &'a [TableItem], span: Span, model: TypeId, expected: TypeId) -> TypeId {
        let resolved = self.types().resolve(model);
        match self.types().get(resolved).clone() {
            Type::Record(index) => {
                let Some(record) = self.types().get_record(index).cloned() else { return model };
                self.record_literal(items, span, &record, model);
            }
            Type::Intersection(members) => {
                let mut merged = Record::default();
                for member in members.iter() {
                    let member = self.types().resolve(*member);
                    if let Type::Record(index) = *self.types().get(member)
                        && let Some(record) = self.types().get_record(index).cloned()
                    {
                        for field in record.fields {
                            if merged.field(field.name).is_none() {
                                merged.fields.push(field);
                            }
                        }
                        merged.indexers.extend(record.indexers);
                    } else {
                        return model;
                    }
                }
                self.record_literal(items, span, &merged, model);
            }
            Type::Array(element) => self.array_literal(items, element),
            Type::Map(key, value) => self.map_literal(items, key, value),
            _ => {}
        }
        let _ = expected;
        model
    }

    fn record_literal(&mut self, items: &'a [TableItem], span: Span, record: &Record, model: TypeId) {
        let mut given: Vec<Symbol> = Vec::new();
        let mut uncertain = false;
        for item in items {
            match item {
                TableItem::Named(name, value) => {
                    let symbol = self.symbol(*name);
                    given.push(symbol);
                    match record.field(symbol).cloned() {
                        Some(field) => self.field_value(*name, *value, &field),
                        None => self.excess_field(*name, symbol, *value, record, model),
                    }
                }
                TableItem::Keyed(key, value) => {
                    let key_type = self.infer(*key, None);
                    if let Type::Str(symbol) = *self.types().get(key_type) {
                        given.push(symbol);
                        let key_span = self.ast.expr(*key).span;
                        match record.field(symbol).cloned() {
                            Some(field) => self.field_value(key_span, *value, &field),
                            None => self.excess_field(key_span, symbol, *value, record, model),
                        }
                        continue;
                    }
                    uncertain = true;
                    let value_type = self.infer(*value, None);
                    for (wanted_key, wanted) in &record.indexers {
                        if self.types().assignable(key_type, *wanted_key) {
                            let value_span = self.ast.expr(*value).span;
                            self.expect_type(value_type, *wanted, value_span, &|_| String::new());
                        }
                    }
                }
                TableItem::Positional(value) => {
                    let indexer = record
                        .indexers
                        .iter()
                        .find(|(key, _)| matches!(*key, TypeId::INTEGER | TypeId::NUMBER | TypeId::ANY))
                        .copied();
                    match indexer {
                        Some((_, wanted)) => {
                            self.expect(*value, wanted, &|_| String::new());
                        }
                        None => {
                            let found = self.infer(*value, None);
                            if record.indexers.is_empty()
                                && !record.fields.is_empty()
                                && !matches!(self.ast.expr(*value).kind, ExprKind::Call { .. } | ExprKind::Vararg)
                            {
                                let value_span = self.ast.expr(*value).span;
                                let message = format!("`{}` has named fields, but this value has no name", self.show(model));
                                self.error("unknown-field", value_span, message, "");
                            }
                            self.escape(found);
                        }
                    }
                }
            }
        }
        if uncertain {
            return;
        }
        let missing: Vec<Symbol> = record
            .fields
            .iter()
            .filter(|field| !field.optional && !given.contains(&field.name))
            .filter(|field| !self.checker.types.has_nil(field.value))
            .map(|field| field.name)
            .collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().take(5).map(|name| format!("`{}`", self.checker.types.name(*name))).collect();
            let noun = if missing.len() == 1 { "field" } else { "fields" };
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let message = format!("{noun} {} of `{}` {verb} missing", names.join(", "), self.show(model));
            let brace = Span { start: span.start, end: span.start + 1 };
            let place = if self.text(span).contains('\n') { brace } else { span };
            self.error("missing-field", place, message, "");
        }
    }

    fn field_value(&mut self, name: Span, value: ExprId, field: &Field) {
        let wanted = if field.optional { self.types().optional(field.value) } else { field.value };
        let text = self.text(name).to_owned();
        self.expect(value, wanted, &move |_| format!("field `{text}`"));
        self.deprecated(name, field);
    }

    fn excess_field(&mut self, name: Span, symbol: Symbol, value: ExprId, record: &Record, model: TypeId) {
        let key = self.types().add(Type::Str(symbol));
        for (wanted_key, wanted) in &record.indexers {
            if self.types().assignable(key, *wanted_key) {
                self.expect(value, *wanted, &|_| String::new());
                return;
            }
        }
        let found = self.infer(value, None);
        self.escape(found);
        let text = self.text(name).to_owned();
        let message = format!("`{}` has no field `{text}`", self.show(model));
        let diagnostic = self.diagnostic(Level::Error, "unknown-field", name, message, "not a field of it");
        let names = self.field_names(record);
        let diagnostic = suggest(diagnostic, &text, &names, name);
        self.report(diagnostic);
    }

    fn array_literal(&mut self, items: &'a [TableItem], element: TypeId) {
        for (index, item) in items.iter().enumerate() {
            match item {
                TableItem::Positional(value) => {
                    let position = index + 1;
                    self.expect(*value, element, &move |_| format!("element {position}"));
                }
                TableItem::Named(name, value) => {
                    let found = self.infer(*value, None);
                    self.escape(found);
                    let text = self.text(*name);
                    let message = format!("an array of `{}` has no field `{text}`", self.show(element));
                    self.error("unknown-field", *name, message, "");
                }
                TableItem::Keyed(key, value) => {
                    self.infer(*key, None);
                    self.expect(*value, element, &|_| String::new());
                }
            }
        }
    }

    fn map_literal(&mut self, items: &'a [TableItem], key: TypeId, value: TypeId) {
        for item in items {
            match item {
                TableItem::Positional(item) => {
                    let item_span = self.ast.expr(*item).span;
                    self.expect_type(TypeId::INTEGER, key, item_span, &|_| "key of the map".to_owned());
                    self.expect(*item, value, &|_| String::new());
                }
                TableItem::Named(name, item) => {
                    let symbol = self.symbol(*name);
                    let literal = self.types().add(Type::Str(symbol));
                    self.expect_type(literal, key, *name, &|_| "key of the map".to_owned());
                    self.expect(*item, value, &|_| String::new());
                }
                TableItem::Keyed(name, item) => {
                    self.expect(*name, key, &|_| "key of the map".to_owned());
                    self.expect(*item, value, &|_| String::new());
                }
            }
        }
    }
}
