//! `print` and the `logger` module.

use std::ffi::c_int;

use crate::host::{self, Level};
use crate::lua::{self, State, ffi};

/// `print`: one line at info, its parts separated by tabs.
pub(crate) unsafe extern "C-unwind" fn print(lua: State) -> c_int {
    let count = ffi::lua_gettop(lua);
    ffi::luaL_checkstack(lua, count.saturating_mul(2).saturating_add(2), c"too many values to print".as_ptr());
    for index in 1..=count {
        if index > 1 {
            lua::push_str(lua, "\t");
        }
        ffi::luaL_tolstring(lua, index, std::ptr::null_mut());
    }
    ffi::lua_concat(lua, (2 * count - 1).max(0));
    let line = String::from_utf8_lossy(lua::to_bytes(lua, -1).unwrap_or(b""));
    host::log(Level::Info, "", &line, &[], &location(lua));
    0
}

/// The line of Lua code that called, as `entry:line`. Never raises.
fn location(lua: State) -> String {
    unsafe {
        let mut frame = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed().assume_init();
        if ffi::lua_getstack(lua, 1, &mut frame) == 0 {
            return String::new();
        }
        ffi::lua_getinfo(lua, c"Sl".as_ptr(), &mut frame);
        if frame.currentline <= 0 {
            return String::new();
        }
        format!("{}:{}", lua::c_text(frame.short_src.as_ptr()), frame.currentline)
    }
}
