//! Zone data in the format of RFC 8536, read where it lies, and the rules for the years after its last entry. Pure.
//!
//! The data comes from the host, but nothing here trusts it: broken data is refused or answers UTC.

use super::civil::{self, Civil};

/// What holds in a zone at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period<'a> {
    /// Seconds east of UTC.
    pub(crate) offset: i32,
    pub(crate) abbreviation: &'a [u8],
    pub(crate) daylight: bool,
}

/// Zone data taken apart into its blocks.
pub(crate) struct Zone<'a> {
    /// Eight bytes each, ascending.
    times: &'a [u8],
    /// One byte each: the type from that time on.
    indexes: &'a [u8],
    /// Six bytes each: offset, daylight, abbreviation.
    types: &'a [u8],
    names: &'a [u8],
    /// The rule for later times.
    footer: &'a [u8],
}

const HEADER: usize = 44;

impl<'a> Zone<'a> {
    /// Finds the blocks of 64-bit data; none when this is no such data.
    pub(crate) fn new(data: &'a [u8]) -> Option<Zone<'a>> {
        let first = Counts::read(data)?;
        let data = data.get(HEADER.checked_add(first.length(4)?)?..)?;
        let counts = Counts::read(data)?;
        let body = data.get(HEADER..)?;
        let (times, rest) = body.split_at_checked(counts.times.checked_mul(8)?)?;
        let (indexes, rest) = rest.split_at_checked(counts.times)?;
        let (types, rest) = rest.split_at_checked(counts.types.checked_mul(6)?)?;
        let (names, _) = rest.split_at_checked(counts.names)?;
        let footer = body.get(counts.length(8)?..)?.strip_prefix(b"\n")?;
        let end = footer.iter().position(|byte| *byte == b'\n')?;
        if types.is_empty() {
            return None;
        }
        Some(Zone { times, indexes, types, names, footer: footer.get(..end)? })
    }

    /// What holds at a moment, in seconds since 1970.
    pub(crate) fn at(&self, seconds: i64) -> Option<Period<'a>> {
        let count = self.indexes.len();
        let later = partition(count, |index| self.time(index).is_some_and(|time| time <= seconds));
        if later == count && !self.footer.is_empty() {
            return Rule::parse(self.footer)?.at(seconds);
        }
        let of_type = match later {
            0 => 0,
            _ => usize::from(*self.indexes.get(later - 1)?),
        };
        self.period(of_type)
    }

    /// The offset that an abbreviation means, preferring the one in force at a moment.
    pub(crate) fn offset_of(&self, abbreviation: &[u8], seconds: i64) -> Option<i32> {
        let all = || (0..self.types.len() / 6).filter_map(|index| self.period(index));
        let named = || all().filter(|period| period.abbreviation == abbreviation);
        named()
            .find(|period| self.at(seconds - i64::from(period.offset)).is_some_and(|now| now.abbreviation == abbreviation))
            .or_else(|| named().next())
            .map(|period| period.offset)
    }

    fn time(&self, index: usize) -> Option<i64> {
        let bytes = self.times.get(index * 8..index * 8 + 8)?;
        Some(i64::from_be_bytes(bytes.try_into().ok()?))
    }

    fn period(&self, of_type: usize) -> Option<Period<'a>> {
        let [a, b, c, d, daylight, name] = *self.types.get(of_type * 6..of_type * 6 + 6)? else { return None };
        let name = self.names.get(usize::from(name)..)?;
        let end = name.iter().position(|byte| *byte == 0)?;
        Some(Period { offset: i32::from_be_bytes([a, b, c, d]), abbreviation: name.get(..end)?, daylight: daylight != 0 })
    }
}

struct Counts {
    uts: usize,
    standards: usize,
    leaps: usize,
    times: usize,
    types: usize,
    names: usize,
}

impl Counts {
    fn read(data: &[u8]) -> Option<Counts> {
        let header = data.get(..HEADER)?;
        if !header.starts_with(b"TZif") || !matches!(header.get(4)?, b'2'..=b'9') {
            return None;
        }
        let count = |at: usize| {
            let bytes = header.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        Some(Counts {
            uts: count(20)?,
            standards: count(24)?,
            leaps: count(28)?,
            times: count(32)?,
            types: count(36)?,
            names: count(40)?,
        })
    }

    /// Bytes of the blocks with times of `width` bytes.
    fn length(&self, width: usize) -> Option<usize> {
        let parts = [
            (self.times, width + 1),
            (self.types, 6),
            (self.names, 1),
            (self.leaps, width + 4),
            (self.standards, 1),
            (self.uts, 1),
        ];
        parts.iter().try_fold(0_usize, |sum, (count, size)| sum.checked_add(count.checked_mul(*size)?))
    }
}

/// The first index for which the test fails, given that it holds for a prefix.
fn partition(count: usize, test: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if test(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// A rule such as `EST5EDT,M3.2.0,M11.1.0`.
struct Rule<'a> {
    standard: Period<'a>,
    daylight: Option<(Period<'a>, Change, Change)>,
}

/// The day and second of a year at which the clocks change.
#[derive(Clone, Copy)]
struct Change {
    day: ChangeDay,
    second: i32,
}

#[derive(Clone, Copy)]
enum ChangeDay {
    /// Day 1 to 365; February 29 is never counted.
    Julian(i64),
    /// Day 0 to 365.
    OfYear(i64),
    /// Month, week 1 to 5 (5 is the last), weekday.
    OfMonth(u32, u32, u32),
}

impl<'a> Rule<'a> {
    fn parse(text: &'a [u8]) -> Option<Rule<'a>> {
        let (abbreviation, rest) = name(text)?;
        // The rule counts seconds west of UTC.
        let (offset, rest) = clock(rest)?;
        let standard = Period { offset: -offset, abbreviation, daylight: false };
        if rest.is_empty() {
            return Some(Rule { standard, daylight: None });
        }
        let (abbreviation, rest) = name(rest)?;
        let (offset, rest) = match rest.first() {
            Some(b',') | None => (standard.offset + 3600, rest),
            Some(_) => clock(rest).map(|(offset, rest)| (-offset, rest))?,
        };
        let period = Period { offset, abbreviation, daylight: true };
        let rest = if rest.is_empty() { &b",M3.2.0,M11.1.0"[..] } else { rest };
        let (start, rest) = change(rest.strip_prefix(b",")?)?;
        let (end, rest) = change(rest.strip_prefix(b",")?)?;
        rest.is_empty().then_some(Rule { standard, daylight: Some((period, start, end)) })
    }

    fn at(&self, seconds: i64) -> Option<Period<'a>> {
        let Some((daylight, start, end)) = self.daylight else { return Some(self.standard) };
        let year = Civil::from_seconds(seconds.checked_add(i64::from(self.standard.offset))?).year;
        let start = start.in_year(year) - i64::from(self.standard.offset);
        let end = end.in_year(year) - i64::from(daylight.offset);
        // South of the equator daylight time spans the turn of the year.
        let is_daylight = if start <= end { start <= seconds && seconds < end } else { seconds < end || start <= seconds };
        Some(if is_daylight { daylight } else { self.standard })
    }
}

impl Change {
    /// The moment of the change, in seconds since 1970 of local time.
    fn in_year(self, year: i64) -> i64 {
        let first = civil::days_of_date(year, 1, 1);
        let day = match self.day {
            ChangeDay::Julian(day) => first + day - 1 + i64::from(civil::is_leap(year) && day >= 60),
            ChangeDay::OfYear(day) => first + day,
            ChangeDay::OfMonth(month, week, weekday) => {
                let first = civil::days_of_date(year, month, 1);
                let weekday_of_first = (first + 4).rem_euclid(7);
                let mut day = (i64::from(weekday) - weekday_of_first).rem_euclid(7) + 7 * (i64::from(week) - 1);
                if day >= i64::from(civil::days_in_month(year, month)) {
                    day -= 7;
                }
                first + day
            }
        };
        day * civil::DAY + i64::from(self.second)
    }
}

/// An abbreviation: letters, or anything between angle brackets.
fn name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(quoted) = text.strip_prefix(b"<") {
        let end = quoted.iter().position(|byte| *byte == b'>')?;
        return Some((quoted.get(..end)?, quoted.get(end + 1..)?));
    }
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if length < 3 { None } else { text.split_at_checked(length) }
}

/// `[+-]hh[:mm[:ss]]` in seconds.
fn clock(text: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, mut rest) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let (hours, after) = integer(rest, 167)?;
    rest = after;
    let mut seconds = hours * 3600;
    for scale in [60, 1] {
        let Some(part) = rest.strip_prefix(b":") else { break };
        let (value, after) = integer(part, 59)?;
        seconds += value * scale;
        rest = after;
    }
    Some((sign * seconds as i32, rest))
}

fn change(text: &[u8]) -> Option<(Change, &[u8])> {
    let (day, rest) = match text {
        [b'J', rest @ ..] => integer(rest, 365).map(|(day, rest)| (ChangeDay::Julian(i64::from(day)), rest))?,
        [b'M', rest @ ..] => {
            let (month, rest) = integer(rest, 12)?;
            let (week, rest) = integer(rest.strip_prefix(b".")?, 5)?;
            let (weekday, rest) = integer(rest.strip_prefix(b".")?, 6)?;
            if month == 0 || week == 0 {
                return None;
            }
            (ChangeDay::OfMonth(month, week, weekday), rest)
        }
        _ => integer(text, 365).map(|(day, rest)| (ChangeDay::OfYear(i64::from(day)), rest))?,
    };
    match rest.strip_prefix(b"/") {
        Some(rest) => clock(rest).map(|(second, rest)| (Change { day, second }, rest)),
        None => Some((Change { day, second: 7200 }, rest)),
    }
}

fn integer(text: &[u8], most: u32) -> Option<(u32, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    let value = digits.iter().take(4).fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    (!digits.is_empty() && length <= 4 && value <= most).then_some((value, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;

    /// Data with two transitions in 2007 and a rule after them.
    pub(crate) fn new_york() -> Vec<u8> {
        let header = |times: u32, types: u32, names: u32| {
            let mut out = b"TZif2".to_vec();
            out.resize(20, 0);
            for count in [0, 0, 0, times, types, names] {
                out.extend(u32::to_be_bytes(count));
            }
            out
        };
        let mut data = header(0, 1, 4);
        data.extend([0; 6]);
        data.extend(b"LMT\0");
        data.extend(header(2, 3, 12));
        data.extend(i64::to_be_bytes(1_173_596_400));
        data.extend(i64::to_be_bytes(1_194_156_000));
        data.extend([1, 2]);
        for (offset, daylight, name) in [(-17_762_i32, 0, 0), (-14_400, 1, 4), (-18_000, 0, 8)] {
            data.extend(offset.to_be_bytes());
            data.extend([daylight, name]);
        }
        data.extend(b"LMT\0EDT\0EST\0\nEST5EDT,M3.2.0,M11.1.0\n");
        data
    }

    fn shown(seconds: i64) -> (i32, String) {
        let data = new_york();
        let period = Zone::new(&data).unwrap().at(seconds).unwrap();
        (period.offset, String::from_utf8(period.abbreviation.to_vec()).unwrap())
    }

    #[test]
    fn entries_and_then_the_rule_decide() {
        assert_eq!(shown(0), (-17_762, "LMT".to_owned()));
        assert_eq!(shown(1_173_596_399).1, "LMT");
        assert_eq!(shown(1_173_596_400).1, "EDT");
        // The second Sunday of March 2024, 2:00 standard time, is 7:00 UTC.
        assert_eq!(shown(1_710_053_999).1, "EST");
        assert_eq!(shown(1_710_054_000), (-14_400, "EDT".to_owned()));
        assert_eq!(shown(1_730_613_599).1, "EDT");
        assert_eq!(shown(1_730_613_600), (-18_000, "EST".to_owned()));
    }

    #[test]
    fn an_abbreviation_has_an_offset() {
        let data = new_york();
        let zone = Zone::new(&data).unwrap();
        assert_eq!(zone.offset_of(b"EST", 1_720_000_000), Some(-18_000));
        assert_eq!(zone.offset_of(b"CET", 0), None);
    }

    #[test]
    fn rules_of_many_kinds() {
        let at = |rule: &str, seconds| Rule::parse(rule.as_bytes()).unwrap().at(seconds).unwrap().offset;
        assert_eq!(at("<+0330>-3:30", 0), 12_600);
        // Sydney: daylight time over the turn of the year.
        let sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
        assert_eq!(at(sydney, 1_704_067_200), 39_600);
        assert_eq!(at(sydney, 1_720_000_000), 36_000);
        assert_eq!(at("XXX3YYY2,J60/0,300/0", 1_709_262_000), -7_200);
        assert_eq!(at("EET-2EEST,M3.5.4/50,M10.5.4/50", 1_720_000_000), 10_800);
        for broken in ["", "E5", "EST", "EST5EDT,M13.1.0,M1.1.0", "EST5EDT,M3.2.0", "EST5EDT,M0.2.0,M1.1.1", "EST999"] {
            assert!(Rule::parse(broken.as_bytes()).is_none(), "{broken}");
        }
    }

    #[test]
    fn broken_data_never_panics() {
        let whole = new_york();
        for length in 0..whole.len() {
            if let Some(zone) = Zone::new(&whole[..length]) {
                let _ = zone.at(2_000_000_000);
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff, b'9'] {
                let mut data = whole.clone();
                data[at] = value;
                if let Some(zone) = Zone::new(&data) {
                    for seconds in [0, 1_180_000_000, 2_000_000_000, i64::MAX, i64::MIN] {
                        let _ = zone.at(seconds);
                        let _ = zone.offset_of(b"EST", seconds.clamp(-1 << 60, 1 << 60));
                    }
                }
            }
        }
    }
}
