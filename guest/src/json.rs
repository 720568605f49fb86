//! The module `json`: encode, decode, and validation against JSON Schema.

mod decode;
mod encode;
mod number;
mod parse;
mod schema;
#[cfg(test)]
mod tests;
mod tree;

use std::ffi::c_int;

use crate::errors;
use crate::lua::{self, State, ffi};
use crate::raw;
use crate::texts::{self, Which};
use schema::Verdict;
use tree::Json;

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    raw::self_check(lua);
    ffi::lua_createtable(lua, 0, 4);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"encode", lua_encode),
            (c"decode", lua_decode),
            (c"validate", lua_validate),
            (c"validate_string", lua_validate_string),
        ],
    );
}

/// Encodes the value at `index` and pushes its text; on failure pushes nothing and answers the message.
pub(crate) unsafe fn push_encoded(lua: State, index: c_int) -> Result<(), String> {
    let mut encoded = encode::encode(lua, index);
    if matches!(&encoded, Err(error) if error.is_of_userdata()) {
        drop(encoded);
        let top = ffi::lua_gettop(lua);
        texts::push(lua, index, Which::Errors);
        encoded = encode::encode(lua, -1);
        ffi::lua_settop(lua, top);
    }
    match encoded {
        Ok(text) => {
            lua::push_bytes(lua, &text);
            Ok(())
        }
        Err(error) if error.is_memory() => {
            drop(error);
            encode::raise_memory(lua)
        }
        Err(error) => Err(error.message()),
    }
}

/// Decodes a text and pushes its value; on failure pushes nothing and answers the message.
pub(crate) unsafe fn push_decoded(lua: State, text: &[u8]) -> Result<(), String> {
    decode::decode(lua, text)
}

unsafe extern "C-unwind" fn lua_encode(lua: State) -> c_int {
    ffi::luaL_checkany(lua, 1);
    match push_encoded(lua, 1) {
        Ok(()) => 1,
        Err(message) => errors::fail_with(lua, errors::INTERNAL, message),
    }
}

unsafe extern "C-unwind" fn lua_decode(lua: State) -> c_int {
    // Nothing where a document should be is as usual as a broken one, so that it is an error value, too.
    let Some(text) = lua::to_bytes(lua, 1) else { return errors::fail(lua, errors::INVALID, "string expected") };
    match push_decoded(lua, text) {
        Ok(()) => 1,
        Err(message) => errors::fail_with(lua, errors::INTERNAL, message),
    }
}

unsafe extern "C-unwind" fn lua_validate(lua: State) -> c_int {
    check_schema(lua);
    ffi::luaL_checkany(lua, 2);
    let verdict = schema_of(lua, 1).and_then(|schema| {
        let value = Json::from_lua(raw::value_at(lua, 2)).ok_or_else(|| Verdict::Value("value is nested too deep".to_owned()))?;
        schema::validate(&schema, &value)
    });
    answer(lua, verdict)
}

unsafe extern "C-unwind" fn lua_validate_string(lua: State) -> c_int {
    check_schema(lua);
    let Some(text) = lua::to_bytes(lua, 2) else { lua::type_error(lua, 2, "string") };
    let verdict = schema_of(lua, 1).and_then(|schema| {
        let value = Json::parse(text).map_err(Verdict::Value)?;
        schema::validate(&schema, &value)
    });
    answer(lua, verdict)
}

unsafe fn check_schema(lua: State) {
    if !matches!(ffi::lua_type(lua, 1), ffi::LUA_TTABLE | ffi::LUA_TSTRING | ffi::LUA_TBOOLEAN) {
        lua::type_error(lua, 1, "table or string");
    }
}

/// The schema at `index`: a table, or JSON text.
unsafe fn schema_of(lua: State, index: c_int) -> Result<Json, Verdict> {
    match raw::value_at(lua, index) {
        raw::Value::String(text) => Json::parse(text).map_err(Verdict::Schema),
        value => Json::from_lua(value).ok_or_else(|| Verdict::Schema("it is nested too deep".to_owned())),
    }
}

/// `true`, or `false` and the error.
unsafe fn answer(lua: State, verdict: Result<(), Verdict>) -> c_int {
    let message = match verdict {
        Ok(()) => {
            ffi::lua_pushboolean(lua, 1);
            return 1;
        }
        Err(Verdict::Value(message)) => format!("validation failed: {message}"),
        Err(Verdict::Schema(message)) => format!("invalid schema: {message}"),
    };
    ffi::lua_pushboolean(lua, 0);
    errors::push(lua, errors::INVALID, &message, Some(false), 0);
    drop(message);
    2
}
