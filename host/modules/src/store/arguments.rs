//! What Lua hands to a store: keys, values, times to live and options.

use std::time::Duration;

use moonlet_registry::parse_duration;
use moonlet_runtime::{Args, Error, Fault, Value, document, kind_of};

use super::{DEFAULT_PAGE, Listing, MAX_KEY, MAX_PAGE, Put};

/// The longest time to live in seconds, some thousand years: beyond it, a time is no number any more.
const MAX_TTL: f64 = 1.0e11;

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

/// Reads a key.
pub(super) fn key(args: &Args<'_>, number: usize) -> Result<String, Fault> {
    let key = args.text(number)?;
    if key.is_empty() {
        return Err(invalid("the key is empty").into());
    }
    if key.len() > MAX_KEY {
        return Err(invalid(format!("a key of {} bytes is too long: at most {MAX_KEY} are allowed", key.len())).into());
    }
    Ok(key.to_owned())
}

/// Reads a value as the document that is kept.
pub(super) fn value(args: &Args<'_>, number: usize) -> Result<Vec<u8>, Fault> {
    let value = args.get(number);
    if value.is_nil() {
        return Err(invalid("there is no value to store; `delete` removes a key").into());
    }
    check_kept(value)?;
    Ok(document::encode(value))
}

/// Refuses what means something to one process only.
fn check_kept(value: &Value) -> Result<(), Error> {
    match value {
        Value::Array(items) => items.iter().try_for_each(check_kept),
        Value::Map(fields) => fields.iter().try_for_each(|(key, value)| check_kept(key).and_then(|()| check_kept(value))),
        value => match kind_of(value) {
            Some((module, kind)) => {
                Err(invalid(format!("a {kind} of the module `{module}` belongs to one process and cannot be stored")))
            }
            None => Ok(()),
        },
    }
}

/// Reads a time to live in seconds; none and zero: no end.
pub(super) fn ttl(value: &Value, what: &str) -> Result<Option<Duration>, Fault> {
    let seconds = match value {
        Value::Nil => return Ok(None),
        Value::String(text) => {
            let text = text.as_str().unwrap_or_default();
            let duration =
                parse_duration(text).map_err(|error| invalid(format!("`{what}` must be a number of seconds: {error}")))?;
            duration.as_secs_f64()
        }
        value => match value.as_f64() {
            Some(seconds) => seconds,
            None => return Err(Fault::Raised(format!("{what} must be a number of seconds"))),
        },
    };
    if seconds.is_nan() || seconds < 0.0 {
        return Err(invalid(format!("`{what}` must be a number of seconds, and not below zero")).into());
    }
    Ok((seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(MAX_TTL))))
}

/// Reads the options of `put`.
pub(super) fn put(args: &Args<'_>, number: usize) -> Result<Put, Fault> {
    let mut put = Put::default();
    for (name, value) in args.opt_table(number)? {
        match name.as_str() {
            Some("ttl") => put.ttl = ttl(value, "ttl")?,
            Some("only_if_absent") => match value {
                Value::Boolean(value) => put.only_if_absent = *value,
                _ => return Err(Fault::Raised("only_if_absent must be true or false".to_owned())),
            },
            Some("if_version") => match value {
                Value::String(version) => put.if_version = Some(version.as_str().unwrap_or_default().to_owned()),
                Value::Integer(version) => put.if_version = Some(version.to_string()),
                _ => return Err(Fault::Raised("if_version must be a version, as `entry` gives it".to_owned())),
            },
            _ => {
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                let known = "there are `ttl`, `only_if_absent` and `if_version`";
                return Err(invalid(format!("there is no option `{name}`: {known}")).into());
            }
        }
    }
    if put.only_if_absent && put.if_version.is_some() {
        return Err(invalid("`only_if_absent` and `if_version` exclude each other: what is absent has no version").into());
    }
    Ok(put)
}

/// Reads the options of `list`.
pub(super) fn listing(args: &Args<'_>, number: usize, bytes: usize) -> Result<Listing, Fault> {
    let mut listing = Listing { prefix: String::new(), after: None, limit: DEFAULT_PAGE, bytes };
    for (name, value) in args.opt_table(number)? {
        let text = || value.as_str().map(str::to_owned);
        match name.as_str() {
            Some("prefix") => match text() {
                Some(prefix) => listing.prefix = prefix,
                None => return Err(Fault::Raised("prefix must be a string".to_owned())),
            },
            Some("after" | "cursor") => match text() {
                Some(after) => listing.after = (!after.is_empty()).then_some(after),
                None => return Err(Fault::Raised("after must be a cursor, as a page gives it".to_owned())),
            },
            Some("limit") => match value.as_f64() {
                Some(limit) if limit >= 1.0 => listing.limit = (limit as usize).min(MAX_PAGE),
                // Nothing said, as in the options of other pages.
                Some(0.0) => {}
                Some(_) => return Err(invalid("`limit` must be at least 1").into()),
                None => return Err(Fault::Raised("limit must be a number".to_owned())),
            },
            _ => {
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                return Err(invalid(format!("there is no option `{name}`: there are `prefix`, `after` and `limit`")).into());
            }
        }
    }
    Ok(listing)
}
