//! Queries: which entries a program asks for.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::entry::Entry;
use crate::path::FieldPath;
use crate::pattern::{Glob, PatternError};

/// How large a compiled expression may become: it comes from Lua code.
const MAX_REGEX_BYTES: usize = 1 << 20;
/// How many conditions one query may have.
const MAX_CONDITIONS: usize = 64;

/// Conditions on entries, all of which must hold.
///
/// A key is `.kind`, `.ns`, `.name`, `.id` or `meta.` with a field, behind an optional operator: `~` expression, `*`
/// contains, `^` starts with, `$` ends with. Without an operator the values must be equal; keys with a dot in front take
/// patterns such as `function.*`.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    conditions: Vec<Condition>,
    ignored: Vec<String>,
}

/// Why a query is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The value of a condition is a list, a map or nothing.
    #[error("the value of `{0}` must be a text, a number or a boolean")]
    Value(String),
    /// An operator on texts has another value.
    #[error("the value of `{0}` must be a text")]
    Text(String),
    /// The expression is malformed or too large.
    #[error("`{0}` is not a valid expression: {1}")]
    Regex(String, String),
    /// The pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// There are too many conditions.
    #[error("a query has at most {MAX_CONDITIONS} conditions")]
    TooMany,
}

#[derive(Debug, Clone)]
struct Condition {
    field: Field,
    test: Test,
}

#[derive(Debug, Clone)]
enum Field {
    Kind,
    Namespace,
    Name,
    Id,
    Meta(FieldPath),
}

#[derive(Clone)]
enum Test {
    Equal(Value),
    Glob(Glob),
    Regex(Regex),
    Contains(Value),
    Starts(String),
    Ends(String),
}

impl Filter {
    /// Reads conditions.
    ///
    /// # Errors
    /// When a value does not fit its operator, or an expression is malformed.
    pub fn new<'a>(conditions: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for (key, value) in conditions {
            let (operator, name) = match key.split_at_checked(1) {
                Some((operator @ ("~" | "*" | "^" | "$"), name)) => (operator, name),
                _ => ("", key),
            };
            let field = match name {
                ".kind" => Field::Kind,
                ".ns" => Field::Namespace,
                ".name" => Field::Name,
                ".id" => Field::Id,
                name => match name.strip_prefix("meta.") {
                    Some(path) if !path.is_empty() => Field::Meta(FieldPath::dotted(path)),
                    _ => {
                        filter.ignored.push(key.to_owned());
                        continue;
                    }
                },
            };
            if filter.conditions.len() >= MAX_CONDITIONS {
                return Err(FilterError::TooMany);
            }
            let test = Test::new(key, operator, &field, value)?;
            filter.conditions.push(Condition { field, test });
        }
        Ok(filter)
    }

    /// Gives the keys that mean nothing and were left out, for a warning.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Tells whether an entry meets all conditions.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.conditions.iter().all(|condition| match &condition.field {
            Field::Kind => condition.test.matches_text(&entry.kind),
            Field::Namespace => condition.test.matches_text(entry.id.namespace()),
            Field::Name => condition.test.matches_text(entry.id.name()),
            Field::Id => condition.test.matches_text(entry.id.as_str()),
            Field::Meta(path) => meta(entry, path).is_some_and(|value| condition.test.matches(value)),
        })
    }
}

fn meta<'a>(entry: &'a Entry, path: &FieldPath) -> Option<&'a Value> {
    path.segments().iter().try_fold(&entry.meta, |value, segment| match segment {
        crate::path::Segment::Key(key) => value.get(key),
        // A field may be named by a number, too.
        crate::path::Segment::Index(index) => value.get(index).or_else(|| value.get(index.to_string())),
    })
}

impl Test {
    fn new(key: &str, operator: &str, field: &Field, value: &Value) -> Result<Self, FilterError> {
        let text = || value.as_str().ok_or_else(|| FilterError::Text(key.to_owned()));
        Ok(match operator {
            "~" => {
                let expression = RegexBuilder::new(text()?).size_limit(MAX_REGEX_BYTES).build();
                Self::Regex(expression.map_err(|error| {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    FilterError::Regex(key.to_owned(), reason)
                })?)
            }
            "*" if !value.is_array() && !value.is_object() && !value.is_null() => Self::Contains(value.clone()),
            "^" => Self::Starts(text()?.to_owned()),
            "$" => Self::Ends(text()?.to_owned()),
            _ => match (field, value) {
                (Field::Kind | Field::Namespace | Field::Name | Field::Id, Value::String(text)) if Glob::is_pattern(text) => {
                    Self::Glob(Glob::new(text)?)
                }
                (_, Value::String(_) | Value::Number(_) | Value::Bool(_)) => Self::Equal(value.clone()),
                _ => return Err(FilterError::Value(key.to_owned())),
            },
        })
    }

    fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Equal(value) => value.as_str() == Some(text),
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(expression) => expression.is_match(text),
            Self::Contains(value) => value.as_str().is_some_and(|part| text.contains(part)),
            Self::Starts(start) => text.starts_with(start.as_str()),
            Self::Ends(end) => text.ends_with(end.as_str()),
        }
    }

    fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Equal(wanted), value) => equal(wanted, value),
            (Self::Contains(wanted), Value::Array(values)) => values.iter().any(|value| equal(wanted, value)),
            (test, Value::String(text)) => test.matches_text(text),
            _ => false,
        }
    }
}

/// One and 1.0 are the same number.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (left, right) => left == right,
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(value) => write!(f, "= {value}"),
            Self::Glob(glob) => write!(f, "glob {glob:?}"),
            Self::Regex(expression) => write!(f, "~ {expression}"),
            Self::Contains(value) => write!(f, "* {value}"),
            Self::Starts(text) => write!(f, "^ {text}"),
            Self::Ends(text) => write!(f, "$ {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use serde_json::json;

    use super::*;
    use crate::id::EntryId;

    fn found(filter: Value) -> Vec<&'static str> {
        let names = ["app.api:users", "app.api:orders", "app:worker", "lib:text"];
        let entries = [
            Entry::new(
                EntryId::parse(names[0]).unwrap(),
                "function.lua",
                json!({"type": "handler", "tags": ["api", "users"], "port": 80}),
                json!({}),
            ),
            Entry::new(
                EntryId::parse(names[1]).unwrap(),
                "function.lua",
                json!({"type": "handler", "tags": ["api"], "deep": {"er": "yes"}}),
                json!({}),
            ),
            Entry::new(EntryId::parse(names[2]).unwrap(), "process.lua", json!({"type": "worker", "on": true}), json!({})),
            Entry::new(EntryId::parse(names[3]).unwrap(), "library.lua", json!({}), json!({})),
        ];
        let pairs: Vec<(String, Value)> = filter.as_object().unwrap().clone().into_iter().collect();
        let filter = Filter::new(pairs.iter().map(|(key, value)| (key.as_str(), value))).unwrap();
        names.into_iter().zip(&entries).filter(|(_, entry)| filter.matches(entry)).map(|(name, _)| name).collect()
    }

    #[test]
    fn conditions_hold_together() {
        assert_eq!(found(json!({".kind": "function.lua", ".ns": "app.api"})), ["app.api:users", "app.api:orders"]);
        assert_eq!(found(json!({".kind": "*.lua", "meta.type": "worker"})), ["app:worker"]);
        assert_eq!(found(json!({".name": "text"})), ["lib:text"]);
        assert_eq!(found(json!({".id": "app:worker", ".kind": "function.lua"})), Vec::<&str>::new());
        assert_eq!(found(json!({})).len(), 4);
    }

    #[test]
    fn operators_stand_in_front_of_the_key() {
        assert_eq!(found(json!({"~.id": "^app.*(users|worker)$"})), ["app.api:users", "app:worker"]);
        assert_eq!(found(json!({"*meta.tags": "users"})), ["app.api:users"]);
        assert_eq!(found(json!({"*meta.type": "and"})), ["app.api:users", "app.api:orders"]);
        assert_eq!(found(json!({"^.ns": "app."})), ["app.api:users", "app.api:orders"]);
        assert_eq!(found(json!({"$.kind": ".lua"})).len(), 4);
        assert_eq!(found(json!({"meta.port": 80.0})), ["app.api:users"]);
        assert_eq!(found(json!({"meta.on": true})), ["app:worker"]);
        assert_eq!(found(json!({"meta.deep.er": "yes"})), ["app.api:orders"]);
    }

    #[test]
    fn a_key_without_a_prefix_is_ignored_and_named() {
        let value = json!("function.lua");
        let filter = Filter::new([("kind", &value), (".kind", &value)]).unwrap();
        assert_eq!(filter.ignored(), ["kind"]);
        assert_eq!(found(json!({"kind": "nothing"})).len(), 4);
    }

    #[test]
    fn malformed_queries_are_refused() {
        let error = |key: &str, value: Value| Filter::new([(key, &value)]).unwrap_err().to_string();
        assert_eq!(error("~.id", json!("(")), "`~.id` is not a valid expression: unclosed group");
        assert_eq!(error("^.id", json!(5)), "the value of `^.id` must be a text");
        assert_eq!(error(".id", json!([1])), "the value of `.id` must be a text, a number or a boolean");
        assert!(error("~.id", json!("a{1000}{1000}{1000}")).starts_with("`~.id` is not a valid expression"));
    }
}
