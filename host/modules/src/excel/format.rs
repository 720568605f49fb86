//! The text that a cell shows: numbers by their format, as Excel writes them.
//!
//! Formats that Excel knows and this does not, such as fractions and conditions, show the number as it is.

use std::fmt::Write;

use crate::calendar::civil::date_of_days;

/// Digits that Excel keeps of a number.
const DIGITS: usize = 15;
/// The longest format that is looked at; a longer one shows the number as it is.
pub(super) const LONGEST: usize = 255;
/// The most decimal places that Excel shows.
const PLACES: usize = 30;
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The formats that a file names by their numbers only.
pub(super) fn built_in(number: u32) -> &'static str {
    match number {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        14 => "mm-dd-yy",
        15 => "d-mmm-yy",
        16 => "d-mmm",
        17 => "mmm-yy",
        18 => "h:mm AM/PM",
        19 => "h:mm:ss AM/PM",
        20 => "h:mm",
        21 => "h:mm:ss",
        22 => "m/d/yy h:mm",
        37 | 38 => "#,##0 ;(#,##0)",
        39 | 40 => "#,##0.00 ;(#,##0.00)",
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mm:ss.0",
        48 => "0.0E+0",
        _ => "",
    }
}

/// Writes a number by a format; `from_1904` says which day the workbook counts from.
pub(super) fn number(value: f64, format: &str, from_1904: bool) -> String {
    if format.is_empty() || format.len() > LONGEST {
        return general(value);
    }
    formatted(value, format, from_1904).unwrap_or_else(|| general(value))
}

/// Writes a number without a format.
pub(super) fn general(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let plain = format!("{value}");
    let digits = plain.bytes().filter(u8::is_ascii_digit).count();
    let zeros = plain.bytes().take_while(|byte| !matches!(byte, b'1'..=b'9')).filter(u8::is_ascii_digit).count();
    if digits - zeros <= DIGITS && plain.len() <= DIGITS + 7 {
        return plain;
    }
    // Rounded to what Excel keeps.
    let rounded = format!("{:.*e}", DIGITS - 1, value);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        let places = usize::try_from(14 - exponent).unwrap_or(0);
        return shorten(&format!("{value:.places$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}E{sign}{:02}", shorten(mantissa), exponent.abs())
}

/// Takes the zeros away that say nothing.
fn shorten(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// Text that stands for itself.
    Literal(String),
    /// A letter, and how often it stands there.
    Letters(char, usize),
    /// Hours, minutes or seconds that go on beyond a day.
    Elapsed(char),
    /// `AM/PM` or `A/P`.
    Half(&'static str, &'static str),
    General,
}

fn formatted(value: f64, format: &str, from_1904: bool) -> Option<String> {
    let sections = sections(format);
    let count = sections.len();
    let (section, value) = match count {
        2..=4 if value < 0.0 => (sections.get(1)?, value.abs()),
        3 | 4 if value == 0.0 => (sections.get(2)?, value),
        _ => (sections.first()?, value),
    };
    let pieces = pieces(section)?;
    let is_date = |piece: &Piece| matches!(piece, Piece::Letters('y' | 'm' | 'd' | 'h' | 's', _) | Piece::Elapsed(_));
    if pieces.iter().any(is_date) { date(value, &pieces, from_1904) } else { digits(value, &pieces) }
}

fn sections(format: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in format.chars() {
        if character == ';' && !quoted && !escaped {
            sections.push(String::new());
            continue;
        }
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped && !quoted;
        if let Some(section) = sections.last_mut() {
            section.push(character);
        }
    }
    sections
}

/// Takes a section apart; none when it has something that is not known.
fn pieces(section: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = section;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..)?;
        let lower = first.to_ascii_lowercase();
        if rest.len() >= 7 && rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("general")) {
            pieces.push(Piece::General);
            rest = rest.get(7..)?;
            continue;
        }
        rest = match first {
            '"' => {
                let (text, after) = after.split_once('"')?;
                pieces.push(Piece::Literal(text.to_owned()));
                after
            }
            '\\' => literal(&mut pieces, after)?,
            // A gap as wide as the next character, and one that is filled with it.
            '_' => {
                pieces.push(Piece::Literal(" ".to_owned()));
                after.get(after.chars().next()?.len_utf8()..)?
            }
            '*' => after.get(after.chars().next()?.len_utf8()..)?,
            '[' => {
                let (inside, after) = after.split_once(']')?;
                bracket(&mut pieces, inside)?;
                after
            }
            _ if rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("am/pm")) => {
                pieces.push(Piece::Half("AM", "PM"));
                rest.get(5..)?
            }
            _ if rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("a/p")) => {
                pieces.push(Piece::Half("A", "P"));
                rest.get(3..)?
            }
            _ if "ymdhs0#?,.%eE@".contains(first) || "ymdhs".contains(lower) => {
                let end = rest.find(|character: char| character.to_ascii_lowercase() != lower).unwrap_or(rest.len());
                pieces.push(Piece::Letters(lower, end));
                rest.get(end..)?
            }
            _ if first.is_ascii_alphabetic() => return None,
            _ => literal(&mut pieces, rest)?,
        };
    }
    Some(pieces)
}

fn literal<'a>(pieces: &mut Vec<Piece>, rest: &'a str) -> Option<&'a str> {
    let character = rest.chars().next()?;
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(character),
        _ => pieces.push(Piece::Literal(character.to_string())),
    }
    rest.get(character.len_utf8()..)
}

fn bracket(pieces: &mut Vec<Piece>, inside: &str) -> Option<()> {
    let lower = inside.to_ascii_lowercase();
    if let Some(currency) = inside.strip_prefix('$') {
        let symbol = currency.split('-').next().unwrap_or_default();
        pieces.push(Piece::Literal(symbol.to_owned()));
    } else if let Some(unit) =
        lower.chars().next().filter(|unit| "hms".contains(*unit) && lower.chars().all(|other| other == *unit))
    {
        pieces.push(Piece::Elapsed(unit));
    } else if lower.starts_with(['<', '>', '=']) {
        return None;
    }
    // What is left are colors.
    Some(())
}

/// Writes a number by the digits of its format.
fn digits(value: f64, pieces: &[Piece]) -> Option<String> {
    let (mut places, mut least, mut percents, mut groups, mut behind, mut exponent) = (0, 0, 0, false, false, false);
    let mut any = false;
    for piece in pieces {
        match piece {
            Piece::Letters('0' | '#' | '?', count) if behind => places += count,
            Piece::Letters(kind @ ('0' | '#' | '?'), count) => {
                any = true;
                least += if *kind == '0' { *count } else { 0 };
            }
            Piece::Letters('.', 1) if !behind => behind = true,
            Piece::Letters(',', 1) if !behind => groups = true,
            Piece::Letters('%', count) => percents += count,
            Piece::Letters('e', 1) => exponent = true,
            Piece::Literal(text) if text == "/" => return None,
            Piece::Letters('@', _) | Piece::General => return Some(general_among(value, pieces)),
            Piece::Letters(..) | Piece::Elapsed(_) => return None,
            Piece::Half(..) => return None,
            Piece::Literal(_) => {}
        }
    }
    if exponent {
        return scientific(value, pieces);
    }
    if places > PLACES || least > PLACES || percents > 2 {
        return None;
    }
    if !any && !behind {
        // A section of text only shows that text.
        return Some(texts(pieces));
    }
    // Rounded as a decimal number, as it is shown, and not as the binary number next to it.
    let scaled = decimal(value.abs() * 100_f64.powi(i32::try_from(percents).ok()?), places);
    let (whole, fraction) = scaled.split_once('.').unwrap_or((&scaled, ""));
    let fraction = trimmed(fraction, pieces);
    let whole = if whole == "0" && least == 0 { "" } else { whole };
    let mut whole = format!("{whole:0>least$}");
    if groups {
        whole = grouped(&whole);
    }
    let mut number = String::new();
    if value < 0.0 && scaled.bytes().any(|digit| matches!(digit, b'1'..=b'9')) {
        number.push('-');
    }
    let mut written = false;
    for piece in pieces {
        match piece {
            Piece::Literal(text) => number.push_str(text),
            Piece::Letters('%', count) => number.push_str(&"%".repeat(*count)),
            Piece::Letters(..) if !written => {
                written = true;
                number.push_str(&whole);
                if behind {
                    number.push('.');
                    number.push_str(&fraction);
                }
            }
            _ => {}
        }
    }
    Some(number)
}

/// Takes zeros behind the point away for which the format has no place that must be filled.
fn trimmed(fraction: &str, pieces: &[Piece]) -> String {
    let behind = pieces.iter().skip_while(|piece| **piece != Piece::Letters('.', 1));
    let wanted: usize = behind.map(|piece| if let Piece::Letters('0' | '?', count) = piece { *count } else { 0 }).sum();
    let mut kept = fraction.to_owned();
    while kept.len() > wanted && kept.ends_with('0') {
        kept.pop();
    }
    kept
}

fn decimal(value: f64, places: usize) -> String {
    let shortest = format!("{value}");
    match shortest.split_once('.') {
        // Halves go up, which the binary number may be just below of.
        Some((_, fraction)) if fraction.len() == places + 1 && fraction.ends_with('5') => {
            let step = 10_f64.powi(-i32::try_from(places + 3).unwrap_or(0));
            format!("{:.places$}", value + step)
        }
        _ => format!("{value:.places$}"),
    }
}

fn grouped(whole: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn texts(pieces: &[Piece]) -> String {
    pieces.iter().filter_map(|piece| if let Piece::Literal(text) = piece { Some(text.as_str()) } else { None }).collect()
}

fn general_among(value: f64, pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::General | Piece::Letters('@', _) => general(value),
        _ => String::new(),
    };
    pieces.iter().map(text).collect()
}

/// Writes a number as `1.50E+03`.
fn scientific(value: f64, pieces: &[Piece]) -> Option<String> {
    let at = pieces.iter().position(|piece| matches!(piece, Piece::Letters('e', _)))?;
    let count = |pieces: &[Piece]| -> usize {
        pieces.iter().map(|piece| if let Piece::Letters('0' | '#' | '?', count) = piece { *count } else { 0 }).sum()
    };
    let point = pieces.iter().position(|piece| *piece == Piece::Letters('.', 1)).filter(|point| *point < at);
    let places = point.map_or(0, |point| count(pieces.get(point..at).unwrap_or_default()));
    let least = count(pieces.get(at..)?);
    if places > PLACES || least > PLACES {
        return None;
    }
    let written = format!("{value:.places$e}");
    let (mantissa, exponent) = written.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{mantissa}E{sign}{:0>least$}", exponent.abs()))
}

/// A moment, taken apart.
struct Moment {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    /// Seconds since midnight, and since day zero.
    second: i64,
    elapsed: i64,
    /// The rest, in thousandths.
    thousandths: i64,
}

/// Counts from what a workbook counts days from. None where Excel shows no date.
fn moment(value: f64, from_1904: bool, places: usize) -> Option<Moment> {
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    // Rounded to what is shown, so that a minute that is a little short is no 59 seconds.
    let unit = if places > 0 { 1000.0 } else { 1.0 };
    let units = (value * 86_400.0 * unit).round() as i64;
    let unit = unit as i64;
    let (elapsed, thousandths) = (units / unit, units % unit);
    let (mut days, second) = (elapsed / 86_400, elapsed % 86_400);
    let weekday = usize::try_from((days + if from_1904 { 5 } else { 6 }) % 7).ok()?;
    if from_1904 {
        days += 1462;
    }
    // Excel has a 29th of February 1900, as the program before it had.
    let (year, month, day) = match days {
        0 => (1900, 1, 0),
        60 => (1900, 2, 29),
        _ => date_of_days(days - if days > 60 { 25_569 } else { 25_568 }),
    };
    Some(Moment { year, month: usize::try_from(month).ok()?, day: i64::from(day), weekday, second, elapsed, thousandths })
}

fn date(value: f64, pieces: &[Piece], from_1904: bool) -> Option<String> {
    let places = pieces.windows(2).find_map(|pair| match pair {
        [Piece::Letters('.', 1), Piece::Letters('0', count)] => Some(*count),
        _ => None,
    });
    let moment = moment(value, from_1904, places.unwrap_or(0))?;
    let half = pieces.iter().any(|piece| matches!(piece, Piece::Half(..)));
    let (hour, minute, second) = (moment.second / 3600, moment.second / 60 % 60, moment.second % 60);
    let mut text = String::new();
    let two = |text: &mut String, number: i64, count: usize| {
        let _ = if count == 1 { write!(text, "{number}") } else { write!(text, "{number:02}") };
    };
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Letters('y', 1 | 2) => two(&mut text, moment.year % 100, 2),
            Piece::Letters('y', _) => {
                let _ = write!(text, "{:04}", moment.year);
            }
            Piece::Letters('m', count) if *count <= 2 && is_minute(pieces, index) => two(&mut text, minute, *count),
            Piece::Letters('m', count) => {
                let name = MONTHS.get(moment.month.checked_sub(1)?)?;
                match count {
                    1 | 2 => two(&mut text, i64::try_from(moment.month).ok()?, *count),
                    3 => text.push_str(name.get(..3)?),
                    5 => text.push_str(name.get(..1)?),
                    _ => text.push_str(name),
                }
            }
            Piece::Letters('d', count) => match count {
                1 | 2 => two(&mut text, moment.day, *count),
                3 => text.push_str(DAYS.get(moment.weekday)?.get(..3)?),
                _ => text.push_str(DAYS.get(moment.weekday)?),
            },
            Piece::Letters('h', count) => two(&mut text, if half { (hour + 11) % 12 + 1 } else { hour }, *count),
            Piece::Letters('s', count) => two(&mut text, second, *count),
            Piece::Elapsed(unit) => {
                let whole = match unit {
                    'h' => moment.elapsed / 3600,
                    'm' => moment.elapsed / 60,
                    _ => moment.elapsed,
                };
                let _ = write!(text, "{whole}");
            }
            Piece::Half(morning, afternoon) => text.push_str(if hour < 12 { morning } else { afternoon }),
            Piece::Letters('.', 1) => text.push('.'),
            Piece::Letters('0', count) => {
                let digits = format!("{:03}", moment.thousandths);
                text.push_str(digits.get(..*count.min(&3))?);
            }
            Piece::Letters(',', count) => text.push_str(&",".repeat(*count)),
            Piece::Letters(..) | Piece::General => return None,
        }
    }
    Some(text)
}

/// Tells whether an `m` means minutes: hours stand before it, or seconds behind it.
fn is_minute(pieces: &[Piece], index: usize) -> bool {
    let is_unit = |piece: &&Piece| matches!(piece, Piece::Letters('y' | 'm' | 'd' | 'h' | 's', _) | Piece::Elapsed(_));
    let before = pieces.get(..index).unwrap_or_default().iter().rev().find(is_unit);
    let after = pieces.get(index + 1..).unwrap_or_default().iter().find(is_unit);
    matches!(before, Some(Piece::Letters('h', _) | Piece::Elapsed('h')))
        || matches!(after, Some(Piece::Letters('s', _) | Piece::Elapsed('s')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_format_have_fifteen_digits() {
        for (value, text) in [
            (95.0, "95"),
            (29.99, "29.99"),
            (-0.5, "-0.5"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333333333333"),
            (2.0 / 3.0, "0.666666666666667"),
            (1e15 - 1.0, "999999999999999"),
            (1e300, "1E+300"),
            (1.5e-9, "0.0000000015"),
            (1.234_567_890_123_456_7e-20, "1.23456789012346E-20"),
            (123_456_789_012_345_680.0, "1.23456789012346E+17"),
            (-0.0, "0"),
        ] {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn formats_of_numbers() {
        for (value, format, text) in [
            (1234.5, "0", "1235"),
            (1234.567, "0.00", "1234.57"),
            (1.005, "0.00", "1.01"),
            (1_234_567.891, "#,##0.00", "1,234,567.89"),
            (-1234.0, "#,##0", "-1,234"),
            (-1234.0, "#,##0 ;(#,##0)", "(1,234)"),
            (0.256, "0%", "26%"),
            (0.2567, "0.00%", "25.67%"),
            (0.5, "#.##", ".5"),
            (5.0, "000", "005"),
            (12_345.0, "0.00E+00", "1.23E+04"),
            (3.5, "[$€-407]0.00", "€3.50"),
            (3.5, "0.00\" kg\"", "3.50 kg"),
            (3.5, "[Red]0.0;[Blue]-0.0", "3.5"),
            (-0.001, "0.0", "0.0"),
            (7.0, "\"n/a\"", "n/a"),
            (0.5, "# ?/?", "0.5"),
            (7.5, "@", "7.5"),
            (7.5, "General", "7.5"),
            (7.5, "[>5]0;0.0", "7.5"),
        ] {
            assert_eq!(number(value, format, false), text, "{format}");
        }
    }

    #[test]
    fn formats_of_dates() {
        let moment = 45_292.0 + 0.5 + 1.0 / 1440.0; // the 1st of January 2024, 12:01
        for (value, format, text) in [
            (moment, "mm-dd-yy", "01-01-24"),
            (moment, "yyyy-mm-dd hh:mm:ss", "2024-01-01 12:01:00"),
            (moment, "m/d/yy h:mm", "1/1/24 12:01"),
            (moment, "d-mmm-yy", "1-Jan-24"),
            (moment, "dddd, d. mmmm yyyy", "Monday, 1. January 2024"),
            (moment, "h:mm AM/PM", "12:01 PM"),
            (0.25, "h:mm AM/PM", "6:00 AM"),
            (1.5, "[h]:mm:ss", "36:00:00"),
            (0.000_005_8, "mm:ss.0", "00:00.5"),
            (60.0, "yyyy-mm-dd", "1900-02-29"),
            (59.0, "yyyy-mm-dd", "1900-02-28"),
            (61.0, "yyyy-mm-dd", "1900-03-01"),
            (1.0, "yyyy-mm-dd", "1900-01-01"),
            (-1.0, "yyyy-mm-dd", "-1"),
            (1e10, "yyyy-mm-dd", "10000000000"),
        ] {
            assert_eq!(number(value, format, false), text, "{format}");
        }
        assert_eq!(number(0.0, "yyyy-mm-dd", true), "1904-01-01");
    }

    #[test]
    fn formats_that_make_no_sense_show_the_number() {
        for format in ["\"", "[", "\\", "_", "*", "0.0.0.0", "yyyyx", "0/0/0", "ä\u{0}[$", "%%%%0", "[h", "eee"] {
            assert!(!number(1.5, format, false).contains("panic"), "{format}");
        }
        assert_eq!(number(1.5, &"0".repeat(300), false), "1.5");
    }
}
