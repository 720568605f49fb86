//! A configuration value that remembers where in its file it stands.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use crate::path::Spans;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: NodeValue,
    pub(crate) span: Range<usize>,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeValue {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Pair>),
}

/// One field of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

impl Node {
    /// Gives the fields if this is a map.
    pub(crate) fn pairs(&self) -> Option<&[Pair]> {
        match &self.value {
            NodeValue::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Gives a field if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Pair> {
        self.pairs()?.iter().find(|pair| pair.key == key)
    }

    /// Gives the text if this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Says what this is, for "expected a list, found a map".
    pub(crate) fn describe(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a map",
        }
    }

    /// Takes the plain value and the places apart; `key` is where the name of this value stands.
    pub(crate) fn split(self, key: Range<usize>) -> (Value, Spans) {
        let span = self.span;
        match self.value {
            NodeValue::Null => (Value::Null, Spans::leaf(key, span)),
            NodeValue::Bool(bool) => (Value::Bool(bool), Spans::leaf(key, span)),
            NodeValue::Number(number) => (Value::Number(number), Spans::leaf(key, span)),
            NodeValue::Text(text) => (Value::String(text), Spans::leaf(key, span)),
            NodeValue::List(nodes) => {
                let parts = nodes.into_iter().map(|node| {
                    // An element has no name, so that its first field stands for it.
                    let first = node.pairs().and_then(<[Pair]>::first).map(|pair| &pair.key_span);
                    let span = first.unwrap_or(&node.span).clone();
                    node.split(span)
                });
                let (values, spans) = parts.unzip();
                (Value::Array(values), Spans::elements(key, span, spans))
            }
            NodeValue::Map(pairs) => {
                let (map, fields) = split_pairs(pairs);
                (Value::Object(map), Spans::fields(key, span, fields))
            }
        }
    }

    /// Makes a node of a value that has no places of its own.
    pub(crate) fn placed_at(value: Value, span: &Range<usize>) -> Self {
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(bool) => NodeValue::Bool(bool),
            Value::Number(number) => NodeValue::Number(number),
            Value::String(text) => NodeValue::Text(text),
            Value::Array(values) => NodeValue::List(values.into_iter().map(|value| Self::placed_at(value, span)).collect()),
            Value::Object(map) => {
                let pair = |(key, value)| Pair { key, key_span: span.clone(), node: Self::placed_at(value, span) };
                NodeValue::Map(map.into_iter().map(pair).collect())
            }
        };
        Self { value, span: span.clone() }
    }
}

/// Takes the fields of a map and their places apart.
pub(crate) fn split_pairs(pairs: Vec<Pair>) -> (Map<String, Value>, Vec<(String, Spans)>) {
    let mut map = Map::new();
    let mut fields = Vec::with_capacity(pairs.len());
    for Pair { key, key_span, node } in pairs {
        let (value, spans) = node.split(key_span);
        fields.push((key.clone(), spans));
        map.insert(key, value);
    }
    (map, fields)
}
