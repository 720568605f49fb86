//! Spans of time in the notation of Go: `10s`, `1.5h`, `250ms`, `1h30m`.

use std::time::Duration;

use super::{is_decimal, scale, split_number};

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text does not start with a number.
    #[error("`{0}` is not a duration: write a number and a unit, such as `10s` or `1h30m`; the units are {UNIT_LIST}")]
    NoNumber(String),
    /// A number stands without its unit.
    #[error("`{0}` has no unit: write `{0}s` for seconds or `{0}ms` for milliseconds; the units are {UNIT_LIST}")]
    NoUnit(String),
    /// The unit is none that durations know.
    #[error("`{0}` is not a unit of time; the units are {UNIT_LIST}")]
    Unit(String),
    /// Days are not a fixed span where clocks change, so Go has no unit for them.
    #[error("days are not a unit here: write `{hours}h`")]
    Days {
        /// The same span in hours.
        hours: u64,
    },
    /// The duration has a sign.
    #[error("a duration cannot be negative")]
    Negative,
    /// The duration is longer than about 584 years.
    #[error("`{0}` is too long a duration")]
    TooLong(String),
}

const UNIT_LIST: &str = "ns, us, ms, s, m and h";

const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration such as `1h30m`; a bare `0` needs no unit.
///
/// # Errors
/// When a number or its unit is missing, unknown or too large; the message lists the units.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut nanoseconds: u64 = 0;
    let too_long = || DurationError::TooLong(text.to_owned());
    loop {
        let (number, tail) = split_number(rest);
        if !is_decimal(number) {
            return Err(DurationError::NoNumber(text.to_owned()));
        }
        let end = tail.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end).unwrap_or((tail, ""));
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit.trim()) else {
            return Err(unknown_unit(text, number, unit.trim()));
        };
        let part = scale(number, *factor).ok_or_else(too_long)?;
        nanoseconds = nanoseconds.checked_add(part).ok_or_else(too_long)?;
        if tail.is_empty() {
            return Ok(Duration::from_nanos(nanoseconds));
        }
        rest = tail;
    }
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> DurationError {
    match unit {
        "" => DurationError::NoUnit(text.to_owned()),
        "d" | "day" | "days" => match scale(number, 24) {
            Some(hours) => DurationError::Days { hours },
            None => DurationError::TooLong(text.to_owned()),
        },
        _ => DurationError::Unit(unit.to_owned()),
    }
}

/// Writes a duration so that [`parse_duration`] reads it back: `1m30s`, `250ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    use std::fmt::Write as _;

    let (hours, minutes, seconds) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60, duration.as_secs() % 60);
    let nanoseconds = duration.subsec_nanos();
    let mut text = String::new();
    let mut push = |amount: u64, unit: &str| {
        if amount > 0 {
            let _ = write!(text, "{amount}{unit}");
        }
    };
    push(hours, "h");
    push(minutes, "m");
    push(seconds, "s");
    push(u64::from(nanoseconds / 1_000_000), "ms");
    push(u64::from(nanoseconds / 1_000 % 1_000), "us");
    push(u64::from(nanoseconds % 1_000), "ns");
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        for (text, milliseconds) in [
            ("0", 0),
            ("10s", 10_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            (".5s", 500),
            ("2m 3s", 123_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse_duration("3\u{b5}s"), Ok(Duration::from_micros(3)));
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        for (text, nanoseconds) in [("0s", 0), ("1m30s", 90_000_000_000), ("250ms", 250_000_000), ("1h2us3ns", 3_600_000_002_003)]
        {
            let duration = Duration::from_nanos(nanoseconds);
            assert_eq!(format_duration(duration), text);
            assert_eq!(parse_duration(text), Ok(duration));
        }
    }

    #[test]
    fn wrong_durations_say_which_units_there_are() {
        let error = |text: &str| parse_duration(text).map_err(|error| error.to_string());
        assert_eq!(error("10 sec"), Err("`sec` is not a unit of time; the units are ns, us, ms, s, m and h".into()));
        assert_eq!(
            error("10"),
            Err("`10` has no unit: write `10s` for seconds or `10ms` for milliseconds; the units are ns, us, ms, s, m and h"
                .into())
        );
        assert_eq!(error("2d"), Err("days are not a unit here: write `48h`".into()));
        assert_eq!(error("-1s"), Err("a duration cannot be negative".into()));
        assert!(error("soon").is_err_and(|text| text.contains("is not a duration: write a number and a unit")));
        assert_eq!(error("9999999999h"), Err("`9999999999h` is too long a duration".into()));
        assert!(error("1.2.3s").is_err_and(|text| text.starts_with("`1.2.3s` is not a duration")));
    }
}
