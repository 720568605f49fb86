//! What the immutable builders of `funcs` and `process` have in common: context, options, and copies of tables.

use std::ffi::{CStr, c_int};

use crate::errors;
use crate::host::{self, HostError};
use crate::hostmodule;
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

/// `builder:with_actor(actor)` and `builder:with_scope(scope)`: a copy with that option, which the host trusts only if it gave the
/// resource itself. `kind` is the type in the module `security`, `action` what the policies must allow.
pub(crate) unsafe fn with_identity(lua: State, class: &CStr, values: c_int, kind: &str, action: &str) -> c_int {
    lua::check_object::<Builder>(lua, 1, class);
    if !is_identity(lua, 2, kind) {
        lua::type_error(lua, 2, kind);
    }
    ffi::lua_settop(lua, 2);
    if !permitted(lua, action, "security") {
        return 2;
    }
    ffi::lua_createtable(lua, 0, 1);
    ffi::lua_insert(lua, 2);
    ffi::lua_setfield(lua, 2, if kind == "Actor" { c"@actor".as_ptr() } else { c"@scope".as_ptr() });
    push_copy(lua, class, values);
    lay_over(lua, OPTIONS);
    1
}

unsafe fn is_identity(lua: State, index: c_int, kind: &str) -> bool {
    if ffi::lua_type(lua, index) != ffi::LUA_TUSERDATA || hostmodule::resource(lua, index).is_none() {
        return false;
    }
    hostmodule::push_names(lua, index);
    let is = lua::to_text(lua, -2) == Some("security") && lua::to_text(lua, -1) == Some(kind);
    ffi::lua_pop(lua, 2);
    is
}

/// Asks the host whether policies allow an act; pushes `nil` and the error when they do not. What is started asks again.
pub(crate) unsafe fn permitted(lua: State, action: &str, resource: &str) -> bool {
    let top = ffi::lua_gettop(lua);
    lua::push_str(lua, action);
    lua::push_str(lua, resource);
    let answer = payload::encode_values(lua, top + 1, 2).map_err(HostError::from).and_then(|arguments| {
        let reply = host::invoke("@policies", "check", &arguments);
        payload::put_back(arguments);
        reply.map(drop)
    });
    ffi::lua_settop(lua, top);
    match answer {
        Ok(()) => true,
        Err(error) => {
            errors::fail_host(lua, error);
            false
        }
    }
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

/// The documents of context and options of the builder at `index`.
pub(crate) unsafe fn documents(lua: State, index: c_int) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    ffi::lua_getiuservalue(lua, index, CONTEXT);
    let context = payload::encode_map(lua, -1, "context");
    ffi::lua_getiuservalue(lua, index, OPTIONS);
    let options = payload::encode_options(lua, -1);
    ffi::lua_pop(lua, 2);
    Ok((context?, options?))
}
