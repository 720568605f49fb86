//! The list of what every image holds: libraries that are globals, and modules that `require` gives to entries that declare them.

use std::ffi::CStr;

use crate::lua::{self, State, ffi};

/// Pushes the table (or other value) of a module.
type Open = unsafe fn(State);

/// Always there, as globals and for `require`. In order: later ones may use earlier ones.
const GLOBALS: &[(&CStr, Open)] = &[
    (c"errors", crate::errors::open),
    (c"coroutine", crate::coroutine::open),
    (c"channel", crate::channel::open),
    (c"payload", crate::payload::open),
    (c"process", crate::process::open),
];

/// There for entries that list them under `modules:`.
const MODULES: &[(&CStr, Open)] = &[
    (c"base64", crate::base64::open),
    (c"ctx", crate::ctx::open),
    (c"hash", crate::hash::open),
    (c"io", crate::io::open),
    (c"json", crate::json::open),
    (c"time", crate::time::open),
    (c"uuid", crate::uuid::open),
    (c"funcs", crate::functions::open),
    (c"logger", crate::log::open),
];

/// The registry key of the table that holds the modules by name.
static LOADED: u8 = 0;

/// The registry key of the table that holds the libraries that need no declaration, by name.
static BUILTIN: u8 = 0;

/// Libraries that `base.rs` opens, which `require` gives, too.
const LIBRARIES: &[&CStr] = &[c"string", c"table", c"math", c"utf8", c"os"];

/// Makes every module. Runs when the image is made.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 16);
    for (name, open) in GLOBALS {
        open(lua);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_setglobal(lua, name.as_ptr());
        ffi::lua_setfield(lua, -2, name.as_ptr());
    }
    crate::process::open_globals(lua);
    for name in LIBRARIES {
        ffi::lua_getglobal(lua, name.as_ptr());
        ffi::lua_setfield(lua, -2, name.as_ptr());
    }
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&BUILTIN));
    ffi::lua_newtable(lua);
    for (name, open) in MODULES {
        open(lua);
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            crate::base::freeze(lua, name);
        }
        ffi::lua_setfield(lua, -2, name.as_ptr());
    }
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
    open_names(lua);
}

/// Lays down where argument errors look for the names of functions that were called through something else, such as `pcall`.
unsafe fn open_names(lua: State) {
    ffi::lua_createtable(lua, 0, 32);
    ffi::lua_rawgeti(lua, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
    ffi::lua_setfield(lua, -2, c"_G".as_ptr());
    for key in [&BUILTIN, &LOADED] {
        ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(key));
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            ffi::lua_pushvalue(lua, -2);
            ffi::lua_insert(lua, -2);
            ffi::lua_rawset(lua, -5);
        }
        ffi::lua_pop(lua, 1);
    }
    ffi::lua_setfield(lua, ffi::LUA_REGISTRYINDEX, c"_NAMES".as_ptr());
}

/// Pushes the guest module of that name; pushes nothing and answers false when there is none.
pub(crate) unsafe fn push(lua: State, name: &str) -> bool {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
    if lua::raw_field(lua, -1, name) == ffi::LUA_TNIL {
        ffi::lua_pop(lua, 2);
        return false;
    }
    ffi::lua_remove(lua, -2);
    true
}

/// Pushes the library of that name that needs no declaration; nil when there is none.
pub(crate) unsafe fn push_builtin(lua: State, name: &[u8]) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&BUILTIN));
    lua::push_bytes(lua, name);
    ffi::lua_rawget(lua, -2);
    ffi::lua_remove(lua, -2);
}
