//! For unit tests of modules: a bare Lua state with one module in it, and chunks that check themselves.

#![allow(clippy::panic, reason = "a failed chunk is a failed test")]

use std::ffi::CStr;

use crate::lua::{State, ffi};

/// A Lua state of one test.
pub(crate) struct Lua(pub(crate) State);

/// Pushes a module.
type Open = unsafe fn(State);

impl Lua {
    /// A state with the plain libraries, `errors`, and the given modules as globals.
    pub(crate) fn new(modules: &[(&CStr, Open)]) -> Lua {
        unsafe {
            let lua = ffi::luaL_newstate();
            for (name, open) in [
                (c"_G", ffi::luaopen_base as crate::lua::Function),
                (c"string", ffi::luaopen_string),
                (c"table", ffi::luaopen_table),
                (c"math", ffi::luaopen_math),
                (c"utf8", ffi::luaopen_utf8),
                (c"coroutine", ffi::luaopen_coroutine),
            ] {
                ffi::luaL_requiref(lua, name.as_ptr(), open, 1);
            }
            ffi::lua_settop(lua, 0);
            for (name, open) in [(c"errors", crate::errors::open as Open)].iter().chain(modules) {
                open(lua);
                ffi::lua_setglobal(lua, name.as_ptr());
            }
            Lua(lua)
        }
    }

    /// Runs a chunk; its own assertions are the test.
    pub(crate) fn run(&self, code: &str) {
        unsafe {
            let status = ffi::luaL_loadbufferx(self.0, code.as_ptr().cast(), code.len(), c"=test".as_ptr(), std::ptr::null());
            if status != ffi::LUA_OK || ffi::lua_pcall(self.0, 0, 0, 0) != ffi::LUA_OK {
                let message = String::from_utf8_lossy(crate::lua::to_bytes(self.0, -1).unwrap_or(b"an error that is no string"))
                    .into_owned();
                panic!("{message}");
            }
        }
    }
}

impl Drop for Lua {
    fn drop(&mut self) {
        unsafe { ffi::lua_close(self.0) }
    }
}
