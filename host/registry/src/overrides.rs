//! Changes of single fields at start: `-o NS:ENTRY:PATH=VALUE` and the section `override` of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::{Map, Value};

use crate::entry::Entry;
use crate::id::{EntryId, IdError};
use crate::path::{FieldPath, Segment};
use crate::suggest::nearest;

/// The deepest field that an override may make: it is a path that somebody types.
const MAX_PATH_STEPS: usize = 32;

/// A change of one field of one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The entry to change.
    pub id: EntryId,
    /// The field; `kind`, `meta.x`, or a field of the data.
    pub path: FieldPath,
    /// Its new value.
    pub value: Value,
    /// What to call it in reports: "`-o app:worker:method=run`".
    pub shown: String,
}

/// Why a text is not an override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no `=`.
    #[error("`{0}` has no `=`: write `NAMESPACE:ENTRY:PATH=VALUE`, such as `app:worker:method=run`")]
    NoValue(String),
    /// There are not two colons in front of the `=`.
    #[error("`{0}` does not name a field: write `NAMESPACE:ENTRY:PATH=VALUE`, such as `app:worker:method=run`")]
    NoField(String),
    /// The entry is malformed.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl Override {
    /// Reads what stands behind `-o`. `true`, `false` and numbers keep their type, anything else is a text.
    ///
    /// # Errors
    /// When the text is not of the form `NAMESPACE:ENTRY:PATH=VALUE`.
    pub fn parse(text: &str) -> Result<Self, OverrideError> {
        let (key, value) = text.split_once('=').ok_or_else(|| OverrideError::NoValue(text.to_owned()))?;
        Self::new(key, coerce(value), format!("`-o {text}`"))
    }

    /// Takes a key `NAMESPACE:ENTRY:PATH` and a value.
    ///
    /// # Errors
    /// When the key is not of that form.
    pub fn new(key: &str, value: Value, shown: String) -> Result<Self, OverrideError> {
        let no_field = || OverrideError::NoField(key.to_owned());
        let (id, path) = key.rsplit_once(':').ok_or_else(no_field)?;
        if !id.contains(':') || path.is_empty() {
            return Err(no_field());
        }
        let path = FieldPath::dotted(path);
        if path.is_empty() || path.segments().len() > MAX_PATH_STEPS {
            return Err(no_field());
        }
        Ok(Self { id: EntryId::parse(id)?, path, value, shown })
    }
}

/// Reads a value of the command line: `true`, `false` and numbers keep their type, anything else is a text.
pub(crate) fn coerce(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    // What only looks like a number, such as `+1` or `1e5`, stays a text unless JSON has it.
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Number(number)) => Value::Number(number),
        _ => Value::String(text.to_owned()),
    }
}

/// Applies overrides in order, the last one for a field wins.
pub(crate) fn apply(overrides: &[Override], entries: &mut [Entry], diagnostics: &mut Vec<Diagnostic>) {
    if overrides.is_empty() {
        return;
    }
    let positions: BTreeMap<EntryId, usize> =
        entries.iter().enumerate().map(|(position, entry)| (entry.id.clone(), position)).collect();
    for change in overrides {
        let found = positions.get(&change.id).and_then(|position| entries.get_mut(*position));
        let Some(entry) = found else {
            let message = format!("{} changes `{}`, which does not exist", change.shown, change.id);
            let diagnostic = Diagnostic::error("unknown-entry", message);
            diagnostics.push(match nearest(change.id.as_str(), positions.keys().map(EntryId::as_str)) {
                Some(id) => diagnostic.help(format!("there is `{id}`")),
                None => diagnostic.help("`moonlet registry list` shows all entries"),
            });
            continue;
        };
        if let Err(reason) = set(entry, &change.path, &change.value) {
            let message = format!("{} cannot be applied: {reason}", change.shown);
            diagnostics.push(Diagnostic::error("wrong-value", message));
            continue;
        }
        if let Some(origin) = &entry.origin {
            let mut origin = origin.as_ref().clone();
            origin.overrides.push((without_data(&change.path), change.shown.clone()));
            entry.origin = Some(Arc::new(origin));
        }
    }
}

/// `data.x` and `x` are the same field.
fn without_data(path: &FieldPath) -> FieldPath {
    match path.segments().split_first() {
        Some((Segment::Key(key), rest)) if key == "data" && !rest.is_empty() => {
            rest.iter().fold(FieldPath::new(), |path, segment| match segment {
                Segment::Key(key) => path.key(key),
                Segment::Index(index) => path.index(*index),
            })
        }
        _ => path.clone(),
    }
}

/// Sets a field of an entry, and makes the maps on the way to it.
pub(crate) fn set(entry: &mut Entry, path: &FieldPath, value: &Value) -> Result<(), String> {
    match path.segments() {
        [Segment::Key(key)] if key == "kind" => match value.as_str() {
            Some(kind) if !kind.is_empty() => {
                kind.clone_into(&mut entry.kind);
                Ok(())
            }
            _ => Err("a kind must be a text that is not empty".to_owned()),
        },
        [Segment::Key(key), rest @ ..] if key == "meta" => set_in(&mut entry.meta, rest, value),
        [Segment::Key(key), rest @ ..] if key == "data" && !rest.is_empty() => set_in(&mut entry.data, rest, value),
        path => set_in(&mut entry.data, path, value),
    }
}

fn set_in(root: &mut Value, path: &[Segment], value: &Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        *root = value.clone();
        return Ok(());
    };
    if root.is_null() {
        *root = Value::Object(Map::new());
    }
    match (root, first) {
        (Value::Object(map), Segment::Key(key)) => set_in(map.entry(key.as_str()).or_insert(Value::Null), rest, value),
        (Value::Object(map), Segment::Index(index)) => set_in(map.entry(index.to_string()).or_insert(Value::Null), rest, value),
        (Value::Array(values), Segment::Index(index)) => match values.get_mut(*index) {
            Some(element) => set_in(element, rest, value),
            None => Err(format!("the list has no element {index}")),
        },
        (_, Segment::Key(key)) => Err(format!("there is no map that could hold `{key}`")),
        (_, Segment::Index(index)) => Err(format!("there is no list that could hold element {index}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_override_names_an_entry_a_field_and_a_value() {
        let change = Override::parse("app:a:b:limits.memory=64MB").unwrap();
        assert_eq!((change.id.as_str(), change.path.to_string().as_str()), ("app:a:b", "limits.memory"));
        assert_eq!(change.value, json!("64MB"));
        for (text, value) in [
            ("5", json!(5)),
            ("1.5", json!(1.5)),
            ("true", json!(true)),
            (":9090", json!(":9090")),
            ("a=b", json!("a=b")),
            ("", json!("")),
        ] {
            assert_eq!(Override::parse(&format!("app:x:y={text}")).unwrap().value, value);
        }
    }

    #[test]
    fn malformed_overrides_say_what_to_write() {
        for (text, error) in [
            ("app:x:y", "`app:x:y` has no `=`: write `NAMESPACE:ENTRY:PATH=VALUE`, such as `app:worker:method=run`"),
            ("app:x=1", "`app:x` does not name a field: write `NAMESPACE:ENTRY:PATH=VALUE`, such as `app:worker:method=run`"),
        ] {
            assert_eq!(Override::parse(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn fields_of_kind_meta_and_data_are_set() {
        let id = EntryId::parse("app:x").unwrap();
        let mut entry = Entry::new(id, "registry.entry", json!({}), json!({"list": [1, 2], "text": "x"}));
        for text in ["kind=store.memory", "meta.a.b=1", "list.1=3", "data.kind=custom", "deep.er=yes"] {
            let change = Override::parse(&format!("app:x:{text}")).unwrap();
            set(&mut entry, &change.path, &change.value).unwrap();
        }
        assert_eq!(entry.kind, "store.memory");
        assert_eq!(entry.meta, json!({"a": {"b": 1}}));
        assert_eq!(entry.data, json!({"list": [1, 3], "text": "x", "kind": "custom", "deep": {"er": "yes"}}));
        assert!(set(&mut entry, &FieldPath::dotted("text.deeper"), &json!(1)).is_err());
        assert!(set(&mut entry, &FieldPath::dotted("list.9"), &json!(1)).is_err());
    }
}
