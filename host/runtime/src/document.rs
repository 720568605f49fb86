//! Reading and writing MessagePack documents on the host's side.
//!
//! Guests write most documents, so that reading bounds depth and never trusts a length.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use moonlet_sandbox::wit::Error;
use rmpv::Value;

use crate::errors;

mod weight;

pub(crate) use weight::weight;

/// How deep a document may nest that the host itself reads.
const DEPTH: usize = 64;
/// Bytes that the values of a document may take in memory which is read without being charged to anybody: a megabyte of it can hold
/// a million values.
const MAX_WEIGHT: usize = 32 << 20;

/// Writes a map of names and values.
#[must_use]
pub fn map(fields: &[(&str, Value)]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| (Value::from(*name), value.clone()));
    encode(&Value::Map(fields.collect()))
}

/// Writes a value.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail.
    let _ = rmpv::encode::write_value(&mut bytes, value);
    bytes
}

/// Writes values as a payload's document; none as empty bytes.
#[must_use]
pub fn values(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match values.len() {
        0 => return bytes,
        length @ 1..=15 => bytes.push(0x90 | u8::try_from(length).unwrap_or(0)),
        length => {
            bytes.push(0xdd);
            bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    for value in values {
        // Writing to a vector cannot fail.
        let _ = rmpv::encode::write_value(&mut bytes, value);
    }
    bytes
}

/// Reads a document.
///
/// # Errors
///
/// Kind `Invalid` when the bytes are no document, or one that nests too deep.
pub fn decode(mut bytes: &[u8]) -> Result<Value, Error> {
    let value = rmpv::decode::read_value_with_max_depth(&mut bytes, DEPTH);
    match value {
        Ok(value) if bytes.is_empty() => Ok(value),
        Ok(_) => Err(errors::invalid("a document has bytes behind its end")),
        Err(error) => Err(errors::invalid(format!("not a MessagePack document: {error}"))),
    }
}

/// Reads the values of a payload.
///
/// # Errors
///
/// Kind `Invalid` when the bytes are no array document.
pub fn decode_values(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    match decode(bytes)? {
        Value::Array(values) => Ok(values),
        _ => Err(errors::invalid("a payload must be an array document")),
    }
}

/// Reads the values of a payload that a guest wrote, where nobody is charged for them.
///
/// # Errors
///
/// Kind `Invalid` when the bytes are no array document, or one of far too many values.
pub(crate) fn decode_few(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    check_weight(bytes)?;
    decode_values(bytes)
}

fn check_weight(bytes: &[u8]) -> Result<(), Error> {
    if weight(bytes) > MAX_WEIGHT {
        return Err(errors::invalid(format!(
            "a document has too many values: {MAX_WEIGHT} bytes of memory are the most that it may take"
        )));
    }
    Ok(())
}

/// Reads a map document; empty bytes are an empty map.
///
/// # Errors
///
/// Kind `Invalid` when the bytes are no map document, or one of far too many values.
pub fn decode_map(bytes: &[u8]) -> Result<Vec<(Value, Value)>, Error> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    check_weight(bytes)?;
    match decode(bytes)? {
        Value::Map(fields) => Ok(fields),
        // An empty Lua table is an empty array to an encoder that cannot know better.
        Value::Array(values) if values.is_empty() => Ok(Vec::new()),
        _ => Err(errors::invalid("a map document is needed here")),
    }
}

/// Lays one map document over another.
///
/// # Errors
///
/// Kind `Invalid` when either is no map document.
pub(crate) fn overlay(below: &[u8], above: &[u8]) -> Result<Vec<u8>, Error> {
    let mut fields = decode_map(below)?;
    let new = decode_map(above)?;
    // Keys are looked up by their bytes: a guest chooses how many there are, so that comparing each with each is out of the question.
    let mut places: HashMap<Vec<u8>, usize> = HashMap::with_capacity(fields.len() + new.len());
    places.extend(fields.iter().enumerate().map(|(place, (name, _))| (encode(name), place)));
    for (name, value) in new {
        match places.entry(encode(&name)) {
            Entry::Occupied(place) => {
                if let Some((_, slot)) = fields.get_mut(*place.get()) {
                    *slot = value;
                }
            }
            Entry::Vacant(place) => {
                place.insert(fields.len());
                fields.push((name, value));
            }
        }
    }
    Ok(encode(&Value::Map(fields)))
}

/// Finds a field of a map document by its name.
pub(crate) fn field<'a>(fields: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

/// Turns the data of an entry into a value.
#[must_use]
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(integer)) => integer.into(),
            (None, None) => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        serde_json::Value::Object(fields) => {
            Value::Map(fields.iter().map(|(name, value)| (name.as_str().into(), from_json(value))).collect())
        }
    }
}

/// Turns a value into data as entries have it: an empty table is a map, and strings that are not UTF-8 keep what is readable of them.
///
/// # Errors
///
/// Kind `Invalid` for errors, channels and resources, and for keys that are no strings, integers or booleans.
pub fn to_json(value: &Value) -> Result<serde_json::Value, Error> {
    Ok(match value {
        Value::Nil => serde_json::Value::Null,
        Value::Boolean(value) => (*value).into(),
        Value::Integer(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into(),
            (None, number) => number.into(),
        },
        Value::F32(number) => f64::from(*number).into(),
        Value::F64(number) => (*number).into(),
        Value::String(text) => String::from_utf8_lossy(text.as_bytes()).into_owned().into(),
        Value::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
        Value::Array(items) if items.is_empty() => serde_json::Map::new().into(),
        Value::Array(items) => items.iter().map(to_json).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Map(fields) => {
            let field = |(name, value): &(Value, Value)| {
                let name = match name {
                    Value::String(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
                    Value::Integer(number) => number.to_string(),
                    Value::Boolean(value) => value.to_string(),
                    _ => return Err(errors::invalid("a table here must have names that are strings")),
                };
                Ok((name, to_json(value)?))
            };
            fields.iter().map(field).collect::<Result<serde_json::Map<_, _>, _>>()?.into()
        }
        Value::Ext(..) => return Err(errors::invalid("errors, channels and resources cannot stand here")),
    })
}

/// Puts an error among the values of an answer.
#[must_use]
pub fn error(error: &Error) -> Value {
    /// The extension type of errors in documents.
    const ERROR: i8 = 1;
    let message = errors::bounded_text(error.message.clone());
    let mut fields = vec![("kind".into(), error.kind.as_str().into()), ("message".into(), message.into())];
    if let Some(details) = Some(&error.details).filter(|details| !details.is_empty()).and_then(|details| decode(details).ok()) {
        fields.push(("details".into(), details));
    }
    if let Some(retryable) = error.retryable {
        fields.push(("retryable".into(), retryable.into()));
    }
    Value::Ext(ERROR, encode(&Value::Map(fields)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn documents_of_far_too_many_values_are_refused() {
        let many = encode(&Value::Array(vec![Value::Nil; 2_000_000]));
        assert_eq!(decode_few(&many).unwrap_err().kind, "Invalid");
        let map = encode(&Value::Map(vec![("list".into(), decode(&many).unwrap())]));
        assert_eq!(decode_map(&map).unwrap_err().kind, "Invalid");
        let long = encode(&Value::Array(vec![Value::Binary(vec![7; 8 << 20])]));
        assert!(decode_few(&long).is_ok(), "a long text is few values");
    }

    #[test]
    fn a_map_laid_over_another_wins() {
        let below = map(&[("a", 1.into()), ("b", 2.into())]);
        let above = map(&[("b", 3.into()), ("c", 4.into())]);
        let both = decode_map(&overlay(&below, &above).unwrap()).unwrap();
        let read = |name| field(&both, name).and_then(Value::as_i64);
        assert_eq!((read("a"), read("b"), read("c"), read("d")), (Some(1), Some(3), Some(4), None));
        assert_eq!(overlay(&[], &above).unwrap(), above);
    }

    #[test]
    fn many_keys_are_laid_over_each_other_in_linear_time() {
        let fields = (0..200_000).map(|number| (Value::from(number), Value::Nil)).collect();
        let large = encode(&Value::Map(fields));
        // Each with each would be twenty billion comparisons.
        assert_eq!(overlay(&large, &large).unwrap(), large);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bytes in [&[0xdd_u8, 0xff, 0xff, 0xff, 0xff][..], &[0x91; 200], &[0x01, 0x02]] {
            assert_eq!(decode(bytes).unwrap_err().kind, "Invalid");
        }
    }

    #[test]
    fn integers_and_floats_of_entries_stay_apart() {
        let value = from_json(&serde_json::json!([1, 1.5, u64::MAX, null, {"a": "b"}]));
        let items = value.as_array().unwrap();
        assert!(items[0].is_i64() && items[1].is_f64() && items[2].is_u64() && items[3].is_nil());
    }
}
