//! From text to values. Nesting, aliases and the number of values are bounded: a short text can unfold to gigabytes.

use std::fmt;

use moonlet_runtime::{Error, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::fail::{exceeded, internal, invalid};

/// How deeply values may nest: parsing recurses once per level.
const MAX_DEPTH: usize = 60;
/// How many values a text may hold, after aliases.
const MAX_NODES: usize = 100_000;
/// How many values aliases may repeat.
const MAX_REPEATED: usize = 100_000;
/// How many documents may stand in a text, of which the first is read.
const MAX_DOCUMENTS: usize = 64;

/// Reads the first document of a text.
pub(super) fn decode(text: &str) -> Result<Value, Error> {
    if text.is_empty() {
        return Err(invalid("the document is empty"));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: MAX_DOCUMENTS },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // As in YAML 1.2: `yes` and `on` are texts. `0644` is octal, as everybody expects of a file mode.
        strict_booleans: true,
        legacy_octal_numbers: true,
        reject_non_finite_typeless_float: false,
        emit_comments: false,
        with_snippet: false,
    };
    match serde_saphyr::from_multiple_with_options::<Node>(text, options) {
        Ok(documents) => Ok(documents.into_iter().next().map_or(Value::Nil, |node| node.0)),
        Err(error) => Err(describe(&error)),
    }
}

fn describe(error: &serde_saphyr::Error) -> Error {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.lines().next().unwrap_or(text);
    if let serde_saphyr::Error::Budget { breach, .. } = error.without_snippet() {
        let (name, allowed) = match breach {
            BudgetBreach::Depth { .. } => ("depth", MAX_DEPTH),
            BudgetBreach::Documents { .. } => ("documents", MAX_DOCUMENTS),
            _ => ("values", MAX_NODES),
        };
        let message = format!(
            "failed to decode YAML: the document is too large: at most {MAX_NODES} values, {MAX_REPEATED} of them by aliases, nested at most {MAX_DEPTH} deep: {text}"
        );
        return exceeded(message, name, allowed as u64);
    }
    internal(format!("failed to decode YAML: {text}"))
}

struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node(Value::Nil))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node(Value::Nil))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        // Lua's integers have 63 bits and a sign.
        Ok(Node(i64::try_from(value).map_or(Value::F64(value as f64), Value::from)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node(i64::try_from(value).map_or(Value::F64(value as f64), Value::from)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node(i64::try_from(value).map_or(Value::F64(value as f64), Value::from)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node(Value::F64(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        // The library gives these three numbers as texts.
        Ok(Node(match value {
            ".inf" => Value::F64(f64::INFINITY),
            "-.inf" => Value::F64(f64::NEG_INFINITY),
            ".nan" => Value::F64(f64::NAN),
            text => text.into(),
        }))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Node, E> {
        Ok(Node(Value::Binary(value.to_vec())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(Node(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Node(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some((Node(key), Node(value))) = fields.next_entry()? {
            let key = match key {
                // A table has no such keys.
                Value::Nil => Value::from("null"),
                Value::F64(key) if key.is_nan() => Value::from(".nan"),
                key => key,
            };
            map.push((key, value));
        }
        Ok(Node(Value::Map(map)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn scalars_have_their_types() {
        let value = decode("[1, 1.5, true, null, yes, '1', 0x1f, .inf, 99999999999999999999]").unwrap();
        let expected = Value::Array(vec![
            1.into(),
            1.5.into(),
            true.into(),
            Value::Nil,
            "yes".into(),
            "1".into(),
            31.into(),
            f64::INFINITY.into(),
            1e20.into(),
        ]);
        assert_eq!(value, expected);
    }

    #[test]
    fn the_first_of_several_documents_counts() {
        assert_eq!(decode("a: 1\n---\nb: 2\n").unwrap(), Value::Map(vec![("a".into(), 1.into())]));
        assert_eq!(decode("~").unwrap(), Value::Nil);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let deep = "[".repeat(500);
        for text in [bomb.as_str(), deep.as_str(), "a: &a [*a]"] {
            assert!(decode(text).is_err(), "{}", text.len());
        }
        assert_eq!(decode("").unwrap_err().kind, "Invalid");
        assert_eq!(decode("a: [1").unwrap_err().kind, "Internal");
    }
}
