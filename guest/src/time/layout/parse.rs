//! Reading times with a layout. Pure; the caller resolves zones.

use super::super::civil;
use super::{Element, MONTHS, Offset, WEEKDAYS, next_element};

/// A time as it was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Seconds since 1970 as if the civil time were UTC.
    pub(crate) seconds: i64,
    pub(crate) nanosecond: u32,
    pub(crate) zone: ParsedZone,
}

/// What a text says about the zone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ParsedZone {
    /// Nothing: the caller's default.
    #[default]
    Unsaid,
    /// UTC, by `Z` or by name.
    Utc,
    /// Seconds east of UTC, and the abbreviation when one was written too.
    Offset(i32, Vec<u8>),
    /// An abbreviation alone.
    Name(Vec<u8>),
}

/// Why a text does not fit its layout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// At `text` something else stands than `wanted` asks for.
    Mismatch { text: Vec<u8>, wanted: Vec<u8> },
    /// A component is outside its range.
    OutOfRange(&'static str),
    /// Text is left over.
    Extra(Vec<u8>),
}

#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone: Vec<u8>,
}

/// Why one element does not fit.
enum Misfit {
    Mismatch,
    OutOfRange(&'static str),
}

/// Reads a time.
pub(crate) fn parse(mut layout: &[u8], mut text: &[u8]) -> Result<Parsed, ParseError> {
    let mut fields = Fields::default();
    loop {
        let (before, element) = next_element(layout);
        text = skip(text, before)?;
        let Some((element, rest)) = element else { break };
        let written = layout.get(before.len()..layout.len() - rest.len()).unwrap_or_default();
        layout = rest;
        text = match fields.read(element, text, layout) {
            Ok(rest) => rest,
            Err(Misfit::Mismatch) => return Err(ParseError::Mismatch { text: text.to_vec(), wanted: written.to_vec() }),
            Err(Misfit::OutOfRange(name)) => return Err(ParseError::OutOfRange(name)),
        };
    }
    if !text.is_empty() {
        return Err(ParseError::Extra(text.to_vec()));
    }
    fields.finish()
}

/// Passes over the text of a layout between elements. A space in the layout stands for any number of spaces.
fn skip<'a>(text: &'a [u8], literal: &[u8]) -> Result<&'a [u8], ParseError> {
    let mismatch = |at: &[u8]| ParseError::Mismatch { text: at.to_vec(), wanted: literal.to_vec() };
    let mut rest = text;
    let mut wanted = literal;
    while let [byte, after @ ..] = wanted {
        if *byte == b' ' {
            if rest.first().is_some_and(|first| *first != b' ') {
                return Err(mismatch(text));
            }
            wanted = wanted.trim_ascii_start_spaces();
            rest = rest.trim_ascii_start_spaces();
            continue;
        }
        match rest {
            [first, more @ ..] if first == byte => rest = more,
            _ => return Err(mismatch(text)),
        }
        wanted = after;
    }
    Ok(rest)
}

trait TrimSpaces {
    fn trim_ascii_start_spaces(&self) -> &Self;
}

impl TrimSpaces for [u8] {
    fn trim_ascii_start_spaces(&self) -> &[u8] {
        let spaces = self.iter().take_while(|byte| **byte == b' ').count();
        self.get(spaces..).unwrap_or_default()
    }
}

impl Fields {
    /// Reads one element; `following` is the layout after it.
    fn read<'a>(&mut self, element: Element, text: &'a [u8], following: &[u8]) -> Result<&'a [u8], Misfit> {
        match element {
            Element::Year => {
                let (year, rest) = exactly(text, 4)?;
                self.year = i64::from(year);
                Ok(rest)
            }
            Element::YearShort => {
                let (year, rest) = exactly(text, 2)?;
                self.year = i64::from(year) + if year >= 69 { 1900 } else { 2000 };
                Ok(rest)
            }
            Element::Month => named(text, &MONTHS, usize::MAX).map(|(month, rest)| {
                self.month = Some(month + 1);
                rest
            }),
            Element::MonthShort => named(text, &MONTHS, 3).map(|(month, rest)| {
                self.month = Some(month + 1);
                rest
            }),
            Element::MonthNumber | Element::MonthZero => {
                let (month, rest) = one_or_two(text, element == Element::MonthZero)?;
                if !(1..=12).contains(&month) {
                    return Err(Misfit::OutOfRange("month"));
                }
                self.month = Some(month);
                Ok(rest)
            }
            // The weekday follows from the date, so it is read and dropped.
            Element::Weekday => named(text, &WEEKDAYS, usize::MAX).map(|(_, rest)| rest),
            Element::WeekdayShort => named(text, &WEEKDAYS, 3).map(|(_, rest)| rest),
            Element::Day | Element::DaySpace | Element::DayZero => {
                let text = match text {
                    [b' ', rest @ ..] if element == Element::DaySpace => rest,
                    _ => text,
                };
                let (day, rest) = one_or_two(text, element == Element::DayZero)?;
                self.day = Some(day);
                Ok(rest)
            }
            Element::YearDaySpace | Element::YearDayZero => {
                let spaces = if element == Element::YearDaySpace {
                    text.iter().take(2).take_while(|byte| **byte == b' ').count()
                } else {
                    0
                };
                let (day, rest) = exactly(text.get(spaces..).unwrap_or_default(), 3 - spaces)?;
                self.year_day = Some(day);
                Ok(rest)
            }
            Element::Hour => {
                let (hour, rest) = one_or_two(text, false)?;
                self.hour = within(hour, 24, "hour")?;
                Ok(rest)
            }
            Element::Hour12 | Element::Hour12Zero => {
                let (hour, rest) = one_or_two(text, element == Element::Hour12Zero)?;
                self.hour = within(hour, 13, "hour")?;
                Ok(rest)
            }
            Element::Minute | Element::MinuteZero => {
                let (minute, rest) = one_or_two(text, element == Element::MinuteZero)?;
                self.minute = within(minute, 60, "minute")?;
                Ok(rest)
            }
            Element::Second | Element::SecondZero => {
                let (second, rest) = one_or_two(text, element == Element::SecondZero)?;
                self.second = within(second, 60, "second")?;
                // A fraction is welcome behind the seconds even where the layout shows none.
                let next = next_element(following);
                let shown =
                    next.0.is_empty() && matches!(next.1, Some((Element::Fraction(..) | Element::FractionTrimmed(..), _)));
                if shown { Ok(rest) } else { Ok(self.optional_fraction(rest)) }
            }
            Element::Fraction(_, count) => match text {
                [b'.' | b',', rest @ ..] => {
                    let (digits, after) = rest.split_at_checked(count).ok_or(Misfit::Mismatch)?;
                    if !digits.iter().all(u8::is_ascii_digit) {
                        return Err(Misfit::Mismatch);
                    }
                    self.nanosecond = nanoseconds(digits);
                    Ok(after)
                }
                _ => Err(Misfit::Mismatch),
            },
            Element::FractionTrimmed(..) => Ok(self.optional_fraction(text)),
            Element::HalfUpper | Element::HalfLower => {
                let (half, rest) = text.split_at_checked(2).ok_or(Misfit::Mismatch)?;
                self.afternoon = Some(match (half, element) {
                    (b"AM", Element::HalfUpper) | (b"am", Element::HalfLower) => false,
                    (b"PM", Element::HalfUpper) | (b"pm", Element::HalfLower) => true,
                    _ => return Err(Misfit::Mismatch),
                });
                Ok(rest)
            }
            Element::Offset(style) => self.read_offset(text, style),
            Element::ZoneName => {
                if let Some(rest) = text.strip_prefix(b"UTC") {
                    self.utc = true;
                    return Ok(rest);
                }
                let length = zone_name_length(text).ok_or(Misfit::Mismatch)?;
                let (name, rest) = text.split_at_checked(length).ok_or(Misfit::Mismatch)?;
                self.zone = name.to_vec();
                Ok(rest)
            }
        }
    }

    fn optional_fraction<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let [b'.' | b',', rest @ ..] = text else { return text };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return text;
        }
        let (digits, after) = rest.split_at(count);
        self.nanosecond = nanoseconds(digits);
        after
    }

    fn read_offset<'a>(&mut self, text: &'a [u8], style: Offset) -> Result<&'a [u8], Misfit> {
        if let ([b'Z', rest @ ..], true) = (text, style.z) {
            self.utc = true;
            return Ok(rest);
        }
        let (negative, mut rest) = match text {
            [b'+', rest @ ..] => (false, rest),
            [b'-', rest @ ..] => (true, rest),
            _ => return Err(Misfit::Mismatch),
        };
        let (hours, after) = exactly(rest, 2)?;
        rest = after;
        let mut seconds = within(hours, 25, "zone offset hour")? * 3600;
        for (present, scale) in [(style.minutes, 60), (style.seconds, 1)] {
            if present {
                if style.colon {
                    rest = rest.strip_prefix(b":").ok_or(Misfit::Mismatch)?;
                }
                let (part, after) = exactly(rest, 2)?;
                seconds += within(part, 60, "zone offset minute")? * scale;
                rest = after;
            }
        }
        self.offset = Some(if negative { -(seconds as i32) } else { seconds as i32 });
        Ok(rest)
    }

    fn finish(self) -> Result<Parsed, ParseError> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (mut month, mut day) = (self.month, self.day);
        if let Some(year_day) = self.year_day {
            let days = if civil::is_leap(self.year) { 366 } else { 365 };
            if !(1..=days).contains(&year_day) {
                return Err(ParseError::OutOfRange("day of the year"));
            }
            let first = civil::days_of_date(self.year, 1, 1);
            let (_, of_month, of_day) = civil::date_of_days(first + i64::from(year_day) - 1);
            if month.is_some_and(|month| month != of_month) || day.is_some_and(|day| day != of_day) {
                return Err(ParseError::OutOfRange("day of the year (it is another date than the month and day)"));
            }
            (month, day) = (Some(of_month), Some(of_day));
        }
        let (month, day) = (month.unwrap_or(1), day.unwrap_or(1));
        if day < 1 || day > civil::days_in_month(self.year, month) {
            return Err(ParseError::OutOfRange("day"));
        }
        let days = civil::days_of_date(self.year, month, i64::from(day));
        let clock = hour * 3600 + self.minute * 60 + self.second;
        let zone = match (self.utc, self.offset) {
            (true, _) => ParsedZone::Utc,
            (false, Some(offset)) => ParsedZone::Offset(offset, self.zone),
            (false, None) if self.zone.is_empty() => ParsedZone::Unsaid,
            (false, None) => ParsedZone::Name(self.zone),
        };
        Ok(Parsed { seconds: days * civil::DAY + i64::from(clock), nanosecond: self.nanosecond, zone })
    }
}

fn within(value: u32, end: u32, name: &'static str) -> Result<u32, Misfit> {
    if value < end { Ok(value) } else { Err(Misfit::OutOfRange(name)) }
}

/// A number of exactly `count` digits.
fn exactly(text: &[u8], count: usize) -> Result<(u32, &[u8]), Misfit> {
    let (digits, rest) = text.split_at_checked(count).ok_or(Misfit::Mismatch)?;
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Misfit::Mismatch);
        }
        value = value * 10 + u32::from(digit - b'0');
    }
    Ok((value, rest))
}

/// A number of two digits, or of one where `two` is not asked for.
fn one_or_two(text: &[u8], two: bool) -> Result<(u32, &[u8]), Misfit> {
    match text {
        [_, second, ..] if second.is_ascii_digit() => exactly(text, 2),
        _ if two => Err(Misfit::Mismatch),
        _ => exactly(text, 1),
    }
}

/// A name out of a list, or its first `length` letters, in any case: its index, and what follows.
fn named<'a>(text: &'a [u8], names: &[&str], length: usize) -> Result<(u32, &'a [u8]), Misfit> {
    for (index, name) in names.iter().enumerate() {
        let name = name.as_bytes();
        let name = name.get(..length.min(name.len())).unwrap_or_default();
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return Ok((index as u32, rest));
        }
    }
    Err(Misfit::Mismatch)
}

/// Digits behind the point as nanoseconds; what is finer is dropped.
fn nanoseconds(digits: &[u8]) -> u32 {
    let mut value = 0;
    for place in 0..9 {
        value = value * 10 + digits.get(place).map_or(0, |digit| u32::from(digit - b'0'));
    }
    value
}

/// The length of an abbreviation: three capitals, four or five that end in T, `GMT+3`, `+07`, and two of mixed case.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") || text.starts_with(b"WITA") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        let length = signed_hours(text);
        return (length > 0).then_some(length);
    }
    match text.iter().take_while(|byte| byte.is_ascii_uppercase()).count() {
        3 => Some(3),
        4 if text.get(3) == Some(&b'T') => Some(4),
        5 if text.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of `+7` or `-12`; zero when nothing of the sort stands there.
fn signed_hours(text: &[u8]) -> usize {
    let [b'+' | b'-', digits @ ..] = text else { return 0 };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = digits.iter().take(count.min(3)).fold(0, |hours, digit| hours * 10 + u32::from(digit - b'0'));
    if count == 0 || hours > 23 { 0 } else { count + 1 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(layout: &str, text: &str) -> Result<Parsed, ParseError> {
        parse(layout.as_bytes(), text.as_bytes())
    }

    fn seconds(layout: &str, text: &str) -> i64 {
        read(layout, text).unwrap().seconds
    }

    #[test]
    fn the_usual_layouts() {
        let parsed = read("2006-01-02T15:04:05Z07:00", "2024-12-29T15:04:05Z").unwrap();
        assert_eq!(parsed, Parsed { seconds: 1_735_484_645, nanosecond: 0, zone: ParsedZone::Utc });
        let parsed = read("2006-01-02T15:04:05.999999999Z07:00", "2024-12-29T15:04:05.25+05:30").unwrap();
        assert_eq!((parsed.nanosecond, parsed.zone), (250_000_000, ParsedZone::Offset(19_800, Vec::new())));
        assert_eq!(seconds("2006-01-02", "2024-12-29"), 1_735_430_400);
        assert_eq!(read("2006-01-02 15:04:05 MST", "2024-12-29 14:30:00 EST").unwrap().zone, ParsedZone::Name(b"EST".to_vec()));
        assert_eq!(seconds("Jan _2 2006 3:04PM", "feb  9 2021 12:30AM"), 1_612_830_600);
        assert_eq!(seconds("Monday, 02-Jan-06 15:04:05", "Sunday, 29-Dec-24 15:04:05"), 1_735_484_645);
        assert_eq!(seconds("2006-002", "2024-060"), seconds("2006-01-02", "2024-02-29"));
        assert_eq!(seconds("15:04:05", "14:30:00"), -62_167_219_200 + 52_200);
    }

    #[test]
    fn a_fraction_is_read_behind_seconds_also_unasked() {
        assert_eq!(read("15:04:05", "01:02:03.123456789123").unwrap().nanosecond, 123_456_789);
        assert_eq!(
            read("15:04:05.000", "01:02:03.5").unwrap_err(),
            ParseError::Mismatch { text: b".5".to_vec(), wanted: b".000".to_vec() }
        );
    }

    #[test]
    fn zones_by_abbreviation_and_offset() {
        let zone = |text: &str| read("MST", text).map(|parsed| parsed.zone);
        assert_eq!(zone("UTC"), Ok(ParsedZone::Utc));
        assert_eq!(zone("GMT+3"), Ok(ParsedZone::Name(b"GMT+3".to_vec())));
        assert_eq!(zone("CEST"), Ok(ParsedZone::Name(b"CEST".to_vec())));
        assert_eq!(zone("+07"), Ok(ParsedZone::Name(b"+07".to_vec())));
        assert!(zone("est").is_err() && zone("ABCD").is_err() && zone("").is_err() && zone("+99").is_err());
        assert_eq!(read("-070000", "-013015").unwrap().zone, ParsedZone::Offset(-5_415, Vec::new()));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mismatch = |text: &str, wanted: &str| Err(ParseError::Mismatch { text: text.into(), wanted: wanted.into() });
        assert_eq!(read("2006-01-02", "invalid"), mismatch("invalid", "2006"));
        assert_eq!(read("2006-01-02", "2024/01/02"), mismatch("/01/02", "-"));
        assert_eq!(read("2006-01-02", "2024-13-02"), Err(ParseError::OutOfRange("month")));
        assert_eq!(read("2006-01-02", "2023-02-29"), Err(ParseError::OutOfRange("day")));
        assert_eq!(read("15:04", "24:00"), Err(ParseError::OutOfRange("hour")));
        assert_eq!(read("15:04", "23:00h"), Err(ParseError::Extra(b"h".to_vec())));
        assert_eq!(read("15:04", ""), mismatch("", "15"));
    }

    #[test]
    fn no_bytes_panic() {
        let layouts = ["2006-01-02T15:04:05.000Z07:00", "Mon Jan _2 __2 002 3:4:5PM MST", ",999 -07:00:00 pm", "_2 1 2"];
        let mut seed: u32 = 7;
        for round in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..round % 24 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push(if seed & 0x100 == 0 { b"0123456789:-+. ,TZ"[(seed >> 16) as usize % 18] } else { (seed >> 24) as u8 });
            }
            for layout in layouts {
                let _ = parse(layout.as_bytes(), &text);
                let _ = parse(&text, layout.as_bytes());
                let _ = parse(&text, &text);
            }
        }
    }
}
