//! `process.registry`: names of processes.

use std::ffi::c_int;

use super::push_done;
use crate::errors;
use crate::host::{self, Scope};
use crate::lua::{self, State, ffi};

/// Adds `registry` to the table on top.
pub(super) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 8);
    lua::set_funcs(lua, -1, &[(c"register", register), (c"lookup", lookup), (c"unregister", unregister)]);
    for (number, name) in (0..).zip([c"LOCAL", c"EVENTUAL", c"CONSISTENT", c"STRONG"]) {
        lua::set_integer(lua, -1, name, number);
    }
    ffi::lua_setfield(lua, -2, c"registry".as_ptr());
}

/// The scope at `index`, local by default; none when the number is no scope.
unsafe fn scope(lua: State, index: c_int) -> Option<Scope> {
    match ffi::luaL_optinteger(lua, index, 0) {
        0 => Some(Scope::Local),
        1 => Some(Scope::Eventual),
        2 => Some(Scope::Consistent),
        3 => Some(Scope::Strong),
        _ => None,
    }
}

unsafe fn no_scope(lua: State) -> c_int {
    errors::fail(lua, errors::INVALID, "no such scope; use process.registry.LOCAL, EVENTUAL, CONSISTENT or STRONG")
}

unsafe extern "C-unwind" fn register(lua: State) -> c_int {
    let Some(name) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the name") };
    // A number in the place of the pid is the scope of a name for this process.
    if ffi::lua_type(lua, 2) == ffi::LUA_TNUMBER && ffi::lua_isnoneornil(lua, 3) != 0 {
        ffi::lua_settop(lua, 2);
        ffi::lua_pushnil(lua);
        ffi::lua_insert(lua, 2);
    }
    let Some(process) = lua::opt_utf8(lua, 2) else { return errors::not_text(lua, "the pid") };
    match scope(lua, 3) {
        Some(scope) => push_done(lua, host::register(name, process, scope)),
        None => no_scope(lua),
    }
}

unsafe extern "C-unwind" fn lookup(lua: State) -> c_int {
    let Some(name) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the name") };
    match host::lookup(name) {
        Ok(pid) => {
            lua::push_str(lua, &pid);
            drop(pid);
            1
        }
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe extern "C-unwind" fn unregister(lua: State) -> c_int {
    let Some(name) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the name") };
    match scope(lua, 2) {
        Some(scope) => match host::unregister(name, scope) {
            // Nothing to release is no failure: the name is free, which is what was asked for.
            Err(error) if error.kind == "NotFound" => {
                ffi::lua_pushboolean(lua, 0);
                1
            }
            done => push_done(lua, done),
        },
        None => no_scope(lua),
    }
}
