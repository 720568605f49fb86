//! Error objects: how they are made, what Lua sees of them, and how they cross to the host.
//!
//! An Error is a userdata without destructor; kind, message, details and stack are its user values.

use std::ffi::{CStr, c_int};

use crate::host::HostError;
use crate::lua::{self, State, ffi};

mod api;
pub(crate) use api::open;

/// The name of the class, which is also what Lua shows as its type in messages.
pub(crate) const CLASS: &CStr = c"Error";

/// A category that programs decide on.
pub(crate) type Kind = &'static str;

/// Something does not exist.
pub(crate) const NOT_FOUND: Kind = "NotFound";
/// Something exists already.
pub(crate) const ALREADY_EXISTS: Kind = "AlreadyExists";
/// A value is not acceptable.
pub(crate) const INVALID: Kind = "Invalid";
/// The caller may not do this.
pub(crate) const PERMISSION_DENIED: Kind = "PermissionDenied";
/// A service cannot answer now.
pub(crate) const UNAVAILABLE: Kind = "Unavailable";
/// A fault of the program or the host.
pub(crate) const INTERNAL: Kind = "Internal";
/// Somebody gave the operation up.
pub(crate) const CANCELED: Kind = "Canceled";
/// The state of something forbids it.
pub(crate) const CONFLICT: Kind = "Conflict";
/// It took too long.
pub(crate) const TIMEOUT: Kind = "Timeout";
/// Too much at once; later it may work.
pub(crate) const RATE_LIMITED: Kind = "RateLimited";
/// A limit is reached.
pub(crate) const LIMIT_EXCEEDED: Kind = "LimitExceeded";
/// Nothing is known.
pub(crate) const UNKNOWN: Kind = "";

const KIND: c_int = 1;
const MESSAGE: c_int = 2;
const DETAILS: c_int = 3;
const STACK: c_int = 4;
const VALUES: c_int = 4;

/// What stands in the userdata itself.
#[derive(Clone, Copy)]
struct Object {
    retryable: Option<bool>,
}

/// Pushes `nil` and a new Error: the two results of a failed call, which would fail again. Answers 2, for `return fail(..)`.
pub(crate) unsafe fn fail(lua: State, kind: &str, message: &str) -> c_int {
    ffi::lua_pushnil(lua);
    push(lua, kind, message, Some(false), 0);
    2
}

/// Like [`fail`], with the text made on the spot.
pub(crate) unsafe fn fail_with(lua: State, kind: &str, message: String) -> c_int {
    fail(lua, kind, &message);
    drop(message);
    2
}

/// The answer to a text that is not UTF-8 and so cannot go to the host; `what` it is comes first in the message.
pub(crate) unsafe fn not_text(lua: State, what: &str) -> c_int {
    fail_with(lua, INVALID, format!("{what} is not valid UTF-8"))
}

/// Pushes `nil` and an error of the host. Answers 2.
pub(crate) unsafe fn fail_host(lua: State, error: HostError) -> c_int {
    ffi::lua_pushnil(lua);
    push_host(lua, &error);
    drop(error);
    2
}

/// The details of an exceeded limit: a document with its name, what it allows, and what there would be.
pub(crate) fn limit_details(limit: &str, allowed: u64, used: u64) -> Vec<u8> {
    let mut details = vec![0x83];
    let mut text = |text: &str| {
        details.push(0xa0 | u8::try_from(text.len().min(31)).unwrap_or(0));
        details.extend_from_slice(text.as_bytes());
    };
    text("limit");
    text(limit);
    for (name, number) in [("allowed", allowed), ("used", used)] {
        details.push(0xa0 | u8::try_from(name.len()).unwrap_or(0));
        details.extend_from_slice(name.as_bytes());
        details.push(0xcf);
        details.extend_from_slice(&number.to_be_bytes());
    }
    details
}

/// The error of a limit of the process that one more would exceed; the host counts it.
pub(crate) fn exceeded(limit: &str, allowed: u32, used: u32, message: String) -> HostError {
    crate::host::refused(limit);
    let details = limit_details(limit, allowed.into(), used.into());
    HostError { retryable: Some(false), details, ..crate::host::error(LIMIT_EXCEEDED, message) }
}

/// Pushes a new Error with the stack of the calling Lua code. `details` is the stack index of its details, 0 for none.
pub(crate) unsafe fn push(lua: State, kind: &str, message: &str, retryable: Option<bool>, details: c_int) {
    let details = if details == 0 { 0 } else { ffi::lua_absindex(lua, details) };
    ffi::luaL_checkstack(lua, 6, c"too many results".as_ptr());
    lua::push_str(lua, kind);
    lua::push_str(lua, message);
    if details == 0 {
        ffi::lua_pushnil(lua)
    } else {
        ffi::lua_pushvalue(lua, details)
    }
    ffi::luaL_traceback(lua, lua, c"".as_ptr(), 1);
    from_parts(lua, retryable);
}

/// Pushes the Error that the host reports.
pub(crate) unsafe fn push_host(lua: State, error: &HostError) {
    ffi::luaL_checkstack(lua, 6, c"too many results".as_ptr());
    lua::push_str(lua, &error.kind);
    lua::push_str(lua, &error.message);
    crate::payload::push_details(lua, &error.details);
    if error.trace.is_empty() {
        ffi::luaL_traceback(lua, lua, c"".as_ptr(), 1);
    } else {
        lua::push_str(lua, &error.trace);
    }
    from_parts(lua, error.retryable);
}

/// Replaces kind, message, details and stack on top of the Lua stack by an Error of them.
pub(crate) unsafe fn from_parts(lua: State, retryable: Option<bool>) {
    lua::new_object(lua, CLASS, Object { retryable }, VALUES);
    ffi::lua_insert(lua, -1 - VALUES);
    for value in (1..=VALUES).rev() {
        ffi::lua_setiuservalue(lua, -1 - value, value);
    }
}

/// Whether the value at `index` is an Error.
pub(crate) unsafe fn is_error(lua: State, index: c_int) -> bool {
    !lua::test_object::<Object>(lua, index, CLASS).is_null()
}

/// The parts of the Error at `index`, borrowed as long as the Error lives; none when it is something else.
pub(crate) unsafe fn parts<'a>(lua: State, index: c_int) -> Option<Parts<'a>> {
    let object = lua::test_object::<Object>(lua, index, CLASS);
    if object.is_null() {
        return None;
    }
    Some(Parts {
        kind: text_value(lua, index, KIND),
        message: text_value(lua, index, MESSAGE),
        stack: text_value(lua, index, STACK),
        retryable: (*object).retryable,
    })
}

/// The texts and the switch of an Error.
pub(crate) struct Parts<'a> {
    pub(crate) kind: &'a [u8],
    pub(crate) message: &'a [u8],
    pub(crate) stack: &'a [u8],
    pub(crate) retryable: Option<bool>,
}

/// Pushes the details of the Error at `index`.
pub(crate) unsafe fn push_details(lua: State, index: c_int) {
    ffi::lua_getiuservalue(lua, index, DETAILS);
}

/// The uservalue keeps the string alive, so it may leave the stack.
unsafe fn text_value<'a>(lua: State, index: c_int, value: c_int) -> &'a [u8] {
    ffi::lua_getiuservalue(lua, index, value);
    let text = lua::to_bytes(lua, -1).unwrap_or(b"");
    ffi::lua_pop(lua, 1);
    text
}
