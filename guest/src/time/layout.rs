//! Layouts that show the reference time `Mon Jan 2 15:04:05 MST 2006`: taking them apart, and writing times with them.
//!
//! Reading times stands in `layout/parse.rs`. Pure: bytes in, bytes out, no Lua.

// The host reads this file, too, from another place.
#[path = "layout/parse.rs"]
pub(crate) mod parse;

use super::civil::Civil;

pub(crate) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// How a numeric zone offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Whether offset zero is written as `Z`.
    pub(crate) z: bool,
    /// Whether colons separate the parts.
    pub(crate) colon: bool,
    pub(crate) minutes: bool,
    pub(crate) seconds: bool,
}

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Month,
    MonthShort,
    MonthNumber,
    MonthZero,
    Weekday,
    WeekdayShort,
    Day,
    DaySpace,
    DayZero,
    YearDaySpace,
    YearDayZero,
    Hour,
    Hour12,
    Hour12Zero,
    Minute,
    MinuteZero,
    Second,
    SecondZero,
    Year,
    YearShort,
    HalfUpper,
    HalfLower,
    ZoneName,
    Offset(Offset),
    /// `.000`: that many digits after this separator.
    Fraction(u8, usize),
    /// `.999`: that many digits at most, without trailing zeros.
    FractionTrimmed(u8, usize),
}

/// What a layout writes: a moment in the civil time of its zone.
pub(crate) struct Moment<'a> {
    pub(crate) civil: Civil,
    pub(crate) nanosecond: u32,
    /// Seconds east of UTC.
    pub(crate) offset: i32,
    /// The abbreviation of the zone, or nothing.
    pub(crate) zone: &'a [u8],
}

/// Splits a layout at its first element: the text before it, the element, the layout after it.
pub(crate) fn next_element(layout: &[u8]) -> (&[u8], Option<(Element, &[u8])>) {
    for (at, byte) in layout.iter().enumerate() {
        // Most bytes start no element.
        if !matches!(byte, b'J' | b'M' | b'0'..=b'6' | b'_' | b'P' | b'p' | b'-' | b'Z' | b'.' | b',') {
            continue;
        }
        let (before, rest) = layout.split_at(at);
        if let Some((element, length)) = element_at(rest) {
            return (before, Some((element, rest.get(length..).unwrap_or_default())));
        }
    }
    (layout, None)
}

/// The element a text starts with, and its length.
fn element_at(text: &[u8]) -> Option<(Element, usize)> {
    let starts = |prefix: &str| text.starts_with(prefix.as_bytes());
    // "Month" is no abbreviated Monday, and "Januar" none of January.
    let short = |length: usize| !text.get(length).is_some_and(u8::is_ascii_lowercase);
    let found = match text.first()? {
        b'J' if starts("January") => (Element::Month, 7),
        b'J' if starts("Jan") && short(3) => (Element::MonthShort, 3),
        b'M' if starts("Monday") => (Element::Weekday, 6),
        b'M' if starts("Mon") && short(3) => (Element::WeekdayShort, 3),
        b'M' if starts("MST") => (Element::ZoneName, 3),
        b'0' if starts("002") => (Element::YearDayZero, 3),
        b'0' => match text.get(1)? {
            b'1' => (Element::MonthZero, 2),
            b'2' => (Element::DayZero, 2),
            b'3' => (Element::Hour12Zero, 2),
            b'4' => (Element::MinuteZero, 2),
            b'5' => (Element::SecondZero, 2),
            b'6' => (Element::YearShort, 2),
            _ => return None,
        },
        b'1' if starts("15") => (Element::Hour, 2),
        b'1' => (Element::MonthNumber, 1),
        b'2' if starts("2006") => (Element::Year, 4),
        b'2' => (Element::Day, 1),
        // In "_2006" the underscore is text before the year.
        b'_' if starts("_2") && !starts("_2006") => (Element::DaySpace, 2),
        b'_' if starts("__2") => (Element::YearDaySpace, 3),
        b'3' => (Element::Hour12, 1),
        b'4' => (Element::Minute, 1),
        b'5' => (Element::Second, 1),
        b'P' if starts("PM") => (Element::HalfUpper, 2),
        b'p' if starts("pm") => (Element::HalfLower, 2),
        b'-' | b'Z' => return offset_at(text),
        b'.' | b',' => return fraction_at(text),
        _ => return None,
    };
    Some(found)
}

/// `-07`, `-0700`, `-07:00`, with seconds, and the same with `Z`.
fn offset_at(text: &[u8]) -> Option<(Element, usize)> {
    let (first, rest) = text.split_first()?;
    let z = *first == b'Z';
    let (colon, minutes, seconds, length) = if rest.starts_with(b"070000") {
        (false, true, true, 7)
    } else if rest.starts_with(b"07:00:00") {
        (true, true, true, 9)
    } else if rest.starts_with(b"0700") {
        (false, true, false, 5)
    } else if rest.starts_with(b"07:00") {
        (true, true, false, 6)
    } else if rest.starts_with(b"07") {
        (false, false, false, 3)
    } else {
        return None;
    };
    Some((Element::Offset(Offset { z, colon, minutes, seconds }), length))
}

/// `.000` or `.999` that no further digit follows.
fn fraction_at(text: &[u8]) -> Option<(Element, usize)> {
    let (separator, digits) = text.split_first()?;
    let kind = *digits.first()?;
    if kind != b'0' && kind != b'9' {
        return None;
    }
    let count = digits.iter().take_while(|digit| **digit == kind).count();
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let element = if kind == b'0' { Element::Fraction(*separator, count) } else { Element::FractionTrimmed(*separator, count) };
    Some((element, count + 1))
}

/// Writes a moment.
pub(crate) fn format(out: &mut Vec<u8>, mut layout: &[u8], moment: &Moment<'_>) {
    loop {
        let (before, element) = next_element(layout);
        out.extend_from_slice(before);
        let Some((element, rest)) = element else { return };
        layout = rest;
        format_element(out, element, moment);
    }
}

fn format_element(out: &mut Vec<u8>, element: Element, moment: &Moment<'_>) {
    let civil = &moment.civil;
    let month = MONTHS.get(civil.month as usize - 1).copied().unwrap_or_default();
    let weekday = WEEKDAYS.get(civil.weekday as usize).copied().unwrap_or_default();
    let hour12 = if civil.hour.is_multiple_of(12) { 12 } else { civil.hour % 12 };
    match element {
        Element::Month => out.extend_from_slice(month.as_bytes()),
        Element::MonthShort => out.extend(month.bytes().take(3)),
        Element::MonthNumber => number(out, civil.month, 1, b'0'),
        Element::MonthZero => number(out, civil.month, 2, b'0'),
        Element::Weekday => out.extend_from_slice(weekday.as_bytes()),
        Element::WeekdayShort => out.extend(weekday.bytes().take(3)),
        Element::Day => number(out, civil.day, 1, b'0'),
        Element::DaySpace => number(out, civil.day, 2, b' '),
        Element::DayZero => number(out, civil.day, 2, b'0'),
        Element::YearDaySpace => number(out, civil.year_day, 3, b' '),
        Element::YearDayZero => number(out, civil.year_day, 3, b'0'),
        Element::Hour => number(out, civil.hour, 2, b'0'),
        Element::Hour12 => number(out, hour12, 1, b'0'),
        Element::Hour12Zero => number(out, hour12, 2, b'0'),
        Element::Minute => number(out, civil.minute, 1, b'0'),
        Element::MinuteZero => number(out, civil.minute, 2, b'0'),
        Element::Second => number(out, civil.second, 1, b'0'),
        Element::SecondZero => number(out, civil.second, 2, b'0'),
        Element::Year => year(out, civil.year),
        Element::YearShort => number(out, civil.year.rem_euclid(100) as u32, 2, b'0'),
        Element::HalfUpper => out.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" }),
        Element::HalfLower => out.extend_from_slice(if civil.hour >= 12 { b"pm" } else { b"am" }),
        Element::ZoneName => zone_name(out, moment),
        Element::Offset(style) if style.z && moment.offset == 0 => out.push(b'Z'),
        Element::Offset(style) => offset(out, moment.offset, style),
        Element::Fraction(separator, count) => fraction(out, separator, count, moment.nanosecond, false),
        Element::FractionTrimmed(separator, count) => fraction(out, separator, count, moment.nanosecond, true),
    }
}

/// Writes a number with at least `width` places.
pub(crate) fn number(out: &mut Vec<u8>, value: u32, width: usize, fill: u8) {
    let mut places = [0; 10];
    let mut rest = value;
    let mut count = 0;
    for place in places.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(std::iter::repeat_n(fill, width.saturating_sub(count)));
    out.extend_from_slice(places.get(places.len() - count..).unwrap_or_default());
}

/// Writes a year with at least four places, behind its sign.
pub(crate) fn year(out: &mut Vec<u8>, year: i64) {
    if year < 0 {
        out.push(b'-');
    }
    match u32::try_from(year.unsigned_abs()) {
        Ok(year) => number(out, year, 4, b'0'),
        Err(_) => out.extend_from_slice(year.unsigned_abs().to_string().as_bytes()),
    }
}

/// The abbreviation, or `+07`, `+0730` in a zone that has none.
fn zone_name(out: &mut Vec<u8>, moment: &Moment<'_>) {
    if !moment.zone.is_empty() {
        out.extend_from_slice(moment.zone);
        return;
    }
    let minutes = moment.offset / 60 % 60 != 0;
    offset(out, moment.offset, Offset { z: false, colon: false, minutes, seconds: false });
}

/// Writes seconds east of UTC.
pub(crate) fn offset(out: &mut Vec<u8>, seconds: i32, style: Offset) {
    out.push(if seconds < 0 { b'-' } else { b'+' });
    let seconds = seconds.unsigned_abs();
    number(out, seconds / 3600, 2, b'0');
    if style.minutes {
        if style.colon {
            out.push(b':');
        }
        number(out, seconds / 60 % 60, 2, b'0');
    }
    if style.seconds {
        if style.colon {
            out.push(b':');
        }
        number(out, seconds % 60, 2, b'0');
    }
}

fn fraction(out: &mut Vec<u8>, separator: u8, count: usize, nanosecond: u32, trimmed: bool) {
    let mut digits = Vec::with_capacity(9);
    number(&mut digits, nanosecond, 9, b'0');
    let mut digits: Vec<u8> = digits.into_iter().take(count).collect();
    if trimmed {
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return;
        }
    }
    out.push(separator);
    let missing = count.saturating_sub(digits.len());
    out.append(&mut digits);
    if !trimmed {
        out.extend(std::iter::repeat_n(b'0', missing));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::civil;
    use super::*;

    fn show(layout: &str, offset: i32, zone: &str) -> String {
        // 2024-03-05 04:06:07.080900000 in the zone.
        let civil = Civil::from_seconds(civil::seconds_of(2024, 3, 5, 4, 6, 7).unwrap());
        let mut out = Vec::new();
        format(&mut out, layout.as_bytes(), &Moment { civil, nanosecond: 80_900_000, offset, zone: zone.as_bytes() });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_usual_layouts() {
        assert_eq!(show("2006-01-02T15:04:05Z07:00", 0, "UTC"), "2024-03-05T04:06:07Z");
        assert_eq!(show("2006-01-02T15:04:05.999999999Z07:00", 19_800, "IST"), "2024-03-05T04:06:07.0809+05:30");
        assert_eq!(show("02 Jan 06 15:04 MST", -18_000, "EST"), "05 Mar 24 04:06 EST");
        assert_eq!(show("Monday, 02-Jan-06 15:04:05 MST", 0, ""), "Tuesday, 05-Mar-24 04:06:07 +00");
        assert_eq!(show("Mon, 02 Jan 2006 15:04:05 -0700", -12_600, ""), "Tue, 05 Mar 2024 04:06:07 -0330");
        assert_eq!(show("3:04PM", 0, ""), "4:06AM");
        assert_eq!(show("Jan _2 15:04:05.000", 0, ""), "Mar  5 04:06:07.080");
        assert_eq!(show("Mon Jan 2, 2006", 0, ""), "Tue Mar 5, 2024");
        assert_eq!(show("002 __2 1 5 4 03 pm", 0, ""), "065  65 3 7 6 04 am");
        assert_eq!(show("-07 -07:00:00 Z0700 Z070000 MST", 16_245, ""), "+04 +04:30:45 +0430 +043045 +0430");
    }

    #[test]
    fn text_that_only_looks_like_an_element_stays() {
        assert_eq!(show("Month Januar", 0, ""), "Month Januar");
        assert_eq!(show("_2006 07 .0a5 .09", 0, ""), "_2024 07 .0a7 .09");
        assert_eq!(show("day!", 0, ""), "day!");
        assert_eq!(show(".00000000000,9", 0, ""), ".08090000000");
    }
}
