//! What is written in Lua itself: runs when the image is made.

use std::ffi::{CStr, c_char, c_int};

use crate::errors;
use crate::lua::{State, ffi};

/// The chunks, with the names that stand in tracebacks. The files of one chunk share their locals.
const CHUNKS: &[(&CStr, &str)] = &[(
    c"=types",
    concat!(
        include_str!("../prelude/types/values.lua"),
        include_str!("../prelude/types/builder.lua"),
        include_str!("../prelude/types/comparison.lua"),
    ),
)];

/// Runs the chunks. They find their helpers as globals, which start with two underscores.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_pushcclosure(lua, is_error, 0);
    ffi::lua_setglobal(lua, c"__is_error".as_ptr());
    for (name, source) in CHUNKS {
        let status = ffi::luaL_loadbufferx(lua, source.as_ptr().cast::<c_char>(), source.len(), name.as_ptr(), c"t".as_ptr());
        if status != ffi::LUA_OK {
            ffi::lua_error(lua);
        }
        ffi::lua_callk(lua, 0, 0, 0, None);
    }
}

/// `__is_error(value)`
unsafe extern "C-unwind" fn is_error(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from(errors::is_error(lua, 1)));
    1
}
