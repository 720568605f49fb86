//! Entries, ids and filters as Lua writes them, and the way back.

use moonlet_registry::{Entry, EntryId, Version};
use moonlet_runtime::{Args, Fault, Value, document};
use serde_json::{Map, Number, Value as Json};

/// Why a value is not what it should be.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is of another type.
    Type(String),
    /// It is of the right type and malformed.
    Value(String),
}

impl Wrong {
    pub(super) fn message(self) -> String {
        match self {
            Self::Type(message) | Self::Value(message) => message,
        }
    }
}

/// Gives an entry as Lua sees it.
pub(super) fn of_entry(entry: &Entry) -> Value {
    Value::Map(vec![
        ("id".into(), entry.id.as_str().into()),
        ("kind".into(), entry.kind.as_str().into()),
        ("meta".into(), document::from_json(&entry.meta)),
        ("data".into(), document::from_json(&entry.data)),
    ])
}

/// Gives a version as the glue sees it.
pub(super) fn of_version(version: Version) -> Value {
    let parent = version.parent.map_or(Value::Nil, Value::from);
    Value::Map(vec![("id".into(), version.id.into()), ("parent".into(), parent)])
}

/// Estimates what a value takes in an answer.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_bytes().len() + 5,
        Value::Binary(bytes) => bytes.len() + 5,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 5,
        Value::Map(fields) => fields.iter().map(|(name, value)| size(name) + size(value)).sum::<usize>() + 5,
        _ => 9,
    }
}

/// Reads an id: `namespace:name`, or a table with `ns` and `name`.
pub(super) fn id(value: &Value) -> Result<EntryId, Wrong> {
    let text = match value {
        Value::String(text) => text.as_str().unwrap_or_default().to_owned(),
        Value::Map(_) => {
            let part = |name: &str| field(value, name).and_then(Value::as_str);
            let (Some(namespace), Some(name)) = (part("ns").or_else(|| part("namespace")), part("name")) else {
                return Err(Wrong::Value("an id is a text `namespace:name`, or a table with `ns` and `name`".to_owned()));
            };
            format!("{namespace}:{name}")
        }
        _ => return Err(Wrong::Type("an id must be a text `namespace:name`".to_owned())),
    };
    EntryId::parse(&text).map_err(|error| Wrong::Value(error.to_string()))
}

/// Reads an entry. Fields that stand beside `id`, `kind` and `meta` are its data when it has no `data`.
pub(super) fn entry(value: &Value) -> Result<Entry, String> {
    let id = id(field(value, "id").unwrap_or(value)).map_err(Wrong::message)?;
    let kind = match field(value, "kind") {
        Some(Value::String(text)) if !text.as_bytes().is_empty() => text.as_str().unwrap_or_default().to_owned(),
        _ => return Err(format!("`{id}` has no `kind`: write what it is, such as `kind = \"registry.entry\"`")),
    };
    let meta = match field(value, "meta") {
        None | Some(Value::Nil) => Json::Object(Map::new()),
        Some(meta) => to_map(to_json(meta, "meta").map_err(|problem| format!("`{id}`: {problem}"))?),
    };
    if !meta.is_object() {
        return Err(format!("`meta` of `{id}` must be a table of named values"));
    }
    let data = match field(value, "data") {
        None | Some(Value::Nil) => {
            let own = ["id", "kind", "meta", "data", "ns", "namespace", "name"];
            let rest = fields(value).iter().filter(|(name, _)| name.as_str().is_none_or(|name| !own.contains(&name)));
            to_json(&Value::Map(rest.cloned().collect()), "data")
        }
        Some(data) => to_json(data, "data").map(to_map),
    };
    let data = data.map_err(|problem| format!("`{id}`: {problem}"))?;
    if data.get("source").and_then(Json::as_str).is_some_and(|source| source.starts_with("file://")) {
        return Err(format!("`data.source` of `{id}` names a file, and files are only read at start: give the text itself"));
    }
    Ok(Entry::new(id, kind, meta, data))
}

/// Reads the first argument as the conditions of a filter; a table below `meta` holds conditions on fields of meta.
pub(super) fn conditions(args: &Args<'_>) -> Result<Vec<(String, Json)>, Fault> {
    let mut conditions = Vec::new();
    for (key, value) in args.opt_table(1)? {
        let Some(key) = key.as_str() else { return Err(args.fault(1, "a filter has named conditions only")) };
        let value = to_json(value, key).map_err(super::invalid)?;
        match (key, value) {
            ("meta", Json::Object(fields)) => {
                conditions.extend(fields.into_iter().map(|(name, value)| (format!("meta.{name}"), value)));
            }
            (key, value) => conditions.push((key.to_owned(), value)),
        }
    }
    Ok(conditions)
}

/// An empty Lua table may be a map as well as a list.
fn to_map(value: Json) -> Json {
    match value {
        Json::Array(items) if items.is_empty() => Json::Object(Map::new()),
        value => value,
    }
}

fn fields(value: &Value) -> &[(Value, Value)] {
    match value {
        Value::Map(fields) => fields,
        _ => &[],
    }
}

pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    fields(value).iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

/// Turns a value into what entries hold; documents that reach a module nest no deeper than the host reads.
fn to_json(value: &Value, path: &str) -> Result<Json, String> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(integer), _) => Json::Number(integer.into()),
            (None, Some(integer)) => Json::Number(integer.into()),
            (None, None) => Json::Null,
        },
        Value::F32(number) => float(f64::from(*number), path)?,
        Value::F64(number) => float(*number, path)?,
        Value::String(text) => match text.as_str() {
            Some(text) => Json::String(text.to_owned()),
            None => return Err(format!("`{path}` is not UTF-8 text")),
        },
        Value::Binary(_) => return Err(format!("`{path}` is not UTF-8 text")),
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| to_json(item, &format!("{path}[{}]", index + 1)));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Map(fields) => {
            let mut map = Map::new();
            for (name, value) in fields {
                let name = match name {
                    Value::String(name) => name.as_str().map(str::to_owned),
                    Value::Integer(number) => Some(number.to_string()),
                    _ => None,
                };
                let Some(name) = name else { return Err(format!("`{path}` has a key that is neither a text nor a number")) };
                let value = to_json(value, &format!("{path}.{name}"))?;
                map.insert(name, value);
            }
            Json::Object(map)
        }
        Value::Ext(..) => return Err(format!("`{path}` is a value that an entry cannot hold")),
    })
}

fn float(number: f64, path: &str) -> Result<Json, String> {
    Number::from_f64(number).map(Json::Number).ok_or_else(|| format!("`{path}` is not a finite number"))
}
