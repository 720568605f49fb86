//! Pending operations of the host: who waits for which ticket.

use std::ffi::c_int;

use super::{Parked, Scheduler, begin_wait, park};
use crate::channel;
use crate::errors;
use crate::host::Outcome;
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::payload;

/// What happens when a ticket completes that no coroutine waits for: called with the value that [`on_ticket`] anchored on top of the
/// stack. It may push freely; the stack is cleaned afterwards.
pub(crate) type Callback = unsafe fn(State, Outcome);

/// Who is told of a completion.
pub(super) enum Pending {
    Coroutine(Parked),
    Callback(Callback),
    /// An operation on a shared channel, for one case of whatever waits.
    Case(Parked, u32),
}

/// The registry key of the table that keeps what callbacks need.
static ANCHORED: u8 = 0;

/// Parks the running coroutine until the ticket completes; then `k` goes on and finds the result with [`outcome`] (or ends with
/// [`return_outcome`]). The caller returns what this returns.
pub(crate) unsafe fn block_on_ticket(lua: State, ticket: u64, k: ffi::lua_KFunction) -> c_int {
    let parked = begin_wait(lua, true);
    machine().scheduler.pending.insert(ticket, Pending::Coroutine(parked));
    park(lua, 0, Some(k))
}

/// Hands the completion of the first ticket to the first of these cases of a wait, that of the next ticket to the next case, and so on.
/// Only one of the tickets will complete.
pub(crate) fn on_cases(first: u64, parked: Parked, cases: impl Iterator<Item = u32>) {
    let scheduler = &mut machine().scheduler;
    let mut ticket = first;
    for case in cases {
        scheduler.pending.insert(ticket, Pending::Case(parked, case));
        ticket += 1;
    }
    if let Some(coroutine) = scheduler.parked(parked) {
        coroutine.cases = (first, ticket - first);
    }
}

impl Scheduler {
    /// Forgets the operations of which another one has happened, or none will.
    pub(super) fn forget_cases(&mut self, first: u64, count: u64) {
        for ticket in first..first.saturating_add(count) {
            self.pending.remove(&ticket);
        }
    }
}

/// Calls `callback` when the ticket completes. Takes the value on top of the stack and keeps it for the callback.
pub(crate) unsafe fn on_ticket(lua: State, ticket: u64, callback: Callback) {
    anchor(lua, ticket, Pending::Callback(callback));
}

unsafe fn anchor(lua: State, ticket: u64, pending: Pending) {
    push_anchored(lua);
    ffi::lua_insert(lua, -2);
    ffi::lua_rawseti(lua, -2, ticket.cast_signed());
    ffi::lua_pop(lua, 1);
    machine().scheduler.pending.insert(ticket, pending);
}

/// Forgets a ticket, after it was cancelled. A completion that still comes is ignored.
pub(crate) unsafe fn forget_ticket(lua: State, ticket: u64) {
    if let Some(Pending::Callback(_)) = machine().scheduler.pending.remove(&ticket) {
        push_anchored(lua);
        ffi::lua_pushnil(lua);
        ffi::lua_rawseti(lua, -2, ticket.cast_signed());
        ffi::lua_pop(lua, 1);
    }
}

/// Tells whoever waits for a ticket.
pub(crate) unsafe fn complete(lua: State, ticket: u64, outcome: Outcome) {
    let scheduler = &mut machine().scheduler;
    match scheduler.pending.remove(&ticket) {
        Some(Pending::Coroutine(parked)) => {
            if let Some(coroutine) = scheduler.parked(parked) {
                coroutine.outcome = Some(outcome);
                super::wake(lua, parked, 0);
            }
        }
        Some(Pending::Callback(callback)) => {
            let top = ffi::lua_gettop(lua);
            take_anchored(lua, ticket);
            callback(lua, outcome);
            ffi::lua_settop(lua, top);
        }
        Some(Pending::Case(parked, case)) => {
            let Some(coroutine) = scheduler.parked(parked) else { return };
            let (first, count) = std::mem::take(&mut coroutine.cases);
            scheduler.forget_cases(first, count);
            let top = ffi::lua_gettop(lua);
            channel::completed(lua, parked, case, &outcome);
            ffi::lua_settop(lua, top);
        }
        None => {}
    }
}

/// What the operation that the running coroutine waited for came to. Stays until its next wait ends, so results may be read from it
/// while Lua values are made of them.
pub(crate) fn outcome() -> &'static Outcome {
    machine().scheduler.outcome.as_ref().unwrap_or(&Outcome::Closed)
}

/// A continuation for [`block_on_ticket`] that returns the values of the operation, or `nil` and its error.
pub(crate) unsafe extern "C-unwind" fn return_outcome(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    match outcome() {
        Outcome::Done(values) => {
            let channels = channel::push_channels(lua, &values.channels);
            match payload::decode_values(lua, &values.data, channels) {
                Ok(count) => count,
                Err(broken) => errors::fail(lua, errors::INTERNAL, broken),
            }
        }
        Outcome::Failed(error) => {
            ffi::lua_pushnil(lua);
            errors::push_host(lua, error);
            2
        }
        Outcome::Closed => errors::fail(lua, errors::CANCELED, "the operation was given up"),
    }
}

/// Pushes what was kept for a ticket, and keeps it no longer.
unsafe fn take_anchored(lua: State, ticket: u64) {
    push_anchored(lua);
    ffi::lua_rawgeti(lua, -1, ticket.cast_signed());
    ffi::lua_pushnil(lua);
    ffi::lua_rawseti(lua, -3, ticket.cast_signed());
    ffi::lua_remove(lua, -2);
}

unsafe fn push_anchored(lua: State) {
    if ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&ANCHORED)) == ffi::LUA_TNIL {
        ffi::lua_pop(lua, 1);
        ffi::lua_newtable(lua);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&ANCHORED));
    }
}

/// Whether any operation of the host is pending.
pub(super) fn any_pending() -> bool {
    !machine().scheduler.pending.is_empty()
}
