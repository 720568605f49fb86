//! `print` and the `logger` module.

use std::ffi::{CStr, c_int};

use crate::builder;
use crate::errors;
use crate::host::{self, Level};
use crate::lua::{self, State, ffi};
use crate::payload;
use crate::texts::{self, Which};

const CLASS: &CStr = c"Logger";

/// The user values of a logger: its name and the fields of all its records.
const NAME: c_int = 1;
const FIELDS: c_int = 2;

/// Makes the class and pushes the logger without a name.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[(c"debug", debug), (c"info", info), (c"warn", warn), (c"error", error), (c"with", with), (c"named", named)],
        &[],
    );
    builder::push(lua, CLASS, FIELDS);
}

unsafe extern "C-unwind" fn debug(lua: State) -> c_int {
    write(lua, Level::Debug)
}

unsafe extern "C-unwind" fn info(lua: State) -> c_int {
    write(lua, Level::Info)
}

unsafe extern "C-unwind" fn warn(lua: State) -> c_int {
    write(lua, Level::Warn)
}

unsafe extern "C-unwind" fn error(lua: State) -> c_int {
    write(lua, Level::Error)
}

/// `logger:level(message, fields)`.
unsafe fn write(lua: State, level: Level) -> c_int {
    lua::check_object::<builder::Builder>(lua, 1, CLASS);
    check_message(lua);
    ffi::lua_settop(lua, 3);
    if ffi::lua_isnil(lua, 3) == 0 {
        ffi::luaL_checktype(lua, 3, ffi::LUA_TTABLE);
    }
    ffi::luaL_tolstring(lua, 2, std::ptr::null_mut());
    if ffi::lua_getiuservalue(lua, 1, FIELDS) == ffi::LUA_TTABLE {
        // A copy of the logger with the fields of this record laid over its own.
        push_with(lua, 3);
        ffi::lua_getiuservalue(lua, -1, FIELDS);
        ffi::lua_replace(lua, 3);
    }
    ffi::lua_settop(lua, 4);
    ffi::lua_getiuservalue(lua, 1, NAME);
    let mut fields = payload::encode_map(lua, 3, "fields");
    if fields.is_err() {
        drop(fields);
        // A function or a duration among the fields is shown as its text.
        texts::push(lua, 3, Which::Foreign);
        ffi::lua_replace(lua, 3);
        fields = payload::encode_map(lua, 3, "fields");
    }
    let fields = match fields {
        Ok(fields) => fields,
        // A record with a bad field is still a record.
        Err(failure) => {
            lua::push_str(lua, &failure.message);
            ffi::lua_createtable(lua, 0, 1);
            ffi::lua_insert(lua, -2);
            ffi::lua_setfield(lua, -2, c"unreadable_fields".as_ptr());
            payload::encode_map(lua, -1, "fields").unwrap_or_default()
        }
    };
    let name = String::from_utf8_lossy(lua::to_bytes(lua, 5).unwrap_or(b""));
    let message = String::from_utf8_lossy(lua::to_bytes(lua, 4).unwrap_or(b""));
    host::log(level, &name, &message, &fields, &location(lua));
    0
}

/// Raises unless the argument at 2 is text, a number, or something that says itself what it is as text, such as an Error.
unsafe fn check_message(lua: State) {
    match ffi::lua_type(lua, 2) {
        ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {}
        ffi::LUA_TTABLE | ffi::LUA_TUSERDATA if ffi::luaL_getmetafield(lua, 2, c"__tostring".as_ptr()) != ffi::LUA_TNIL => {
            ffi::lua_pop(lua, 1);
        }
        _ => lua::type_error(lua, 2, "string"),
    }
}

/// Pushes a copy of the logger at 1 with the fields of the table at `index` (or nothing) laid over its own.
unsafe fn push_with(lua: State, index: c_int) {
    if ffi::lua_isnil(lua, index) != 0 {
        ffi::lua_newtable(lua)
    } else {
        ffi::lua_pushvalue(lua, index)
    }
    builder::push_copy(lua, CLASS, FIELDS);
    builder::lay_over(lua, FIELDS);
}

unsafe extern "C-unwind" fn with(lua: State) -> c_int {
    lua::check_object::<builder::Builder>(lua, 1, CLASS);
    ffi::luaL_checktype(lua, 2, ffi::LUA_TTABLE);
    push_with(lua, 2);
    1
}

/// Names join with dots.
unsafe extern "C-unwind" fn named(lua: State) -> c_int {
    lua::check_object::<builder::Builder>(lua, 1, CLASS);
    if lua::check_str(lua, 2).is_empty() {
        return errors::fail(lua, errors::INVALID, "the name of a logger cannot be empty");
    }
    ffi::lua_settop(lua, 2);
    builder::push_copy(lua, CLASS, FIELDS);
    if ffi::lua_getiuservalue(lua, 1, NAME) == ffi::LUA_TNIL {
        ffi::lua_pushvalue(lua, 2);
    } else {
        lua::push_str(lua, ".");
        ffi::lua_pushvalue(lua, 2);
        ffi::lua_concat(lua, 3);
    }
    ffi::lua_setiuservalue(lua, 3, NAME);
    ffi::lua_settop(lua, 3);
    1
}

/// `print`: one line at info, its parts separated by tabs.
pub(crate) unsafe extern "C-unwind" fn print(lua: State) -> c_int {
    let count = ffi::lua_gettop(lua);
    ffi::luaL_checkstack(lua, count.saturating_mul(2).saturating_add(2), c"too many values to print".as_ptr());
    for index in 1..=count {
        if index > 1 {
            lua::push_str(lua, "\t");
        }
        ffi::luaL_tolstring(lua, index, std::ptr::null_mut());
    }
    ffi::lua_concat(lua, (2 * count - 1).max(0));
    let line = String::from_utf8_lossy(lua::to_bytes(lua, -1).unwrap_or(b""));
    host::log(Level::Info, "", &line, &[], &location(lua));
    0
}

/// The line of Lua code that called, as `entry:line`. Never raises.
fn location(lua: State) -> String {
    unsafe {
        let mut frame = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed().assume_init();
        if ffi::lua_getstack(lua, 1, &mut frame) == 0 {
            return String::new();
        }
        ffi::lua_getinfo(lua, c"Sl".as_ptr(), &mut frame);
        if frame.currentline <= 0 {
            return String::new();
        }
        format!("{}:{}", lua::c_text(frame.short_src.as_ptr()), frame.currentline)
    }
}
