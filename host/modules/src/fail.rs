//! Errors that programs see, and entries that modules look up.

use std::sync::Arc;

use moonlet_registry::Entry;
use moonlet_runtime::{Error, Fault, ModuleCall, Value, document};

/// The longest piece of a program's text that an error repeats.
const SHOWN: usize = 120;

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

pub(crate) fn not_found(message: impl Into<String>) -> Error {
    Error::new("NotFound", message).with_retryable(false)
}

pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::new("Unavailable", message).with_retryable(false)
}

/// An act that failed although its arguments are in order.
pub(crate) fn internal(message: impl Into<String>) -> Error {
    Error::new("Internal", message).with_retryable(false)
}

/// A limit is reached, which the message says in words of its own; its name, and what it allows, stand in the details.
pub(crate) fn exceeded(message: impl Into<String>, name: &str, allowed: u64) -> Error {
    about_limit(Error::new("LimitExceeded", message).with_retryable(false), name, allowed)
}

/// A function that the manifest does not name, which only a guest that makes calls up can ask for.
pub(crate) fn no_function(module: &str, function: &str) -> Fault {
    Fault::Raised(format!("module `{module}` has no function `{}`", shown(function)))
}

/// Names the limit that an error is about in its details, with what it allows; there would be more.
pub(crate) fn about_limit(mut error: Error, name: &str, allowed: u64) -> Error {
    error.details = limit(name, allowed, allowed.saturating_add(1)).details;
    error
}

/// An answer would be longer than one may be for this process.
pub(crate) fn answer_too_long(message: impl Into<String>, allowed: usize) -> Error {
    exceeded(message, "message_size", allowed as u64)
}

/// A limit is reached; its name, what it allows and what there would be stand in the details.
pub(crate) fn limit(name: &str, allowed: u64, used: u64) -> Error {
    let mut error = Error::new("LimitExceeded", format!("limit `{name}` exceeded: {allowed} allowed, {used} used"));
    error.details = document::map(&[("limit", name.into()), ("allowed", allowed.into()), ("used", used.into())]);
    error.with_retryable(false)
}

/// Cuts and cleans text of a program for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN {
            shown.push_str("...");
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Finds the entry that a program names, with its placeholders filled; `what` says what it must be, `fits` which kinds are that.
pub(crate) fn entry(call: &ModuleCall<'_>, id: &str, what: &str, fits: impl Fn(&str) -> bool) -> Result<Arc<Entry>, Error> {
    let snapshot = call.registry();
    let Some(entry) = snapshot.find_id(id) else {
        return Err(not_found(format!("there is no entry `{}`: write one that is {what}", shown(id))));
    };
    if !fits(&entry.kind) {
        return Err(invalid(format!("`{}` is of kind `{}` and not {what}", shown(id), entry.kind)));
    }
    call.environment().filled(&snapshot, entry)
}

/// Reads a field of an options table.
pub(crate) fn field<'a>(fields: &'a [(Value, Value)], name: &str) -> &'a Value {
    let found = fields.iter().find(|(key, _)| key.as_str() == Some(name));
    found.map_or(&Value::Nil, |(_, value)| value)
}
