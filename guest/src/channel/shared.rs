//! Channels that other processes know, too: the host holds what waits in them.
//!
//! A channel becomes shared when it stands in a message or an argument. A handle that comes from outside is one userdata as long as
//! that lives, so that comparing channels works. Its ring and its queues stay empty.

use std::ffi::c_int;

use super::waiters::{Waiter, Waiters};
use super::{Channel, Source, ring};
use crate::errors;
use crate::host::{self, HostError, Outcome, Payload, Reception};
use crate::lua::{self, State, ffi};
use crate::payload::{self, Failure};
use crate::scheduler::{self, Parked};

/// The registry key of the table from handle to channel, which keeps no channel alive.
static KNOWN: u8 = 0;

/// Makes the table of known handles. Runs when the image is made.
pub(crate) unsafe fn open_shared(lua: State) {
    ffi::lua_newtable(lua);
    ffi::lua_createtable(lua, 0, 1);
    lua::set_text(lua, -1, c"__mode", "v");
    ffi::lua_setmetatable(lua, -2);
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&KNOWN));
}

/// Pushes a table of the channels of these handles and answers its index; pushes nothing and answers 0 when there are none.
pub(crate) unsafe fn push_channels(lua: State, handles: &[u32]) -> c_int {
    if handles.is_empty() {
        return 0;
    }
    ffi::luaL_checkstack(lua, 6, c"too many channels".as_ptr());
    ffi::lua_createtable(lua, c_int::try_from(handles.len()).unwrap_or(0), 0);
    let mut place = 0;
    for handle in handles {
        push_handle(lua, *handle);
        place += 1;
        ffi::lua_rawseti(lua, -2, place);
    }
    ffi::lua_gettop(lua)
}

unsafe fn push_handle(lua: State, handle: u32) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&KNOWN));
    if ffi::lua_rawgeti(lua, -1, i64::from(handle)) == ffi::LUA_TNIL {
        ffi::lua_pop(lua, 1);
        super::push(lua, Source::Shared { handle }, 0);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_rawseti(lua, -3, i64::from(handle));
    } else {
        // The host counts how often it handed the handle out; one time is enough for one userdata.
        host::channel_release(handle);
    }
    ffi::lua_remove(lua, -2);
}

/// The handle of the channel at `index`, which becomes shared if it was not: its values and whoever waits move to the host.
pub(crate) unsafe fn share(lua: State, index: c_int) -> Result<u32, Failure> {
    let index = ffi::lua_absindex(lua, index);
    let channel = super::to_channel(lua, index);
    match (*channel).source {
        Source::Shared { handle } => return Ok(handle),
        Source::Local => {}
        _ => {
            let message = "it belongs to the mailbox of this process; make one with channel.new()".to_owned();
            return Err(Failure { kind: errors::INVALID, message, details: Vec::new() });
        }
    }
    if ffi::lua_checkstack(lua, 12) == 0 {
        return Err(Failure { kind: errors::LIMIT_EXCEEDED, message: "the stack is full".to_owned(), details: Vec::new() });
    }
    let bodies = encode_buffered(lua, channel, index)?;
    let handle = host::channel_open((*channel).capacity).map_err(|error| {
        // Kinds are strings on the way; the ones of the host for this call are these two.
        let kind = if error.kind == errors::LIMIT_EXCEEDED { errors::LIMIT_EXCEEDED } else { errors::INTERNAL };
        Failure { kind, message: error.message, details: error.details }
    })?;
    (*channel).source = Source::Shared { handle };
    (*channel).ring = ring::Ring::new();
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&KNOWN));
    ffi::lua_pushvalue(lua, index);
    ffi::lua_rawseti(lua, -2, i64::from(handle));
    ffi::lua_pop(lua, 1);
    for body in bodies {
        // They fit: the host's channel has the same capacity.
        let _ = host::channel_send(handle, &body);
    }
    move_waiting(lua, channel, index, handle);
    if (*channel).closed {
        let _ = host::channel_close(handle);
        (*channel).closed = false;
    }
    Ok(handle)
}

unsafe fn encode_buffered(lua: State, channel: *mut Channel, index: c_int) -> Result<Vec<Payload>, Failure> {
    let mut bodies = Vec::new();
    ffi::lua_getiuservalue(lua, index, super::RING);
    let table = ffi::lua_gettop(lua);
    for offset in 0..(*channel).ring.len() {
        ffi::lua_rawgeti(lua, table, (*channel).ring.place(offset));
        let body = payload::encode_values(lua, table + 1, 1);
        ffi::lua_settop(lua, table);
        match body {
            Ok(body) => bodies.push(body),
            Err(failure) => {
                ffi::lua_settop(lua, table - 1);
                return Err(failure);
            }
        }
    }
    ffi::lua_settop(lua, table - 1);
    Ok(bodies)
}

unsafe fn move_waiting(lua: State, channel: *mut Channel, index: c_int, handle: u32) {
    let top = ffi::lua_gettop(lua);
    let mut receivers = std::mem::replace(&mut (*channel).receivers, Waiters::new());
    while let Some(waiter) = receivers.pop() {
        if !scheduler::make_external(waiter.parked) {
            continue;
        }
        if waiter.case != 0 {
            super::select::begin_again(lua, waiter.parked);
            continue;
        }
        match host::channel_receive(handle) {
            Ok(Reception::Pending(ticket)) => scheduler::on_cases(ticket, waiter.parked, std::iter::once(0)),
            Ok(Reception::Value(body)) => {
                push_value(lua, &body);
                ffi::lua_pushboolean(lua, 1);
                super::wake_with(lua, waiter, 2);
            }
            Ok(Reception::Closed) | Err(_) => {
                ffi::lua_pushnil(lua);
                ffi::lua_pushboolean(lua, 0);
                super::wake_with(lua, waiter, 2);
            }
        }
    }
    let mut senders = std::mem::replace(&mut (*channel).senders, Waiters::new());
    while let Some(waiter) = senders.pop() {
        if !scheduler::make_external(waiter.parked) {
            continue;
        }
        if waiter.case != 0 {
            super::select::begin_again(lua, waiter.parked);
            continue;
        }
        let thread = scheduler::thread_of(waiter.parked);
        if ffi::lua_checkstack(thread, 2) == 0 {
            continue;
        }
        super::select::push_offer(thread, waiter.case);
        ffi::lua_xmove(thread, lua, 1);
        let place = ffi::lua_gettop(lua);
        let sent =
            payload::encode_values(lua, place, 1).map_err(HostError::from).and_then(|body| host::channel_send(handle, &body));
        ffi::lua_settop(lua, place - 1);
        match sent {
            Ok(Some(ticket)) => scheduler::on_cases(ticket, waiter.parked, std::iter::once(0)),
            sent => {
                ffi::lua_pushnil(lua);
                ffi::lua_pushboolean(lua, c_int::from(sent.is_ok()));
                super::wake_with(lua, waiter, 2);
            }
        }
    }
    debug_assert!(ffi::lua_gettop(lua) == top && ffi::lua_type(lua, index) == ffi::LUA_TUSERDATA);
}

/// Pushes the one value of what came through a channel.
pub(super) unsafe fn push_value(lua: State, body: &Payload) {
    let top = ffi::lua_gettop(lua);
    ffi::luaL_checkstack(lua, 8, c"too many values".as_ptr());
    let channels = push_channels(lua, &body.channels);
    match payload::decode_values(lua, &body.data, channels) {
        Ok(0) => ffi::lua_pushnil(lua),
        Ok(count) => ffi::lua_pop(lua, count - 1),
        Err(broken) => errors::push(lua, errors::INTERNAL, broken, None, 0),
    }
    if channels != 0 {
        ffi::lua_remove(lua, top + 1);
    }
}

/// Takes the completion of an operation on a shared channel for whoever waits in case `case` of `parked`.
pub(crate) unsafe fn completed(lua: State, parked: Parked, case: u32, outcome: &Outcome) {
    ffi::luaL_checkstack(lua, 8, c"too many values".as_ptr());
    let ok = match outcome {
        Outcome::Done(body) => {
            push_value(lua, body);
            true
        }
        Outcome::Failed(_) | Outcome::Closed => {
            ffi::lua_pushnil(lua);
            false
        }
    };
    ffi::lua_pushboolean(lua, c_int::from(ok));
    super::wake_with(lua, Waiter { parked, case }, 2);
}

/// Sends the value at `value` without waiting; the ticket when the host has not taken it over yet. Raises what a send raises.
unsafe fn begin_send(lua: State, handle: u32, value: c_int) -> Option<u64> {
    let result = payload::encode_values(lua, value, 1).map_err(HostError::from).and_then(|body| {
        let sent = host::channel_send(handle, &body);
        payload::put_back(body);
        sent
    });
    match result {
        Ok(ticket) => ticket,
        Err(error) => raise_host(lua, error),
    }
}

pub(super) unsafe fn raise_host(lua: State, error: HostError) -> ! {
    if error.kind == errors::CONFLICT {
        drop(error);
        super::raise_closed(lua);
    }
    errors::push_host(lua, &error);
    drop(error);
    ffi::lua_error(lua)
}

/// `ch:send(v)` with the channel at 1 and the value at 2.
pub(super) unsafe fn send(lua: State, handle: u32) -> c_int {
    scheduler::check_can_block(lua);
    match begin_send(lua, handle, 2) {
        None => {
            ffi::lua_pushboolean(lua, 1);
            1
        }
        Some(ticket) => scheduler::block_on_ticket(lua, ticket, sent),
    }
}

unsafe extern "C-unwind" fn sent(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    match scheduler::outcome() {
        Outcome::Done(_) => {
            ffi::lua_pushboolean(lua, 1);
            1
        }
        Outcome::Closed => super::raise_closed(lua),
        Outcome::Failed(error) => {
            errors::push_host(lua, error);
            ffi::lua_error(lua)
        }
    }
}

/// `ch:receive()` with the channel at 1.
pub(super) unsafe fn receive(lua: State, handle: u32) -> c_int {
    match host::channel_receive(handle) {
        Ok(Reception::Value(body)) => {
            push_value(lua, &body);
            drop(body);
            ffi::lua_pushboolean(lua, 1);
            2
        }
        Ok(Reception::Closed) => {
            ffi::lua_pushnil(lua);
            ffi::lua_pushboolean(lua, 0);
            2
        }
        Ok(Reception::Pending(ticket)) => {
            let parked = scheduler::begin_wait(lua, true);
            scheduler::on_cases(ticket, parked, std::iter::once(0));
            scheduler::park(lua, 0, Some(received))
        }
        Err(error) => raise_host(lua, error),
    }
}

/// Goes on with the channel, the value, ok, and the case.
unsafe extern "C-unwind" fn received(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    ffi::lua_settop(lua, 3);
    2
}

/// Offers the value on top, which it pops, from the side of the host, such as a timer: never waits.
pub(super) unsafe fn offer(lua: State, handle: u32) -> bool {
    let value = ffi::lua_gettop(lua);
    let sent = payload::encode_values(lua, value, 1).map_err(HostError::from).and_then(|body| host::channel_send(handle, &body));
    ffi::lua_pop(lua, 1);
    match sent {
        Ok(None) => true,
        Ok(Some(ticket)) => !host::cancel(ticket),
        Err(_) => false,
    }
}

/// Gives the handle back, because nothing in this process holds the channel any more.
pub(super) fn release(handle: u32) {
    host::channel_release(handle);
}
