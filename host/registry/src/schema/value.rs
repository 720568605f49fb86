//! Checks of single values against a type.

use serde_json::Value;

use super::Type;
use crate::source::list_names;
use crate::suggest::nearest;
use crate::units::{Size, parse_duration};

/// Why a value does not fit; the text completes "`field` of `entry` ...".
pub(super) struct Mismatch {
    pub(super) reason: String,
    pub(super) help: Option<String>,
}

impl Mismatch {
    fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: Some(help.into()) }
    }
}

/// Tells whether a text has placeholders such as `${env:NAME}`, whose value is known only when the entry is used.
pub(crate) fn has_placeholder(text: &str) -> bool {
    text.contains("${")
}

/// Checks a value that has no parts; lists and maps are for the walk.
pub(super) fn check_scalar(ty: &Type, value: &Value) -> Result<(), Mismatch> {
    if let Value::String(text) = value
        && has_placeholder(text)
    {
        return Ok(());
    }
    match ty {
        Type::Any | Type::List(_) | Type::OneOrMany(_) | Type::Map(_) | Type::Object(_) | Type::Ref(_) => Ok(()),
        Type::Text => match value {
            Value::String(_) => Ok(()),
            Value::Number(_) | Value::Bool(_) => {
                Err(Mismatch::new(format!("must be a text, and is {}", describe(value)), format!("write `\"{value}\"`")))
            }
            _ => Err(wrong("a text", value)),
        },
        Type::Scalar => match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(()),
            _ => Err(wrong("a text", value)),
        },
        Type::Bool => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(Mismatch::new(wrong("true or false", value).reason, "write `true` or `false`")),
        },
        Type::Int(min, max) => check_int(value, *min, *max),
        Type::Count => check_int(value, 1, i64::MAX),
        Type::Float(min, max) => check_float(value, *min, *max),
        Type::Size => check_size(value),
        Type::Duration => check_duration(value, false),
        Type::Period => check_duration(value, true),
        Type::Millis => match value {
            Value::Number(number) if number.as_f64().is_some_and(|number| number >= 0.0) => Ok(()),
            Value::Number(_) => Err(Mismatch { reason: "must not be negative".into(), help: None }),
            _ => check_duration(value, false),
        },
        Type::Choice(words) => match value.as_str() {
            Some(text) if words.contains(&text) => Ok(()),
            Some(text) => {
                // The words are listed once: in the help where no single one was meant.
                Err(match nearest(text, words.iter().copied()) {
                    Some(word) => {
                        Mismatch::new(format!("is `{text}`, which is none of {}", list_names(words)), format!("write `{word}`"))
                    }
                    None => Mismatch::new(format!("cannot be `{text}`"), format!("write one of {}", list_names(words))),
                })
            }
            None => Err(wrong(&format!("one of {}", list_names(words)), value)),
        },
    }
}

fn check_int(value: &Value, min: i64, max: i64) -> Result<(), Mismatch> {
    let bounds = match max {
        i64::MAX => format!("a whole number of at least {min}"),
        _ => format!("a whole number from {min} to {max}"),
    };
    let Value::Number(number) = value else {
        return Err(wrong(&bounds, value));
    };
    if number.as_i64().is_some_and(|number| (min..=max).contains(&number)) {
        return Ok(());
    }
    let reason = format!("must be {bounds}, and is {number}");
    let help = (min > 0).then(|| "leave the field out for the default".to_owned());
    Err(Mismatch { reason, help })
}

fn check_float(value: &Value, min: f64, max: f64) -> Result<(), Mismatch> {
    match value.as_f64() {
        Some(number) if number >= min && number <= max => Ok(()),
        Some(number) if max.is_infinite() => {
            Err(Mismatch { reason: format!("must be at least {min}, and is {number}"), help: None })
        }
        Some(number) => Err(Mismatch { reason: format!("must be from {min} to {max}, and is {number}"), help: None }),
        None => Err(wrong("a number", value)),
    }
}

fn check_size(value: &Value) -> Result<(), Mismatch> {
    let size = match value {
        Value::Number(number) => match number.as_u64() {
            Some(bytes) => Size::bytes(bytes),
            None => {
                return Err(Mismatch::new(format!("must be a size above zero, and is {number}"), "write a size such as `64MB`"));
            }
        },
        Value::String(text) => text.parse().map_err(|error: crate::units::SizeError| Mismatch {
            reason: format!("is `{text}`: {error}"),
            help: Some("write a size such as `64MB` or `512KiB`".to_owned()),
        })?,
        _ => return Err(Mismatch::new(wrong("a size", value).reason, "write a size such as `64MB`")),
    };
    if size.as_bytes() == 0 {
        return Err(Mismatch::new("must be above zero", "write a size such as `64MB`, or leave the field out for the default"));
    }
    Ok(())
}

fn check_duration(value: &Value, positive: bool) -> Result<(), Mismatch> {
    let help = "write a duration such as `10s`, `250ms` or `1h30m`";
    let duration = match value {
        Value::Number(number) if number.as_u64() == Some(0) => std::time::Duration::ZERO,
        Value::Number(number) => {
            let help = format!("write `{number}s` for seconds or `{number}ms` for milliseconds");
            return Err(Mismatch::new(format!("is {number} without a unit"), help));
        }
        Value::String(text) => parse_duration(text).map_err(|error| Mismatch::new(format!("is `{text}`: {error}"), help))?,
        _ => return Err(Mismatch::new(wrong("a duration", value).reason, help)),
    };
    if positive && duration.is_zero() {
        return Err(Mismatch::new("must be above zero", format!("{help}, or leave the field out for the default")));
    }
    Ok(())
}

pub(super) fn wrong(expected: &str, value: &Value) -> Mismatch {
    Mismatch { reason: format!("must be {expected}, and is {}", describe(value)), help: None }
}

/// Says what a value is.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(bool) => format!("the boolean {bool}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}
