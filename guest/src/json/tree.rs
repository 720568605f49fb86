//! A JSON value as a tree of its own, for validation, which must tell `null` from absent and arrays from objects.

use std::cmp::Ordering;

use super::parse::{self, Failure, MAX_DEPTH, Sink};
use crate::raw::{Slot, Table, Value};

/// A JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(Vec<u8>),
    Array(Vec<Json>),
    /// The members in the order of their keys.
    Object(Vec<(Vec<u8>, Json)>),
    /// An empty Lua table: an array or an object, whichever is asked for.
    Empty,
    /// A Lua value without a JSON form; its type.
    Other(&'static str),
}

impl Json {
    /// Reads a text; the error is its description.
    pub(crate) fn parse(text: &[u8]) -> Result<Json, String> {
        let mut builder = Builder { open: Vec::new(), done: Json::Null };
        match parse::parse(text, &mut builder) {
            Ok(()) => Ok(builder.done),
            Err(Failure::Syntax(reason, at)) => Err(parse::describe(text, reason, at)),
            Err(Failure::Stopped(())) => Err("invalid JSON".to_owned()),
        }
    }

    /// Copies a Lua value. None when it is nested too deep, as a cycle is.
    pub(crate) fn from_lua(value: Value<'_>) -> Option<Json> {
        copy(value, 0)
    }

    /// The member of that key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        let index = members.binary_search_by(|(name, _)| name.as_slice().cmp(key)).ok()?;
        members.get(index).map(|(_, value)| value)
    }

    /// The members; none for an empty table; nothing when this is no object.
    pub(crate) fn members(&self) -> Option<&[(Vec<u8>, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            Json::Empty => Some(&[]),
            _ => None,
        }
    }

    /// The elements; none for an empty table; nothing when this is no array.
    pub(crate) fn elements(&self) -> Option<&[Json]> {
        match self {
            Json::Array(elements) => Some(elements),
            Json::Empty => Some(&[]),
            _ => None,
        }
    }

    /// The number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Json::Integer(value) => Some(*value as f64),
            Json::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The bytes of the string.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether two values are the same; numbers by value.
    pub(crate) fn same(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Boolean(a), Json::Boolean(b)) => a == b,
            (Json::Integer(a), Json::Integer(b)) => a == b,
            (Json::String(a), Json::String(b)) => a == b,
            (Json::Integer(_) | Json::Float(_), Json::Integer(_) | Json::Float(_)) => {
                self.number().zip(other.number()).is_some_and(|(a, b)| a.partial_cmp(&b) == Some(Ordering::Equal))
            }
            (Json::Array(_) | Json::Empty, Json::Array(_) | Json::Empty) => {
                let (a, b) = (self.elements().unwrap_or_default(), other.elements().unwrap_or_default());
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Json::Object(_) | Json::Empty, Json::Object(_) | Json::Empty) => {
                let (a, b) = (self.members().unwrap_or_default(), other.members().unwrap_or_default());
                a.len() == b.len() && a.iter().zip(b).all(|((key, a), (other, b))| key == other && a.same(b))
            }
            _ => false,
        }
    }
}

fn copy(value: Value<'_>, depth: usize) -> Option<Json> {
    Some(match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => Json::Boolean(value),
        Value::Integer(value) => Json::Integer(value),
        Value::Float(value) => Json::Float(value),
        Value::String(text) => Json::String(text.to_vec()),
        Value::Table(_) if depth >= MAX_DEPTH => return None,
        Value::Table(table) => copy_table(table, depth)?,
        Value::Other(_) => Json::Other("function, thread or userdata"),
    })
}

fn copy_table(table: &Table, depth: usize) -> Option<Json> {
    let mut elements = Vec::new();
    let mut later = Vec::new();
    let mut members = Vec::new();
    for value in table.array().iter().map(Slot::get).take_while(|value| !matches!(value, Value::Nil)) {
        elements.push(copy(value, depth + 1)?);
    }
    for (key, value) in table.entries() {
        match key {
            Value::String(key) => members.push((key.to_vec(), copy(value, depth + 1)?)),
            Value::Integer(index) => later.push((index, copy(value, depth + 1)?)),
            _ => return Some(Json::Other("table with keys that are neither strings nor array indices")),
        }
    }
    later.sort_by_key(|(index, _)| *index);
    for (index, value) in later {
        if usize::try_from(index) != Ok(elements.len() + 1) {
            return Some(Json::Other("sparse array"));
        }
        elements.push(value);
    }
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(match (elements.is_empty(), members.is_empty()) {
        (true, true) => Json::Empty,
        (false, true) => Json::Array(elements),
        (true, false) => Json::Object(members),
        (false, false) => Json::Other("table with string keys and array indices"),
    })
}

/// The containers that are being read, outermost first.
struct Builder {
    open: Vec<Open>,
    /// The value that was read last.
    done: Json,
}

enum Open {
    Array(Vec<Json>),
    Object(Vec<(Vec<u8>, Json)>, Vec<u8>),
}

impl Builder {
    fn set(&mut self, value: Json) -> Result<(), ()> {
        self.done = value;
        Ok(())
    }

    fn take(&mut self) -> Json {
        std::mem::replace(&mut self.done, Json::Null)
    }
}

impl Sink for Builder {
    type Stop = ();

    fn null(&mut self) -> Result<(), ()> {
        self.set(Json::Null)
    }

    fn boolean(&mut self, value: bool) -> Result<(), ()> {
        self.set(Json::Boolean(value))
    }

    fn integer(&mut self, value: i64) -> Result<(), ()> {
        self.set(Json::Integer(value))
    }

    fn float(&mut self, value: f64) -> Result<(), ()> {
        self.set(Json::Float(value))
    }

    fn string(&mut self, text: &[u8]) -> Result<(), ()> {
        self.set(Json::String(text.to_vec()))
    }

    fn key(&mut self, text: &[u8]) -> Result<(), ()> {
        if let Some(Open::Object(_, key)) = self.open.last_mut() {
            *key = text.to_vec();
        }
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), ()> {
        self.open.push(Open::Array(Vec::new()));
        Ok(())
    }

    fn end_element(&mut self) -> Result<(), ()> {
        let value = self.take();
        if let Some(Open::Array(elements)) = self.open.last_mut() {
            elements.push(value);
        }
        Ok(())
    }

    fn end_array(&mut self) -> Result<(), ()> {
        match self.open.pop() {
            Some(Open::Array(elements)) => self.set(Json::Array(elements)),
            _ => Err(()),
        }
    }

    fn begin_object(&mut self) -> Result<(), ()> {
        self.open.push(Open::Object(Vec::new(), Vec::new()));
        Ok(())
    }

    fn end_member(&mut self) -> Result<(), ()> {
        let value = self.take();
        if let Some(Open::Object(members, key)) = self.open.last_mut() {
            members.push((std::mem::take(key), value));
        }
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), ()> {
        let Some(Open::Object(mut members, _)) = self.open.pop() else { return Err(()) };
        // Of equal keys the last one counts; the sort keeps their order.
        members.reverse();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        members.dedup_by(|(later, _), (earlier, _)| later == earlier);
        self.set(Json::Object(members))
    }
}
