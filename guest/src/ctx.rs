//! The module `ctx`: the values that came with the spawn or the call.

use std::ffi::c_int;

use crate::errors;
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::payload;

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 2);
    lua::set_funcs(lua, -1, &[(c"get", get), (c"all", all)]);
}

/// The values are decoded anew each time, so that what a program does to a table stays its own.
unsafe extern "C-unwind" fn get(lua: State) -> c_int {
    let Some(key) = lua::to_bytes(lua, 1) else { lua::type_error(lua, 1, "string") };
    if key.is_empty() {
        return errors::fail(lua, errors::INVALID, "the key is empty");
    }
    if let Err(broken) = push_all(lua) {
        return errors::fail(lua, errors::INTERNAL, broken);
    }
    ffi::lua_pushvalue(lua, 1);
    if ffi::lua_rawget(lua, -2) == ffi::LUA_TNIL {
        let key: String = String::from_utf8_lossy(key).chars().take(80).collect();
        return errors::fail_with(lua, errors::NOT_FOUND, format!("the context has no value '{key}'"));
    }
    1
}

unsafe extern "C-unwind" fn all(lua: State) -> c_int {
    match push_all(lua) {
        Ok(()) => 1,
        Err(broken) => errors::fail(lua, errors::INTERNAL, broken),
    }
}

/// Pushes a table of all values.
unsafe fn push_all(lua: State) -> Result<(), &'static str> {
    let context = &machine().context;
    if context.is_empty() {
        ffi::lua_newtable(lua);
        return Ok(());
    }
    payload::decode_document(lua, context, 0)?;
    if ffi::lua_type(lua, -1) != ffi::LUA_TTABLE {
        return Err("the context is no map");
    }
    Ok(())
}
