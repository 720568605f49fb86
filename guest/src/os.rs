//! The library `os`, reduced to the time of day: `time`, `date`, `clock` and `difftime`, and the name of the platform. Local time is UTC.

use std::ffi::{CStr, c_int};

use crate::host;
use crate::lua::{self, State, ffi};
use crate::time::SECONDS_LIMIT;
use crate::time::civil::{self, Civil};
use crate::time::layout::{MONTHS, WEEKDAYS, number, year};

/// Pushes the library.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 5);
    // The value that programs for the reference compare with.
    lua::set_text(lua, -1, c"platform", "wippy");
    lua::set_funcs(lua, -1, &[(c"time", time), (c"date", date), (c"clock", clock), (c"difftime", difftime)]);
}

fn now() -> i64 {
    (host::now() / 1_000_000_000) as i64
}

/// `time([table])`: without fields for the date it is today, without fields for the clock it is midnight.
unsafe extern "C-unwind" fn time(lua: State) -> c_int {
    if ffi::lua_isnoneornil(lua, 1) != 0 {
        ffi::lua_pushinteger(lua, now());
        return 1;
    }
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    let today = Civil::from_seconds(now());
    let year = field(lua, c"year", today.year);
    let month = field(lua, c"month", i64::from(today.month));
    let day = field(lua, c"day", i64::from(today.day));
    let [hour, minute, second] = [c"hour", c"min", c"sec"].map(|name| field(lua, name, 0));
    match civil::seconds_of(year, month, day, hour, minute, second) {
        Some(seconds) => ffi::lua_pushinteger(lua, seconds),
        None => lua::raise_text(lua, "time result cannot be represented: a field is out of range"),
    }
    1
}

/// An integer field of the table at index 1.
unsafe fn field(lua: State, name: &CStr, default: i64) -> i64 {
    let mut is_integer = 0;
    let of_type = ffi::lua_getfield(lua, 1, name.as_ptr());
    let value = ffi::lua_tointegerx(lua, -1, &mut is_integer);
    ffi::lua_pop(lua, 1);
    if of_type == ffi::LUA_TNIL {
        return default;
    }
    if is_integer == 0 {
        lua::raise(lua, format!("field '{}' is not an integer", name.to_str().unwrap_or("")));
    }
    value
}

/// `date([format[, time]])`
unsafe extern "C-unwind" fn date(lua: State) -> c_int {
    let format = if ffi::lua_isnoneornil(lua, 1) != 0 { b"%c" } else { lua::check_str(lua, 1) };
    let seconds = if ffi::lua_isnoneornil(lua, 2) != 0 { now() } else { ffi::luaL_checkinteger(lua, 2) };
    if !(-SECONDS_LIMIT..=SECONDS_LIMIT).contains(&seconds) {
        lua::arg_error(lua, 2, c"time out of range");
    }
    let civil = Civil::from_seconds(seconds);
    let format = format.strip_prefix(b"!").unwrap_or(format);
    if format.starts_with(b"*t") {
        push_table(lua, &civil);
        return 1;
    }
    let mut out = Vec::with_capacity(format.len() * 2);
    match write(&mut out, format, &civil, 0) {
        Ok(()) => lua::push_bytes(lua, &out),
        Err(conversion) => {
            let message =
                format!("bad argument #1 to 'date' (invalid conversion specifier '%{}')", String::from_utf8_lossy(&conversion));
            drop((out, conversion));
            lua::raise(lua, message);
        }
    }
    1
}

unsafe fn push_table(lua: State, civil: &Civil) {
    ffi::lua_createtable(lua, 0, 9);
    lua::set_integer(lua, -1, c"year", civil.year);
    for (name, value) in [
        (c"month", civil.month),
        (c"day", civil.day),
        (c"hour", civil.hour),
        (c"min", civil.minute),
        (c"sec", civil.second),
        (c"wday", civil.weekday + 1),
        (c"yday", civil.year_day),
    ] {
        lua::set_integer(lua, -1, name, i64::from(value));
    }
    ffi::lua_pushboolean(lua, 0);
    ffi::lua_setfield(lua, -2, c"isdst".as_ptr());
}

/// Writes a date; the error is a conversion that does not exist.
fn write(out: &mut Vec<u8>, format: &[u8], civil: &Civil, depth: u32) -> Result<(), Vec<u8>> {
    let mut rest = format;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let (conversion, after) = match rest {
            // These ask for other forms that only some languages have.
            [b'E', conversion @ (b'c' | b'C' | b'x' | b'X' | b'y' | b'Y'), after @ ..] => (*conversion, after),
            [
                b'O',
                conversion @ (b'd' | b'e' | b'H' | b'I' | b'm' | b'M' | b'S' | b'u' | b'U' | b'V' | b'w' | b'W' | b'y'),
                after @ ..,
            ] => (*conversion, after),
            [conversion, after @ ..] => (*conversion, after),
            [] => return Err(Vec::new()),
        };
        if !convert(out, conversion, civil, depth)? {
            return Err(rest.iter().take(1).copied().collect());
        }
        rest = after;
    }
    Ok(())
}

fn convert(out: &mut Vec<u8>, conversion: u8, civil: &Civil, depth: u32) -> Result<bool, Vec<u8>> {
    let month = MONTHS.get(civil.month as usize - 1).copied().unwrap_or_default();
    let weekday = WEEKDAYS.get(civil.weekday as usize).copied().unwrap_or_default();
    let hour12 = if civil.hour.is_multiple_of(12) { 12 } else { civil.hour % 12 };
    // Weeks of the year that start on the given weekday; days before the first such day are week 0.
    let week_from = |first: u32| (civil.year_day + 6 - (civil.weekday + 7 - first) % 7) / 7;
    let whole: &[u8] = match conversion {
        b'c' => b"%a %b %e %H:%M:%S %Y",
        b'D' | b'x' => b"%m/%d/%y",
        b'F' => b"%Y-%m-%d",
        b'r' => b"%I:%M:%S %p",
        b'R' => b"%H:%M",
        b'T' | b'X' => b"%H:%M:%S",
        _ => b"",
    };
    if !whole.is_empty() && depth == 0 {
        write(out, whole, civil, 1)?;
        return Ok(true);
    }
    match conversion {
        b'a' => out.extend(weekday.bytes().take(3)),
        b'A' => out.extend_from_slice(weekday.as_bytes()),
        b'b' | b'h' => out.extend(month.bytes().take(3)),
        b'B' => out.extend_from_slice(month.as_bytes()),
        b'C' => number(out, (civil.year.div_euclid(100)).rem_euclid(100) as u32, 2, b'0'),
        b'd' => number(out, civil.day, 2, b'0'),
        b'e' => number(out, civil.day, 2, b' '),
        b'g' => number(out, civil.iso_week().0.rem_euclid(100) as u32, 2, b'0'),
        b'G' => year(out, civil.iso_week().0),
        b'H' => number(out, civil.hour, 2, b'0'),
        b'I' => number(out, hour12, 2, b'0'),
        b'j' => number(out, civil.year_day, 3, b'0'),
        b'm' => number(out, civil.month, 2, b'0'),
        b'M' => number(out, civil.minute, 2, b'0'),
        b'n' => out.push(b'\n'),
        b'p' => out.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" }),
        b'S' => number(out, civil.second, 2, b'0'),
        b't' => out.push(b'\t'),
        b'u' => number(out, if civil.weekday == 0 { 7 } else { civil.weekday }, 1, b'0'),
        // The reference documents %U as the ISO week, too.
        b'U' | b'V' => number(out, civil.iso_week().1, 2, b'0'),
        b'w' => number(out, civil.weekday, 1, b'0'),
        b'W' => number(out, week_from(1), 2, b'0'),
        b'y' => number(out, civil.year.rem_euclid(100) as u32, 2, b'0'),
        b'Y' => year(out, civil.year),
        b'z' => out.extend_from_slice(b"+0000"),
        b'Z' => out.extend_from_slice(b"UTC"),
        b'%' => out.push(b'%'),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Seconds of a clock that never goes back, since some moment before the process started.
unsafe extern "C-unwind" fn clock(lua: State) -> c_int {
    ffi::lua_pushnumber(lua, host::monotonic() as f64 / 1e9);
    1
}

unsafe extern "C-unwind" fn difftime(lua: State) -> c_int {
    let later = ffi::luaL_checknumber(lua, 1);
    let earlier = ffi::luaL_checknumber(lua, 2);
    ffi::lua_pushnumber(lua, later - earlier);
    1
}
