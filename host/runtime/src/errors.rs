//! Errors that programs see: the words for what the runtime itself refuses.

use std::time::Duration;

use moonlet_registry::{Limits, format_duration};
use moonlet_sandbox::wit::Error;

use crate::channels::ChannelError;
use crate::document;
use crate::mailbox::Full;
use crate::meter::Excess;
use crate::names::NameError;
use crate::relations::RelationError;

/// The longest piece of guest text that an error repeats.
const SHOWN: usize = 80;

/// The most bytes of the message with which a call of a module fails: whoever logs it, or sends it on, does so for this much.
const LONGEST: usize = 1 << 10;
/// How many of them are kept of the end, where the hint stands.
const ENDING: usize = 256;
/// What stands where a message was cut.
const CUT: &str = " ... ";

pub(crate) fn not_found(message: impl Into<String>) -> Error {
    Error::new("NotFound", message).with_retryable(false)
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

pub(crate) fn internal(message: impl Into<String>) -> Error {
    Error::new("Internal", message)
}

pub(crate) fn unavailable(message: impl Into<String>) -> Error {
    Error::new("Unavailable", message)
}

pub(crate) fn denied(message: impl Into<String>) -> Error {
    Error::new("PermissionDenied", message).with_retryable(false)
}

pub(crate) fn canceled(message: impl Into<String>) -> Error {
    Error::new("Canceled", message).with_retryable(false)
}

/// No living process has this pid or name.
pub(crate) fn no_process(to: &str) -> Error {
    not_found(format!("there is no process `{}`: it has ended, or it never was", shown(to)))
}

/// A limit is reached; its name, what it allows and what there would be stand in the details.
pub(crate) fn limit(name: &str, allowed: u64, used: u64) -> Error {
    let message = format!("limit `{name}` exceeded: {} allowed, {} used", amount(name, allowed), amount(name, used));
    let mut error = Error::new("LimitExceeded", message).with_retryable(false);
    error.details = limit_details(name, allowed, used);
    error
}

/// Writes what a limit allows, or what was used of it, as an entry would say it.
fn amount(name: &str, value: u64) -> String {
    const MILLISECOND: u64 = 1_000_000;
    match Limits::unit(name) {
        Some("time") if value >= MILLISECOND => format_duration(Duration::from_millis(value / MILLISECOND)),
        Some("time") => format_duration(Duration::from_nanos(value)),
        Some("size") => format!("{value} bytes"),
        _ => value.to_string(),
    }
}

/// A rate is exceeded, for now.
pub(crate) fn rate(name: &str, allowed: u64, excess: Excess) -> Error {
    let Excess { used, wait } = excess;
    let milliseconds = wait.div_ceil(1_000_000);
    let message = format!("limit `{name}` exceeded: {allowed} allowed each second, {used} used; try again in {milliseconds} ms");
    let mut error = Error::new("LimitExceeded", message).with_retryable(true);
    error.details = limit_details(name, allowed, used);
    error
}

/// Reads the name of the limit in the details of an error.
pub(crate) fn limit_of(error: &Error) -> Option<String> {
    if error.kind != "LimitExceeded" {
        return None;
    }
    let details = document::decode_map(&error.details).ok()?;
    document::field(&details, "limit")?.as_str().map(str::to_owned)
}

/// The mailbox of a receiver is full.
pub(crate) fn mailbox_full(to: &str, full: Full) -> Error {
    let Full { limit, allowed, used } = full;
    let message = format!("the mailbox of `{}` is full: {limit} allows {allowed}; try again when it has been read", shown(to));
    let mut error = Error::new("RateLimited", message).with_retryable(true);
    error.details = limit_details(limit, allowed as u64, used as u64);
    error
}

/// An operation on a host channel failed.
pub(crate) fn of_channel(error: &ChannelError) -> Error {
    let mut shown = Error::new(error.kind(), error.to_string()).with_retryable(error.retryable());
    if let ChannelError::LimitExceeded { limit, allowed, .. } = error {
        let allowed = *allowed as u64;
        shown.details = limit_details(limit, allowed, allowed.saturating_add(1));
    }
    shown
}

/// A relation was refused.
pub(crate) fn of_relation(error: &RelationError) -> Error {
    Error::new(error.kind(), error.to_string()).with_retryable(false)
}

/// An act on a name failed.
pub(crate) fn of_name(error: &NameError<u64>) -> Error {
    let mut shown = Error::new(error.kind(), error.to_string()).with_retryable(false);
    if let NameError::LimitExceeded { allowed, .. } = error {
        let allowed = *allowed as u64;
        shown.details = limit_details("names", allowed, allowed.saturating_add(1));
    }
    shown
}

pub(crate) fn limit_details(name: &str, allowed: u64, used: u64) -> Vec<u8> {
    document::map(&[("limit", name.into()), ("allowed", allowed.into()), ("used", used.into())])
}

/// Bounds the message of an error with which a call of a module fails.
pub(crate) fn bounded(mut error: Error) -> Error {
    error.message = bounded_text(error.message);
    error
}

/// Bounds a message that may repeat a long argument: its beginning stays, and its end.
pub(crate) fn bounded_text(message: String) -> String {
    if message.len() <= LONGEST {
        return message;
    }
    let head = message.floor_char_boundary(LONGEST - ENDING - CUT.len());
    let tail = message.ceil_char_boundary(message.len() - ENDING);
    let (head, tail) = (message.get(..head).unwrap_or_default(), message.get(tail..).unwrap_or_default());
    format!("{head}{CUT}{tail}")
}

/// Cuts and cleans text of a guest for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN {
            shown.push_str("...");
            break;
        }
        push_plain(&mut shown, character);
    }
    shown
}

/// Escapes control characters and keeps everything else, so that text in any language stays readable.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        push_plain(&mut plain, character);
    }
    plain
}

fn push_plain(text: &mut String, character: char) {
    if character.is_control() {
        text.extend(character.escape_default());
    } else {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_beginning_and_its_end() {
        assert_eq!(bounded_text("short".to_owned()), "short");
        assert_eq!(bounded_text("x".repeat(LONGEST)).len(), LONGEST);
        let bounded = bounded_text(format!("there is no `{}`: write it", "ä".repeat(100_000)));
        assert!(bounded.starts_with("there is no `ää"), "{bounded}");
        assert!(bounded.contains("ä ... ä"), "{bounded}");
        assert!(bounded.ends_with("ää`: write it"), "{bounded}");
        assert!(bounded.len() <= LONGEST && bounded.len() > LONGEST - 8, "{}", bounded.len());
    }
}
