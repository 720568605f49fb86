//! The Lua type `Time`: a moment, to the nanosecond, seen in a zone.

use std::ffi::{CStr, c_int};

use super::civil::{self, Civil};
use super::layout;
use super::zones::{self, Zone};
use super::{SECONDS_LIMIT, lengths, out_of_range, string};
use crate::errors;
use crate::lua::{self, State, ffi};

/// The name of the class.
const CLASS: &CStr = c"Time";

const RFC3339: &[u8] = b"2006-01-02T15:04:05Z07:00";
const FULL: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";

const BILLION: i128 = 1_000_000_000;

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// Since 1970.
    seconds: i64,
    nanosecond: u32,
}

/// What stands in the userdata. A zone that is neither UTC nor local time is its user value.
#[derive(Clone, Copy)]
struct Object {
    moment: Moment,
    zone: Kept,
}

#[derive(Clone, Copy)]
enum Kept {
    Utc,
    Local,
    UserValue,
}

impl Moment {
    pub(super) fn new(seconds: i64, nanosecond: u32) -> Moment {
        Moment { seconds, nanosecond }
    }

    /// The nanoseconds since 1970.
    fn nanoseconds(self) -> i128 {
        i128::from(self.seconds) * BILLION + i128::from(self.nanosecond)
    }

    /// The moment that many nanoseconds after 1970; none outside of the range.
    fn from_nanoseconds(nanoseconds: i128) -> Option<Moment> {
        let seconds = i64::try_from(nanoseconds.div_euclid(BILLION)).ok()?;
        Some(Moment { seconds, nanosecond: nanoseconds.rem_euclid(BILLION) as u32 }).filter(|moment| moment.is_in_range())
    }

    fn is_in_range(self) -> bool {
        (-SECONDS_LIMIT..=SECONDS_LIMIT).contains(&self.seconds)
    }
}

/// Splits nanoseconds of any size into seconds and the nanoseconds of a second.
pub(super) fn check_nanoseconds(nanoseconds: i64) -> (i64, u32) {
    (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000) as u32)
}

/// Makes the class. Runs when the image is made.
pub(super) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[
            (c"add", add),
            (c"sub", sub),
            (c"add_date", add_date),
            (c"before", before),
            (c"after", after),
            (c"equal", equal),
            (c"format", format),
            (c"format_rfc3339", format_rfc3339),
            (c"unix", unix),
            (c"unix_nano", unix_nano),
            (c"date", date),
            (c"clock", clock),
            (c"year", year),
            (c"month", month),
            (c"day", day),
            (c"hour", hour),
            (c"minute", minute),
            (c"second", second),
            (c"nanosecond", nanosecond),
            (c"weekday", weekday),
            (c"year_day", year_day),
            (c"is_zero", is_zero),
            (c"utc", utc),
            (c"in_local", in_local),
            (c"in_location", in_location),
            (c"location", location),
            (c"round", round),
            (c"truncate", truncate),
        ],
        &[(c"__tostring", to_string), (c"__eq", same), (c"__lt", before), (c"__le", not_after)],
    );
}

/// Pushes a Time.
pub(super) unsafe fn push(lua: State, moment: Moment, zone: Zone) {
    let kept = if zone.needs_location() {
        Kept::UserValue
    } else if zone.is_local() {
        Kept::Local
    } else {
        Kept::Utc
    };
    lua::new_object(lua, CLASS, Object { moment, zone: kept }, c_int::from(zone.needs_location()));
    if zone.needs_location() {
        zone.push(lua);
        ffi::lua_setiuservalue(lua, -2, 1);
    }
}

/// Pushes a Time and answers 1, or fails when it is out of range.
pub(super) unsafe fn push_in(lua: State, moment: Moment, zone: Zone) -> c_int {
    if !moment.is_in_range() {
        return out_of_range(lua);
    }
    push(lua, moment, zone);
    1
}

unsafe fn check(lua: State, index: c_int) -> Moment {
    (*lua::check_object::<Object>(lua, index, CLASS)).moment
}

/// The moment and the zone of the Time at index 1. The location of the zone may be pushed.
unsafe fn check_zoned(lua: State) -> (Moment, Zone) {
    let object = lua::check_object::<Object>(lua, 1, CLASS);
    let zone = match (*object).zone {
        Kept::Utc => Zone::UTC,
        Kept::Local => Zone::LOCAL,
        Kept::UserValue => {
            ffi::lua_getiuservalue(lua, 1, 1);
            Zone::from_top(lua)
        }
    };
    ((*object).moment, zone)
}

/// The Time at index 1 in the civil time of its zone.
unsafe fn check_civil(lua: State) -> Civil {
    let (moment, zone) = check_zoned(lua);
    Civil::from_seconds(moment.seconds + i64::from(zone.at(moment.seconds).offset))
}

unsafe extern "C-unwind" fn add(lua: State) -> c_int {
    check(lua, 1);
    let length = match lengths::check_any(lua, 2) {
        Ok(length) => length,
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    let (moment, zone) = check_zoned(lua);
    match Moment::from_nanoseconds(moment.nanoseconds() + i128::from(length)) {
        Some(moment) => push_in(lua, moment, zone),
        None => out_of_range(lua),
    }
}

/// The Duration since another moment; beyond 292 years it stays at the longest one.
unsafe extern "C-unwind" fn sub(lua: State) -> c_int {
    let difference = check(lua, 1).nanoseconds() - check(lua, 2).nanoseconds();
    lengths::push(lua, difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64);
    1
}

unsafe extern "C-unwind" fn add_date(lua: State) -> c_int {
    check(lua, 1);
    let [years, months, days] = [2, 3, 4].map(|index| ffi::luaL_optinteger(lua, index, 0));
    let (moment, zone) = check_zoned(lua);
    let civil = Civil::from_seconds(moment.seconds + i64::from(zone.at(moment.seconds).offset));
    let (year, month) = (civil.year.saturating_add(years), i64::from(civil.month).saturating_add(months));
    let day = i64::from(civil.day).saturating_add(days);
    let clock = (i64::from(civil.hour), i64::from(civil.minute), i64::from(civil.second));
    let Some(seconds) = civil::seconds_of(year, month, day, clock.0, clock.1, clock.2) else { return out_of_range(lua) };
    push_in(lua, Moment::new(zone.to_unix(seconds), moment.nanosecond), zone)
}

unsafe fn answer(lua: State, value: bool) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from(value));
    1
}

unsafe extern "C-unwind" fn before(lua: State) -> c_int {
    answer(lua, check(lua, 1) < check(lua, 2))
}

unsafe extern "C-unwind" fn after(lua: State) -> c_int {
    answer(lua, check(lua, 1) > check(lua, 2))
}

unsafe extern "C-unwind" fn not_after(lua: State) -> c_int {
    answer(lua, check(lua, 1) <= check(lua, 2))
}

unsafe extern "C-unwind" fn equal(lua: State) -> c_int {
    answer(lua, check(lua, 1) == check(lua, 2))
}

unsafe extern "C-unwind" fn same(lua: State) -> c_int {
    let a = lua::test_object::<Object>(lua, 1, CLASS);
    let b = lua::test_object::<Object>(lua, 2, CLASS);
    answer(lua, !a.is_null() && !b.is_null() && (*a).moment == (*b).moment)
}

unsafe extern "C-unwind" fn format(lua: State) -> c_int {
    check(lua, 1);
    let layout = string(lua, 2);
    format_with(lua, layout)
}

unsafe extern "C-unwind" fn format_rfc3339(lua: State) -> c_int {
    format_with(lua, RFC3339)
}

unsafe extern "C-unwind" fn to_string(lua: State) -> c_int {
    format_with(lua, FULL)
}

unsafe fn format_with(lua: State, layout: &[u8]) -> c_int {
    let (moment, zone) = check_zoned(lua);
    let period = zone.at(moment.seconds);
    let civil = Civil::from_seconds(moment.seconds + i64::from(period.offset));
    let mut out = Vec::with_capacity(layout.len() + 16);
    let shown = layout::Moment { civil, nanosecond: moment.nanosecond, offset: period.offset, zone: period.abbreviation };
    layout::format(&mut out, layout, &shown);
    lua::push_bytes(lua, &out);
    1
}

unsafe fn push_number(lua: State, value: i64) -> c_int {
    ffi::lua_pushinteger(lua, value);
    1
}

unsafe extern "C-unwind" fn unix(lua: State) -> c_int {
    push_number(lua, check(lua, 1).seconds)
}

/// Nanoseconds since 1970; outside of the years 1678 to 2262, which 64 bits hold, the nearest of them.
unsafe extern "C-unwind" fn unix_nano(lua: State) -> c_int {
    push_number(lua, check(lua, 1).nanoseconds().clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
}

unsafe extern "C-unwind" fn date(lua: State) -> c_int {
    let civil = check_civil(lua);
    for value in [civil.year, i64::from(civil.month), i64::from(civil.day)] {
        ffi::lua_pushinteger(lua, value);
    }
    3
}

unsafe extern "C-unwind" fn clock(lua: State) -> c_int {
    let civil = check_civil(lua);
    for value in [civil.hour, civil.minute, civil.second] {
        ffi::lua_pushinteger(lua, i64::from(value));
    }
    3
}

unsafe extern "C-unwind" fn year(lua: State) -> c_int {
    push_number(lua, check_civil(lua).year)
}

unsafe extern "C-unwind" fn month(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).month))
}

unsafe extern "C-unwind" fn day(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).day))
}

unsafe extern "C-unwind" fn hour(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).hour))
}

unsafe extern "C-unwind" fn minute(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).minute))
}

unsafe extern "C-unwind" fn second(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).second))
}

unsafe extern "C-unwind" fn nanosecond(lua: State) -> c_int {
    push_number(lua, i64::from(check(lua, 1).nanosecond))
}

unsafe extern "C-unwind" fn weekday(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).weekday))
}

unsafe extern "C-unwind" fn year_day(lua: State) -> c_int {
    push_number(lua, i64::from(check_civil(lua).year_day))
}

/// Whether it is the first moment of year 1.
unsafe extern "C-unwind" fn is_zero(lua: State) -> c_int {
    answer(lua, check(lua, 1) == Moment::new(-civil::ZERO_TO_UNIX, 0))
}

unsafe extern "C-unwind" fn utc(lua: State) -> c_int {
    push_in(lua, check(lua, 1), Zone::UTC)
}

unsafe extern "C-unwind" fn in_local(lua: State) -> c_int {
    push_in(lua, check(lua, 1), Zone::LOCAL)
}

unsafe extern "C-unwind" fn in_location(lua: State) -> c_int {
    let moment = check(lua, 1);
    push_in(lua, moment, zones::check(lua, 2))
}

unsafe extern "C-unwind" fn location(lua: State) -> c_int {
    let (_, zone) = check_zoned(lua);
    zone.push(lua);
    1
}

/// How far the moment lies above a multiple of the Duration at index 2, both counted from the start of year 1.
unsafe fn remainder(lua: State, moment: Moment) -> (i128, i128) {
    let step = i128::from(lengths::check(lua, 2));
    if step <= 0 {
        return (0, 0);
    }
    let since_zero = moment.nanoseconds() + i128::from(civil::ZERO_TO_UNIX) * BILLION;
    (since_zero.rem_euclid(step), step)
}

unsafe fn shifted(lua: State, by: impl Fn(i128, i128) -> i128) -> c_int {
    let (rest, step) = remainder(lua, check(lua, 1));
    let (moment, zone) = check_zoned(lua);
    match Moment::from_nanoseconds(moment.nanoseconds() + by(rest, step)) {
        Some(moment) => push_in(lua, moment, zone),
        None => out_of_range(lua),
    }
}

unsafe extern "C-unwind" fn round(lua: State) -> c_int {
    shifted(lua, |rest, step| if rest * 2 < step { -rest } else { step - rest })
}

unsafe extern "C-unwind" fn truncate(lua: State) -> c_int {
    shifted(lua, |rest, _| -rest)
}
