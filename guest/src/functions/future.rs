//! The result of `funcs.async`, which comes later.

use std::ffi::{CStr, c_int};

use crate::channel;
use crate::errors;
use crate::host::{self, Outcome};
use crate::lua::{self, State, ffi};
use crate::payload;
use crate::scheduler;

const CLASS: &CStr = c"Future";

/// The user values: the channel, the result, the error.
const CHANNEL: c_int = 1;
const RESULT: c_int = 2;
const ERROR: c_int = 3;

/// What stands in the userdata.
#[derive(Clone, Copy)]
struct Future {
    ticket: u64,
    state: Stage,
}

/// How far a call has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pending,
    Done,
    Failed,
    Canceled,
}

pub(super) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[
            (c"response", response),
            (c"channel", response),
            (c"is_complete", is_complete),
            (c"is_canceled", is_canceled),
            (c"result", result),
            (c"error", error),
            (c"cancel", cancel),
        ],
        &[],
    );
}

/// Pushes the Future of a pending call.
pub(super) unsafe fn push(lua: State, ticket: u64) {
    lua::new_object(lua, CLASS, Future { ticket, state: Stage::Pending }, 3);
    channel::push_new(lua, 1);
    ffi::lua_setiuservalue(lua, -2, CHANNEL);
    ffi::lua_pushvalue(lua, -1);
    scheduler::on_ticket(lua, ticket, complete);
}

/// Takes the outcome for the Future on top of the stack.
unsafe fn complete(lua: State, outcome: Outcome) {
    let future = lua::check_object::<Future>(lua, -1, CLASS);
    let place = ffi::lua_gettop(lua);
    let stage = match &outcome {
        Outcome::Done(values) => {
            let channels = channel::push_channels(lua, &values.channels);
            if values.data.is_empty() {
                // The document of nil.
                payload::push_document(lua, &[0xc0], 0);
            } else {
                payload::push_each(lua, &values.data, 0, channels);
            }
            Stage::Done
        }
        Outcome::Failed(error) => {
            errors::push_host(lua, error);
            Stage::Failed
        }
        Outcome::Closed => {
            errors::push(lua, errors::CANCELED, "the call was given up", None, 0);
            Stage::Failed
        }
    };
    drop(outcome);
    settle(lua, future, place, stage);
}

/// Keeps the value on top as the result of the Future at `place`, offers it to the channel, and closes that.
unsafe fn settle(lua: State, future: *mut Future, place: c_int, stage: Stage) {
    (*future).state = stage;
    ffi::lua_pushvalue(lua, -1);
    ffi::lua_setiuservalue(lua, place, if stage == Stage::Done { RESULT } else { ERROR });
    ffi::lua_getiuservalue(lua, place, CHANNEL);
    ffi::lua_insert(lua, -2);
    channel::try_send_from_host(lua, -2);
    let channel = channel::to_channel(lua, -1);
    if !channel.is_null() {
        channel::close(lua, channel);
    }
}

unsafe fn check(lua: State) -> *mut Future {
    lua::check_object::<Future>(lua, 1, CLASS)
}

unsafe extern "C-unwind" fn response(lua: State) -> c_int {
    check(lua);
    ffi::lua_getiuservalue(lua, 1, CHANNEL);
    1
}

unsafe extern "C-unwind" fn is_complete(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from((*check(lua)).state != Stage::Pending));
    1
}

unsafe extern "C-unwind" fn is_canceled(lua: State) -> c_int {
    ffi::lua_pushboolean(lua, c_int::from((*check(lua)).state == Stage::Canceled));
    1
}

unsafe extern "C-unwind" fn result(lua: State) -> c_int {
    check(lua);
    ffi::lua_getiuservalue(lua, 1, RESULT);
    ffi::lua_getiuservalue(lua, 1, ERROR);
    2
}

unsafe extern "C-unwind" fn error(lua: State) -> c_int {
    check(lua);
    let failed = ffi::lua_getiuservalue(lua, 1, ERROR) != ffi::LUA_TNIL;
    ffi::lua_pushboolean(lua, c_int::from(failed));
    2
}

/// Gives the call up; false when it has ended already.
unsafe extern "C-unwind" fn cancel(lua: State) -> c_int {
    let future = check(lua);
    ffi::lua_settop(lua, 1);
    if (*future).state != Stage::Pending {
        ffi::lua_pushboolean(lua, 0);
        return 1;
    }
    host::cancel((*future).ticket);
    scheduler::forget_ticket(lua, (*future).ticket);
    errors::push(lua, errors::CANCELED, "the call was canceled", Some(false), 0);
    settle(lua, future, 1, Stage::Canceled);
    ffi::lua_pushboolean(lua, 1);
    1
}
