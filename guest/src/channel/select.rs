//! `channel.select`: the first case, in table order, that can go on; else the first that becomes able to.

use std::ffi::{CStr, c_int};

use super::{Channel, Source};
use crate::lua::{self, State, ffi};
use crate::scheduler;

mod between;

pub(super) use between::begin_again;

const CLASS: &CStr = c"SelectCase";

/// The user values of a case.
const CHANNEL: c_int = 1;
const VALUE: c_int = 2;

/// What stands in the userdata of a case.
#[derive(Clone, Copy)]
struct Case {
    channel: *mut Channel,
    send: bool,
}

/// Where the cases lie on the stack of a select: after the table.
const FIRST: c_int = 2;

/// More cases than anybody writes; they lie on the Lua stack while the select waits.
const MAX_CASES: usize = 10_000;

pub(super) unsafe fn open(lua: State) {
    lua::new_class(lua, CLASS, &[], &[]);
}

/// Pushes a case of the channel at 1, with the value at 2 when it sends.
pub(super) unsafe fn push_case(lua: State, send: bool) {
    let channel = super::to_channel(lua, 1);
    lua::new_object(lua, CLASS, Case { channel, send }, if send { 2 } else { 1 });
    ffi::lua_pushvalue(lua, 1);
    ffi::lua_setiuservalue(lua, -2, CHANNEL);
    if send {
        ffi::lua_pushvalue(lua, 2);
        ffi::lua_setiuservalue(lua, -2, VALUE);
    }
}

/// Pushes what a waiting sender offers onto its own thread: a plain send has it at 2, a select in the value of its case.
pub(super) unsafe fn push_offer(thread: State, case: u32) {
    match c_int::try_from(case) {
        Ok(case @ 1..) => {
            ffi::lua_getiuservalue(thread, FIRST + case - 1, VALUE);
        }
        _ => ffi::lua_pushvalue(thread, 2),
    }
}

/// `select{case, .., default = true}`, or the default as a second argument.
pub(super) unsafe extern "C-unwind" fn select(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    let default = ffi::lua_toboolean(lua, 2) != 0 || has_default(lua);
    ffi::lua_settop(lua, 1);
    let count = push_cases(lua, default);
    // Shared channels are asked all at once, and before a case behind them only when that one might go on.
    let mut unasked = false;
    for number in 1..=count {
        let case = case_at(lua, number);
        if let Source::Shared { .. } = (*case.channel).source {
            unasked = true;
            continue;
        }
        if !may_go_on(&case) {
            continue;
        }
        if std::mem::take(&mut unasked)
            && let between::Begun::Ready(ready) = between::begin(lua, number - 1, false)
        {
            return push_result(lua, ready);
        }
        if try_case(lua, number) {
            return push_result(lua, number);
        }
    }
    if !default {
        scheduler::check_can_block(lua);
    }
    let begun = between::begin(lua, count, !default);
    match begun {
        between::Begun::Ready(ready) => push_result(lua, ready),
        between::Begun::Nothing if default => {
            ffi::lua_createtable(lua, 0, 2);
            ffi::lua_pushboolean(lua, 1);
            ffi::lua_setfield(lua, -2, c"default".as_ptr());
            ffi::lua_pushboolean(lua, 1);
            ffi::lua_setfield(lua, -2, c"ok".as_ptr());
            1
        }
        between::Begun::Nothing => wait(lua, count, None),
        between::Begun::Waiting(first) => wait(lua, count, Some(first)),
    }
}

/// Whether the table at 1 says that the select does not wait.
unsafe fn has_default(lua: State) -> bool {
    lua::raw_field(lua, 1, "default");
    let default = ffi::lua_toboolean(lua, -1) != 0;
    ffi::lua_pop(lua, 1);
    default
}

/// Pushes the cases of the table at 1 and answers their number; raises when anything else stands among them.
unsafe fn push_cases(lua: State, default: bool) -> c_int {
    let length = ffi::lua_rawlen(lua, 1);
    if length > MAX_CASES {
        lua::raise(lua, format!("select of {length} cases; the most is {MAX_CASES}"));
    }
    let count = c_int::try_from(length).unwrap_or(0);
    ffi::luaL_checkstack(lua, count + 12, c"too many cases".as_ptr());
    for number in 1..=count {
        ffi::lua_rawgeti(lua, 1, i64::from(number));
        let case = lua::test_object::<Case>(lua, -1, CLASS);
        if case.is_null() {
            let name = lua::type_name(lua, -1);
            lua::raise(
                lua,
                format!("invalid case {number} in select: expected ch:case_receive() or ch:case_send(value), got a {name}"),
            );
        }
    }
    if count == 0 && !default {
        lua::raise_text(lua, "select without cases would wait forever");
    }
    ffi::lua_settop(lua, FIRST + count - 1);
    count
}

unsafe fn case_at(lua: State, number: c_int) -> Case {
    *ffi::lua_touserdata(lua, FIRST + number - 1).cast::<Case>()
}

/// Whether it is worth trying a case of a channel that is not shared.
unsafe fn may_go_on(case: &Case) -> bool {
    let channel = &*case.channel;
    if channel.closed {
        return true;
    }
    if case.send {
        channel.ring.len() < channel.capacity || !channel.receivers.is_empty()
    } else {
        channel.ring.len() > 0 || !channel.senders.is_empty()
    }
}

/// Tries one case of a channel that is not shared at once: on success pushes value and ok.
unsafe fn try_case(lua: State, number: c_int) -> bool {
    let Case { channel, send } = case_at(lua, number);
    let index = FIRST + number - 1;
    ffi::lua_getiuservalue(lua, index, CHANNEL);
    let owner = ffi::lua_gettop(lua);
    if !send {
        let ready = super::try_receive(lua, channel, owner);
        ffi::lua_remove(lua, owner);
        return ready;
    }
    if (*channel).closed {
        super::raise_closed(lua)
    }
    ffi::lua_getiuservalue(lua, index, VALUE);
    let taken = super::offer(lua, channel, owner);
    ffi::lua_settop(lua, owner - 1);
    if taken {
        push_sent(lua, number);
    }
    taken
}

/// Pushes value and ok of a case that has sent.
unsafe fn push_sent(lua: State, number: c_int) {
    ffi::lua_getiuservalue(lua, FIRST + number - 1, VALUE);
    ffi::lua_pushboolean(lua, 1);
}

/// Parks with a waiter in every channel of this process; `ticket` is the first one of the shared channels.
unsafe fn wait(lua: State, count: c_int, ticket: Option<u64>) -> c_int {
    let mut external = false;
    for number in 1..=count {
        external |= (*case_at(lua, number).channel).is_external();
    }
    let parked = scheduler::begin_wait(lua, external);
    for number in 1..=count {
        let case = case_at(lua, number);
        let place = u32::try_from(number).unwrap_or(0);
        if let Source::Shared { .. } = (*case.channel).source {
            continue;
        }
        if case.send {
            super::park_sender(&mut *case.channel, parked, place);
        } else {
            super::park_receiver(&mut *case.channel, parked, place);
        }
    }
    if let Some(first) = ticket {
        scheduler::on_cases(first, parked, between::numbers(lua, count));
    }
    scheduler::park(lua, 0, Some(selected))
}

/// Goes on with value, ok and the number of the case.
unsafe extern "C-unwind" fn selected(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    let number = c_int::try_from(ffi::lua_tointegerx(lua, -1, std::ptr::null_mut())).unwrap_or(1);
    ffi::lua_pop(lua, 1);
    let case = case_at(lua, number);
    if case.send {
        if ffi::lua_toboolean(lua, -1) == 0 {
            super::raise_closed(lua);
        }
        ffi::lua_getiuservalue(lua, FIRST + number - 1, VALUE);
        ffi::lua_replace(lua, -3);
    }
    push_result(lua, number)
}

/// Pushes `{channel, value, ok}` of the value and ok on top.
unsafe fn push_result(lua: State, number: c_int) -> c_int {
    let ok = ffi::lua_gettop(lua);
    super::unwrap_value(lua, case_at(lua, number).channel, ok - 1);
    ffi::lua_createtable(lua, 0, 3);
    ffi::lua_getiuservalue(lua, FIRST + number - 1, CHANNEL);
    ffi::lua_setfield(lua, -2, c"channel".as_ptr());
    ffi::lua_pushvalue(lua, ok - 1);
    ffi::lua_setfield(lua, -2, c"value".as_ptr());
    ffi::lua_pushvalue(lua, ok);
    ffi::lua_setfield(lua, -2, c"ok".as_ptr());
    1
}
