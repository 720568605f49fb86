//! From source text to the code that `start` loads.

use std::ffi::{CString, c_char, c_int, c_void};
use std::slice;

use crate::errors;
use crate::host::{self, HostError};
use crate::lua::{self, State, ffi};

/// Compiles source text; `name` stands in messages and tracebacks.
pub(crate) unsafe fn compile(lua: State, source: &[u8], name: &str) -> Result<Vec<u8>, HostError> {
    let name =
        CString::new(format!("={name}")).map_err(|_| host::error(errors::INVALID, "the name has a zero byte".to_owned()))?;
    let status = ffi::luaL_loadbufferx(lua, source.as_ptr().cast::<c_char>(), source.len(), name.as_ptr(), c"t".as_ptr());
    if status != ffi::LUA_OK {
        let message = String::from_utf8_lossy(lua::to_bytes(lua, -1).unwrap_or(b"")).into_owned();
        ffi::lua_settop(lua, 0);
        let kind = if status == ffi::LUA_ERRMEM { errors::LIMIT_EXCEEDED } else { errors::INVALID };
        return Err(host::error(kind, message));
    }
    let mut code = Vec::new();
    // The lines stay in: every position in a message comes from them.
    ffi::lua_dump(lua, write, (&raw mut code).cast::<c_void>(), 0);
    ffi::lua_settop(lua, 0);
    Ok(code)
}

unsafe extern "C-unwind" fn write(_lua: State, part: *const c_void, size: usize, code: *mut c_void) -> c_int {
    if size > 0 {
        (*code.cast::<Vec<u8>>()).extend_from_slice(slice::from_raw_parts(part.cast::<u8>(), size));
    }
    0
}
