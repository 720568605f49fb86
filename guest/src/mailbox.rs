//! Where messages and signals go: the listeners of topics, the inbox, the events channel.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ptr;

use crate::channel::{self, Channel, Source};
use crate::errors;
use crate::host::{self, Event, HostError, Message, Signal, SignalKind};
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
    /// Bytes of the messages that these channels hold.
    pub(crate) held: usize,
    /// Whether it was said that requests to stop are dropped.
    flooded: bool,
}

/// The registry key of the table from channel address to channel.
static CHANNELS: u8 = 0;

/// Values that a channel of the host may hold: the host bounds them, not the channel.
const UNBOUNDED: u32 = u32::MAX;

impl Mailbox {
    pub(crate) const fn new() -> Self {
        Self {
            inbox: ptr::null_mut(),
            inbox_closed: false,
            events: ptr::null_mut(),
            topics: BTreeMap::new(),
            held: 0,
            flooded: false,
        }
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

/// Makes the channel on top that of a topic, which the host delivers into it from now on.
pub(crate) unsafe fn adopt(lua: State, topic: &str) -> Result<(), HostError> {
    let channel = channel::to_channel(lua, -1);
    match machine().mailbox.topics.get(topic) {
        Some(known) if ptr::eq(*known, channel) => return Ok(()),
        Some(_) => {
            let text = format!("another channel listens to `{topic}` already");
            return Err(HostError { retryable: Some(false), ..host::error(errors::ALREADY_EXISTS, text) });
        }
        None => {}
    }
    if !channel::is_unused(channel) {
        let text = "only a channel that nobody has used, and no other process knows, can take over a topic".to_owned();
        return Err(HostError { retryable: Some(false), ..host::error(errors::INVALID, text) });
    }
    host::listen(topic)?;
    channel::feed(channel, Source::Topic { message: false }, UNBOUNDED);
    keep(lua, channel);
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
    // What it still holds is read by nobody, or soon.
    channel::forget_held(channel, usize::MAX);
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

/// Takes back what was delivered and nobody received, for whoever goes on with this mailbox.
pub(crate) unsafe fn take_unread(lua: State) -> Vec<Event> {
    let top = ffi::lua_gettop(lua);
    let mut unread = Vec::new();
    let mailbox = &machine().mailbox;
    let topics = mailbox.topics.iter().filter(|(topic, _)| !topic.starts_with('@')).map(|(_, channel)| *channel);
    let channels: Vec<*mut Channel> = topics.chain([mailbox.inbox]).filter(|channel| !channel.is_null()).collect();
    for channel in channels {
        push_known(lua, channel);
        channel::take_buffered(lua, channel, -1, |lua| unread.extend(message::to_host(lua, -1).map(Event::Message)));
        ffi::lua_settop(lua, top);
    }
    let events = machine().mailbox.events;
    if !events.is_null() {
        push_known(lua, events);
        channel::take_buffered(lua, events, -1, |lua| unread.extend(to_signal(lua, -1).map(Event::Signal)));
    }
    ffi::lua_settop(lua, top);
    unread
}

/// Delivers again what was taken back.
pub(crate) unsafe fn give_unread(lua: State, unread: &[Event]) {
    for event in unread {
        match event {
            Event::Message(message) => deliver(lua, message),
            Event::Signal(known) => signal(lua, known),
            Event::Completed(_) => {}
        }
    }
}

/// Delivers a signal.
pub(crate) unsafe fn signal(lua: State, signal: &Signal) {
    if signal.kind == SignalKind::Cancel && is_flooded() {
        if !std::mem::replace(&mut machine().mailbox.flooded, true) {
            let text = "requests to stop are dropped, because so many wait already that nobody reads";
            host::log(host::Level::Warn, "process", text, &[], &signal.sender);
        }
        return;
    }
    let top = ffi::lua_gettop(lua);
    if signal.kind == SignalKind::Outdated && merge_outdated(lua, signal) {
        return ffi::lua_settop(lua, top);
    }
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

/// Signals that may wait before requests to stop are dropped: any process may send one, and one is as good as many.
const MAX_SIGNALS: u32 = 256;

unsafe fn is_flooded() -> bool {
    let events = machine().mailbox.events;
    !events.is_null() && channel::waiting(events) >= MAX_SIGNALS
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
    keep(lua, channel);
    channel
}

/// Keeps the channel on top alive for as long as the host feeds it.
unsafe fn keep(lua: State, channel: *mut Channel) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
    ffi::lua_pushvalue(lua, -2);
    ffi::lua_rawsetp(lua, -2, channel.cast());
    ffi::lua_pop(lua, 1);
}

unsafe fn push_known(lua: State, channel: *mut Channel) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&CHANNELS));
    ffi::lua_rawgetp(lua, -1, channel.cast());
    ffi::lua_remove(lua, -2);
}

/// The text of a kind of signal, as Lua sees it.
pub(crate) const KINDS: [(SignalKind, &str); 5] = [
    (SignalKind::Exit, "pid.exit"),
    (SignalKind::LinkDown, "pid.link.down"),
    (SignalKind::Cancel, "pid.cancel"),
    (SignalKind::Outdated, "pid.outdated"),
    (SignalKind::Limit, "pid.limit"),
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
    if signal.kind == SignalKind::Limit {
        push_limit(lua, signal);
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

/// What is nearly reached: `limit`, `allowed` and `used`, beside kind and time.
unsafe fn push_limit(lua: State, signal: &Signal) {
    lua::set_integer(lua, -1, c"at", i64::try_from(signal.at / 1_000_000_000).unwrap_or(i64::MAX));
    let Some(error) = &signal.error else { return };
    payload::push_details(lua, &error.details);
    for name in [c"limit", c"allowed", c"used"] {
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            ffi::lua_setfield(lua, -3, name.as_ptr());
        }
    }
    ffi::lua_pop(lua, 1);
}

/// Adds the sources of a signal to one that nobody has received yet; false when there is none.
unsafe fn merge_outdated(lua: State, signal: &Signal) -> bool {
    let events = machine().mailbox.events;
    if events.is_null() {
        return false;
    }
    push_known(lua, events);
    let is_outdated = |lua: State| {
        let found = lua::raw_field(lua, -1, "kind") != ffi::LUA_TNIL && lua::to_bytes(lua, -1) == Some(b"pid.outdated");
        ffi::lua_pop(lua, 1);
        found
    };
    if !channel::find_buffered(lua, events, -1, is_outdated) {
        return false;
    }
    let mut sources = sources_of(lua, -1);
    sources.extend(signal.sources.iter().cloned());
    sources.sort();
    sources.dedup();
    push_sources(lua, &sources);
    ffi::lua_setfield(lua, -2, c"sources".as_ptr());
    true
}

/// The texts in the list `sources` of the table at `index`.
unsafe fn sources_of(lua: State, index: c_int) -> Vec<String> {
    let top = ffi::lua_gettop(lua);
    let mut sources = Vec::new();
    if lua::raw_field(lua, index, "sources") == ffi::LUA_TTABLE {
        for number in 1..=ffi::lua_rawlen(lua, -1) {
            ffi::lua_rawgeti(lua, -1, i64::try_from(number).unwrap_or(0));
            sources.extend(lua::to_text(lua, -1).map(str::to_owned));
            ffi::lua_pop(lua, 1);
        }
    }
    ffi::lua_settop(lua, top);
    sources
}

/// The signal that the table at `index` was made from.
unsafe fn to_signal(lua: State, index: c_int) -> Option<Signal> {
    let index = ffi::lua_absindex(lua, index);
    let top = ffi::lua_gettop(lua);
    if ffi::lua_istable(lua, index) == 0 {
        return None;
    }
    let text = |name: &str| {
        lua::raw_field(lua, index, name);
        let text = lua::to_text(lua, -1).unwrap_or("").to_owned();
        ffi::lua_settop(lua, top);
        text
    };
    let kind = text("kind");
    let kind = KINDS.iter().find(|(_, known)| *known == kind)?.0;
    let (sender, reason) = (text("from"), text("reason"));
    lua::raw_field(lua, index, "at");
    let at = u64::try_from(ffi::lua_tointegerx(lua, -1, ptr::null_mut())).unwrap_or(0).saturating_mul(1_000_000_000);
    ffi::lua_settop(lua, top);
    let (mut value, mut error) = (host::Payload { data: Vec::new(), channels: Vec::new() }, None);
    if lua::raw_field(lua, index, "result") == ffi::LUA_TTABLE {
        if lua::raw_field(lua, top + 1, "error") != ffi::LUA_TNIL {
            error = Some(crate::machine::error_value(lua, top + 2, String::new()));
        } else if lua::raw_field(lua, top + 1, "value") != ffi::LUA_TNIL {
            // It came from a message, so that it can become one again.
            value = payload::encode_values(lua, top + 3, 1).unwrap_or(value);
        }
    }
    ffi::lua_settop(lua, top);
    Some(Signal { kind, sender, at, value, error, reason, sources: sources_of(lua, index) })
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
