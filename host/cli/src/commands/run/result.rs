//! What the result of a process or a function means for the exit code.

use moonlet_runtime::{Error, Value, document};

use crate::failure::Failure;
use crate::{exit, output};

/// Prints what a process returned, if it is for people, and gives the exit code.
pub(super) fn conclude(exit: Result<Vec<Value>, Error>) -> Result<u8, Failure> {
    let values = exit.map_err(failed)?;
    Ok(match values.first() {
        None | Some(Value::Nil | Value::Boolean(true)) => exit::SUCCESS,
        Some(Value::Boolean(false)) => exit::FAILURE,
        Some(Value::Integer(number)) => number.as_i64().map_or(exit::FAILURE, low_byte),
        Some(Value::F32(number)) => low_byte(truncated(f64::from(*number))),
        Some(Value::F64(number)) => low_byte(truncated(*number)),
        Some(Value::String(text)) => {
            print(&String::from_utf8_lossy(text.as_bytes()));
            exit::SUCCESS
        }
        Some(Value::Binary(bytes)) => {
            print(&String::from_utf8_lossy(bytes));
            exit::SUCCESS
        }
        Some(_) => exit::SUCCESS,
    })
}

/// Prints what a function returned: a text as it is, other values as JSON.
pub(super) fn conclude_call(result: Result<Vec<Value>, Error>) -> Result<u8, Failure> {
    let values = result.map_err(failed)?;
    match values.first() {
        None | Some(Value::Nil) => {}
        Some(Value::String(_) | Value::Binary(_)) => return conclude(Ok(values)),
        Some(value) => output::line(&document::to_json(value).map_err(failed)?.to_string()),
    }
    Ok(exit::SUCCESS)
}

fn print(text: &str) {
    if !text.is_empty() {
        output::line(text);
    }
}

/// A code has eight bits; a number that loses its last bit must not become success.
fn low_byte(number: i64) -> u8 {
    match u8::try_from(number & 0xff).unwrap_or(exit::FAILURE) {
        0 if number != 0 => exit::FAILURE,
        code => code,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and any code that is not zero will do there")]
fn truncated(number: f64) -> i64 {
    // What is no number is no success either.
    if number.is_nan() { exit::FAILURE.into() } else { number as i64 }
}

fn failed(error: Error) -> Failure {
    let (message, trace) = (error.message.trim_end(), error.trace.trim_end());
    let failure = Failure::message(message);
    // The message of a raised error often has its own traceback already.
    if trace.is_empty() || message.contains(trace) { failure } else { failure.details(trace) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_codes_and_never_turn_into_success() {
        let code = |value: Value| conclude(Ok(vec![value])).unwrap_or(99);
        assert_eq!(code(Value::from(7)), 7);
        assert_eq!(code(Value::from(3.0)), 3);
        assert_eq!(code(Value::from(256)), 1);
        assert_eq!(code(Value::from(-1)), 255);
        assert_eq!(code(Value::from(f64::NAN)), 1);
        assert_eq!((code(Value::Nil), code(Value::from(true)), code(Value::from(false))), (0, 0, 1));
        assert_eq!(code(Value::Map(Vec::new())), 0);
    }
}
