//! Lua values as JSON text, by the rules of module `json`: keys in order, what is not finite is `null`.

use moonlet_runtime::{Value, error_text};

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// Writes a value; the error says what has no JSON form.
pub(crate) fn encode(value: &Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(128);
    write(value, &mut out, 0)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nesting exceeds {MAX_DEPTH} levels"));
    }
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::F32(number) => float(f64::from(*number), out),
        Value::F64(number) => float(*number, out),
        Value::String(text) => string(text.as_bytes(), out),
        Value::Binary(bytes) => string(bytes, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(fields) => object(fields, out, depth)?,
        Value::Ext(..) => match error_text(value) {
            Some(text) => string(text.as_bytes(), out),
            None => return Err("a userdata has no JSON form".to_owned()),
        },
    }
    Ok(())
}

fn object(fields: &[(Value, Value)], out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
    let key = |key: &Value| match key {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Binary(bytes) => Ok(bytes.clone()),
        Value::Integer(_) => Err("a table mixes keys and array indices, or its indices have gaps".to_owned()),
        _ => Err("a table has a key that is neither a string nor an array index".to_owned()),
    };
    let mut members = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        members.push((key(name)?, value));
    }
    members.sort_by(|one, other| one.0.cmp(&other.0));
    out.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(&name, out);
        out.push(b':');
        write(value, out, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

fn float(number: f64, out: &mut Vec<u8>) {
    match serde_json::Number::from_f64(number) {
        Some(number) => {
            let text = number.to_string();
            out.extend_from_slice(text.strip_suffix(".0").unwrap_or(&text).as_bytes());
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                other => out.push(other),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn values_are_written_in_the_order_of_their_keys() {
        let value = Value::Map(vec![
            ("b".into(), Value::Array(vec![1.into(), Value::Nil, 1.5.into(), 2.0.into()])),
            ("a".into(), Value::Binary(vec![b'"', 0xff, 1])),
        ]);
        assert_eq!(String::from_utf8(encode(&value).unwrap()).unwrap(), "{\"a\":\"\\\"\u{fffd}\\u0001\",\"b\":[1,null,1.5,2]}");
    }

    #[test]
    fn what_has_no_form_is_refused() {
        assert!(encode(&Value::Map(vec![(1.into(), 2.into())])).is_err());
        let deep = (0..100).fold(Value::Nil, |value, _| Value::Array(vec![value]));
        assert!(encode(&deep).unwrap_err().contains("nesting"));
    }
}
