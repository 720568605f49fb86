//! The base language: what stock Lua brings and this runtime leaves out, what older versions had and programs still use, and the
//! libraries' protection against change.
//!
//! The libraries themselves are opened by `machine.rs`; `os` is made in `os.rs`.

use std::ffi::{CStr, c_int};

use crate::lua::{self, State, ffi};

/// Globals that would load code, reach the collector, or write to the standard error of the host.
const REMOVED: &[&CStr] = &[c"load", c"loadfile", c"dofile", c"collectgarbage", c"warn"];

/// Globals that hold libraries.
const LIBRARIES: &[&CStr] =
    &[c"string", c"table", c"math", c"utf8", c"os", c"coroutine", c"errors", c"channel", c"payload", c"process"];

/// The most room that `table.create` makes at once: the number is a hint, and memory that is never used must cost nothing.
const MAX_ROOM: ffi::lua_Integer = 1024;

/// Takes out and adds what differs from stock Lua. Runs when the image is made, after the libraries were opened.
pub(crate) unsafe fn open(lua: State) {
    for name in REMOVED {
        ffi::lua_pushnil(lua);
        ffi::lua_setglobal(lua, name.as_ptr());
    }
    lua::push_str(lua, "Lua 5.3");
    ffi::lua_setglobal(lua, c"_VERSION".as_ptr());

    ffi::lua_getglobal(lua, c"table".as_ptr());
    ffi::lua_getfield(lua, -1, c"unpack".as_ptr());
    ffi::lua_setglobal(lua, c"unpack".as_ptr());
    lua::set_func(lua, -1, c"create", create_table);
    lua::set_func(lua, -1, c"freeze", freeze_table);
    ffi::lua_pop(lua, 1);

    ffi::lua_getglobal(lua, c"math".as_ptr());
    lua::set_func(lua, -1, c"atan2", atan2);
    ffi::lua_pop(lua, 1);

    crate::pattern::open(lua);
    crate::os::open(lua);
    ffi::lua_setglobal(lua, c"os".as_ptr());
}

/// Seeds `math.random`. Runs when a process starts, because the image holds one state for all.
pub(crate) unsafe fn seed(lua: State, seed: u64) {
    ffi::lua_getglobal(lua, c"math".as_ptr());
    ffi::lua_getfield(lua, -1, c"randomseed".as_ptr());
    ffi::lua_pushinteger(lua, seed.cast_signed());
    ffi::lua_callk(lua, 1, 0, 0, None);
    ffi::lua_pop(lua, 1);
}

/// Makes the tables of the libraries read-only. Runs when the image is made, after everything that adds to them.
pub(crate) unsafe fn freeze_libraries(lua: State) {
    for name in LIBRARIES {
        if ffi::lua_getglobal(lua, name.as_ptr()) == ffi::LUA_TTABLE {
            freeze(lua, name);
        }
        ffi::lua_pop(lua, 1);
    }
    // The metatable of all strings can be read, as in stock Lua.
    lua::push_str(lua, "");
    ffi::lua_getmetatable(lua, -1);
    lua::lua_freezetable(lua, -1);
    ffi::lua_pop(lua, 2);
}

/// Makes the table on top of the stack read-only for Lua code; reading, `next` and `pairs` stay as they are.
///
/// A metatable that it has already is kept and gets the guard, too. Plain tables in it become read-only as well.
pub(crate) unsafe fn freeze(lua: State, name: &CStr) {
    if ffi::lua_getmetatable(lua, -1) == 0 {
        ffi::lua_createtable(lua, 0, 2);
    }
    ffi::lua_pushstring(lua, name.as_ptr());
    ffi::lua_pushcclosure(lua, refuse, 1);
    ffi::lua_setfield(lua, -2, c"__newindex".as_ptr());
    ffi::lua_pushboolean(lua, 0);
    ffi::lua_setfield(lua, -2, c"__metatable".as_ptr());
    ffi::lua_setmetatable(lua, -2);
    lua::lua_freezetable(lua, -1);
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, -2) != 0 {
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            if ffi::lua_getmetatable(lua, -1) == 0 {
                lua::lua_freezetable(lua, -1);
            } else {
                ffi::lua_pop(lua, 1);
            }
        }
        ffi::lua_pop(lua, 1);
    }
}

/// `__newindex` of a read-only table, which says more than Lua would; its upvalue is the name of the library.
unsafe extern "C-unwind" fn refuse(lua: State) -> c_int {
    let library = lua::to_text(lua, ffi::lua_upvalueindex(1)).unwrap_or("");
    let field = lua::to_text(lua, 2).unwrap_or("?");
    lua::raise(lua, format!("attempt to change '{library}.{field}': libraries are read-only"))
}

/// `table.create(sequence, others)`: an empty table with room for that many elements.
unsafe extern "C-unwind" fn create_table(lua: State) -> c_int {
    let sequence = ffi::luaL_checkinteger(lua, 1).clamp(0, MAX_ROOM);
    let others = ffi::luaL_optinteger(lua, 2, 0).clamp(0, MAX_ROOM);
    ffi::lua_createtable(lua, sequence as c_int, others as c_int);
    1
}

/// `table.freeze(t)`: makes a table read-only for good, and returns it.
unsafe extern "C-unwind" fn freeze_table(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    lua::lua_freezetable(lua, 1);
    ffi::lua_settop(lua, 1);
    1
}

unsafe extern "C-unwind" fn atan2(lua: State) -> c_int {
    let y = ffi::luaL_checknumber(lua, 1);
    let x = ffi::luaL_checknumber(lua, 2);
    ffi::lua_pushnumber(lua, y.atan2(x));
    1
}
