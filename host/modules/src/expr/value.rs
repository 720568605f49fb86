//! Values of expressions.
//!
//! They are shared and not copied, so a small expression can make a value that is gigabytes when it is written out: depth is bounded
//! where lists and maps are made, and whoever walks a value counts its steps.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use moonlet_runtime::{Value, error_text};

use super::dates::{Date, Zone};
use super::evaluate::{Failure, Steps};

/// How deep values may nest: they are dropped and written recursively.
const MAX_DEPTH: usize = 60;
/// Bytes of a key that count as a step: it is compared with some others.
pub(super) const KEY_BYTES: usize = 16;
/// What a date or the name of a zone takes when it is written, about.
const DATE_BYTES: usize = 36;

#[derive(Debug, Clone)]
pub(super) enum Item {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<List>),
    Map(Rc<Map>),
    Date(Rc<Date>),
    /// In nanoseconds.
    Duration(i64),
    Zone(Rc<Zone>),
}

#[derive(Debug)]
pub(super) struct List {
    depth: usize,
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) struct Map {
    depth: usize,
    pub(super) fields: BTreeMap<Rc<str>, Item>,
}

impl Item {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    pub(super) fn date(date: Date) -> Self {
        Self::Date(Rc::new(date))
    }

    /// Makes a list.
    pub(super) fn list(items: Vec<Self>) -> Result<Self, Failure> {
        let depth = deeper(items.iter())?;
        Ok(Self::List(Rc::new(List { depth, items })))
    }

    /// Makes a map.
    pub(super) fn map(fields: BTreeMap<Rc<str>, Self>) -> Result<Self, Failure> {
        let depth = deeper(fields.values())?;
        Ok(Self::Map(Rc::new(Map { depth, fields })))
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// Names the type, as `type()` does.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "map",
            Self::Date(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Zone(_) => "time.Location",
        }
    }

    /// Counts the steps for a look at the whole of a text.
    pub(super) fn text_steps(&self) -> usize {
        match self {
            Self::Text(text) => text.len() / 64,
            _ => 0,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Compares for equality; numbers by value.
    pub(super) fn equals(&self, other: &Self, steps: &mut Steps) -> Result<bool, Failure> {
        steps.take(1)?;
        Ok(match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a.compare(b).is_eq(),
            (Self::Zone(a), Self::Zone(b)) => a.name() == b.name(),
            (Self::Text(a), Self::Text(b)) => {
                steps.take(a.len() / 64)?;
                a == b
            }
            (Self::List(a), Self::List(b)) => {
                if a.items.len() != b.items.len() {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !a.equals(b, steps)? {
                        return Ok(false);
                    }
                }
                true
            }
            // A table without anything in it is a list and a map.
            (Self::List(list), Self::Map(map)) | (Self::Map(map), Self::List(list)) => {
                list.items.is_empty() && map.fields.is_empty()
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.fields.len() != b.fields.len() {
                    return Ok(false);
                }
                for ((name_a, a), (name_b, b)) in a.fields.iter().zip(&b.fields) {
                    if name_a != name_b || !a.equals(b, steps)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => match (self.as_float(), other.as_float()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        })
    }

    /// Orders numbers, strings, dates and durations; nothing for other pairs.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) | (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.compare(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => self.as_float()?.partial_cmp(&other.as_float()?),
        }
    }

    /// Takes over a value of Lua.
    pub(super) fn from_value(value: &Value, steps: &mut Steps) -> Result<Self, Failure> {
        steps.take(1)?;
        Ok(match value {
            Value::Nil => Self::Nil,
            Value::Boolean(value) => Self::Bool(*value),
            Value::Integer(value) => value.as_i64().map_or_else(|| Self::Float(value.as_f64().unwrap_or(0.0)), Self::Int),
            Value::F32(value) => Self::Float(f64::from(*value)),
            Value::F64(value) => Self::Float(*value),
            Value::String(text) => {
                steps.take(text.as_bytes().len() / 64)?;
                Self::text(String::from_utf8_lossy(text.as_bytes()))
            }
            Value::Binary(bytes) => {
                steps.take(bytes.len() / 64)?;
                Self::text(String::from_utf8_lossy(bytes))
            }
            Value::Array(items) => Self::list(items.iter().map(|item| Self::from_value(item, steps)).collect::<Result<_, _>>()?)?,
            Value::Map(fields) => {
                let mut map = BTreeMap::new();
                for (name, value) in fields {
                    let name = Self::key(name)?;
                    steps.take(name.len() / KEY_BYTES)?;
                    map.insert(name, Self::from_value(value, steps)?);
                }
                Self::map(map)?
            }
            Value::Ext(..) => match error_text(value) {
                Some(text) => Self::text(text),
                None => return Err(Failure::new("objects cannot be used in expressions")),
            },
        })
    }

    fn key(key: &Value) -> Result<Rc<str>, Failure> {
        match key {
            Value::String(text) => Ok(String::from_utf8_lossy(text.as_bytes()).as_ref().into()),
            Value::Integer(value) => Ok(value.to_string().into()),
            Value::F64(value) => Ok(value.to_string().into()),
            Value::Boolean(value) => Ok(value.to_string().into()),
            _ => Err(Failure::new("a key is a string, a number or a boolean")),
        }
    }

    /// Gives the value to Lua, if there is room for it.
    pub(super) fn to_value(&self, room: &mut Room) -> Result<Value, Failure> {
        let bytes = match self {
            Self::Text(text) => text.len() + 1,
            Self::Date(_) | Self::Zone(_) => DATE_BYTES,
            _ => 1,
        };
        room.take(bytes)?;
        Ok(match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Boolean(*value),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => Value::F64(*value),
            Self::Text(text) => Value::from(&**text),
            Self::Date(date) => date.rfc_3339().into(),
            Self::Duration(length) => (*length).into(),
            Self::Zone(zone) => zone.name().into(),
            Self::List(list) => Value::Array(list.items.iter().map(|item| item.to_value(room)).collect::<Result<_, _>>()?),
            Self::Map(map) => {
                let mut fields = Vec::with_capacity(map.fields.len());
                for (name, item) in &map.fields {
                    room.take(name.len())?;
                    fields.push((Value::from(&**name), item.to_value(room)?));
                }
                Value::Map(fields)
            }
        })
    }
}

/// How many bytes a value that leaves may have.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    left: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { most, left: most }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| Failure::over("the result is too large", "message_size", self.most as u64))?;
        Ok(())
    }
}

fn deeper<'a>(items: impl Iterator<Item = &'a Item>) -> Result<usize, Failure> {
    let depth = items.map(Item::depth).max().unwrap_or(0) + 1;
    if depth > MAX_DEPTH {
        return Err(Failure::new(format!("a value nests deeper than {MAX_DEPTH} levels")));
    }
    Ok(depth)
}
