//! The Payload that Lua sees, and the `payload` table.
//!
//! A Payload that came from outside keeps its bytes until somebody asks for the value; afterwards it keeps the value.

use std::ffi::{CStr, c_int};
use std::{ptr, slice};

use super::{decode_document, encode_document};
use crate::errors;
use crate::lua::{self, State, ffi};

/// The name of the class.
const CLASS: &CStr = c"Payload";

const FORMATS: &[(&CStr, &str)] = &[
    (c"LUA", LUA),
    (c"ERROR", ERROR),
    (c"JSON", "json/plain"),
    (c"YAML", "yaml/plain"),
    (c"STRING", "text/plain"),
    (c"BYTES", "application/octet-stream"),
    (c"MSGPACK", "application/msgpack"),
    (c"GOLANG", "golang/any"),
];
const LUA: &str = "lua/any";
const ERROR: &str = "golang/error";

/// What stands in the userdata.
#[derive(Clone, Copy)]
struct Body {
    format: &'static str,
    /// The document while it was not decoded; null afterwards. Points into this userdata or into the one that `HELD` keeps alive.
    bytes: *const u8,
    length: usize,
}

/// The user value that is the decoded value, or what keeps the bytes alive.
const HELD: c_int = 1;
/// The user value that is the table of channels that came along.
const CHANNELS: c_int = 2;

/// Makes the class and pushes the `payload` table.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[(c"data", data), (c"get_format", get_format), (c"transcode", transcode), (c"unmarshal", unmarshal)],
        &[],
    );
    ffi::lua_createtable(lua, 0, 2);
    lua::set_func(lua, -1, c"new", new);
    ffi::lua_createtable(lua, 0, 8);
    for (name, format) in FORMATS {
        lua::set_text(lua, -1, name, format);
    }
    ffi::lua_setfield(lua, -2, c"format".as_ptr());
}

/// Pushes a Payload of a document, which it copies. `channels` as for [`decode_document`].
pub(crate) unsafe fn push_document(lua: State, document: &[u8], channels: c_int) {
    let channels = if channels == 0 { 0 } else { ffi::lua_absindex(lua, channels) };
    let body = ffi::lua_newuserdatauv(lua, size_of::<Body>() + document.len(), 2).cast::<Body>();
    let bytes = body.add(1).cast::<u8>();
    ptr::copy_nonoverlapping(document.as_ptr(), bytes, document.len());
    ptr::write(body, Body { format: format_of(document), bytes, length: document.len() });
    finish(lua, channels);
}

/// Pushes a Payload of a document that lies inside the userdata at `owner`.
pub(crate) unsafe fn push_borrowed(lua: State, document: &[u8], owner: c_int, channels: c_int) {
    let owner = ffi::lua_absindex(lua, owner);
    let channels = if channels == 0 { 0 } else { ffi::lua_absindex(lua, channels) };
    let body = ffi::lua_newuserdatauv(lua, size_of::<Body>(), 2).cast::<Body>();
    ptr::write(body, Body { format: format_of(document), bytes: document.as_ptr(), length: document.len() });
    ffi::lua_pushvalue(lua, owner);
    ffi::lua_setiuservalue(lua, -2, HELD);
    finish(lua, channels);
}

unsafe fn finish(lua: State, channels: c_int) {
    if channels != 0 {
        ffi::lua_pushvalue(lua, channels);
        ffi::lua_setiuservalue(lua, -2, CHANNELS);
    }
    ffi::luaL_setmetatable(lua, CLASS.as_ptr());
}

/// Pushes the values of an array document the way Lua receives Payloads: one as itself, several as a table, none as nil.
pub(crate) unsafe fn push_each(lua: State, document: &[u8], owner: c_int, channels: c_int) {
    let owner = if owner == 0 { 0 } else { ffi::lua_absindex(lua, owner) };
    let channels = if channels == 0 { 0 } else { ffi::lua_absindex(lua, channels) };
    let elements = super::each_value(document);
    let count = elements.len();
    match count {
        0 => return ffi::lua_pushnil(lua),
        1 => {}
        _ => ffi::lua_createtable(lua, c_int::try_from(count).unwrap_or(0), 0),
    }
    let mut pushed = 0;
    for element in elements {
        if owner == 0 {
            push_document(lua, element, channels);
        } else {
            push_borrowed(lua, element, owner, channels);
        }
        pushed += 1;
        if count > 1 {
            ffi::lua_rawseti(lua, -2, pushed);
        }
    }
    if pushed == 0 && count == 1 {
        ffi::lua_pushnil(lua);
    }
}

/// Whether the value at `index` is a Payload.
pub(crate) unsafe fn is_payload(lua: State, index: c_int) -> bool {
    !lua::test_object::<Body>(lua, index, CLASS).is_null()
}

/// What the encoder finds in a Payload.
pub(crate) enum Content<'a> {
    /// Its document, ready to be copied.
    Document(&'a [u8]),
    /// Its value, which was pushed.
    Value,
}

/// The content of the Payload at `index`. Never raises.
pub(crate) unsafe fn content<'a>(lua: State, index: c_int) -> Content<'a> {
    let body = lua::test_object::<Body>(lua, index, CLASS);
    if !body.is_null() && !(*body).bytes.is_null() && (*body).length > 0 {
        ffi::lua_getiuservalue(lua, index, CHANNELS);
        let channels = ffi::lua_isnil(lua, -1) == 0;
        ffi::lua_pop(lua, 1);
        // Indexes of channels hold for one payload only, so such a document has to be decoded first; that was done by whoever read it,
        // or it is done now. Decoding allocates in Lua, which is why the encoder calls this only where raising is harmless.
        if !channels {
            return Content::Document(slice::from_raw_parts((*body).bytes, (*body).length));
        }
        push_data(lua, index);
        return Content::Value;
    }
    ffi::lua_getiuservalue(lua, index, HELD);
    Content::Value
}

/// Pushes the value of the Payload at `index`, which it keeps from now on.
unsafe fn push_data(lua: State, index: c_int) {
    let index = ffi::lua_absindex(lua, index);
    let body = lua::check_object::<Body>(lua, index, CLASS);
    if (*body).bytes.is_null() {
        ffi::lua_getiuservalue(lua, index, HELD);
        return;
    }
    let document = slice::from_raw_parts((*body).bytes, (*body).length);
    let has_channels = ffi::lua_getiuservalue(lua, index, CHANNELS) != ffi::LUA_TNIL;
    let channels = if has_channels { ffi::lua_gettop(lua) } else { 0 };
    if let Err(broken) = decode_document(lua, document, channels) {
        errors::push(lua, errors::INTERNAL, broken, None, 0);
    }
    ffi::lua_remove(lua, -2);
    (*body).bytes = ptr::null();
    ffi::lua_pushvalue(lua, -1);
    ffi::lua_setiuservalue(lua, index, HELD);
    ffi::lua_pushnil(lua);
    ffi::lua_setiuservalue(lua, index, CHANNELS);
}

fn format_of(document: &[u8]) -> &'static str {
    match document {
        [0xc7 | 0xd4..=0xd8, _, 1, ..] | [0xc8, _, _, 1, ..] | [0xc9, _, _, _, _, 1, ..] => ERROR,
        _ => LUA,
    }
}

/// Pushes a Payload of the value on top of the stack, which it replaces.
unsafe fn push_value(lua: State, format: &'static str) {
    lua::new_object(lua, CLASS, Body { format, bytes: ptr::null(), length: 0 }, 2);
    ffi::lua_insert(lua, -2);
    ffi::lua_setiuservalue(lua, -2, HELD);
}

unsafe extern "C-unwind" fn new(lua: State) -> c_int {
    ffi::lua_settop(lua, 1);
    let format = if errors::is_error(lua, 1) { ERROR } else { LUA };
    push_value(lua, format);
    1
}

unsafe extern "C-unwind" fn data(lua: State) -> c_int {
    push_data(lua, 1);
    1
}

unsafe extern "C-unwind" fn get_format(lua: State) -> c_int {
    lua::push_str(lua, (*lua::check_object::<Body>(lua, 1, CLASS)).format);
    1
}

unsafe extern "C-unwind" fn unmarshal(lua: State) -> c_int {
    ffi::lua_settop(lua, 1);
    let format = (*lua::check_object::<Body>(lua, 1, CLASS)).format;
    push_data(lua, 1);
    push_decoded(lua, format)
}

/// Replaces the text of a format on top of the stack by its value; answers the number of results.
unsafe fn push_decoded(lua: State, format: &'static str) -> c_int {
    match format {
        // What was made here; see below.
        "json/plain" | "yaml/plain" => convert(lua, c"json", c"decode"),
        "application/msgpack" => {
            let document = lua::to_bytes(lua, -1).unwrap_or(b"");
            match decode_document(lua, document, 0) {
                Ok(()) => 1,
                Err(broken) => errors::fail(lua, errors::INTERNAL, broken),
            }
        }
        _ => 1,
    }
}

unsafe extern "C-unwind" fn transcode(lua: State) -> c_int {
    ffi::lua_settop(lua, 2);
    let source = (*lua::check_object::<Body>(lua, 1, CLASS)).format;
    let wanted = lua::check_text(lua, 2);
    let Some((_, target)) = FORMATS.iter().find(|(_, format)| *format == wanted) else {
        let text = format!("`{wanted}` is not a format; the formats are listed in payload.format");
        return errors::fail_with(lua, errors::INVALID, text);
    };
    push_data(lua, 1);
    if source == *target {
        push_value(lua, target);
        return 1;
    }
    let count = push_decoded(lua, source);
    if count != 1 {
        return count;
    }
    let count = match *target {
        // Every JSON text is a YAML document, too.
        "json/plain" | "yaml/plain" => convert(lua, c"json", c"encode"),
        "text/plain" | "application/octet-stream" => {
            ffi::luaL_tolstring(lua, -1, ptr::null_mut());
            1
        }
        "application/msgpack" => match encode_document(lua, -1, "payload") {
            Ok(document) => {
                lua::push_bytes(lua, &document);
                drop(document);
                1
            }
            Err(failure) => errors::fail_host(lua, failure.into()),
        },
        _ => 1,
    };
    if count == 1 {
        push_value(lua, target);
    }
    count
}

/// Calls a function of a guest module with the value on top; answers 1 with its result on top, 2 with nil and its error.
unsafe fn convert(lua: State, module: &CStr, function: &CStr) -> c_int {
    if !crate::modules::push(lua, lua::c_text(module.as_ptr())) {
        return errors::fail(lua, errors::UNAVAILABLE, "this guest has no json module");
    }
    ffi::lua_getfield(lua, -1, function.as_ptr());
    ffi::lua_pushvalue(lua, -3);
    ffi::lua_callk(lua, 1, 2, 0, None);
    if ffi::lua_isnil(lua, -1) != 0 {
        ffi::lua_pop(lua, 1);
        return 1;
    }
    2
}
