//! Lengths of time as text: `1h30m`, `250ms`, `-1.5s`. Pure; the Lua type `Duration` stands in `lengths.rs`.

use std::fmt::Write;

/// Nanoseconds of a microsecond.
pub(crate) const MICROSECOND: i64 = 1_000;
/// Nanoseconds of a millisecond.
pub(crate) const MILLISECOND: i64 = 1_000 * MICROSECOND;
/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000 * MILLISECOND;
/// Nanoseconds of a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds of an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DurationError {
    /// It is not a list of numbers with units.
    Malformed,
    /// A number has no unit.
    UnitMissing,
    /// A unit is none of `ns us ms s m h`.
    UnitUnknown,
    /// It exceeds 64 bits of nanoseconds (292 years).
    TooLong,
}

impl DurationError {
    /// The reason, as the end of a message.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            DurationError::Malformed => "write numbers with units, such as \"1h30m\" or \"250ms\"",
            DurationError::UnitMissing => "a unit is missing, write ns, us, ms, s, m or h behind each number",
            DurationError::UnitUnknown => "unknown unit, use ns, us, ms, s, m or h",
            DurationError::TooLong => "it is longer than 292 years",
        }
    }
}

/// Reads a duration into nanoseconds: an optional sign, then numbers with optional fractions and a unit each. A bare `0` is allowed.
pub(crate) fn parse(text: &[u8]) -> Result<i64, DurationError> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::Malformed);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (whole, digits, after) = digits(rest)?;
        rest = after;
        let mut fraction: (u128, u128) = (0, 1);
        let mut fraction_digits = 0;
        if let [b'.', after @ ..] = rest {
            let (value, scale, count, after) = fraction_of(after);
            fraction = (value, scale);
            fraction_digits = count;
            rest = after;
        }
        if digits == 0 && fraction_digits == 0 {
            return Err(DurationError::Malformed);
        }
        let length = rest.iter().position(|byte| byte.is_ascii_digit() || *byte == b'.').unwrap_or(rest.len());
        let (unit, after) = rest.split_at(length);
        rest = after;
        let unit: u128 = match unit {
            b"ns" => 1,
            b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => MICROSECOND as u128,
            b"ms" => MILLISECOND as u128,
            b"s" => SECOND as u128,
            b"m" => MINUTE as u128,
            b"h" => HOUR as u128,
            b"" => return Err(DurationError::UnitMissing),
            _ => return Err(DurationError::UnitUnknown),
        };
        // Neither product overflows: whole and the fraction have at most 20 and 18 digits, a unit has 13.
        total = total.saturating_add(whole * unit + fraction.0 * unit / fraction.1);
        if total > 1 << 63 {
            return Err(DurationError::TooLong);
        }
    }
    match (negative, total) {
        (true, _) => i64::try_from(-(total as i128)).map_err(|_| DurationError::TooLong),
        (false, _) => i64::try_from(total).map_err(|_| DurationError::TooLong),
    }
}

/// Leading digits: their value, their count, and what follows.
fn digits(text: &[u8]) -> Result<(u128, usize, &[u8]), DurationError> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let mut value: u128 = 0;
    for digit in digits {
        value = value * 10 + u128::from(digit - b'0');
        if value > 1 << 63 {
            return Err(DurationError::TooLong);
        }
    }
    Ok((value, count, rest))
}

/// Digits behind the point: value, scale, count, rest. Digits beyond the eighteenth are less than a nanosecond of any unit.
fn fraction_of(text: &[u8]) -> (u128, u128, usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let mut value: u128 = 0;
    let mut scale: u128 = 1;
    for digit in digits.iter().take(18) {
        value = value * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    (value, scale, count, rest)
}

/// Writes a duration: `1h30m0s`, `1.5s`, `250ms`, `0s`.
pub(crate) fn format(nanoseconds: i64) -> String {
    let mut out = String::new();
    let length = nanoseconds.unsigned_abs();
    if length == 0 {
        return "0s".to_owned();
    }
    if nanoseconds < 0 {
        out.push('-');
    }
    if length < SECOND as u64 {
        let (unit, name) = if length < MICROSECOND as u64 {
            (1, "ns")
        } else if length < MILLISECOND as u64 {
            (MICROSECOND as u64, "µs")
        } else {
            (MILLISECOND as u64, "ms")
        };
        push_decimal(&mut out, length / unit, length % unit, unit);
        out.push_str(name);
        return out;
    }
    let seconds = length / SECOND as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        let _ = write!(out, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    push_decimal(&mut out, seconds % 60, length % SECOND as u64, SECOND as u64);
    out.push('s');
    out
}

/// Writes `whole` and, without trailing zeros, `part / scale`; scale is a power of ten.
fn push_decimal(out: &mut String, whole: u64, mut part: u64, mut scale: u64) {
    let _ = write!(out, "{whole}");
    if part > 0 {
        out.push('.');
        while part > 0 {
            scale /= 10;
            out.push(char::from(b'0' + (part / scale) as u8));
            part %= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_nanoseconds() {
        assert_eq!(parse(b"1h30m45s"), Ok(5_445 * SECOND));
        assert_eq!(parse(b"2h30m45s500ms"), Ok(9_045 * SECOND + 500 * MILLISECOND));
        assert_eq!(parse(b"-1.5h"), Ok(-90 * MINUTE));
        assert_eq!(parse(b"+5s"), Ok(5 * SECOND));
        assert_eq!(parse(b".5s"), Ok(SECOND / 2));
        assert_eq!(parse(b"1.s"), Ok(SECOND));
        assert_eq!(parse(b"0"), Ok(0));
        assert_eq!(parse("3µs".as_bytes()), Ok(3_000));
        assert_eq!(parse(b"9223372036854775807ns"), Ok(i64::MAX));
        assert_eq!(parse(b"-9223372036854775808ns"), Ok(i64::MIN));
    }

    #[test]
    fn other_texts_say_what_is_wrong() {
        for text in ["", "-", "s", ".s", "1h 2m", "--1s", "h1"] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(parse(b"5"), Err(DurationError::UnitMissing));
        assert_eq!(parse(b"5d"), Err(DurationError::UnitUnknown));
        assert_eq!(parse(b"9223372036854775808ns"), Err(DurationError::TooLong));
        assert_eq!(parse(b"99999999999999999999999999999999999999999999h"), Err(DurationError::TooLong));
        assert_eq!(parse(b"2562048h"), Err(DurationError::TooLong));
    }

    #[test]
    fn nanoseconds_become_the_usual_text() {
        assert_eq!(format(0), "0s");
        assert_eq!(format(1), "1ns");
        assert_eq!(format(1_100), "1.1µs");
        assert_eq!(format(2_200_000), "2.2ms");
        assert_eq!(format(3_300_000_000), "3.3s");
        assert_eq!(format(5_400 * SECOND), "1h30m0s");
        assert_eq!(format(-90 * SECOND - 1), "-1m30.000000001s");
        assert_eq!(format(i64::MIN), "-2562047h47m16.854775808s");
    }

    #[test]
    fn what_is_written_can_be_read() {
        for value in [1, -1, 999, 123_456_789, -987_654_321_012_345, i64::MAX, i64::MIN] {
            assert_eq!(parse(format(value).as_bytes()), Ok(value));
        }
    }
}
