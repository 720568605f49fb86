//! The Lua type `Duration`, and arguments that are lengths of time: a Duration, text such as `"1h30m"`, or nanoseconds.

use std::ffi::{CStr, c_int};

use super::duration::{self, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND};
use crate::errors;
use crate::lua::{self, State, ffi};

/// The name of the class.
const CLASS: &CStr = c"Duration";

/// A length of time in nanoseconds.
#[derive(Clone, Copy)]
struct Length(i64);

/// Makes the class. Runs when the image is made.
pub(super) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[
            (c"hours", hours),
            (c"minutes", minutes),
            (c"seconds", seconds),
            (c"milliseconds", milliseconds),
            (c"microseconds", microseconds),
            (c"nanoseconds", nanoseconds),
        ],
        &[(c"__tostring", string), (c"__eq", equal), (c"__lt", less), (c"__le", less_or_equal)],
    );
}

/// Pushes a Duration.
pub(super) unsafe fn push(lua: State, nanoseconds: i64) {
    lua::new_object(lua, CLASS, Length(nanoseconds), 0);
}

/// The Duration at `index` in nanoseconds; raises when it is something else.
pub(super) unsafe fn check(lua: State, index: c_int) -> i64 {
    (*lua::check_object::<Length>(lua, index, CLASS)).0
}

/// The length of time at `index` in nanoseconds, in any of its forms; the error says why its value is none. Raises on other types.
pub(super) unsafe fn check_any(lua: State, index: c_int) -> Result<i64, String> {
    match ffi::lua_type(lua, index) {
        ffi::LUA_TNUMBER if ffi::lua_isinteger(lua, index) != 0 => Ok(ffi::lua_tointeger(lua, index)),
        ffi::LUA_TNUMBER => {
            let value = ffi::lua_tonumber(lua, index);
            // The limit is exact as a float; NaN is outside.
            let limit = (1_u64 << 63) as f64;
            if value >= -limit && value < limit {
                Ok(value as i64)
            } else {
                Err(format!("invalid duration {value}: it is longer than 292 years"))
            }
        }
        ffi::LUA_TSTRING => {
            let text = lua::to_bytes(lua, index).unwrap_or_default();
            duration::parse(text).map_err(|error| {
                let text: String = String::from_utf8_lossy(text).chars().take(60).collect();
                format!("invalid duration \"{text}\": {}", error.reason())
            })
        }
        _ => {
            let object = lua::test_object::<Length>(lua, index, CLASS);
            if object.is_null() {
                lua::type_error(lua, index, "Duration, string or number")
            }
            Ok((*object).0)
        }
    }
}

pub(super) unsafe extern "C-unwind" fn parse_duration(lua: State) -> c_int {
    match check_any(lua, 1) {
        Ok(nanoseconds) => {
            push(lua, nanoseconds);
            1
        }
        Err(message) => errors::fail_with(lua, errors::INVALID, message),
    }
}

/// A count of units with its fraction. Whole units and the rest are divided apart, which keeps long lengths exact.
unsafe fn push_float(lua: State, unit: i64) -> c_int {
    let length = check(lua, 1);
    ffi::lua_pushnumber(lua, (length / unit) as f64 + (length % unit) as f64 / unit as f64);
    1
}

unsafe fn push_integer(lua: State, unit: i64) -> c_int {
    ffi::lua_pushinteger(lua, check(lua, 1) / unit);
    1
}

unsafe extern "C-unwind" fn hours(lua: State) -> c_int {
    push_float(lua, HOUR)
}

unsafe extern "C-unwind" fn minutes(lua: State) -> c_int {
    push_float(lua, MINUTE)
}

unsafe extern "C-unwind" fn seconds(lua: State) -> c_int {
    push_float(lua, SECOND)
}

unsafe extern "C-unwind" fn milliseconds(lua: State) -> c_int {
    push_integer(lua, MILLISECOND)
}

unsafe extern "C-unwind" fn microseconds(lua: State) -> c_int {
    push_integer(lua, MICROSECOND)
}

unsafe extern "C-unwind" fn nanoseconds(lua: State) -> c_int {
    push_integer(lua, 1)
}

unsafe extern "C-unwind" fn string(lua: State) -> c_int {
    let text = duration::format(check(lua, 1));
    lua::push_str(lua, &text);
    1
}

unsafe extern "C-unwind" fn equal(lua: State) -> c_int {
    let a = lua::test_object::<Length>(lua, 1, CLASS);
    let b = lua::test_object::<Length>(lua, 2, CLASS);
    ffi::lua_pushboolean(lua, c_int::from(!a.is_null() && !b.is_null() && (*a).0 == (*b).0));
    1
}

unsafe extern "C-unwind" fn less(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from(check(lua, 1) < check(lua, 2)));
    1
}

unsafe extern "C-unwind" fn less_or_equal(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from(check(lua, 1) <= check(lua, 2)));
    1
}
