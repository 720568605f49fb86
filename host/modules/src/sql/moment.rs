//! Moments as databases hold them, and as programs see them: text as in RFC 3339, in UTC.

use crate::calendar::civil::{date_of_days, days_in_month, days_of_date};

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// Writes microseconds since 1970, such as `2024-02-29T10:34:56.5Z`.
pub(super) fn rfc3339(micros: i64) -> String {
    format!("{}T{}Z", date(micros.div_euclid(DAY)), time(micros.rem_euclid(DAY)))
}

/// Writes a number of days since 1970 as a date.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = date_of_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Writes the time of a day in microseconds.
pub(super) fn time(micros: i64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let written = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros == 0 { written } else { format!("{written}.{micros:06}").trim_end_matches('0').to_owned() }
}

/// Reads a moment as SQLite's own functions and most programs write it, in microseconds since 1970.
///
/// A date, `2024-02-29`; behind a blank or a `T` perhaps a time, `10:34` or `10:34:56.5`; behind that perhaps an offset, `+02:00`, or a `Z`.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut rest = text.strip_suffix('Z').unwrap_or(text);
    let year = digits(&mut rest, 4)?;
    let month = mark(&mut rest, '-').then(|| digits(&mut rest, 2))??;
    let day = mark(&mut rest, '-').then(|| digits(&mut rest, 2))??;
    let days = days(year, month, day)?;
    if rest.is_empty() {
        return Some(days * DAY);
    }
    if !mark(&mut rest, ' ') && !mark(&mut rest, 'T') {
        return None;
    }
    let hour = digits(&mut rest, 2).filter(|hour| *hour < 24)?;
    let minute = mark(&mut rest, ':').then(|| digits(&mut rest, 2))??;
    let mut micros = 0;
    let mut offset = 0;
    let mut second = 0;
    if mark(&mut rest, ':') {
        second = digits(&mut rest, 2)?;
        if mark(&mut rest, '.') {
            micros = fraction(&mut rest)?;
        }
        let east = mark(&mut rest, '+');
        if east || mark(&mut rest, '-') {
            let hours = digits(&mut rest, 2)?;
            let minutes = mark(&mut rest, ':').then(|| digits(&mut rest, 2))??;
            offset = (hours * 60 + minutes) * if east { 60 } else { -60 };
        }
    }
    if minute > 59 || second > 59 || !rest.is_empty() {
        return None;
    }
    Some(days * DAY + (hour * 3600 + minute * 60 + second - offset) * 1_000_000 + micros)
}

fn mark(rest: &mut &str, mark: char) -> bool {
    match rest.strip_prefix(mark) {
        Some(behind) => {
            *rest = behind;
            true
        }
        None => false,
    }
}

fn digits(rest: &mut &str, count: usize) -> Option<i64> {
    let (digits, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Reads at most nine digits behind a point, of which a microsecond has six.
fn fraction(rest: &mut &str) -> Option<i64> {
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    let written = (1..=9).contains(&count).then(|| rest.get(..count))??;
    *rest = rest.get(count..)?;
    format!("{written:0<6}").get(..6)?.parse().ok()
}

/// Counts the days from 1970 to a date, if there is such a date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let month = u32::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    (1..=i64::from(days_in_month(year, month))).contains(&day).then(|| days_of_date(year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_written_as_everywhere() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(10_957), "2000-01-01");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(time(0), "00:00:00");
        assert_eq!(time(DAY - 1), "23:59:59.999999");
        assert_eq!(time(3_723_500_000), "01:02:03.5");
    }

    #[test]
    fn moments_are_read_in_every_form() {
        let read = |text| parse(text).map(rfc3339);
        for text in ["2024-02-29", "2024-02-29T00:00", "2024-02-29 00:00:00", "2024-02-29T00:00:00Z"] {
            assert_eq!(read(text).as_deref(), Some("2024-02-29T00:00:00Z"), "{text}");
        }
        assert_eq!(read("2024-02-29 10:34:56.5").as_deref(), Some("2024-02-29T10:34:56.5Z"));
        assert_eq!(read("2024-02-29T01:00:00.123456789+02:00").as_deref(), Some("2024-02-28T23:00:00.123456Z"));
        assert_eq!(read("2024-02-29 23:30:00-01:00").as_deref(), Some("2024-03-01T00:30:00Z"));
        assert_eq!(read("0000-01-01").as_deref(), Some("0000-01-01T00:00:00Z"));
        assert_eq!(read("1969-12-31 23:59:59").as_deref(), Some("1969-12-31T23:59:59Z"));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "now",
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "2024-02-29 24:00:00",
            "2024-02-29 10:34:56.",
            "2024-02-29x",
            "é024-02-29",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
