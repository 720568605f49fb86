//! `channel.select`: the first case, in table order, that can go on; else the first that becomes able to.

use std::ffi::{CStr, c_int};

use super::{Channel, Source, shared};
use crate::lua::{self, State, ffi};
use crate::scheduler;

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

/// `select{case, .., default = true}`.
pub(super) unsafe extern "C-unwind" fn select(lua: State) -> c_int {
    ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
    ffi::lua_settop(lua, 1);
    let cases = push_cases(lua);
    lua::raw_field(lua, 1, "default");
    let default = ffi::lua_toboolean(lua, -1) != 0;
    ffi::lua_pop(lua, 1);
    if cases.shared && !default {
        // An operation that was begun would be hard to take back.
        scheduler::check_can_block(lua);
    }
    for number in 1..=cases.count {
        if try_case(lua, cases, number) {
            give_up(lua, cases, true);
            return push_result(lua, number);
        }
    }
    if default {
        give_up(lua, cases, true);
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_setfield(lua, -2, c"default".as_ptr());
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_setfield(lua, -2, c"ok".as_ptr());
        return 1;
    }
    wait(lua, cases)
}

/// The cases on the stack, from [`FIRST`] on. When any of them is shared, the tickets of the operations that were begun follow, one
/// place for each case: an integer, or false.
#[derive(Clone, Copy)]
struct Cases {
    count: c_int,
    shared: bool,
}

impl Cases {
    /// As the context of a continuation.
    fn context(self) -> ffi::lua_KContext {
        ffi::lua_KContext::try_from(self.count).unwrap_or(0) * 2 + ffi::lua_KContext::from(self.shared)
    }

    fn from_context(context: ffi::lua_KContext) -> Self {
        Self { count: c_int::try_from(context / 2).unwrap_or(0), shared: context % 2 == 1 }
    }

    fn ticket_place(self, number: c_int) -> c_int {
        FIRST + self.count + number - 1
    }

    unsafe fn set_ticket(self, lua: State, number: c_int, ticket: u64) {
        ffi::lua_pushinteger(lua, ticket.cast_signed());
        ffi::lua_replace(lua, self.ticket_place(number));
    }

    /// The ticket of a case, which is taken from it.
    unsafe fn take_ticket(self, lua: State, number: c_int) -> Option<u64> {
        let place = self.ticket_place(number);
        if ffi::lua_isinteger(lua, place) == 0 {
            return None;
        }
        let ticket = ffi::lua_tointegerx(lua, place, std::ptr::null_mut()).cast_unsigned();
        ffi::lua_pushboolean(lua, 0);
        ffi::lua_replace(lua, place);
        Some(ticket)
    }
}

/// Gives up every operation that was begun and has not ended. While cases are tried, none is known to the scheduler yet.
unsafe fn give_up(lua: State, cases: Cases, trying: bool) {
    if !cases.shared {
        return;
    }
    for number in 1..=cases.count {
        if let Some(ticket) = cases.take_ticket(lua, number)
            && (trying || scheduler::is_pending(ticket))
        {
            ffi::lua_getiuservalue(lua, FIRST + number - 1, CHANNEL);
            let channel = ffi::lua_gettop(lua);
            shared::give_up(lua, ticket, channel);
            ffi::lua_settop(lua, channel - 1);
        }
    }
}

/// Pushes the cases of the table at 1, and raises when anything else stands among them.
unsafe fn push_cases(lua: State) -> Cases {
    let length = ffi::lua_rawlen(lua, 1);
    if length > MAX_CASES {
        lua::raise(lua, format!("select of {length} cases; the most is {MAX_CASES}"));
    }
    let count = c_int::try_from(length).unwrap_or(0);
    ffi::luaL_checkstack(lua, 2 * count + 12, c"too many cases".as_ptr());
    let mut shared = false;
    for number in 1..=count {
        ffi::lua_rawgeti(lua, 1, i64::from(number));
        let case = lua::test_object::<Case>(lua, -1, CLASS);
        if case.is_null() {
            let name = lua::type_name(lua, -1);
            lua::raise(lua, format!("invalid case {number} in select: expected ch:case_receive() or ch:case_send(value), got a {name}"));
        }
        shared |= matches!((*(*case).channel).source, Source::Shared { .. });
    }
    if count == 0 && lua::raw_field(lua, 1, "default") == ffi::LUA_TNIL {
        lua::raise_text(lua, "select without cases would wait forever");
    }
    ffi::lua_settop(lua, FIRST + count - 1);
    if shared {
        for _ in 0..count {
            ffi::lua_pushboolean(lua, 0);
        }
    }
    Cases { count, shared }
}

unsafe fn case_at(lua: State, number: c_int) -> Case {
    *ffi::lua_touserdata(lua, FIRST + number - 1).cast::<Case>()
}

/// Tries one case at once: on success pushes value and ok.
unsafe fn try_case(lua: State, cases: Cases, number: c_int) -> bool {
    let case = case_at(lua, number);
    if case.send { try_send(lua, cases, number) } else { try_receive(lua, cases, number) }
}

unsafe fn try_send(lua: State, cases: Cases, number: c_int) -> bool {
    let channel = case_at(lua, number).channel;
    let index = FIRST + number - 1;
    let top = ffi::lua_gettop(lua);
    let taken = if (*channel).closed {
        give_up(lua, cases, true);
        super::raise_closed(lua)
    } else if let Source::Shared { handle } = (*channel).source {
        ffi::lua_getiuservalue(lua, index, VALUE);
        match shared::begin_send(lua, handle, top + 1) {
            Some(ticket) => {
                cases.set_ticket(lua, number, ticket);
                false
            }
            None => true,
        }
    } else {
        ffi::lua_getiuservalue(lua, index, CHANNEL);
        ffi::lua_getiuservalue(lua, index, VALUE);
        super::offer(lua, channel, top + 1)
    };
    ffi::lua_settop(lua, top);
    if taken {
        ffi::lua_getiuservalue(lua, index, VALUE);
        ffi::lua_pushboolean(lua, 1);
    }
    taken
}

unsafe fn try_receive(lua: State, cases: Cases, number: c_int) -> bool {
    let channel = case_at(lua, number).channel;
    ffi::lua_getiuservalue(lua, FIRST + number - 1, CHANNEL);
    let owner = ffi::lua_gettop(lua);
    let mut ready = super::try_receive(lua, channel, owner);
    if let (Source::Shared { handle }, false) = ((*channel).source, ready) {
        match shared::begin_receive(lua, handle) {
            shared::Attempt::Ready => ready = true,
            shared::Attempt::Pending(ticket) => cases.set_ticket(lua, number, ticket),
        }
    }
    ffi::lua_remove(lua, owner);
    ready
}

/// Parks with a waiter in every channel.
unsafe fn wait(lua: State, cases: Cases) -> c_int {
    scheduler::check_can_block(lua);
    let mut external = false;
    for number in 1..=cases.count {
        external |= (*case_at(lua, number).channel).is_external();
    }
    let parked = scheduler::begin_wait(lua, external);
    for number in 1..=cases.count {
        let case = case_at(lua, number);
        let place = u32::try_from(number).unwrap_or(0);
        if let Source::Shared { .. } = (*case.channel).source {
            let ticket = ffi::lua_tointegerx(lua, cases.ticket_place(number), std::ptr::null_mut()).cast_unsigned();
            ffi::lua_getiuservalue(lua, FIRST + number - 1, CHANNEL);
            scheduler::on_case(lua, ticket, parked, place);
            if !case.send {
                super::park_receiver(&mut *case.channel, parked, place);
            }
        } else if case.send {
            super::park_sender(&mut *case.channel, parked, place);
        } else {
            super::park_receiver(&mut *case.channel, parked, place);
        }
    }
    scheduler::park(lua, cases.context(), Some(selected))
}

/// Goes on with value, ok and the number of the case.
unsafe extern "C-unwind" fn selected(lua: State, _status: c_int, context: ffi::lua_KContext) -> c_int {
    let cases = Cases::from_context(context);
    let number = c_int::try_from(ffi::lua_tointegerx(lua, -1, std::ptr::null_mut())).unwrap_or(1);
    ffi::lua_pop(lua, 1);
    give_up(lua, cases, false);
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
