//! Thin helpers over the raw Lua API: strings, tables, metatables, raising.
//!
//! Raising jumps over Rust frames without running their destructors. So a function that raises (directly, or through any
//! call of the API that may allocate in Lua) holds no owned value at that moment, except where the only error possible is
//! "not enough memory": then a leak is accepted, because the limit of the linear memory bounds it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::{ptr, slice, str};

pub(crate) use mlua_sys as ffi;

/// A Lua thread.
pub(crate) type State = *mut ffi::lua_State;

/// A function that Lua can call.
pub(crate) type Function = ffi::lua_CFunction;

unsafe extern "C-unwind" {
    /// Resets a suspended or dead thread and closes its pending variables (mlua-sys hides it behind a feature).
    pub(crate) fn lua_closethread(lua: State, from: State) -> c_int;

    /// Makes the table at `index` read-only for good, raw access included; answers whether it was. `lua.patch` adds it.
    pub(crate) fn lua_freezetable(lua: State, index: c_int) -> c_int;
}

/// Pushes text.
pub(crate) unsafe fn push_str(lua: State, text: &str) {
    push_bytes(lua, text.as_bytes());
}

/// Pushes a string of any bytes.
pub(crate) unsafe fn push_bytes(lua: State, bytes: &[u8]) {
    ffi::lua_pushlstring(lua, bytes.as_ptr().cast::<c_char>(), bytes.len());
}

/// The string argument at `index`; numbers are converted, anything else raises.
///
/// The bytes live as long as the value stays on the stack.
pub(crate) unsafe fn check_str<'a>(lua: State, index: c_int) -> &'a [u8] {
    let mut length = 0;
    let start = ffi::luaL_checklstring(lua, index, &mut length);
    slice::from_raw_parts(start.cast::<u8>(), length)
}

/// Like [`check_str`], for text: raises when it is not UTF-8.
pub(crate) unsafe fn check_text<'a>(lua: State, index: c_int) -> &'a str {
    match str::from_utf8(check_str(lua, index)) {
        Ok(text) => text,
        Err(_) => arg_error(lua, index, c"valid UTF-8 expected"),
    }
}

/// Like [`check_str`], for text that goes to the host: none when it is not UTF-8, which is `errors::not_text` for the caller.
pub(crate) unsafe fn check_utf8<'a>(lua: State, index: c_int) -> Option<&'a str> {
    str::from_utf8(check_str(lua, index)).ok()
}

/// The optional text argument at `index`, like [`check_utf8`].
pub(crate) unsafe fn opt_utf8<'a>(lua: State, index: c_int) -> Option<Option<&'a str>> {
    if ffi::lua_isnoneornil(lua, index) != 0 { Some(None) } else { check_utf8(lua, index).map(Some) }
}

/// The bytes of the string at `index`, without any conversion; none when it is not a string.
pub(crate) unsafe fn to_bytes<'a>(lua: State, index: c_int) -> Option<&'a [u8]> {
    if ffi::lua_type(lua, index) != ffi::LUA_TSTRING {
        return None;
    }
    let mut length = 0;
    let start = ffi::lua_tolstring(lua, index, &mut length);
    Some(slice::from_raw_parts(start.cast::<u8>(), length))
}

/// The text at `index`, without any conversion; none when it is not a string of UTF-8.
pub(crate) unsafe fn to_text<'a>(lua: State, index: c_int) -> Option<&'a str> {
    to_bytes(lua, index).and_then(|bytes| str::from_utf8(bytes).ok())
}

/// The name of the type of the value at `index`.
pub(crate) unsafe fn type_name<'a>(lua: State, index: c_int) -> &'a str {
    c_text(ffi::luaL_typename(lua, index))
}

/// Text of the C side that is known to be ASCII.
pub(crate) unsafe fn c_text<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    CStr::from_ptr(text).to_str().unwrap_or("")
}

/// Sets a function in the table at `index`.
pub(crate) unsafe fn set_func(lua: State, index: c_int, name: &CStr, function: Function) {
    let table = ffi::lua_absindex(lua, index);
    ffi::lua_pushcclosure(lua, function, 0);
    ffi::lua_setfield(lua, table, name.as_ptr());
}

/// Sets several functions in the table at `index`.
pub(crate) unsafe fn set_funcs(lua: State, index: c_int, functions: &[(&CStr, Function)]) {
    let table = ffi::lua_absindex(lua, index);
    for (name, function) in functions {
        set_func(lua, table, name, *function);
    }
}

/// Sets a string in the table at `index`.
pub(crate) unsafe fn set_text(lua: State, index: c_int, name: &CStr, text: &str) {
    let table = ffi::lua_absindex(lua, index);
    push_str(lua, text);
    ffi::lua_setfield(lua, table, name.as_ptr());
}

/// Sets an integer in the table at `index`.
pub(crate) unsafe fn set_integer(lua: State, index: c_int, name: &CStr, value: i64) {
    let table = ffi::lua_absindex(lua, index);
    ffi::lua_pushinteger(lua, value);
    ffi::lua_setfield(lua, table, name.as_ptr());
}

/// Pushes the value of a field of the table at `index` without metamethods, and answers its type.
pub(crate) unsafe fn raw_field(lua: State, index: c_int, name: &str) -> c_int {
    let table = ffi::lua_absindex(lua, index);
    push_str(lua, name);
    ffi::lua_rawget(lua, table)
}

/// Makes the metatable of a kind of userdata and leaves it in the registry under `name`: methods in `__index`, metamethods in
/// itself, and itself hidden from `getmetatable`. Pushes nothing.
pub(crate) unsafe fn new_class(lua: State, name: &CStr, methods: &[(&CStr, Function)], metamethods: &[(&CStr, Function)]) {
    ffi::luaL_newmetatable(lua, name.as_ptr());
    set_funcs(lua, -1, metamethods);
    ffi::lua_createtable(lua, 0, c_int::try_from(methods.len()).unwrap_or(0));
    set_funcs(lua, -1, methods);
    ffi::lua_setfield(lua, -2, c"__index".as_ptr());
    ffi::lua_pushboolean(lua, 0);
    ffi::lua_setfield(lua, -2, c"__metatable".as_ptr());
    ffi::lua_pop(lua, 1);
}

/// Pushes a new userdata of class `name` that holds `value`, which must need no destructor; `values` is the number of its user values.
pub(crate) unsafe fn new_object<T: Copy>(lua: State, name: &CStr, value: T, values: c_int) -> *mut T {
    let object = ffi::lua_newuserdatauv(lua, size_of::<T>(), values).cast::<T>();
    ptr::write(object, value);
    ffi::luaL_setmetatable(lua, name.as_ptr());
    object
}

/// The object of class `name` at `index`; raises when it is something else.
pub(crate) unsafe fn check_object<T>(lua: State, index: c_int, name: &CStr) -> *mut T {
    ffi::luaL_checkudata(lua, index, name.as_ptr()).cast::<T>()
}

/// The object of class `name` at `index`; null when it is something else.
pub(crate) unsafe fn test_object<T>(lua: State, index: c_int, name: &CStr) -> *mut T {
    ffi::luaL_testudata(lua, index, name.as_ptr()).cast::<T>()
}

/// Raises a message with the position of the calling Lua code before it.
pub(crate) unsafe fn raise(lua: State, message: String) -> ! {
    ffi::luaL_where(lua, 1);
    push_str(lua, &message);
    drop(message);
    ffi::lua_concat(lua, 2);
    ffi::lua_error(lua)
}

/// Raises a fixed message with the position of the calling Lua code before it.
pub(crate) unsafe fn raise_text(lua: State, message: &str) -> ! {
    ffi::luaL_where(lua, 1);
    push_str(lua, message);
    ffi::lua_concat(lua, 2);
    ffi::lua_error(lua)
}

/// Raises `bad argument #n to 'f' (message)`.
pub(crate) unsafe fn arg_error(lua: State, arg: c_int, message: &CStr) -> ! {
    ffi::luaL_argerror(lua, arg, message.as_ptr());
    // `luaL_argerror` never returns; C only lacks the words for it.
    std::process::abort()
}

/// Raises `bad argument #n to 'f' (expected X, got Y)`.
pub(crate) unsafe fn type_error(lua: State, arg: c_int, expected: &str) -> ! {
    let message = format!("{expected} expected, got {}\0", actual_type(lua, arg));
    push_str(lua, &message);
    drop(message);
    let text = ffi::lua_tolstring(lua, -1, ptr::null_mut());
    ffi::luaL_argerror(lua, arg, text);
    std::process::abort()
}

unsafe fn actual_type<'a>(lua: State, index: c_int) -> &'a str {
    if ffi::lua_type(lua, index) == ffi::LUA_TNONE {
        return "no value";
    }
    type_name(lua, index)
}

/// The address of a static as a key of the registry, which no Lua code can forge.
pub(crate) fn key(of: &'static u8) -> *const c_void {
    ptr::from_ref(of).cast::<c_void>()
}
