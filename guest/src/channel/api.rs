//! The `channel` table and the methods of a channel.

use std::ffi::c_int;
use std::ptr;

use super::{CLASS, Channel, RECEIVE_CASE, Source, select, shared};
use crate::errors;
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::scheduler;

/// Makes the classes and pushes the `channel` table.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        CLASS,
        &[(c"send", send), (c"receive", receive), (c"close", close), (c"case_send", case_send), (c"case_receive", case_receive)],
        &[(c"__gc", collect)],
    );
    select::open(lua);
    ffi::lua_createtable(lua, 0, 2);
    lua::set_funcs(lua, -1, &[(c"new", new), (c"select", select::select)]);
}

unsafe extern "C-unwind" fn new(lua: State) -> c_int {
    let capacity = ffi::luaL_optinteger(lua, 1, 0);
    let limits = &machine().limits;
    let Ok(capacity) = u32::try_from(capacity) else {
        return errors::fail(lua, errors::INVALID, "the size of a channel cannot be negative");
    };
    if capacity > limits.channel_buffer {
        let text = format!("a channel of {capacity} values is larger than {}, the limit of this process", limits.channel_buffer);
        return errors::fail_host(lua, errors::exceeded("channel_buffer", limits.channel_buffer, capacity, text));
    }
    if machine().channels >= limits.channels {
        // Some may be garbage.
        ffi::lua_gc(lua, ffi::LUA_GCCOLLECT);
        let limit = machine().limits.channels;
        if machine().channels >= limit {
            let text = format!("the process has {limit} channels already, the limit of this process");
            return errors::fail_host(lua, errors::exceeded("channels", limit, limit.saturating_add(1), text));
        }
    }
    super::push_new(lua, capacity);
    1
}

unsafe fn check(lua: State) -> *mut Channel {
    lua::check_object::<Channel>(lua, 1, CLASS)
}

/// What a program may not do with the channels that the host feeds.
unsafe fn check_can_send(lua: State, channel: *const Channel) {
    if matches!((*channel).source, Source::Inbox | Source::Events | Source::Topic { .. }) {
        lua::raise_text(lua, "cannot send on a channel of the mailbox; use process.send");
    }
}

unsafe extern "C-unwind" fn send(lua: State) -> c_int {
    let channel = check(lua);
    ffi::lua_settop(lua, 2);
    check_can_send(lua, channel);
    if (*channel).closed {
        super::raise_closed(lua);
    }
    if let Source::Shared { handle } = (*channel).source {
        return shared::send(lua, handle);
    }
    ffi::lua_pushvalue(lua, 2);
    if super::offer(lua, channel, 1) {
        ffi::lua_pushboolean(lua, 1);
        return 1;
    }
    scheduler::check_can_block(lua);
    let parked = scheduler::begin_wait(lua, (*channel).is_external());
    super::park_sender(&mut *channel, parked, 0);
    scheduler::park(lua, 0, Some(sent))
}

/// Goes on with `nil`, whether it was taken, and the case.
unsafe extern "C-unwind" fn sent(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    ffi::lua_pop(lua, 1);
    if ffi::lua_toboolean(lua, -1) == 0 {
        super::raise_closed(lua);
    }
    1
}

unsafe extern "C-unwind" fn receive(lua: State) -> c_int {
    let channel = check(lua);
    ffi::lua_settop(lua, 1);
    if super::try_receive(lua, channel, 1) {
        super::unwrap_value(lua, channel, 2);
        return 2;
    }
    scheduler::check_can_block(lua);
    if let Source::Shared { handle } = (*channel).source {
        return shared::receive(lua, handle);
    }
    let parked = scheduler::begin_wait(lua, (*channel).is_external());
    super::park_receiver(&mut *channel, parked, 0);
    scheduler::park(lua, 0, Some(received))
}

/// Goes on with the value, ok, and the case.
unsafe extern "C-unwind" fn received(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    let channel = check(lua);
    ffi::lua_settop(lua, 3);
    super::unwrap_value(lua, channel, 2);
    2
}

unsafe extern "C-unwind" fn close(lua: State) -> c_int {
    let channel = check(lua);
    if matches!((*channel).source, Source::Inbox | Source::Events | Source::Topic { .. }) {
        crate::process::close_listener(lua, channel);
    } else {
        super::close(lua, channel);
    }
    0
}

unsafe extern "C-unwind" fn case_send(lua: State) -> c_int {
    let channel = check(lua);
    check_can_send(lua, channel);
    ffi::lua_settop(lua, 2);
    select::push_case(lua, true);
    1
}

/// A receive case never changes, so every channel makes it once.
unsafe extern "C-unwind" fn case_receive(lua: State) -> c_int {
    check(lua);
    ffi::lua_settop(lua, 1);
    if ffi::lua_getiuservalue(lua, 1, RECEIVE_CASE) == ffi::LUA_TNIL {
        ffi::lua_settop(lua, 1);
        select::push_case(lua, false);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_setiuservalue(lua, 1, RECEIVE_CASE);
    }
    1
}

unsafe extern "C-unwind" fn collect(lua: State) -> c_int {
    let channel = check(lua);
    if let Source::Shared { handle } = (*channel).source {
        shared::release(handle);
    }
    machine().channels -= 1;
    ptr::drop_in_place(channel);
    // A finalizer of the program may still see the channel: what it finds is closed and empty.
    ptr::write(
        channel,
        Channel {
            source: Source::Local,
            capacity: 0,
            closed: true,
            paused: false,
            held: 0,
            ring: super::ring::Ring::new(),
            receivers: super::Waiters::new(),
            senders: super::Waiters::new(),
        },
    );
    0
}
