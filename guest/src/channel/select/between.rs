//! The cases of a select on channels that other processes know: the host does them as one act, so that exactly one happens.
//!
//! While a coroutine waits, the cases in this process and those in the host race. Whoever wakes it from inside asks
//! `scheduler::claim`, which decides the race; nothing that loses has happened.

use std::ffi::c_int;

use super::{CLASS, Case, FIRST, VALUE, case_at, push_sent};
use crate::channel::waiters::Waiter;
use crate::channel::{Source, shared, wake_with};
use crate::host::{self, HostError, Offer, SelectCase, Selection};
use crate::lua::{self, State, ffi};
use crate::payload;
use crate::scheduler::{self, Parked};

/// How the cases began.
pub(super) enum Begun {
    /// This case happened; its value and ok were pushed.
    Ready(c_int),
    /// None can go on.
    Nothing,
    /// One will; this is the ticket of the first of them.
    Waiting(u64),
}

unsafe fn is_between(lua: State, number: c_int) -> bool {
    matches!((*case_at(lua, number).channel).source, Source::Shared { .. })
}

/// The numbers of the cases on shared channels, in the order in which the host counts them.
pub(super) fn numbers(lua: State, count: c_int) -> impl Iterator<Item = u32> {
    // SAFETY: the cases stay on the stack as long as the select runs.
    (1..=count).filter(move |number| unsafe { is_between(lua, *number) }).map(|number| u32::try_from(number).unwrap_or(0))
}

unsafe fn number_of(lua: State, count: c_int, place: u32) -> c_int {
    let number = usize::try_from(place).ok().and_then(|place| numbers(lua, count).nth(place));
    number.and_then(|number| c_int::try_from(number).ok()).unwrap_or(1)
}

/// Asks the host for those of the first `count` cases that are on shared channels. Raises what a send raises.
pub(super) unsafe fn begin(lua: State, count: c_int, wait: bool) -> Begun {
    match ask(lua, lua, count, wait) {
        None => Begun::Nothing,
        Some(Ok(selection)) => {
            let (begun, place) = match &selection {
                Selection::None => (Begun::Nothing, 0),
                Selection::Pending(first) => (Begun::Waiting(*first), 0),
                Selection::Sent(place) | Selection::Received((place, _)) | Selection::Closed(place) => {
                    (Begun::Ready(number_of(lua, count, *place)), *place)
                }
            };
            push_outcome(lua, &selection, number_of(lua, count, place));
            drop(selection);
            begun
        }
        Some(Err(error)) => shared::raise_host(lua, error),
    }
}

/// Pushes value and ok of what happened; nothing when nothing has.
unsafe fn push_outcome(lua: State, selection: &Selection, number: c_int) {
    match selection {
        Selection::None | Selection::Pending(_) => {}
        Selection::Sent(_) => push_sent(lua, number),
        Selection::Received((_, body)) => {
            shared::push_value(lua, body);
            ffi::lua_pushboolean(lua, 1);
        }
        Selection::Closed(_) => {
            ffi::lua_pushnil(lua);
            ffi::lua_pushboolean(lua, 0);
        }
    }
}

/// Asks for the select on `thread`, whose values are encoded on `lua`. None: it has no such case.
unsafe fn ask(lua: State, thread: State, count: c_int, wait: bool) -> Option<Result<Selection, HostError>> {
    loop {
        let known = numbers(thread, count).count();
        if known == 0 {
            return None;
        }
        let mut cases = Vec::with_capacity(known);
        for number in 1..=count {
            let case = case_at(thread, number);
            let Source::Shared { handle: channel } = (*case.channel).source else { continue };
            if !case.send {
                cases.push(SelectCase::Receive(channel));
                continue;
            }
            ffi::lua_getiuservalue(thread, FIRST + number - 1, VALUE);
            if thread != lua {
                ffi::lua_xmove(thread, lua, 1);
            }
            let body = payload::encode_values(lua, ffi::lua_gettop(lua), 1);
            ffi::lua_pop(lua, 1);
            match body {
                Ok(body) => cases.push(SelectCase::Send(Offer { channel, body })),
                Err(failure) => return Some(Err(failure.into())),
            }
        }
        // A value may carry the channel of another case, which is shared from then on.
        if numbers(thread, count).count() == known {
            let selection = host::channel_select(&cases, wait);
            if let Some(SelectCase::Send(offer)) = cases.pop() {
                payload::put_back(offer.body);
            }
            return Some(selection);
        }
    }
}

/// Begins a select that waits already once more, because one of its channels became shared.
pub(in crate::channel) unsafe fn begin_again(lua: State, parked: Parked) {
    let thread = scheduler::thread_of(parked);
    if thread.is_null() || ffi::lua_checkstack(thread, 16) == 0 || ffi::lua_checkstack(lua, 16) == 0 {
        return;
    }
    // Nothing lies on the stack of a coroutine that waits in a select but the cases after their table.
    let mut count = 0;
    while !lua::test_object::<Case>(thread, FIRST + count, CLASS).is_null() {
        count += 1;
    }
    let cases = u64::try_from(numbers(thread, count).count()).unwrap_or(0);
    // It may wait there for several things, and have begun again for another of them already.
    if scheduler::case_count(parked) == cases || !scheduler::claim(parked) {
        return;
    }
    match ask(lua, thread, count, true) {
        None => {}
        Some(Ok(Selection::Pending(first))) => scheduler::on_cases(first, parked, numbers(thread, count)),
        Some(Ok(selection)) => {
            let place = match &selection {
                Selection::Sent(place) | Selection::Received((place, _)) | Selection::Closed(place) => *place,
                _ => 0,
            };
            let number = number_of(thread, count, place);
            let base = ffi::lua_gettop(thread);
            push_outcome(thread, &selection, number);
            let values = ffi::lua_gettop(thread) - base;
            ffi::lua_xmove(thread, lua, values);
            wake_with(lua, Waiter { parked, case: u32::try_from(number).unwrap_or(0) }, values);
        }
        Some(Err(error)) => {
            // The select ends with its first send, which hears that the channel is closed to it.
            drop(error);
            let sends = (1..=count).find(|number| case_at(thread, *number).send).unwrap_or(1);
            ffi::lua_pushnil(lua);
            ffi::lua_pushboolean(lua, 0);
            wake_with(lua, Waiter { parked, case: u32::try_from(sends).unwrap_or(0) }, 2);
        }
    }
}
