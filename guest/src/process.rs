//! The `process` table: who this process is, messages, signals, other processes, names.

use std::ffi::c_int;

use crate::channel::{self, Channel, Source};
use crate::errors;
use crate::host::{self, HostError};
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::mailbox;
use crate::payload;

mod names;
mod peers;
mod spawn;

/// Makes the classes and pushes the `process` table.
pub(crate) unsafe fn open(lua: State) {
    crate::message::open(lua);
    ffi::lua_createtable(lua, 0, 32);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"id", id),
            (c"pid", pid),
            (c"send", send),
            (c"inbox", inbox),
            (c"events", events),
            (c"listen", listen),
            (c"unlisten", unlisten),
        ],
    );
    ffi::lua_createtable(lua, 0, 5);
    for ((_, text), name) in mailbox::KINDS.iter().zip([c"EXIT", c"LINK_DOWN", c"CANCEL", c"OUTDATED", c"LIMIT"]) {
        lua::set_text(lua, -1, name, text);
    }
    ffi::lua_setfield(lua, -2, c"event".as_ptr());
    crate::hostmodule::push_function(lua, "process", "stats");
    ffi::lua_setfield(lua, -2, c"stats".as_ptr());
    lua::set_funcs(lua, -1, &[(c"limits", limits)]);
    peers::open(lua);
    spawn::open(lua);
    names::open(lua);
}

/// Sets the globals that are older ways to say `process.listen` and `process.unlisten`.
pub(crate) unsafe fn open_globals(lua: State) {
    ffi::lua_pushcfunction(lua, subscribe);
    ffi::lua_setglobal(lua, c"subscribe".as_ptr());
    ffi::lua_pushcfunction(lua, unlisten);
    ffi::lua_setglobal(lua, c"unsubscribe".as_ptr());
}

/// Closes a channel that the host feeds, by its own `close`.
pub(crate) unsafe fn close_listener(lua: State, channel: *mut Channel) {
    mailbox::stop(lua, channel);
}

/// `process.limits()`: the limits of this process, and what it uses of them, by name.
unsafe extern "C-unwind" fn limits(lua: State) -> c_int {
    ffi::lua_settop(lua, 0);
    crate::hostmodule::push_function(lua, "process", "limits");
    ffi::lua_callk(lua, 0, 2, 0, None);
    if ffi::lua_istable(lua, 1) == 0 {
        return 2;
    }
    ffi::lua_settop(lua, 1);
    let machine = machine();
    let coroutines = u64::try_from(machine.scheduler.alive()).unwrap_or(u64::MAX);
    let used = [
        ("memory", crate::machine::memory_used()),
        ("coroutines", coroutines),
        ("channels", machine.channels.into()),
        ("timers", machine.timers.into()),
    ];
    for (name, used) in used {
        if lua::raw_field(lua, 1, name) == ffi::LUA_TTABLE {
            lua::set_integer(lua, 2, c"used", i64::try_from(used).unwrap_or(i64::MAX));
        }
        ffi::lua_settop(lua, 1);
    }
    1
}

/// Pushes `true`, or `nil` and the error of the host. Answers their number.
unsafe fn push_done(lua: State, result: Result<(), HostError>) -> c_int {
    match result {
        Ok(()) => {
            ffi::lua_pushboolean(lua, 1);
            1
        }
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe extern "C-unwind" fn id(lua: State) -> c_int {
    lua::push_str(lua, &machine().entry);
    1
}

unsafe extern "C-unwind" fn pid(lua: State) -> c_int {
    lua::push_str(lua, &machine().pid);
    1
}

/// Whether there are so many arguments; if not, pushes `nil` and the error that says what is needed.
unsafe fn has_arguments(lua: State, count: c_int, needed: &str) -> bool {
    if ffi::lua_gettop(lua) >= count {
        return true;
    }
    errors::fail(lua, errors::INVALID, needed);
    false
}

unsafe extern "C-unwind" fn send(lua: State) -> c_int {
    if !has_arguments(lua, 2, "a message needs a receiver and a topic") {
        return 2;
    }
    let Some(to) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the receiver") };
    let Some(topic) = lua::check_utf8(lua, 2) else { return errors::not_text(lua, "the topic") };
    match payload::encode_values(lua, 3, ffi::lua_gettop(lua) - 2) {
        Ok(body) => {
            let result = host::send(to, topic, &body);
            payload::put_back(body);
            push_done(lua, result)
        }
        Err(failure) => errors::fail_host(lua, failure.into()),
    }
}

unsafe extern "C-unwind" fn inbox(lua: State) -> c_int {
    mailbox::push_inbox(lua);
    1
}

unsafe extern "C-unwind" fn events(lua: State) -> c_int {
    mailbox::push_events(lua);
    1
}

unsafe extern "C-unwind" fn listen(lua: State) -> c_int {
    let Some(topic) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the topic") };
    if topic.starts_with('@') {
        return errors::fail(lua, errors::INVALID, "topics that start with `@` belong to the host");
    }
    let mut message = false;
    if ffi::lua_isnoneornil(lua, 2) == 0 {
        ffi::luaL_checktype(lua, 2, ffi::LUA_TTABLE);
        lua::raw_field(lua, 2, "message");
        message = ffi::lua_toboolean(lua, -1) != 0;
    }
    match mailbox::push_topic(lua, topic, message) {
        Ok(()) => 1,
        Err(error) => errors::fail_host(lua, error),
    }
}

/// `subscribe(topic[, channel or options])`: like `listen`, but the program may bring the channel.
unsafe extern "C-unwind" fn subscribe(lua: State) -> c_int {
    if !channel::is_channel(lua, 2) {
        return listen(lua);
    }
    let Some(topic) = lua::check_utf8(lua, 1) else { return errors::not_text(lua, "the topic") };
    if topic.starts_with('@') {
        return errors::fail(lua, errors::INVALID, "topics that start with `@` belong to the host");
    }
    ffi::lua_settop(lua, 2);
    match mailbox::adopt(lua, topic) {
        Ok(()) => 1,
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe extern "C-unwind" fn unlisten(lua: State) -> c_int {
    let channel = channel::to_channel(lua, 1);
    if channel.is_null() {
        lua::type_error(lua, 1, "Channel");
    }
    if !matches!((*channel).source(), Source::Topic { .. }) {
        return errors::fail(lua, errors::INVALID, "this channel does not listen to a topic");
    }
    mailbox::stop(lua, channel);
    ffi::lua_pushboolean(lua, 1);
    1
}
