//! The module `time`: moments, lengths of time, zones, and what waits.
//!
//! The calendar and the formats are pure and stand in files of their own; `moments.rs`, `lengths.rs` and `zones.rs` make Lua objects of
//! them, `timers.rs` asks the host to wait. Local time is UTC in every process: what a program computes must not depend on the
//! machine it runs on.

use std::ffi::{CStr, c_int};

use crate::lua::{self, State, ffi};
use crate::{errors, host};

pub(crate) mod civil;
pub(crate) mod duration;
pub(crate) mod layout;
mod lengths;
mod moments;
mod timers;
pub(crate) mod tzif;
mod zones;

#[cfg(test)]
mod tests;

use layout::parse::{ParseError, Parsed, ParsedZone};
use moments::{Moment, check_nanoseconds, push_in};
use zones::Zone;

/// Seconds since 1970 that a moment may have in either direction, a thousand million years: far from any overflow.
pub(crate) const SECONDS_LIMIT: i64 = 1 << 55;

const LAYOUTS: &[(&CStr, &str)] = &[
    (c"RFC3339", "2006-01-02T15:04:05Z07:00"),
    (c"RFC3339NANO", "2006-01-02T15:04:05.999999999Z07:00"),
    (c"RFC822", "02 Jan 06 15:04 MST"),
    (c"RFC822Z", "02 Jan 06 15:04 -0700"),
    (c"RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    (c"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    (c"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    (c"DATE_TIME", "2006-01-02 15:04:05"),
    (c"DATE_ONLY", "2006-01-02"),
    (c"TIME_ONLY", "15:04:05"),
    (c"KITCHEN", "3:04PM"),
    (c"STAMP", "Jan _2 15:04:05"),
    (c"STAMP_MILLI", "Jan _2 15:04:05.000"),
    (c"STAMP_MICRO", "Jan _2 15:04:05.000000"),
    (c"STAMP_NANO", "Jan _2 15:04:05.000000000"),
];

const NUMBERS: &[(&CStr, i64)] = &[
    (c"NANOSECOND", 1),
    (c"MICROSECOND", duration::MICROSECOND),
    (c"MILLISECOND", duration::MILLISECOND),
    (c"SECOND", duration::SECOND),
    (c"MINUTE", duration::MINUTE),
    (c"HOUR", duration::HOUR),
    (c"JANUARY", 1),
    (c"FEBRUARY", 2),
    (c"MARCH", 3),
    (c"APRIL", 4),
    (c"MAY", 5),
    (c"JUNE", 6),
    (c"JULY", 7),
    (c"AUGUST", 8),
    (c"SEPTEMBER", 9),
    (c"OCTOBER", 10),
    (c"NOVEMBER", 11),
    (c"DECEMBER", 12),
    (c"SUNDAY", 0),
    (c"MONDAY", 1),
    (c"TUESDAY", 2),
    (c"WEDNESDAY", 3),
    (c"THURSDAY", 4),
    (c"FRIDAY", 5),
    (c"SATURDAY", 6),
];

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    zones::open(lua);
    moments::open(lua);
    lengths::open(lua);
    timers::open(lua);
    ffi::lua_createtable(lua, 0, 64);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"now", now),
            (c"date", date),
            (c"unix", unix),
            (c"parse", parse),
            (c"parse_duration", lengths::parse_duration),
            (c"load_location", zones::load_location),
            (c"fixed_zone", zones::fixed_zone),
            (c"sleep", timers::sleep),
            (c"after", timers::after),
            (c"timer", timers::timer),
            (c"ticker", timers::ticker),
        ],
    );
    for (name, layout) in LAYOUTS {
        lua::set_text(lua, -1, name, layout);
    }
    for (name, number) in NUMBERS {
        lua::set_integer(lua, -1, name, *number);
    }
    zones::push_utc(lua);
    ffi::lua_setfield(lua, -2, c"utc".as_ptr());
    zones::push_local(lua);
    ffi::lua_setfield(lua, -2, c"localtz".as_ptr());
}

/// Pushes the present moment.
pub(crate) unsafe fn push_now(lua: State) {
    let now = host::now();
    let moment = Moment::new((now / 1_000_000_000) as i64, (now % 1_000_000_000) as u32);
    moments::push(lua, moment, Zone::LOCAL);
}

unsafe extern "C-unwind" fn now(lua: State) -> c_int {
    push_now(lua);
    1
}

/// `date(year, month, day[, hour, minute, second, nanosecond[, location]])`
unsafe extern "C-unwind" fn date(lua: State) -> c_int {
    let [year, month, day] = [1, 2, 3].map(|index| whole(lua, index));
    let [hour, minute, second, nanosecond] = [4, 5, 6, 7].map(|index| opt_whole(lua, index));
    let zone = zones::optional(lua, 8);
    let second = second.saturating_add(nanosecond.div_euclid(1_000_000_000));
    let nanosecond = nanosecond.rem_euclid(1_000_000_000) as u32;
    let Some(seconds) = civil::seconds_of(year, month, day, hour, minute, second) else { return out_of_range(lua) };
    push_in(lua, Moment::new(zone.to_unix(seconds), nanosecond), zone)
}

unsafe extern "C-unwind" fn unix(lua: State) -> c_int {
    let seconds = whole(lua, 1);
    let nanoseconds = opt_whole(lua, 2);
    let (carry, nanosecond) = check_nanoseconds(nanoseconds);
    push_in(lua, Moment::new(seconds.saturating_add(carry), nanosecond), Zone::LOCAL)
}

/// The number at `index` without its fraction, such as that of milliseconds by 1000; raises when it is no number, or none that fits.
unsafe fn whole(lua: State, index: c_int) -> i64 {
    if ffi::lua_isinteger(lua, index) == 0 && ffi::lua_type(lua, index) == ffi::LUA_TNUMBER {
        let number = ffi::lua_tonumberx(lua, index, std::ptr::null_mut()).trunc();
        // The largest integer is no float; the float above it is the first that does not fit.
        if number >= i64::MIN as f64 && number < -(i64::MIN as f64) {
            return number as i64;
        }
    }
    ffi::luaL_checkinteger(lua, index)
}

unsafe fn opt_whole(lua: State, index: c_int) -> i64 {
    if ffi::lua_isnoneornil(lua, index) != 0 { 0 } else { whole(lua, index) }
}

/// The error for a moment that no calendar reaches.
unsafe fn out_of_range(lua: State) -> c_int {
    errors::fail(lua, errors::INVALID, "the time is out of range: no component may exceed 4294967296 in either direction")
}

unsafe extern "C-unwind" fn parse(lua: State) -> c_int {
    let layout = string(lua, 1);
    let text = string(lua, 2);
    let zone = zones::optional(lua, 3);
    match layout::parse::parse(layout, text) {
        Ok(parsed) => push_parsed(lua, parsed, zone),
        Err(error) => errors::fail_with(lua, errors::INVALID, describe(layout, text, &error)),
    }
}

unsafe fn push_parsed(lua: State, parsed: Parsed, zone: Zone) -> c_int {
    let Parsed { seconds, nanosecond, zone: written } = parsed;
    let (seconds, zone) = match written {
        ParsedZone::Unsaid => (zone.to_unix(seconds), zone),
        ParsedZone::Utc => (seconds, Zone::UTC),
        ParsedZone::Offset(offset, name) => {
            let unix = seconds - i64::from(offset);
            let period = zone.at(unix);
            if period.offset == offset && (name.is_empty() || period.abbreviation == name) {
                (unix, zone)
            } else {
                (unix, zones::push_fixed(lua, &name, offset))
            }
        }
        ParsedZone::Name(name) => match zone.offset_of(&name, seconds) {
            Some(offset) => (seconds - i64::from(offset), zone),
            None => {
                let offset = zones::offset_of_name(&name);
                (seconds - i64::from(offset), zones::push_fixed(lua, &name, offset))
            }
        },
    };
    push_in(lua, Moment::new(seconds, nanosecond), zone)
}

fn describe(layout: &[u8], text: &[u8], error: &ParseError) -> String {
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(80).collect::<String>();
    let reason = match error {
        ParseError::Mismatch { text, wanted } => format!("cannot parse \"{}\" as \"{}\"", show(text), show(wanted)),
        ParseError::OutOfRange(name) => format!("{name} out of range"),
        ParseError::Extra(text) => format!("extra text \"{}\"", show(text)),
    };
    format!("parsing time \"{}\" with layout \"{}\": {reason}", show(text), show(layout))
}

/// The argument, which must be a string and not something that converts to one.
unsafe fn string<'a>(lua: State, index: c_int) -> &'a [u8] {
    match lua::to_bytes(lua, index) {
        Some(text) => text,
        None => lua::type_error(lua, index, "string"),
    }
}
