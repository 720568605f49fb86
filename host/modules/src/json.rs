//! Values as JSON and back, for modules that speak it with somebody else.

use moonlet_runtime::{Error, Value};
use serde_json::{Map, Number, Value as Json};

use crate::fail::invalid;

/// Turns a value into JSON.
pub(crate) fn from_value(value: &Value) -> Result<Json, Error> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(value) => value.as_i64().map(Json::from).or_else(|| value.as_u64().map(Json::from)).unwrap_or(Json::Null),
        Value::F32(value) => number(f64::from(*value))?,
        Value::F64(value) => number(*value)?,
        Value::String(text) => Json::from(text.as_str().ok_or_else(not_utf8)?),
        Value::Binary(bytes) => Json::from(std::str::from_utf8(bytes).map_err(|_| not_utf8())?),
        Value::Array(items) => Json::Array(items.iter().map(from_value).collect::<Result<_, _>>()?),
        Value::Map(fields) => {
            let mut map = Map::new();
            for (name, value) in fields {
                map.insert(key(name)?, from_value(value)?);
            }
            map.sort_keys();
            Json::Object(map)
        }
        Value::Ext(..) => return Err(invalid("objects have no form in JSON")),
    })
}

/// Turns the key of a table into the name of a field.
pub(crate) fn key(key: &Value) -> Result<String, Error> {
    match key {
        Value::String(text) => text.as_str().map(str::to_owned).ok_or_else(not_utf8),
        Value::Integer(value) => Ok(value.to_string()),
        Value::F64(value) => Ok(value.to_string()),
        Value::Boolean(value) => Ok(value.to_string()),
        _ => Err(invalid("a key is a string of UTF-8, a number or a boolean")),
    }
}

/// Turns JSON into a value.
pub(crate) fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap_or(f64::NAN)), Value::from),
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::Array(items.iter().map(to_value).collect()),
        Json::Object(fields) => Value::Map(fields.iter().map(|(name, value)| (name.as_str().into(), to_value(value))).collect()),
    }
}

fn number(value: f64) -> Result<Json, Error> {
    Number::from_f64(value).map(Json::Number).ok_or_else(|| invalid(format!("{value} has no form in JSON")))
}

fn not_utf8() -> Error {
    invalid("a string is not valid UTF-8")
}
