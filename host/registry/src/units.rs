//! Quantities as people write them in entries: sizes of memory and spans of time.

mod duration;
mod size;

pub use duration::{DurationError, format_duration, parse_duration};
pub use size::{Size, SizeError};

/// Splits a leading decimal number off a text; the number may be empty.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Tells whether a text is a number such as `1`, `1.5` or `.5`.
fn is_decimal(number: &str) -> bool {
    number.bytes().any(|byte| byte.is_ascii_digit()) && number.bytes().filter(|byte| *byte == b'.').count() <= 1
}

/// Multiplies a decimal text such as `1.5` with a whole factor, rounding down; `None` when it is no number or too large.
///
/// Whole numbers are multiplied exactly: a float would round what lies above 2^53.
fn scale(number: &str, factor: u128) -> Option<u64> {
    const MAX_FRACTION_DIGITS: usize = 18;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| -> Option<u128> { if text.is_empty() { Some(0) } else { text.parse().ok() } };
    let fraction = fraction.get(..MAX_FRACTION_DIGITS).unwrap_or(fraction);
    let divisor = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits(whole)?.checked_mul(factor)?.checked_add(digits(fraction)?.checked_mul(factor)? / divisor)?;
    u64::try_from(scaled).ok()
}
