//! What has no form elsewhere and stands for its text there. Only values that did not encode as they are come here.

use std::ffi::c_int;
use std::ptr;

use crate::errors;
use crate::lua::{State, ffi};

/// What is replaced by its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Errors.
    Errors,
    /// What means something to this process only, such as a function or a duration.
    Foreign,
}

/// How deep tables are looked through; what is deeper is refused elsewhere.
const MAX_DEPTH: u32 = 128;

/// Pushes the value at `index` with the text in the place of each that `which` names. Tables without any are the same as before.
pub(crate) unsafe fn push(lua: State, index: c_int, which: Which) {
    let index = ffi::lua_absindex(lua, index);
    ffi::lua_newtable(lua);
    let seen = ffi::lua_gettop(lua);
    push_inner(lua, index, which, seen, 0);
    ffi::lua_remove(lua, seen);
}

unsafe fn is_replaced(lua: State, index: c_int, which: Which) -> bool {
    match ffi::lua_type(lua, index) {
        ffi::LUA_TUSERDATA => errors::is_error(lua, index) == (which == Which::Errors),
        ffi::LUA_TFUNCTION | ffi::LUA_TTHREAD | ffi::LUA_TLIGHTUSERDATA => which == Which::Foreign,
        _ => false,
    }
}

/// The same; the table at `seen` has what became of each table, so that each is looked at once. Answers whether something changed.
unsafe fn push_inner(lua: State, index: c_int, which: Which, seen: c_int, depth: u32) -> bool {
    ffi::luaL_checkstack(lua, 8, c"too many values".as_ptr());
    if is_replaced(lua, index, which) {
        ffi::luaL_tolstring(lua, index, ptr::null_mut());
        return true;
    }
    if ffi::lua_istable(lua, index) == 0 || depth > MAX_DEPTH {
        ffi::lua_pushvalue(lua, index);
        return false;
    }
    ffi::lua_pushvalue(lua, index);
    if ffi::lua_rawget(lua, seen) != ffi::LUA_TNIL {
        return ffi::lua_rawequal(lua, -1, index) == 0;
    }
    ffi::lua_pop(lua, 1);
    ffi::lua_newtable(lua);
    let copy = ffi::lua_gettop(lua);
    remember(lua, index, copy, seen);
    let mut changed = false;
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, index) != 0 {
        let value = ffi::lua_gettop(lua);
        changed |= push_inner(lua, value, which, seen, depth + 1);
        ffi::lua_pushvalue(lua, value - 1);
        ffi::lua_insert(lua, -2);
        ffi::lua_rawset(lua, copy);
        ffi::lua_settop(lua, value - 1);
    }
    if !changed {
        remember(lua, index, index, seen);
        ffi::lua_pushvalue(lua, index);
        ffi::lua_replace(lua, copy);
    }
    changed
}

unsafe fn remember(lua: State, table: c_int, became: c_int, seen: c_int) {
    ffi::lua_pushvalue(lua, table);
    ffi::lua_pushvalue(lua, became);
    ffi::lua_rawset(lua, seen);
}
