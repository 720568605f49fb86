//! The walk of an entry along the tables of its kind.

use moonlet_language::diagnostic::{Diagnostic, Level};
use serde_json::{Map, Value};

use super::value::{Mismatch, check_scalar, has_placeholder, wrong};
use super::{Field, Object, Target, Type, Unknown};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::kinds::Kind;
use crate::path::FieldPath;
use crate::source::list_names;
use crate::suggest::nearest;

/// Required fields, and the name under which the reference knows them, too.
const OTHER_NAMES: &[(&str, &str)] = &[("table_name", "table")];

/// An id that stands in an entry.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// Where it stands.
    pub(crate) path: FieldPath,
    /// The entry it leads to.
    pub(crate) id: EntryId,
    /// What it must lead to.
    pub(crate) target: &'static Target,
}

/// Checks the fields of an entry and collects the ids in it.
pub(crate) fn check_entry(entry: &Entry, kind: &Kind, diagnostics: &mut Vec<Diagnostic>) -> Vec<Reference> {
    let mut walk = Walk { entry, diagnostics, references: Vec::new(), level: Level::Warning };
    if let (Some(object), Value::Object(map)) = (kind.meta, &entry.meta) {
        // Meta is free data: what only looks like a known field must not stop an application.
        walk.object(object, map, &FieldPath::new().key("meta"));
    }
    walk.level = Level::Error;
    if let Some(object) = kind.data {
        match &entry.data {
            Value::Object(map) => walk.object(object, map, &FieldPath::new()),
            value => {
                let mismatch = wrong("a map", value);
                let message = format!("the data of `{}` {}", entry.id, mismatch.reason);
                let diagnostic = Diagnostic::error("wrong-type", message);
                walk.diagnostics.push(entry.locate(diagnostic, &FieldPath::new(), ""));
            }
        }
    }
    walk.references
}

struct Walk<'a> {
    entry: &'a Entry,
    diagnostics: &'a mut Vec<Diagnostic>,
    references: Vec<Reference>,
    level: Level,
}

impl Walk<'_> {
    fn object(&mut self, object: &'static Object, map: &Map<String, Value>, path: &FieldPath) {
        let same = |known: &str, name: &str| match object.unknown {
            Unknown::AnyCase => known.eq_ignore_ascii_case(name),
            _ => known == name,
        };
        for (name, value) in map {
            match object.fields.iter().find(|field| same(field.name, name)) {
                // An empty field is as good as an absent one.
                Some(_) if value.is_null() => {}
                Some(field) => self.value(&field.ty, value, &path.key(name)),
                // Whatever it is, it may say when it starts.
                None if name == "lifecycle" && path.is_empty() => {}
                None => self.unknown_field(object, name, path),
            }
        }
        for field in object.fields {
            let is_there = |wanted: &str| map.iter().any(|(name, value)| same(wanted, name) && !value.is_null());
            let other = OTHER_NAMES.iter().find(|(name, _)| *name == field.name).is_some_and(|(_, other)| is_there(other));
            // A field `x_env` names the variable that gives `x`.
            if field.required.is_some() && !is_there(field.name) && !is_there(&format!("{}_env", field.name)) && !other {
                self.missing_field(field, path);
            }
        }
    }

    fn value(&mut self, ty: &'static Type, value: &Value, path: &FieldPath) {
        if value.as_str().is_some_and(has_placeholder) {
            return;
        }
        match (ty, value) {
            (Type::Ref(target), Value::String(text)) => self.reference(target, text, path),
            (Type::Ref(target), _) => self.mismatch(wrong(&format!("the id of {}", target.what), value), path),
            (Type::List(element) | Type::OneOrMany(element), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.value(element, value, &path.index(index));
                }
            }
            (Type::List(_) | Type::OneOrMany(_), Value::Object(map)) if map.is_empty() => {}
            (Type::OneOrMany(element), _) => self.value(element, value, path),
            (Type::List(_), _) => {
                let mut mismatch = wrong("a list", value);
                if let Value::String(text) = value {
                    mismatch.help = Some(format!("write `[{text}]`"));
                }
                self.mismatch(mismatch, path);
            }
            (Type::Map(element), Value::Object(map)) => {
                for (name, value) in map {
                    self.value(element, value, &path.key(name));
                }
            }
            (Type::Object(object), Value::Object(map)) => self.object(object, map, path),
            // Lua does not tell an empty list from an empty map.
            (Type::Map(_) | Type::Object(_), Value::Array(values)) if values.is_empty() => {}
            (Type::Map(_) | Type::Object(_), _) => self.mismatch(wrong("a map", value), path),
            _ => {
                if let Err(mismatch) = check_scalar(ty, value) {
                    self.mismatch(mismatch, path);
                }
            }
        }
    }

    fn reference(&mut self, target: &'static Target, text: &str, path: &FieldPath) {
        // An import may name a module.
        if target.takes_modules() && text.len() > 1 && text.starts_with(':') {
            return;
        }
        match EntryId::resolve(text, &self.entry.id.to_namespace()) {
            Ok(id) => self.references.push(Reference { path: path.clone(), id, target }),
            Err(error) => {
                let message = format!("`{path}` of `{}` is not the id of {}: {error}", self.entry.id, target.what);
                self.push(Diagnostic::new("malformed-id", self.level, message), path);
            }
        }
    }

    fn mismatch(&mut self, mismatch: Mismatch, path: &FieldPath) {
        let message = format!("`{path}` of `{}` {}", self.entry.id, mismatch.reason);
        let diagnostic = Diagnostic::new("wrong-type", self.level, message);
        let diagnostic = match mismatch.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        };
        self.push(diagnostic, path);
    }

    fn unknown_field(&mut self, object: &Object, name: &str, path: &FieldPath) {
        let level = match object.unknown {
            Unknown::Allowed => return,
            Unknown::Warned | Unknown::AnyCase => Level::Warning,
            Unknown::Refused => self.level,
        };
        let owner = match path.is_empty() {
            true => format!("`{}` ({})", self.entry.id, self.entry.kind),
            false => format!("`{path}` of `{}`", self.entry.id),
        };
        let names: Vec<&str> = object.fields.iter().map(|field| field.name).collect();
        let near = nearest(name, names.iter().copied());
        let help = match near {
            Some(near) => format!("write `{near}`"),
            None => format!("the fields are {}", list_names(&names)),
        };
        let field = path.key(name);
        let diagnostic = Diagnostic::new("unknown-field", level, format!("{owner} has no field `{name}`"));
        let mut diagnostic = self.entry.locate_key(diagnostic, &field, "unknown field").help(help);
        let span = diagnostic.primary.as_ref().map(|label| label.span.clone());
        // A quoted name keeps its quotes, so it is left to its author.
        if let (Some(near), Some(span)) = (near, span.filter(|span| span.len() == name.len())) {
            diagnostic = diagnostic.fix(span, near, format!("write `{near}`"));
        }
        self.diagnostics.push(diagnostic);
    }

    fn missing_field(&mut self, field: &Field, path: &FieldPath) {
        let owner = match path.is_empty() {
            true => format!("`{}` ({})", self.entry.id, self.entry.kind),
            false => format!("`{path}` of `{}`", self.entry.id),
        };
        let diagnostic = Diagnostic::new("missing-field", self.level, format!("{owner} needs `{}`", field.name));
        let diagnostic = diagnostic.help(field.required.unwrap_or_default());
        let diagnostic = self.entry.locate_key(diagnostic, &path.key(field.name), "");
        self.diagnostics.push(diagnostic);
    }

    fn push(&mut self, diagnostic: Diagnostic, path: &FieldPath) {
        self.diagnostics.push(self.entry.locate(diagnostic, path, ""));
    }
}
