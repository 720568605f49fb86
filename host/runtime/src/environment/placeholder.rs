//! Placeholders in the data of entries.

use serde_json::{Map, Value};

/// Gives the value of a variable, or none.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A placeholder without a value.
pub(super) struct Missing {
    /// The field it stands in.
    pub(super) path: String,
    /// The variable it names.
    pub(super) name: String,
}

/// Tells whether there is anything to fill.
pub(super) fn concerns(value: &Value) -> bool {
    match value {
        Value::String(written) => written.contains("${"),
        Value::Array(items) => items.iter().any(concerns),
        Value::Object(fields) => fields.iter().any(|(name, field)| name.ends_with("_env") || concerns(field)),
        _ => false,
    }
}

/// Fills all placeholders of a value.
pub(super) fn fill(value: &mut Value, lookup: Lookup<'_>) -> Result<(), Missing> {
    fill_at(value, "", lookup)
}

fn fill_at(value: &mut Value, path: &str, lookup: Lookup<'_>) -> Result<(), Missing> {
    match value {
        Value::String(written) if written.contains("${") => {
            let filled = whole(written, lookup).unwrap_or_else(|| text(written, lookup).map(Value::String));
            *value = filled.map_err(|name| Missing { path: path.to_owned(), name })?;
        }
        Value::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                fill_at(item, &format!("{path}[{number}]"), lookup)?;
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                fill_at(field, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, lookup)?;
            }
            directives(fields, lookup);
        }
        _ => {}
    }
    Ok(())
}

/// Sets `x` where a field `x_env` names a variable that has a value.
fn directives(fields: &mut Map<String, Value>, lookup: Lookup<'_>) {
    let found: Vec<(String, String)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let field = name.strip_suffix("_env").filter(|field| !field.is_empty())?;
            let value = lookup(value.as_str()?).filter(|value| !value.is_empty())?;
            Some((field.to_owned(), value))
        })
        .collect();
    for (field, value) in found {
        fields.insert(field, Value::String(value));
    }
}

/// A text that is one placeholder takes the type of its default.
fn whole(written: &str, lookup: Lookup<'_>) -> Option<Result<Value, String>> {
    let inner = written.strip_prefix("${")?.strip_suffix('}')?;
    if inner.contains('}') {
        return None;
    }
    let Placeholder { name, default } = Placeholder::read(inner)?;
    let typed = default.map(scalar);
    Some(match (lookup(name), typed) {
        (Some(value), Some(Value::Number(_) | Value::Bool(_))) => Ok(scalar(&value)),
        (Some(value), _) => Ok(Value::String(value)),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(name.to_owned()),
    })
}

fn scalar(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

struct Placeholder<'a> {
    name: &'a str,
    default: Option<&'a str>,
}

impl<'a> Placeholder<'a> {
    /// Reads what stands between the braces; none: it is no placeholder of ours.
    fn read(inner: &'a str) -> Option<Self> {
        if let Some(inner) = inner.strip_prefix("env:") {
            let (name, default) = inner.split_once('|').map_or((inner, None), |(name, default)| (name, Some(default)));
            return Some(Self { name: name.trim(), default });
        }
        let (name, default) = inner.split_once('|')?;
        let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        (!name.is_empty() && name.bytes().all(upper)).then_some(Self { name, default: Some(default) })
    }
}

/// Fills the placeholders of a text; gives back the name of a variable without a value.
pub(super) fn text(written: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(place) = rest.find("${") {
        let (before, after) = rest.split_at(place);
        if let Some(literal) = before.strip_suffix('$') {
            filled.push_str(literal);
            filled.push_str("${");
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        filled.push_str(before);
        let end = after.find('}');
        let inner = end.and_then(|end| after.get(2..end));
        match (inner.and_then(Placeholder::read), end) {
            (Some(Placeholder { name, default }), Some(end)) => {
                let value = lookup(name).or_else(|| default.map(str::to_owned));
                filled.push_str(&value.ok_or_else(|| name.to_owned())?);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => {
                filled.push_str("${");
                rest = after.get(2..).unwrap_or_default();
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}
