//! Channels: values between coroutines of one process, and what the host delivers into it.
//!
//! A channel is a userdata. Values wait in a Lua table, its first user value, used as a ring. Coroutines that wait are known by
//! [`Parked`]; what a sender offers stays on its own stack until somebody takes it.

use std::ffi::{CStr, c_int};
use std::ptr;

use crate::errors;
use crate::host;
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::scheduler::{self, Parked};

mod api;
mod ring;
mod select;
mod shared;
mod waiters;

pub(crate) use api::open;
pub(crate) use shared::{completed, open_shared, push_channels, share};
use waiters::Waiters;

/// The name of the class.
pub(crate) const CLASS: &CStr = c"Channel";

/// The user value that is the ring.
const RING: c_int = 1;
/// The user value that is the case `case_receive` gives.
const RECEIVE_CASE: c_int = 2;

/// Values that a topic may hold in the guest before the host is asked to keep the rest.
const PAUSE_ABOVE: u32 = 256;
/// Values at which the host is asked for more.
const RESUME_BELOW: u32 = 64;
/// The part of the memory limit that messages of all topics may take in the guest before the host is asked to keep the rest: so that a
/// fast sender meets the limits of the mailbox, and not the receiver that of its memory.
const PAUSE_PART: u64 = 8;

/// What a channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Coroutines of this process, or host code that offers values to it.
    Local,
    /// Messages that no listener takes.
    Inbox,
    /// Signals.
    Events,
    /// Messages of a topic; `message`: as Message objects, else their bare values.
    Topic {
        /// Whether receivers see Message objects.
        message: bool,
    },
    /// A channel that other processes know, too.
    Shared {
        /// Its number in the handle table of this process.
        handle: u32,
    },
}

/// A channel.
pub(crate) struct Channel {
    source: Source,
    capacity: u32,
    closed: bool,
    /// Whether the host was asked to keep messages back.
    paused: bool,
    /// Bytes of the messages in the ring.
    held: usize,
    ring: ring::Ring,
    receivers: Waiters,
    senders: Waiters,
}

impl Channel {
    /// What it is for.
    pub(crate) fn source(&self) -> Source {
        self.source
    }

    /// Whether somebody outside of the process can make it ready.
    fn is_external(&self) -> bool {
        self.source != Source::Local
    }
}

/// Pushes a new channel.
pub(crate) unsafe fn push_new(lua: State, capacity: u32) -> *mut Channel {
    push(lua, Source::Local, capacity)
}

/// Pushes a new channel for something that the host delivers.
pub(crate) unsafe fn push(lua: State, source: Source, capacity: u32) -> *mut Channel {
    let channel = ffi::lua_newuserdatauv(lua, size_of::<Channel>(), 2).cast::<Channel>();
    ptr::write(
        channel,
        Channel {
            source,
            capacity,
            closed: false,
            paused: false,
            held: 0,
            ring: ring::Ring::new(),
            receivers: Waiters::new(),
            senders: Waiters::new(),
        },
    );
    ffi::luaL_setmetatable(lua, CLASS.as_ptr());
    machine().channels += 1;
    channel
}

/// Whether a channel holds nothing, is open, and has nobody who waits or knows it elsewhere.
pub(crate) unsafe fn is_unused(channel: *const Channel) -> bool {
    let Channel { source, closed, ring, receivers, senders, .. } = &*channel;
    *source == Source::Local && !closed && ring.len() == 0 && receivers.is_empty() && senders.is_empty()
}

/// Makes an unused channel one that the host delivers into.
pub(crate) unsafe fn feed(channel: *mut Channel, source: Source, capacity: u32) {
    (*channel).source = source;
    (*channel).capacity = capacity;
}

/// Whether the value at `index` is a channel.
pub(crate) unsafe fn is_channel(lua: State, index: c_int) -> bool {
    !to_channel(lua, index).is_null()
}

/// The channel at `index`; null when it is something else.
pub(crate) unsafe fn to_channel(lua: State, index: c_int) -> *mut Channel {
    lua::test_object::<Channel>(lua, index, CLASS)
}

/// Forgets the values that wait in the buffer of the channel at `index`, as a timer does that is stopped.
pub(crate) unsafe fn drain(lua: State, index: c_int) {
    let index = ffi::lua_absindex(lua, index);
    let channel = to_channel(lua, index);
    if !channel.is_null() {
        (*channel).ring = ring::Ring::new();
        ffi::lua_pushnil(lua);
        ffi::lua_setiuservalue(lua, index, RING);
    }
}

/// Offers the value on top of the stack to the channel at `index`, without waiting, whatever its source. Pops the value. False when it
/// is closed, or full without a receiver.
pub(crate) unsafe fn try_send_from_host(lua: State, index: c_int) -> bool {
    let index = ffi::lua_absindex(lua, index);
    let channel = to_channel(lua, index);
    if channel.is_null() || (*channel).closed {
        ffi::lua_pop(lua, 1);
        return false;
    }
    if let Source::Shared { handle } = (*channel).source {
        return shared::offer(lua, handle);
    }
    offer(lua, channel, index)
}

/// Hands the value on top to a receiver or puts it into the buffer; pops it. False when there is no room.
unsafe fn offer(lua: State, channel: *mut Channel, index: c_int) -> bool {
    if hand_over(lua, channel) {
        return true;
    }
    if (*channel).ring.len() < (*channel).capacity {
        push_to_ring(lua, channel, index);
        return true;
    }
    ffi::lua_pop(lua, 1);
    false
}

/// Hands the value on top to a waiting receiver and pops it; false, with the value still there, when none waits.
pub(crate) unsafe fn hand_over(lua: State, channel: *mut Channel) -> bool {
    while let Some(waiter) = (*channel).receivers.pop() {
        if !scheduler::claim(waiter.parked) {
            continue;
        }
        ffi::lua_pushboolean(lua, 1);
        wake_with(lua, waiter, 2);
        return true;
    }
    false
}

/// Wakes a waiter with the top `values` values; one that selects learns which case it was, too.
unsafe fn wake_with(lua: State, waiter: waiters::Waiter, values: c_int) {
    ffi::lua_pushinteger(lua, i64::from(waiter.case));
    scheduler::wake(lua, waiter.parked, values + 1);
}

unsafe fn push_to_ring(lua: State, channel: *mut Channel, index: c_int) {
    let fed = matches!((*channel).source, Source::Inbox | Source::Topic { .. });
    if fed {
        let size = message_size(lua, -1);
        (*channel).held += size;
        machine().mailbox.held += size;
    }
    ffi::lua_getiuservalue(lua, index, RING);
    ffi::lua_insert(lua, -2);
    // Growing may raise; the ring is consistent before and after.
    if ring::push(lua, &mut (*channel).ring) {
        ffi::lua_setiuservalue(lua, index, RING);
    } else {
        ffi::lua_pop(lua, 1);
    }
    if ((*channel).ring.len() > PAUSE_ABOVE || fed && is_much_held()) && !(*channel).paused {
        pause(lua, channel, true);
    }
}

/// The bytes of a message that lies on the stack.
unsafe fn message_size(lua: State, index: c_int) -> usize {
    if ffi::lua_type(lua, index) == ffi::LUA_TUSERDATA { ffi::lua_rawlen(lua, index) } else { 0 }
}

/// Whether messages take more memory than they should.
fn is_much_held() -> bool {
    machine().mailbox.held as u64 > machine().limits.memory / PAUSE_PART
}

/// Counts the values that wait in the buffer.
pub(crate) unsafe fn waiting(channel: *const Channel) -> u32 {
    (*channel).ring.len()
}

/// Counts bytes of messages less that a channel of the host holds.
pub(crate) unsafe fn forget_held(channel: *mut Channel, bytes: usize) {
    let bytes = bytes.min((*channel).held);
    (*channel).held -= bytes;
    machine().mailbox.held = machine().mailbox.held.saturating_sub(bytes);
}

/// Tells the host to keep messages back, or to deliver again.
unsafe fn pause(_lua: State, channel: *mut Channel, pause: bool) {
    let act = if pause { host::pause } else { host::resume };
    match (*channel).source {
        Source::Inbox => act(None),
        Source::Topic { .. } => {
            let Some(topic) = machine().mailbox.topic_of(channel) else { return };
            act(Some(topic));
        }
        _ => return,
    }
    (*channel).paused = pause;
}

/// Tries to receive from the channel at `index`: pushes value and ok. False, with nothing pushed, when it would have to wait.
unsafe fn try_receive(lua: State, channel: *mut Channel, index: c_int) -> bool {
    if (*channel).ring.len() > 0 {
        ffi::lua_getiuservalue(lua, index, RING);
        ring::pop(lua, &mut (*channel).ring);
        ffi::lua_remove(lua, -2);
        if (*channel).held > 0 {
            forget_held(channel, message_size(lua, -1));
        }
        let left = (*channel).ring.len();
        // Who has read all there is gets more, even if other topics hold much.
        if (*channel).paused && left < RESUME_BELOW && (left == 0 || !is_much_held()) {
            pause(lua, channel, false);
        }
        // The room goes to the first sender that waits.
        if take_from_sender(lua, channel) {
            push_to_ring(lua, channel, index);
        }
    } else if !take_from_sender(lua, channel) {
        if !(*channel).closed {
            return false;
        }
        ffi::lua_pushnil(lua);
        ffi::lua_pushboolean(lua, 0);
        return true;
    }
    ffi::lua_pushboolean(lua, 1);
    true
}

/// Takes everything out of the buffer of the channel at `index`; `take` finds each value on top.
pub(crate) unsafe fn take_buffered(lua: State, channel: *mut Channel, index: c_int, mut take: impl FnMut(State)) {
    let index = ffi::lua_absindex(lua, index);
    while (*channel).ring.len() > 0 {
        ffi::lua_getiuservalue(lua, index, RING);
        ring::pop(lua, &mut (*channel).ring);
        take(lua);
        ffi::lua_pop(lua, 2);
    }
}

/// Pushes the value in the buffer of the channel at `index` that `is_it` says is the one; false, with nothing pushed, when there is none.
pub(crate) unsafe fn find_buffered(lua: State, channel: *mut Channel, index: c_int, is_it: impl Fn(State) -> bool) -> bool {
    let index = ffi::lua_absindex(lua, index);
    for offset in 0..(*channel).ring.len() {
        ffi::lua_getiuservalue(lua, index, RING);
        ffi::lua_rawgeti(lua, -1, (*channel).ring.place(offset));
        ffi::lua_remove(lua, -2);
        if is_it(lua) {
            return true;
        }
        ffi::lua_pop(lua, 1);
    }
    false
}

/// Pushes what the first waiting sender offers, and wakes it; false when none waits.
unsafe fn take_from_sender(lua: State, channel: *mut Channel) -> bool {
    while let Some(waiter) = (*channel).senders.pop() {
        let thread = scheduler::thread_of(waiter.parked);
        if thread.is_null() || thread == lua {
            continue;
        }
        ffi::luaL_checkstack(lua, 4, c"too many values".as_ptr());
        if ffi::lua_checkstack(thread, 2) == 0 || !scheduler::claim(waiter.parked) {
            continue;
        }
        select::push_offer(thread, waiter.case);
        ffi::lua_xmove(thread, lua, 1);
        ffi::lua_pushnil(lua);
        ffi::lua_pushboolean(lua, 1);
        wake_with(lua, waiter, 2);
        return true;
    }
    false
}

/// Closes a channel: receivers get `nil, false`, senders an error.
pub(crate) unsafe fn close(lua: State, channel: *mut Channel) {
    if (*channel).closed {
        return;
    }
    if let Source::Shared { handle } = (*channel).source {
        // Values may still wait in the host, so that only the host knows when a receiver has to hear of it.
        let _ = host::channel_close(handle);
        return;
    }
    (*channel).closed = true;
    ffi::luaL_checkstack(lua, 4, c"too many values".as_ptr());
    while let Some(waiter) = (*channel).receivers.pop().or_else(|| (*channel).senders.pop()) {
        if scheduler::claim(waiter.parked) {
            ffi::lua_pushnil(lua);
            ffi::lua_pushboolean(lua, 0);
            wake_with(lua, waiter, 2);
        }
    }
}

/// What a value becomes for its receiver: the messages of a topic with bare values are decoded now, where an error meets the receiver.
unsafe fn unwrap_value(lua: State, channel: *const Channel, index: c_int) {
    if (*channel).source == (Source::Topic { message: false }) && crate::message::is_message(lua, index) {
        let index = ffi::lua_absindex(lua, index);
        if let Err(broken) = crate::message::push_values(lua, index) {
            errors::push(lua, errors::INTERNAL, broken, None, 0);
        }
        ffi::lua_replace(lua, index);
    }
}

/// Remembers a coroutine that waits; 0 stands for a plain receive or send.
fn park_receiver(channel: &mut Channel, parked: Parked, case: u32) {
    channel.receivers.push(waiters::Waiter { parked, case });
}

fn park_sender(channel: &mut Channel, parked: Parked, case: u32) {
    channel.senders.push(waiters::Waiter { parked, case });
}

/// Raises what a send on a closed channel raises.
unsafe fn raise_closed(lua: State) -> ! {
    lua::raise_text(lua, "send on closed channel")
}
