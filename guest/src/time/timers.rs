//! What waits: `sleep`, `after`, and the Lua types `Timer` and `Ticker`.
//!
//! A timer sends the present Time into a channel that holds one value. Like the channels of Go's timers it is never closed, and
//! after `stop` or `reset` no value of the time before is left in it. A tick that nobody took yet is not sent a second time.

use std::ffi::{CStr, c_int};

use super::{lengths, push_now};
use crate::host::{self, Outcome};
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::{channel, errors, scheduler};

const TIMER: &CStr = c"Timer";
const TICKER: &CStr = c"Ticker";

/// The shortest interval of a ticker, in nanoseconds. Shorter ones would keep the host busy with one process.
const MIN_INTERVAL: u64 = 1_000_000;

/// The user value that is the channel.
const CHANNEL: c_int = 1;

/// A Timer or a Ticker.
#[derive(Clone, Copy)]
struct Object {
    /// The pending operation of the host, while the timer runs.
    ticket: Option<u64>,
    /// For a ticker, the nanoseconds between ticks and when the next one is due.
    interval: u64,
    due: u64,
}

/// Makes the classes. Runs when the image is made.
pub(super) unsafe fn open(lua: State) {
    lua::new_class(
        lua,
        TIMER,
        &[(c"response", timer_channel), (c"channel", timer_channel), (c"stop", timer_stop), (c"reset", timer_reset)],
        &[],
    );
    lua::new_class(lua, TICKER, &[(c"response", ticker_channel), (c"channel", ticker_channel), (c"stop", ticker_stop)], &[]);
}

pub(super) unsafe extern "C-unwind" fn sleep(lua: State) -> c_int {
    let length = match lengths::check_any(lua, 1) {
        Ok(length) => length,
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    let Ok(length @ 1..) = u64::try_from(length) else { return 0 };
    scheduler::check_can_block(lua);
    match host::timer(length) {
        Ok(ticket) => scheduler::block_on_ticket(lua, ticket, slept),
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe extern "C-unwind" fn slept(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    match scheduler::outcome() {
        Outcome::Done(_) => 0,
        Outcome::Failed(error) => {
            ffi::lua_pushnil(lua);
            errors::push_host(lua, error);
            2
        }
        Outcome::Closed => errors::fail(lua, errors::CANCELED, "the sleep was given up"),
    }
}

pub(super) unsafe extern "C-unwind" fn after(lua: State) -> c_int {
    let length = match lengths::check_any(lua, 1) {
        Ok(length) => u64::try_from(length).unwrap_or(0),
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    ffi::lua_settop(lua, 0);
    if let Err(error) = start(lua, TIMER, length, 0) {
        return errors::fail_host(lua, error);
    }
    ffi::lua_getiuservalue(lua, -1, CHANNEL);
    1
}

pub(super) unsafe extern "C-unwind" fn timer(lua: State) -> c_int {
    let length = match check_positive(lua, 1) {
        Ok(length) => length,
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    match start(lua, TIMER, length, 0) {
        Ok(()) => 1,
        Err(error) => errors::fail_host(lua, error),
    }
}

pub(super) unsafe extern "C-unwind" fn ticker(lua: State) -> c_int {
    let interval = match check_positive(lua, 1) {
        Ok(interval) => interval.max(MIN_INTERVAL),
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    match start(lua, TICKER, interval, interval) {
        Ok(()) => 1,
        Err(error) => errors::fail_host(lua, error),
    }
}

unsafe fn check_positive(lua: State, index: c_int) -> Result<u64, String> {
    match lengths::check_any(lua, index)? {
        length @ 1.. => Ok(length.cast_unsigned()),
        _ => Err("the duration must be longer than 0".to_owned()),
    }
}

/// Pushes a new Timer or Ticker that runs.
unsafe fn start(lua: State, class: &CStr, length: u64, interval: u64) -> Result<(), host::HostError> {
    // A one-shot timer needs no clock.
    let due = if interval == 0 { 0 } else { host::monotonic().saturating_add(interval) };
    let object = lua::new_object(lua, class, Object { ticket: None, interval, due }, 1);
    channel::push_new(lua, 1);
    ffi::lua_setiuservalue(lua, -2, CHANNEL);
    arm(lua, object, length)
}

/// Asks the host for the next completion. The object lies on top of the stack and stays there.
unsafe fn arm(lua: State, object: *mut Object, length: u64) -> Result<(), host::HostError> {
    let (limit, timers) = (machine().limits.timers, machine().timers);
    if timers >= limit {
        let text = format!("the process has {limit} timers that run already, the limit of this process");
        return Err(errors::exceeded("timers", limit, timers.saturating_add(1), text));
    }
    let ticket = host::timer(length)?;
    machine().timers += 1;
    (*object).ticket = Some(ticket);
    ffi::lua_pushvalue(lua, -1);
    scheduler::on_ticket(lua, ticket, fired);
    Ok(())
}

/// Runs when the host says that the time is over; the Timer or Ticker is on top of the stack.
unsafe fn fired(lua: State, outcome: Outcome) {
    let object = ffi::lua_touserdata(lua, -1).cast::<Object>();
    if object.is_null() {
        return;
    }
    (*object).ticket = None;
    machine().timers = machine().timers.saturating_sub(1);
    ffi::lua_getiuservalue(lua, -1, CHANNEL);
    if let Outcome::Done(_) = outcome {
        push_now(lua);
        channel::try_send_from_host(lua, -2);
    }
    if (*object).interval == 0 {
        return;
    }
    // Ticks that are overdue already are left out, as a slow receiver leaves them out.
    let now = host::monotonic();
    let missed = now.saturating_sub((*object).due) / (*object).interval;
    (*object).due = (*object).due.saturating_add((*object).interval.saturating_mul(missed + 1));
    let length = (*object).due.saturating_sub(now);
    ffi::lua_insert(lua, -2);
    if arm(lua, object, length).is_err() {
        // Receivers would wait for ever.
        channel::close(lua, channel::to_channel(lua, -2));
    }
}

/// Ends the waiting of a Timer or Ticker; whether it waited.
unsafe fn disarm(lua: State, object: *mut Object) -> bool {
    ffi::lua_getiuservalue(lua, 1, CHANNEL);
    channel::drain(lua, -1);
    ffi::lua_pop(lua, 1);
    let Some(ticket) = (*object).ticket.take() else { return false };
    host::cancel(ticket);
    machine().timers = machine().timers.saturating_sub(1);
    scheduler::forget_ticket(lua, ticket);
    true
}

unsafe extern "C-unwind" fn timer_channel(lua: State) -> c_int {
    lua::check_object::<Object>(lua, 1, TIMER);
    ffi::lua_getiuservalue(lua, 1, CHANNEL);
    1
}

unsafe extern "C-unwind" fn timer_stop(lua: State) -> c_int {
    let object = lua::check_object::<Object>(lua, 1, TIMER);
    let waited = disarm(lua, object);
    ffi::lua_pushboolean(lua, c_int::from(waited));
    1
}

unsafe extern "C-unwind" fn timer_reset(lua: State) -> c_int {
    let object = lua::check_object::<Object>(lua, 1, TIMER);
    let length = match check_positive(lua, 2) {
        Ok(length) => length,
        Err(message) => return errors::fail_with(lua, errors::INVALID, message),
    };
    let waited = disarm(lua, object);
    ffi::lua_settop(lua, 1);
    if let Err(error) = arm(lua, object, length) {
        return errors::fail_host(lua, error);
    }
    ffi::lua_pushboolean(lua, c_int::from(waited));
    1
}

unsafe extern "C-unwind" fn ticker_channel(lua: State) -> c_int {
    lua::check_object::<Object>(lua, 1, TICKER);
    ffi::lua_getiuservalue(lua, 1, CHANNEL);
    1
}

unsafe extern "C-unwind" fn ticker_stop(lua: State) -> c_int {
    let object = lua::check_object::<Object>(lua, 1, TICKER);
    let waited = disarm(lua, object);
    ffi::lua_pushboolean(lua, c_int::from(waited));
    1
}
