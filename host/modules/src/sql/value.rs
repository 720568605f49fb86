//! Values of Lua as parameters of statements.

use moonlet_runtime::{Error, ModuleCall, Value, document, error_text, kind_of};

use super::work::Parameter;
use crate::fail::invalid;

/// The extension type of resources in documents.
const RESOURCE: i8 = 3;
/// The types that mark a value: their number is the value itself, so that they need no handle.
pub(super) const NULL: &str = "Null";
pub(super) const INT: &str = "Int";
pub(super) const FLOAT: &str = "Float";
/// The types whose value is kept for them.
pub(super) const TEXT: &str = "Text";
pub(super) const BINARY: &str = "Binary";

/// Makes a marked value whose content is its number.
pub(super) fn marked(kind: &str, number: u64) -> Value {
    Value::Ext(RESOURCE, document::encode(&Value::Array(vec!["sql".into(), kind.into(), number.cast_signed().into()])))
}

fn number(value: &Value) -> u64 {
    let Value::Ext(RESOURCE, data) = value else { return 0 };
    match document::decode(data) {
        Ok(Value::Array(parts)) => {
            let number = parts.get(2);
            let signed = || number.and_then(Value::as_i64).map(i64::cast_unsigned);
            number.and_then(Value::as_u64).or_else(signed).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Reads the parameters of a statement.
pub(super) fn parameters(call: &ModuleCall<'_>, given: &Value) -> Result<Vec<Parameter>, Error> {
    match given {
        Value::Nil => Ok(Vec::new()),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| parameter(call, index + 1, item)).collect(),
        Value::Map(fields) => {
            let mut parameters = Vec::new();
            for (key, item) in fields {
                // Far more than a statement can have means that these are no positions.
                let position = key.as_u64().and_then(|key| usize::try_from(key).ok()).filter(|key| (1..=100_000).contains(key));
                let Some(position) = position else {
                    return Err(invalid("parameters must be a list: write `{value, ...}`, one value for each placeholder"));
                };
                if parameters.len() < position {
                    parameters.resize(position, Parameter::Null);
                }
                if let Some(slot) = parameters.get_mut(position - 1) {
                    *slot = parameter(call, position, item)?;
                }
            }
            Ok(parameters)
        }
        other => Err(invalid(format!("parameters must be a table, got {}", type_name(other)))),
    }
}

fn parameter(call: &ModuleCall<'_>, position: usize, value: &Value) -> Result<Parameter, Error> {
    Ok(match value {
        Value::Nil => Parameter::Null,
        Value::Boolean(value) => Parameter::Boolean(*value),
        Value::Integer(integer) => match integer.as_i64() {
            Some(integer) => Parameter::Integer(integer),
            None => Parameter::Real(integer.as_f64().unwrap_or(f64::NAN)),
        },
        Value::F32(float) => Parameter::Real(f64::from(*float)),
        Value::F64(float) => Parameter::Real(*float),
        Value::String(text) => match text.as_str() {
            Some(text) => Parameter::Text(text.to_owned()),
            None => Parameter::Blob(text.as_bytes().to_vec()),
        },
        Value::Binary(bytes) => Parameter::Blob(bytes.clone()),
        Value::Ext(..) => match error_text(value) {
            Some(text) => Parameter::Text(text),
            None => return marked_parameter(call, position, value),
        },
        Value::Array(_) | Value::Map(_) => {
            return Err(invalid(format!(
                "parameter {position} is a table, which a database cannot hold: write `json.encode(...)`"
            )));
        }
    })
}

fn marked_parameter(call: &ModuleCall<'_>, position: usize, value: &Value) -> Result<Parameter, Error> {
    let strange = || invalid(format!("parameter {position} is an object, which a database cannot hold"));
    let (module, kind) = kind_of(value).ok_or_else(strange)?;
    if module != "sql" {
        return Err(strange());
    }
    match kind.as_str() {
        NULL => Ok(Parameter::Null),
        INT => Ok(Parameter::Integer(number(value).cast_signed())),
        FLOAT => Ok(Parameter::Real(f64::from_bits(number(value)))),
        TEXT | BINARY => {
            let bytes = call.resource::<Vec<u8>>(&kind, value).map_err(|_| strange())?;
            let bytes = bytes.as_ref().clone();
            match kind.as_str() {
                TEXT => Ok(String::from_utf8(bytes).map_or_else(|error| Parameter::Blob(error.into_bytes()), Parameter::Text)),
                _ => Ok(Parameter::Blob(bytes)),
            }
        }
        _ => Err(strange()),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => "number",
        Value::String(_) | Value::Binary(_) => "string",
        Value::Ext(..) => "userdata",
        Value::Nil => "nil",
        Value::Array(_) | Value::Map(_) => "table",
    }
}
