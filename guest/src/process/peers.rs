//! What a process does with other processes that run already, and its own switches.

use std::ffi::c_int;

use super::{has_arguments, push_done};
use crate::errors;
use crate::host::{self, HostError, ProcessOptions};
use crate::lua::{self, State, ffi};

/// Adds the functions to the table on top.
pub(super) unsafe fn open(lua: State) {
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"cancel", cancel),
            (c"terminate", terminate),
            (c"link", link),
            (c"unlink", unlink),
            (c"monitor", monitor),
            (c"unmonitor", unmonitor),
            (c"set_options", set_options),
            (c"get_options", get_options),
        ],
    );
}

const NEEDED: &str = "the pid or name of a process is needed";

unsafe fn to_peer(lua: State, act: fn(&str) -> Result<(), HostError>) -> c_int {
    if !has_arguments(lua, 1, NEEDED) {
        return 2;
    }
    let Some(to) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the pid") };
    push_done(lua, act(to))
}

unsafe extern "C-unwind" fn cancel(lua: State) -> c_int {
    if !has_arguments(lua, 1, NEEDED) {
        return 2;
    }
    let Some(to) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the pid") };
    let Some(reason) = lua::opt_utf8(lua, 2) else { return errors::not_text(lua, "the reason") };
    push_done(lua, host::cancel_process(to, reason.unwrap_or("")))
}

unsafe extern "C-unwind" fn terminate(lua: State) -> c_int {
    to_peer(lua, host::terminate)
}

unsafe extern "C-unwind" fn link(lua: State) -> c_int {
    to_peer(lua, host::link)
}

unsafe extern "C-unwind" fn unlink(lua: State) -> c_int {
    to_peer(lua, host::unlink)
}

unsafe extern "C-unwind" fn monitor(lua: State) -> c_int {
    to_peer(lua, host::monitor)
}

unsafe extern "C-unwind" fn unmonitor(lua: State) -> c_int {
    to_peer(lua, host::unmonitor)
}

unsafe extern "C-unwind" fn set_options(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    ffi::lua_settop(lua, 1);
    let mut options = ProcessOptions { trap_links: None, upgradable: None, limit_warnings: None };
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, 1) != 0 {
        let value = (ffi::lua_type(lua, 3) == ffi::LUA_TBOOLEAN).then(|| ffi::lua_toboolean(lua, 3) != 0);
        match (lua::to_bytes(lua, 2), value) {
            (Some(b"trap_links"), Some(value)) => options.trap_links = Some(value),
            (Some(b"upgradable"), Some(value)) => options.upgradable = Some(value),
            (Some(b"limit_warnings"), Some(value)) => options.limit_warnings = Some(value),
            _ => return refuse_option(lua),
        }
        ffi::lua_pop(lua, 1);
    }
    host::set_options(options);
    ffi::lua_pushboolean(lua, 1);
    1
}

/// `false` and an error about the option whose name is at 2 and whose value is at 3.
unsafe fn refuse_option(lua: State) -> c_int {
    let name = String::from_utf8_lossy(lua::to_bytes(lua, 2).unwrap_or(b"?"));
    let known = matches!(&*name, "trap_links" | "upgradable" | "limit_warnings");
    let text = if known {
        format!("process option `{name}` is a {}; it must be true or false", lua::type_name(lua, 3))
    } else {
        format!("process option `{name}` is unknown; the options are trap_links, upgradable and limit_warnings")
    };
    drop(name);
    ffi::lua_pushboolean(lua, 0);
    errors::push(lua, errors::INVALID, &text, Some(false), 0);
    drop(text);
    2
}

unsafe extern "C-unwind" fn get_options(lua: State) -> c_int {
    let options = host::get_options();
    ffi::lua_createtable(lua, 0, 3);
    let switches =
        [(c"trap_links", options.trap_links), (c"upgradable", options.upgradable), (c"limit_warnings", options.limit_warnings)];
    for (name, switch) in switches {
        ffi::lua_pushboolean(lua, c_int::from(switch.unwrap_or(false)));
        ffi::lua_setfield(lua, -2, name.as_ptr());
    }
    1
}
