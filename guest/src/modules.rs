//! The list of what every image holds: libraries that are globals, and modules that `require` gives to entries that declare them.

use std::ffi::CStr;

use crate::lua::{self, State, ffi};

/// Pushes the table (or other value) of a module.
type Open = unsafe fn(State);

/// Always there, as globals and for `require`. In order: later ones may use earlier ones.
const GLOBALS: &[(&CStr, Open)] = &[
    (c"errors", crate::errors::open),
];

/// There for entries that list them under `modules:`.
const MODULES: &[(&CStr, Open)] = &[
];

/// The registry key of the table that holds the modules by name.
static LOADED: u8 = 0;

/// Makes every module. Runs when the image is made.
pub(crate) unsafe fn open(lua: State) {
    for (name, open) in GLOBALS {
        open(lua);
        ffi::lua_setglobal(lua, name.as_ptr());
    }
    ffi::lua_newtable(lua);
    for (name, open) in MODULES {
        open(lua);
        ffi::lua_setfield(lua, -2, name.as_ptr());
    }
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
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
