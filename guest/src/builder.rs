//! What the immutable builders of `funcs` and `process` have in common: context, options, and copies of tables.

use std::ffi::{CStr, c_int};

use crate::errors;
use crate::lua::{self, State, ffi};
use crate::payload::{self, Failure};

/// The user value of a builder that is the table of context values.
pub(crate) const CONTEXT: c_int = 1;
/// The user value that is the table of options.
pub(crate) const OPTIONS: c_int = 2;

/// What stands in the userdata of a builder: nothing.
#[derive(Clone, Copy)]
pub(crate) struct Builder;

/// Pushes a new builder of a class with `values` user values.
pub(crate) unsafe fn push(lua: State, class: &CStr, values: c_int) {
    lua::new_object(lua, class, Builder, values);
}

/// Pushes a copy of the builder at 1.
pub(crate) unsafe fn push_copy(lua: State, class: &CStr, values: c_int) {
    push(lua, class, values);
    for value in 1..=values {
        ffi::lua_getiuservalue(lua, 1, value);
        ffi::lua_setiuservalue(lua, -2, value);
    }
}

/// `builder:with_context(t)` and `builder:with_options(t)`: a copy with the fields of the table at 2 laid over those of `value`.
pub(crate) unsafe fn with_table(lua: State, class: &CStr, values: c_int, value: c_int) -> c_int {
    lua::check_object::<Builder>(lua, 1, class);
    ffi::luaL_checktype(lua, 2, ffi::LUA_TTABLE);
    ffi::lua_settop(lua, 2);
    push_copy(lua, class, values);
    lay_over(lua, value);
    1
}

/// Lays the fields of the table below the top over those of a user value of the builder on top.
pub(crate) unsafe fn lay_over(lua: State, value: c_int) {
    let builder = ffi::lua_gettop(lua);
    ffi::lua_createtable(lua, 0, 4);
    if ffi::lua_getiuservalue(lua, builder, value) == ffi::LUA_TTABLE {
        copy_fields(lua, builder + 2, builder + 1);
    }
    copy_fields(lua, builder - 1, builder + 1);
    ffi::lua_settop(lua, builder + 1);
    ffi::lua_setiuservalue(lua, builder, value);
}

unsafe fn copy_fields(lua: State, from: c_int, to: c_int) {
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, from) != 0 {
        ffi::lua_pushvalue(lua, -2);
        ffi::lua_insert(lua, -2);
        ffi::lua_rawset(lua, to);
    }
}

/// `builder:with_actor(a)` and `builder:with_scope(s)`.
pub(crate) unsafe fn not_supported(lua: State, what: &str) -> c_int {
    let text = format!("{what} needs the security module, which this guest does not have yet");
    errors::fail_with(lua, errors::UNAVAILABLE, text)
}

/// The documents of context and options of the builder at `index`.
pub(crate) unsafe fn documents(lua: State, index: c_int) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    ffi::lua_getiuservalue(lua, index, CONTEXT);
    let context = payload::encode_map(lua, -1, "context");
    ffi::lua_getiuservalue(lua, index, OPTIONS);
    let options = payload::encode_map(lua, -1, "options");
    ffi::lua_pop(lua, 2);
    Ok((context?, options?))
}
