//! Where messages and signals go: the listeners of topics, the inbox, the events channel.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ptr;

use crate::channel::{self, Channel, Source};
use crate::errors;
use crate::host::{self, HostError, Message, Signal, SignalKind};
use crate::lua::{self, State, ffi};
use crate::machine::machine;
use crate::message;
use crate::payload;

/// The channels that the host feeds. The registry keeps them alive.
pub(crate) struct Mailbox {
    inbox: *mut Channel,
    /// Whether the program closed an inbox, so that the host keeps its messages.
    inbox_closed: bool,
    events: *mut Channel,
    topics: BTreeMap<String, *mut Channel>,
}

/// The registry key of the table from channel address to channel.
static CHANNELS: u8 = 0;

/// Values that a channel of the host may hold: the host bounds them, not the channel.
const UNBOUNDED: u32 = u32::MAX;

impl Mailbox {
    pub(crate) const fn new() -> Self {
        Self { inbox: ptr::null_mut(), inbox_closed: false, events: ptr::null_mut(), topics: BTreeMap::new() }
    }

    /// The topic that a channel listens to.
    pub(crate) fn topic_of(&self, channel: *const Channel) -> Option<&str> {
        self.topics.iter().find(|(_, known)| ptr::eq(**known, channel)).map(|(topic, _)| topic.as_str())
    }
}

/// Makes the table of channels. Runs when the image is made.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 4);
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
}

/// Pushes the inbox, which is opened at the first call.
pub(crate) unsafe fn push_inbox(lua: State) {
    let inbox = machine().mailbox.inbox;
    if !inbox.is_null() {
        return push_known(lua, inbox);
    }
    machine().mailbox.inbox = push_kept(lua, Source::Inbox);
    if std::mem::take(&mut machine().mailbox.inbox_closed) {
        host::resume(None);
    } else {
        host::open_inbox();
    }
}

/// Pushes the channel of signals.
pub(crate) unsafe fn push_events(lua: State) {
    let events = machine().mailbox.events;
    if !events.is_null() {
        return push_known(lua, events);
    }
    machine().mailbox.events = push_kept(lua, Source::Events);
}

/// Pushes the channel of a topic, which the host delivers from now on.
pub(crate) unsafe fn push_topic(lua: State, topic: &str, message: bool) -> Result<(), HostError> {
    if let Some(channel) = machine().mailbox.topics.get(topic).copied() {
        push_known(lua, channel);
        return Ok(());
    }
    host::listen(topic)?;
    let channel = push_kept(lua, Source::Topic { message });
    machine().mailbox.topics.insert(topic.to_owned(), channel);
    Ok(())
}

/// Stops feeding a channel and closes it. False when the host does not feed it.
pub(crate) unsafe fn stop(lua: State, channel: *mut Channel) -> bool {
    let mailbox = &mut machine().mailbox;
    if let Some(topic) = mailbox.topic_of(channel).map(str::to_owned) {
        mailbox.topics.remove(&topic);
        host::unlisten(&topic);
    } else if ptr::eq(mailbox.inbox, channel) {
        // The inbox cannot be closed for the host; it keeps the messages until somebody opens the inbox again.
        mailbox.inbox = ptr::null_mut();
        mailbox.inbox_closed = true;
        host::pause(None);
    } else if ptr::eq(mailbox.events, channel) {
        mailbox.events = ptr::null_mut();
    } else {
        return false;
    }
    channel::close(lua, channel);
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
    ffi::lua_pushnil(lua);
    ffi::lua_rawsetp(lua, -2, channel.cast());
    ffi::lua_pop(lua, 1);
    true
}

/// Delivers a message.
pub(crate) unsafe fn deliver(lua: State, message: &Message) {
    if message.topic == CLOSE {
        return close_fed(lua, message);
    }
    let mailbox = &machine().mailbox;
    let channel = match mailbox.topics.get(message.topic.as_str()) {
        Some(channel) => *channel,
        None => mailbox.inbox,
    };
    if channel.is_null() {
        // Delivered between the last step and an `unlisten` of this one, without an inbox to fall through to.
        let text = "a message was dropped, because its topic is no longer listened to and no inbox is open";
        return host::log(host::Level::Warn, "process", text, &[], &message.topic);
    }
    let top = ffi::lua_gettop(lua);
    message::push(lua, message);
    offer(lua, channel);
    ffi::lua_settop(lua, top);
}

/// The topic under which the host says that it feeds another one no longer.
const CLOSE: &str = "@close";

/// Closes the channel of a topic that a module of the host feeds no longer.
unsafe fn close_fed(lua: State, message: &Message) {
    let top = ffi::lua_gettop(lua);
    if let Ok(1..) = payload::decode_values(lua, &message.body.data, 0)
        && let Some(topic) = lua::to_text(lua, top + 1)
        && let Some(channel) = machine().mailbox.topics.get(topic).copied()
    {
        stop(lua, channel);
    }
    ffi::lua_settop(lua, top);
}

/// Delivers a signal.
pub(crate) unsafe fn signal(lua: State, signal: &Signal) {
    let top = ffi::lua_gettop(lua);
    push_signal(lua, signal);
    if machine().mailbox.events.is_null() {
        // Kept for whoever asks for the events later.
        push_events(lua);
        ffi::lua_pop(lua, 1);
    }
    let events = machine().mailbox.events;
    offer(lua, events);
    ffi::lua_settop(lua, top);
}

/// Hands the value on top to a receiver, or keeps it.
unsafe fn offer(lua: State, channel: *mut Channel) {
    if !channel::hand_over(lua, channel) {
        push_known(lua, channel);
        ffi::lua_insert(lua, -2);
        channel::try_send_from_host(lua, -2);
    }
}

unsafe fn push_kept(lua: State, source: Source) -> *mut Channel {
    let channel = channel::push(lua, source, UNBOUNDED);
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
    ffi::lua_pushvalue(lua, -2);
    ffi::lua_rawsetp(lua, -2, channel.cast());
    ffi::lua_pop(lua, 1);
    channel
}

unsafe fn push_known(lua: State, channel: *mut Channel) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
    ffi::lua_rawgetp(lua, -1, channel.cast());
    ffi::lua_remove(lua, -2);
}

/// The text of a kind of signal, as Lua sees it.
pub(crate) const KINDS: [(SignalKind, &str); 4] = [
    (SignalKind::Exit, "pid.exit"),
    (SignalKind::LinkDown, "pid.link.down"),
    (SignalKind::Cancel, "pid.cancel"),
    (SignalKind::Outdated, "pid.outdated"),
];

unsafe fn push_signal(lua: State, signal: &Signal) {
    ffi::lua_createtable(lua, 0, 4);
    let kind = KINDS.iter().find(|(kind, _)| *kind == signal.kind).map_or("", |(_, text)| *text);
    lua::set_text(lua, -1, c"kind", kind);
    if signal.kind == SignalKind::Outdated {
        push_sources(lua, &signal.sources);
        ffi::lua_setfield(lua, -2, c"sources".as_ptr());
        return;
    }
    lua::set_text(lua, -1, c"from", &signal.sender);
    lua::set_integer(lua, -1, c"at", i64::try_from(signal.at / 1_000_000_000).unwrap_or(i64::MAX));
    if signal.kind == SignalKind::Cancel {
        lua::set_text(lua, -1, c"reason", &signal.reason);
        return;
    }
    ffi::lua_createtable(lua, 0, 1);
    if let Some(error) = &signal.error {
        errors::push_host(lua, error);
        ffi::lua_setfield(lua, -2, c"error".as_ptr());
    } else if !signal.value.data.is_empty() {
        let top = ffi::lua_gettop(lua);
        let channels = channel::push_channels(lua, &signal.value.channels);
        if let Ok(1..) = payload::decode_values(lua, &signal.value.data, channels) {
            let first = top + 1 + c_int::from(channels != 0);
            ffi::lua_pushvalue(lua, first);
            ffi::lua_setfield(lua, top, c"value".as_ptr());
        }
        ffi::lua_settop(lua, top);
    }
    ffi::lua_setfield(lua, -2, c"result".as_ptr());
}

unsafe fn push_sources(lua: State, sources: &[String]) {
    ffi::lua_createtable(lua, c_int::try_from(sources.len()).unwrap_or(0), 0);
    let mut number = 0;
    for source in sources {
        lua::push_str(lua, source);
        number += 1;
        ffi::lua_rawseti(lua, -2, number);
    }
}
