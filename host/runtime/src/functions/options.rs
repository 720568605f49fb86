//! The options of one call: how long it may take, how it is repeated, and which contract it belongs to.

use std::time::Duration;

use moonlet_registry::{Retry, parse_duration};
use moonlet_sandbox::wit::Error;
use rmpv::Value;

use crate::document;
use crate::errors;

/// The most attempts of one call.
const MAX_ATTEMPTS: u64 = 1_000_000;

/// Options of a call.
#[derive(Debug, Default)]
pub(crate) struct CallTerms {
    /// How long it may take, in nanoseconds.
    pub(crate) timeout: Option<u64>,
    /// How it is repeated; none: as its entry says.
    pub(crate) retry: Option<Retry>,
    /// The binding and the method by which it was found.
    pub(crate) contract: Option<(String, String)>,
}

impl CallTerms {
    /// Reads the map document of a request.
    ///
    /// # Errors
    ///
    /// `Invalid`, with what is wrong.
    pub(crate) fn read(options: &[u8]) -> Result<Self, Error> {
        if options.is_empty() {
            return Ok(Self::default());
        }
        let options = document::decode_map(options)?;
        let text = |name: &str| document::field(&options, name).and_then(Value::as_str).map(str::to_owned);
        let timeout = document::field(&options, "timeout")
            .filter(|value| !value.is_nil())
            .map(|value| time(value, "timeout"))
            .transpose()?;
        if timeout == Some(0) {
            return Err(errors::invalid("the option `timeout` must be above zero"));
        }
        let retry = match document::field(&options, "retry") {
            Some(Value::Map(fields)) => Some(retry(fields)?),
            Some(Value::Nil) | None => None,
            // An empty table.
            Some(Value::Array(fields)) if fields.is_empty() => Some(retry(&[])?),
            Some(_) => return Err(errors::invalid("the option `retry` must be a table such as {max_attempts = 3}")),
        };
        Ok(Self { timeout, retry, contract: text("@binding").zip(text("@method")) })
    }
}

/// Reads a span of time: a number of milliseconds, or a text such as `5s`. A float turns into the nearest integer there is, so that the
/// largest number is simply very long.
fn time(value: &Value, name: &str) -> Result<u64, Error> {
    let parsed = match value {
        Value::String(text) => text.as_str().and_then(|text| parse_duration(text).ok()),
        value => {
            let milliseconds = value.as_f64().filter(|milliseconds| *milliseconds >= 0.0);
            return match milliseconds {
                Some(milliseconds) => Ok((milliseconds * 1_000_000.0) as u64),
                None => Err(wrong_time(name)),
            };
        }
    };
    parsed.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).ok_or_else(|| wrong_time(name))
}

fn wrong_time(name: &str) -> Error {
    errors::invalid(format!("the option `{name}` must be a number of milliseconds, or a duration such as \"5s\""))
}

fn retry(fields: &[(Value, Value)]) -> Result<Retry, Error> {
    let field = |name: &str| document::field(fields, name).filter(|value| !value.is_nil());
    let duration = |name: &str, default: u64| -> Result<Duration, Error> {
        let time = field(name).map(|value| time(value, &format!("retry.{name}"))).transpose()?;
        Ok(time.map_or(Duration::from_millis(default), Duration::from_nanos))
    };
    let factor =
        |name: &str, default: f64| field(name).and_then(Value::as_f64).filter(|factor| factor.is_finite()).unwrap_or(default);
    let max_attempts = match field("max_attempts").map(Value::as_f64) {
        None => 3,
        Some(Some(attempts)) if attempts >= 0.0 => (attempts as u64).min(MAX_ATTEMPTS),
        Some(_) => {
            return Err(errors::invalid("the option `retry.max_attempts` must be a number of attempts, the first included"));
        }
    };
    Ok(Retry {
        max_attempts,
        initial_delay: duration("initial_delay", 100)?,
        max_delay: duration("max_delay", 30_000)?,
        backoff_factor: factor("backoff_factor", 2.0).clamp(1.0, 1000.0),
        jitter: factor("jitter", 0.0).clamp(0.0, 1.0),
    })
}
