//! Between plain values and the types of WIT.
//!
//! Records are maps by field name, where `_` may stand for `-`; lists and tuples are arrays; enums are texts; flags are arrays of texts;
//! variants are maps with the one field that names the case; options are nil or the value. Names come out as WIT writes them, with `_`
//! for `-`, so that they are fields in Lua.

use rmpv::Value;
use wasmtime::component::{Type, Val};

use crate::wit::Error;

/// How deep values may nest.
const DEPTH: usize = 64;

/// Turns a value into one of a type, or says why it is none.
pub(super) fn to_val(value: &Value, ty: &Type) -> Result<Val, String> {
    convert(value, ty, DEPTH)
}

fn convert(value: &Value, ty: &Type, depth: usize) -> Result<Val, String> {
    let Some(depth) = depth.checked_sub(1) else { return Err("it nests too deep".to_owned()) };
    let wrong = |what: &str| format!("{what} expected, got {}", name(value));
    let integer = |what: &str| value_integer(value).ok_or_else(|| wrong(what));
    macro_rules! number {
        ($variant:ident, $type:ty, $what:literal) => {
            <$type>::try_from(integer($what)?)
                .map(Val::$variant)
                .map_err(|_| format!(concat!($what, " expected, and {} does not fit"), value))
        };
    }
    match ty {
        Type::Bool => value.as_bool().map(Val::Bool).ok_or_else(|| wrong("boolean")),
        Type::S8 => number!(S8, i8, "s8"),
        Type::U8 => number!(U8, u8, "u8"),
        Type::S16 => number!(S16, i16, "s16"),
        Type::U16 => number!(U16, u16, "u16"),
        Type::S32 => number!(S32, i32, "s32"),
        Type::U32 => number!(U32, u32, "u32"),
        Type::S64 => number!(S64, i64, "s64"),
        Type::U64 => number!(U64, u64, "u64"),
        Type::Float32 => value.as_f64().map(|float| Val::Float32(float as f32)).ok_or_else(|| wrong("number")),
        Type::Float64 => value.as_f64().map(Val::Float64).ok_or_else(|| wrong("number")),
        Type::Char => {
            let mut characters = value.as_str().unwrap_or_default().chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Ok(Val::Char(character)),
                _ => Err(wrong("a string of one character")),
            }
        }
        Type::String => value.as_str().map(|text| Val::String(text.to_owned())).ok_or_else(|| wrong("string")),
        Type::List(list) => {
            // Bytes travel as strings in Lua.
            if matches!(list.ty(), Type::U8)
                && let Some(bytes) = bytes(value)
            {
                return Ok(Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect()));
            }
            Ok(Val::List(
                items(value)
                    .ok_or_else(|| wrong("list"))?
                    .iter()
                    .enumerate()
                    .map(in_list(&list.ty(), depth))
                    .collect::<Result<_, _>>()?,
            ))
        }
        Type::FixedLengthList(list) => {
            let items = items(value).ok_or_else(|| wrong("list"))?;
            if items.len() != list.len() as usize {
                return Err(format!("a list of {} values expected, got {}", list.len(), items.len()));
            }
            Ok(Val::FixedLengthList(items.iter().enumerate().map(in_list(&list.ty(), depth)).collect::<Result<_, _>>()?))
        }
        Type::Tuple(tuple) => {
            let items = items(value).ok_or_else(|| wrong("list"))?;
            if items.len() != tuple.types().len() {
                return Err(format!("a list of {} values expected, got {}", tuple.types().len(), items.len()));
            }
            let values = tuple.types().zip(items).map(|(ty, item)| convert(item, &ty, depth));
            Ok(Val::Tuple(values.collect::<Result<_, _>>()?))
        }
        Type::Record(record) => {
            if !value.is_map() && !is_empty(value) {
                return Err(wrong("table"));
            }
            let fields = record.fields().map(|wanted| {
                let found = field(value, wanted.name).unwrap_or(&Value::Nil);
                let converted = convert(found, &wanted.ty, depth).map_err(|reason| format!("`{}`: {reason}", wanted.name))?;
                Ok((wanted.name.to_owned(), converted))
            });
            Ok(Val::Record(fields.collect::<Result<_, String>>()?))
        }
        Type::Map(map) => {
            let pairs = match value {
                Value::Map(pairs) => pairs.as_slice(),
                value if is_empty(value) => &[],
                _ => return Err(wrong("table")),
            };
            let pairs =
                pairs.iter().map(|(key, item)| Ok((convert(key, &map.key(), depth)?, convert(item, &map.value(), depth)?)));
            Ok(Val::Map(pairs.collect::<Result<_, String>>()?))
        }
        Type::Enum(choice) => {
            let text = value.as_str().ok_or_else(|| wrong("string"))?;
            let known = choice.names().find(|name| same(name, text));
            known
                .map(|name| Val::Enum(name.to_owned()))
                .ok_or_else(|| format!("`{text}` is none of {}", choice.names().collect::<Vec<_>>().join(", ")))
        }
        Type::Flags(flags) => {
            let names = items(value).ok_or_else(|| wrong("list"))?.iter().map(|item| {
                let text = item.as_str().ok_or_else(|| "a list of strings expected".to_owned())?;
                flags.names().find(|name| same(name, text)).map(str::to_owned).ok_or_else(|| format!("`{text}` is no flag"))
            });
            Ok(Val::Flags(names.collect::<Result<_, String>>()?))
        }
        Type::Option(option) => match value {
            Value::Nil => Ok(Val::Option(None)),
            value => Ok(Val::Option(Some(Box::new(convert(value, &option.ty(), depth)?)))),
        },
        Type::Variant(variant) => {
            let (wanted, content) = match value {
                Value::Map(pairs) => match pairs.as_slice() {
                    [(key, content)] => (key.as_str().unwrap_or_default(), content),
                    _ => return Err("a table with one field, which names the case, expected".to_owned()),
                },
                value => (value.as_str().ok_or_else(|| wrong("table"))?, &Value::Nil),
            };
            let Some(case) = variant.cases().find(|case| same(case.name, wanted)) else {
                return Err(format!("there is no case `{wanted}`"));
            };
            let content = case.ty.as_ref().map(|ty| convert(content, ty, depth).map(Box::new)).transpose()?;
            Ok(Val::Variant(case.name.to_owned(), content))
        }
        Type::Result(result) => {
            let side = |ty: Option<Type>, value: &Value| ty.map(|ty| convert(value, &ty, depth).map(Box::new)).transpose();
            match (field(value, "ok"), field(value, "err").or_else(|| field(value, "error"))) {
                (_, Some(error)) => Ok(Val::Result(Err(side(result.err(), error)?))),
                (Some(ok), None) => Ok(Val::Result(Ok(side(result.ok(), ok)?))),
                (None, None) => Err("a table with the field `ok` or `err` expected".to_owned()),
            }
        }
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => {
            Err("resources, futures and streams cannot be passed".to_owned())
        }
    }
}

/// Converts an item of a list, with its place in the message.
fn in_list(ty: &Type, depth: usize) -> impl Fn((usize, &Value)) -> Result<Val, String> {
    move |(place, item)| convert(item, ty, depth).map_err(|reason| format!("[{}]: {reason}", place + 1))
}

/// Turns the results of a function into those of a process: a failed `result` is an error.
pub(super) fn from_results(results: &[Val]) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(results.len());
    for result in results {
        match result {
            Val::Result(Ok(ok)) => values.push(ok.as_deref().map_or(Value::Nil, from_val)),
            Val::Result(Err(error)) => return Err(failed(error.as_deref())),
            value => values.push(from_val(value)),
        }
    }
    Ok(values)
}

fn failed(error: Option<&Val>) -> Error {
    match error {
        None => Error::new("Internal", "the function failed"),
        Some(Val::String(text)) => Error::new("Internal", text.as_str()),
        Some(value) => {
            let value = from_val(value);
            let message = field(&value, "message").and_then(Value::as_str).map(str::to_owned);
            let mut error = Error::new("Internal", message.unwrap_or_else(|| format!("the function failed: {value}")));
            // Writing to a vector cannot fail.
            let _ = rmpv::encode::write_value(&mut error.details, &value);
            error
        }
    }
}

fn from_val(val: &Val) -> Value {
    match val {
        Val::Bool(value) => (*value).into(),
        Val::S8(value) => (*value).into(),
        Val::U8(value) => (*value).into(),
        Val::S16(value) => (*value).into(),
        Val::U16(value) => (*value).into(),
        Val::S32(value) => (*value).into(),
        Val::U32(value) => (*value).into(),
        Val::S64(value) => (*value).into(),
        Val::U64(value) => (*value).into(),
        Val::Float32(value) => f64::from(*value).into(),
        Val::Float64(value) => (*value).into(),
        Val::Char(value) => value.to_string().into(),
        Val::String(value) => value.as_str().into(),
        Val::Enum(value) => value.as_str().into(),
        Val::List(items) if matches!(items.first(), Some(Val::U8(_))) => {
            Value::Binary(items.iter().map(|item| if let Val::U8(byte) = item { *byte } else { 0 }).collect())
        }
        Val::List(items) | Val::Tuple(items) | Val::FixedLengthList(items) => Value::Array(items.iter().map(from_val).collect()),
        Val::Flags(names) => Value::Array(names.iter().map(|name| name.as_str().into()).collect()),
        Val::Record(fields) => Value::Map(fields.iter().map(|(name, value)| (lua_name(name), from_val(value))).collect()),
        Val::Map(pairs) => Value::Map(pairs.iter().map(|(key, value)| (from_val(key), from_val(value))).collect()),
        Val::Option(None) => Value::Nil,
        Val::Option(Some(value)) => from_val(value),
        Val::Variant(name, None) => lua_name(name),
        Val::Variant(name, Some(value)) => Value::Map(vec![(lua_name(name), from_val(value))]),
        Val::Result(Ok(value)) => Value::Map(vec![("ok".into(), value.as_deref().map_or(Value::Nil, from_val))]),
        Val::Result(Err(value)) => Value::Map(vec![("err".into(), value.as_deref().map_or(Value::Nil, from_val))]),
        Val::Resource(_) | Val::Future(_) | Val::Stream(_) | Val::ErrorContext(_) => Value::Nil,
    }
}

fn lua_name(name: &str) -> Value {
    name.replace('-', "_").into()
}

/// Compares a name of WIT with one of Lua.
fn same(wit: &str, lua: &str) -> bool {
    wit == lua || (wit.len() == lua.len() && wit.bytes().zip(lua.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_')))
}

fn field<'a>(value: &'a Value, wanted: &str) -> Option<&'a Value> {
    let pairs = value.as_map()?;
    pairs.iter().find(|(key, _)| key.as_str().is_some_and(|key| same(wanted, key))).map(|(_, value)| value)
}

fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        Value::Map(pairs) if pairs.is_empty() => Some(&[]),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    items(value).is_some_and(<[Value]>::is_empty)
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::String(text) => Some(text.as_bytes()),
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    }
}

/// Reads an integer; a float that is one counts, because Lua makes few differences.
fn value_integer(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(integer) => integer.as_i64().map(i128::from).or_else(|| integer.as_u64().map(i128::from)),
        Value::F64(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => Some(*float as i128),
        _ => None,
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => "number",
        Value::String(_) | Value::Binary(_) => "string",
        Value::Array(_) | Value::Map(_) => "table",
        Value::Ext(..) => "userdata",
    }
}
