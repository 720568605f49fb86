//! The `errors` table and the methods of an Error.

use std::ffi::{CStr, c_int};

use super::{CLASS, DETAILS, KIND, MESSAGE, Object, STACK, from_parts, is_error};
use crate::lua::{self, State, ffi};

const KINDS: &[(&CStr, &str)] = &[
    (c"NOT_FOUND", super::NOT_FOUND),
    (c"ALREADY_EXISTS", super::ALREADY_EXISTS),
    (c"INVALID", super::INVALID),
    (c"PERMISSION_DENIED", super::PERMISSION_DENIED),
    (c"UNAVAILABLE", super::UNAVAILABLE),
    (c"INTERNAL", super::INTERNAL),
    (c"CANCELED", super::CANCELED),
    (c"CONFLICT", super::CONFLICT),
    (c"TIMEOUT", super::TIMEOUT),
    (c"RATE_LIMITED", super::RATE_LIMITED),
    (c"LIMIT_EXCEEDED", super::LIMIT_EXCEEDED),
    (c"UNKNOWN", super::UNKNOWN),
];

/// Makes the class and pushes the `errors` table. The `string` library must be open: an Error has its methods, too.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[(c"kind", kind), (c"message", message), (c"retryable", retryable), (c"details", details), (c"stack", stack)],
        &[(c"__tostring", message), (c"__concat", concat), (c"__len", length)],
    );
    // `err:find("x")` works as it does with the text of the error.
    ffi::luaL_getmetatable(lua, CLASS.as_ptr());
    ffi::lua_getfield(lua, -1, c"__index".as_ptr());
    ffi::lua_createtable(lua, 0, 1);
    ffi::lua_getglobal(lua, c"string".as_ptr());
    ffi::lua_setfield(lua, -2, c"__index".as_ptr());
    ffi::lua_setmetatable(lua, -2);
    ffi::lua_pop(lua, 2);

    ffi::lua_createtable(lua, 0, 20);
    lua::set_funcs(lua, -1, &[(c"new", new), (c"wrap", wrap), (c"is", is), (c"call_stack", call_stack)]);
    for (name, kind) in KINDS {
        lua::set_text(lua, -1, name, kind);
    }
}

unsafe extern "C-unwind" fn new(lua: State) -> c_int {
    match ffi::lua_type(lua, 1) {
        ffi::LUA_TTABLE => {
            ffi::lua_settop(lua, 1);
            if lua::raw_field(lua, 1, "kind") == ffi::LUA_TNIL {
                ffi::lua_pop(lua, 1);
                lua::push_str(lua, super::UNKNOWN);
            }
            if lua::raw_field(lua, 1, "message") == ffi::LUA_TNIL {
                ffi::lua_pop(lua, 1);
                lua::push_str(lua, "");
            }
            lua::check_str(lua, 2);
            ffi::luaL_tolstring(lua, 3, std::ptr::null_mut());
            ffi::lua_replace(lua, 3);
            lua::raw_field(lua, 1, "details");
            let retryable = match lua::raw_field(lua, 1, "retryable") {
                ffi::LUA_TBOOLEAN => Some(ffi::lua_toboolean(lua, -1) != 0),
                _ => None,
            };
            ffi::lua_pop(lua, 1);
            ffi::luaL_traceback(lua, lua, c"".as_ptr(), 1);
            from_parts(lua, retryable);
        }
        ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {
            let text = lua::check_text(lua, 1);
            super::push(lua, super::UNKNOWN, text, None, 0);
        }
        _ => lua::type_error(lua, 1, "string or table"),
    }
    1
}

unsafe extern "C-unwind" fn wrap(lua: State) -> c_int {
    ffi::lua_settop(lua, 2);
    ffi::luaL_checkany(lua, 1);
    if ffi::lua_isnil(lua, 1) != 0 {
        ffi::lua_pushnil(lua);
        return 1;
    }
    lua::check_str(lua, 2);
    let object = lua::test_object::<Object>(lua, 1, CLASS);
    let retryable = if object.is_null() {
        lua::push_str(lua, super::UNKNOWN);
        None
    } else {
        ffi::lua_getiuservalue(lua, 1, KIND);
        (*object).retryable
    };
    ffi::lua_pushvalue(lua, 2);
    lua::push_str(lua, ": ");
    ffi::luaL_tolstring(lua, 1, std::ptr::null_mut());
    ffi::lua_concat(lua, 3);
    if object.is_null() {
        ffi::lua_pushnil(lua)
    } else {
        drop_type(ffi::lua_getiuservalue(lua, 1, DETAILS))
    }
    if object.is_null() {
        ffi::luaL_traceback(lua, lua, c"".as_ptr(), 1);
    } else {
        ffi::lua_getiuservalue(lua, 1, STACK);
    }
    from_parts(lua, retryable);
    1
}

unsafe extern "C-unwind" fn is(lua: State) -> c_int {
    let wanted = lua::check_str(lua, 2);
    let is = super::parts(lua, 1).is_some_and(|parts| parts.kind == wanted);
    ffi::lua_pushboolean(lua, c_int::from(is));
    1
}

/// `{thread, frames = {{source, line, name}, ..}}`, read back from the text of the stack.
unsafe extern "C-unwind" fn call_stack(lua: State) -> c_int {
    let Some(parts) = super::parts(lua, 1) else {
        ffi::lua_pushnil(lua);
        return 1;
    };
    ffi::lua_createtable(lua, 0, 2);
    lua::set_text(lua, -1, c"thread", "main");
    ffi::lua_newtable(lua);
    let mut count = 0;
    for line in parts.stack.split(|byte| *byte == b'\n') {
        let Some(frame) = line.strip_prefix(b"\t") else { continue };
        let (source, line, name) = split_frame(frame);
        ffi::lua_createtable(lua, 0, 3);
        push_field(lua, c"source", source);
        lua::set_integer(lua, -1, c"line", line);
        push_field(lua, c"name", name);
        count += 1;
        ffi::lua_rawseti(lua, -2, count);
    }
    ffi::lua_setfield(lua, -2, c"frames".as_ptr());
    1
}

/// Splits `app:main:12: in function 'f'` into `app:main`, 12 and `f`.
fn split_frame(frame: &[u8]) -> (&[u8], i64, &[u8]) {
    let marker = b": in ";
    let at = frame.windows(marker.len()).position(|part| part == marker);
    let (position, name) = match at {
        Some(at) => (frame.get(..at).unwrap_or(frame), frame.get(at + marker.len()..).unwrap_or(b"")),
        None => (frame, b"".as_slice()),
    };
    let (source, line) = match position.iter().rposition(|byte| *byte == b':') {
        Some(colon) => {
            let digits = std::str::from_utf8(position.get(colon + 1..).unwrap_or(b"")).unwrap_or("");
            match digits.parse() {
                Ok(line) => (position.get(..colon).unwrap_or(position), line),
                Err(_) => (position, 0),
            }
        }
        None => (position, 0),
    };
    let quoted = name.iter().position(|byte| *byte == b'\'').and_then(|start| name.get(start + 1..));
    let name = quoted.and_then(|rest| rest.strip_suffix(b"'")).unwrap_or(name);
    (source, line, name)
}

unsafe fn push_field(lua: State, name: &CStr, value: &[u8]) {
    lua::push_bytes(lua, value);
    ffi::lua_setfield(lua, -2, name.as_ptr());
}

unsafe extern "C-unwind" fn kind(lua: State) -> c_int {
    user_value(lua, KIND)
}

unsafe extern "C-unwind" fn message(lua: State) -> c_int {
    user_value(lua, MESSAGE)
}

unsafe extern "C-unwind" fn details(lua: State) -> c_int {
    user_value(lua, DETAILS)
}

unsafe extern "C-unwind" fn stack(lua: State) -> c_int {
    user_value(lua, STACK)
}

unsafe fn user_value(lua: State, value: c_int) -> c_int {
    lua::check_object::<Object>(lua, 1, CLASS);
    ffi::lua_getiuservalue(lua, 1, value);
    1
}

unsafe extern "C-unwind" fn retryable(lua: State) -> c_int {
    match (*lua::check_object::<Object>(lua, 1, CLASS)).retryable {
        Some(retryable) => ffi::lua_pushboolean(lua, c_int::from(retryable)),
        None => ffi::lua_pushnil(lua),
    }
    1
}

unsafe extern "C-unwind" fn concat(lua: State) -> c_int {
    ffi::lua_settop(lua, 2);
    for index in 1..=2 {
        if is_error(lua, index) || ffi::lua_isstring(lua, index) != 0 {
            ffi::luaL_tolstring(lua, index, std::ptr::null_mut());
        } else {
            let name = lua::type_name(lua, index);
            lua::raise(lua, format!("attempt to concatenate a {name} value"));
        }
    }
    ffi::lua_concat(lua, 2);
    1
}

unsafe extern "C-unwind" fn length(lua: State) -> c_int {
    ffi::luaL_tolstring(lua, 1, std::ptr::null_mut());
    let length = lua::to_bytes(lua, -1).map_or(0, <[u8]>::len);
    ffi::lua_pushinteger(lua, i64::try_from(length).unwrap_or(i64::MAX));
    1
}

fn drop_type(_: c_int) {}
