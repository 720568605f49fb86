//! Functions in place of those of SQLite that take the product of the lengths of two texts and cannot be stopped: a search of half of a
//! value in the other half of it went on for minutes, also when nobody waited any more.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Result};

/// Puts the functions in the place of SQLite's own. Statements of the schema may use them, as they may those.
pub(super) fn replace(connection: &Connection, max_value: usize) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("instr", 2, flags, instr)?;
    connection.create_scalar_function("replace", 3, flags, move |context| replaced(context, max_value))?;
    connection.create_scalar_function("unhex", 2, flags, unhex)?;
    for (name, left, right) in [("trim", true, true), ("ltrim", true, false), ("rtrim", false, true)] {
        connection.create_scalar_function(name, 2, flags, move |context| trimmed(context, left, right))?;
    }
    Ok(())
}

/// A result: bytes that are text for SQLite, whether they are UTF-8 or not.
enum Given {
    Null,
    Text(Vec<u8>),
    Integer(i64),
    Blob(Vec<u8>),
}

impl ToSql for Given {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The bytes of a value seen as text, as SQLite converts it; none for NULL.
struct Seen<'a> {
    borrowed: Option<&'a [u8]>,
    made: String,
}

impl<'a> Seen<'a> {
    fn of(value: ValueRef<'a>) -> Option<Self> {
        let made = match value {
            ValueRef::Null => return None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => return Some(Self { borrowed: Some(bytes), made: String::new() }),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => real(number),
        };
        Some(Self { borrowed: None, made })
    }

    fn bytes(&self) -> &[u8] {
        self.borrowed.unwrap_or(self.made.as_bytes())
    }
}

/// Writes a number as SQLite does: fifteen digits if they give the same number, otherwise seventeen, of which the
/// last may be another one, and always a point.
fn real(number: f64) -> String {
    if !number.is_finite() {
        return (if number > 0.0 { "Inf" } else { "-Inf" }).to_owned();
    }
    let short = format!("{number:.14e}");
    let is_same = short.parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits());
    let (written, digits) = if is_same { (short, 14) } else { (format!("{number:.16e}"), 16) };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..17).contains(&exponent) {
        let places = usize::try_from(digits - exponent).unwrap_or(0);
        return pointed(&format!("{number:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", pointed(mantissa), exponent.abs())
}

fn pointed(digits: &str) -> String {
    match digits.split_once('.') {
        Some((whole, part)) => {
            let part = part.trim_end_matches('0');
            format!("{whole}.{}", if part.is_empty() { "0" } else { part })
        }
        None => format!("{digits}.0"),
    }
}

/// Visits the places of one text in another one, from the first on, in time that is the sum of their lengths. The library has such a
/// search for UTF-8 only: other bytes are seen as characters for it.
fn places(whole: &[u8], part: &[u8], mut visit: impl FnMut(usize) -> Result<bool>) -> Result<()> {
    if let (Ok(whole), Ok(part)) = (std::str::from_utf8(whole), std::str::from_utf8(part)) {
        for (at, _) in whole.match_indices(part) {
            if !visit(at)? {
                break;
            }
        }
        return Ok(());
    }
    let seen = |bytes: &[u8]| -> String { bytes.iter().copied().map(char::from).collect() };
    let (whole, part) = (seen(whole), seen(part));
    let (mut known, mut count) = (0, 0);
    for (at, _) in whole.match_indices(&part) {
        count += whole.get(known..at).unwrap_or_default().chars().count();
        known = at;
        if !visit(count)? {
            break;
        }
    }
    Ok(())
}

/// `instr(whole, part)`: counts bytes in blobs and characters in text.
fn instr(context: &Context<'_>) -> Result<Given> {
    let (whole, part) = (context.get_raw(0), context.get_raw(1));
    let blobs = matches!((whole, part), (ValueRef::Blob(_), ValueRef::Blob(_)));
    let (Some(whole), Some(part)) = (Seen::of(whole), Seen::of(part)) else { return Ok(Given::Null) };
    if part.bytes().is_empty() {
        return Ok(Given::Integer(1));
    }
    let mut at = None;
    places(whole.bytes(), part.bytes(), |place| {
        at = Some(place);
        Ok(false)
    })?;
    let Some(before) = at.and_then(|at| whole.bytes().get(..at)) else { return Ok(Given::Integer(0)) };
    let count = if blobs { before.len() } else { before.iter().filter(|byte| !is_rest(**byte)).count() };
    Ok(Given::Integer(i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1)))
}

/// `replace(whole, part, other)`.
fn replaced(context: &Context<'_>, max_value: usize) -> Result<Given> {
    let (Some(whole), Some(part)) = (Seen::of(context.get_raw(0)), Seen::of(context.get_raw(1))) else { return Ok(Given::Null) };
    // What begins with a zero is as good as empty, in the database, too.
    if part.bytes().first().is_none_or(|first| *first == 0) {
        return Ok(Given::Text(whole.bytes().to_vec()));
    }
    let Some(other) = Seen::of(context.get_raw(2)) else { return Ok(Given::Null) };
    let (whole, length, other) = (whole.bytes(), part.bytes().len(), other.bytes());
    let mut out = Vec::with_capacity(whole.len());
    let mut done = 0;
    places(whole, part.bytes(), |at| {
        out.extend_from_slice(whole.get(done..at).unwrap_or_default());
        out.extend_from_slice(other);
        done = at + length;
        if out.len() > max_value { Err(too_big()) } else { Ok(true) }
    })?;
    out.extend_from_slice(whole.get(done..).unwrap_or_default());
    if out.len() > max_value { Err(too_big()) } else { Ok(Given::Text(out)) }
}

fn too_big() -> Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
    Error::SqliteFailure(code, Some("string or blob too big".to_owned()))
}

/// `trim(text, characters)` and its halves.
fn trimmed(context: &Context<'_>, left: bool, right: bool) -> Result<Given> {
    let (Some(whole), Some(set)) = (Seen::of(context.get_raw(0)), Seen::of(context.get_raw(1))) else { return Ok(Given::Null) };
    let characters = characters_of(set.bytes());
    let holds = |character: &[u8]| characters.binary_search(&character).is_ok();
    let mut text = whole.bytes();
    while left
        && let Some((first, others)) = first_character(text)
        && holds(first)
    {
        text = others;
    }
    while right
        && let Some((others, last)) = last_character(text)
        && holds(last)
    {
        text = others;
    }
    Ok(Given::Text(text.to_vec()))
}

/// `unhex(text, characters)`: characters may stand between the bytes.
fn unhex(context: &Context<'_>) -> Result<Given> {
    let (Some(whole), Some(set)) = (Seen::of(context.get_raw(0)), Seen::of(context.get_raw(1))) else { return Ok(Given::Null) };
    let characters = characters_of(set.bytes());
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    // A text ends at a zero here, as in the database.
    let mut text = whole.bytes().split(|byte| *byte == 0).next().unwrap_or_default();
    let mut out = Vec::with_capacity(text.len() / 2);
    while let Some((first, others)) = first_character(text) {
        text = others;
        match (first, text.split_first()) {
            ([high], next) if digit(*high).is_some() => {
                let low = next.and_then(|(low, others)| Some((digit(*low)?, others)));
                let (Some(high), Some((low, others))) = (digit(*high), low) else { return Ok(Given::Null) };
                out.push(high << 4 | low);
                text = others;
            }
            _ if characters.binary_search(&first).is_ok() => {}
            _ => return Ok(Given::Null),
        }
    }
    Ok(Given::Blob(out))
}

/// Lists the characters of a text in order, each once.
fn characters_of(text: &[u8]) -> Vec<&[u8]> {
    let mut characters = Vec::new();
    let mut rest = text;
    while let Some((first, others)) = first_character(rest) {
        characters.push(first);
        rest = others;
    }
    characters.sort_unstable();
    characters.dedup();
    characters
}

/// Tells whether a byte goes on with a character of UTF-8.
fn is_rest(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn first_character(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = text.first()?;
    let others = text.iter().skip(1).take(3).take_while(|byte| *first >= 0xc0 && is_rest(**byte)).count();
    text.split_at_checked(1 + others)
}

fn last_character(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let others = text.iter().rev().take(3).take_while(|byte| is_rest(**byte)).count();
    let at = text.len().checked_sub(others + 1)?;
    let whole = text.get(at..).and_then(first_character).is_some_and(|(_, rest)| rest.is_empty());
    text.split_at_checked(if whole { at } else { text.len() - 1 })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const SAME: &[&str] = &[
        "instr('haystack', 'st')",
        "instr('äöü', 'ü')",
        "instr(x'00ff00', x'ff')",
        "instr(x'c3a4c3b6', 'ö')",
        "instr('abc', '')",
        "instr(NULL, 'a')",
        "instr('abc', NULL)",
        "instr('abc', 'd')",
        "instr(12345, 34)",
        "instr(x'', x'')",
        "replace('aXbXc', 'X', 'yy')",
        "replace('aXbX', 'X', '')",
        "replace('XX', 'X', 'a')",
        "replace('abc', '', 'x')",
        "replace(12, '', 'x')",
        "replace(x'00ff', x'00', 'x')",
        "replace(x'00ff', '', 'x')",
        "replace(1.5, '.', ',')",
        "replace(NULL, 'a', 'b')",
        "replace('abc', 'b', NULL)",
        "replace(x'00ff01', x'ff', x'02')",
        "replace('aaa', 'aa', 'b')",
        "replace(x'ff00ffff00', x'ff', 'a')",
        "instr(x'00ff00ff', x'00ff')",
        "instr(x'c3a4ff', x'ff')",
        "instr(CAST(x'c3a4ff' AS TEXT), CAST(x'ff' AS TEXT))",
        "trim('xxaxx', 'x')",
        "ltrim('xyaxy', 'xy')",
        "rtrim('xyaxy', 'yx')",
        "trim('äöaöä', 'äö')",
        "trim('aaa', 'a')",
        "trim('abc', '')",
        "trim(NULL, 'a')",
        "trim(1101, 1)",
        "rtrim(100.0, '0')",
        "trim(1e20, '1')",
        "trim(-0.00001234, '-')",
        "trim(123456789.125, '5')",
        "trim(0.1, '')",
        "trim(1e15, '')",
        "trim(123456789012345.0, '')",
        "trim(0.1 + 0.2, '')",
        "trim(1e16, '')",
        "trim(1e17, '')",
        "trim(-1.5e300, '')",
        "trim(0.5 / 4, '')",
        "trim(123456789.123456789, '')",
        "trim(0.0, '')",
        "trim(0.0001, '')",
        "unhex('00fF', '')",
        "unhex('00-ff 10', '- ')",
        "unhex('0-0', '-')",
        "unhex('00ä11', 'ä')",
        "unhex('0', '')",
        "unhex('', 'a')",
        "unhex('zz', 'y')",
        "unhex(NULL, 'y')",
        "unhex(1234, 1)",
    ];

    #[test]
    fn functions_give_what_those_of_the_database_give() {
        let (own, plain) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        replace(&own, 1 << 20).unwrap();
        for call in SAME {
            let sql = format!("SELECT quote({call}), typeof({call})");
            let ask = |connection: &Connection| -> (String, String) {
                connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
            };
            assert_eq!(ask(&own), ask(&plain), "{call}");
        }
    }

    #[test]
    fn long_texts_take_the_sum_of_their_lengths() {
        let connection = Connection::open_in_memory().unwrap();
        replace(&connection, 1 << 23).unwrap();
        for sql in [
            "SELECT instr(zeroblob(4000000), zeroblob(2000000) || x'01')",
            "SELECT instr(zeroblob(4000000), zeroblob(2000000) || x'ff')",
            "SELECT replace(zeroblob(4000000) || x'ff', x'01' || zeroblob(2000000), '')",
            "SELECT replace(zeroblob(4000000) || x'ff', x'ff', 'a')",
            "SELECT unhex(CAST(hex(zeroblob(1000000)) AS TEXT), hex(zeroblob(1000000)) || 'x')",
            "SELECT trim(zeroblob(4000000), hex(zeroblob(1000000)) || x'00')",
        ] {
            // With the product of the lengths as its time, each would run for an hour.
            connection.query_row(sql, [], |_| Ok(())).unwrap();
        }
    }
}
