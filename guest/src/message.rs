//! Message objects: what `process.inbox()` yields.
//!
//! A Message is one userdata that holds the texts and the encoded values behind its head, so it needs no destructor and its memory is
//! on Lua's account. Values are decoded when somebody asks for them.

use std::ffi::{CStr, c_int};
use std::{ptr, slice, str};

use crate::channel;
use crate::host;
use crate::lua::{self, State, ffi};
use crate::payload;

const CLASS: &CStr = c"Message";

/// The user value that is the table of channels that came along, if any did.
const CHANNELS: c_int = 1;

/// The head; topic, sender and document follow.
#[derive(Clone, Copy)]
struct Head {
    topic: usize,
    sender: usize,
    document: usize,
    has_sender: bool,
    has_channels: bool,
}

/// The parts of a message, borrowed from its userdata.
struct Parts<'a> {
    topic: &'a str,
    sender: Option<&'a str>,
    document: &'a [u8],
}

/// Makes the class.
pub(crate) unsafe fn open(lua: State) {
    lua::new_class(lua, CLASS, &[(c"topic", topic), (c"from", from), (c"payload", payload_of)], &[(c"__tostring", to_string)]);
}

/// Pushes the Message of what the host delivered.
pub(crate) unsafe fn push(lua: State, message: &host::Message) {
    let sender = message.sender.as_deref().unwrap_or("");
    let document = &message.body.data;
    let has_channels = !message.body.channels.is_empty();
    let size = size_of::<Head>() + message.topic.len() + sender.len() + document.len();
    let head = ffi::lua_newuserdatauv(lua, size, c_int::from(has_channels)).cast::<Head>();
    ptr::write(
        head,
        Head {
            topic: message.topic.len(),
            sender: sender.len(),
            document: document.len(),
            has_sender: message.sender.is_some(),
            has_channels,
        },
    );
    let mut place = head.add(1).cast::<u8>();
    for part in [message.topic.as_bytes(), sender.as_bytes(), document] {
        ptr::copy_nonoverlapping(part.as_ptr(), place, part.len());
        place = place.add(part.len());
    }
    ffi::luaL_setmetatable(lua, CLASS.as_ptr());
    if has_channels {
        channel::push_channels(lua, &message.body.channels);
        ffi::lua_setiuservalue(lua, -2, CHANNELS);
    }
}

/// Whether the value at `index` is a Message.
pub(crate) unsafe fn is_message(lua: State, index: c_int) -> bool {
    !lua::test_object::<Head>(lua, index, CLASS).is_null()
}

unsafe fn parts<'a>(head: *const Head) -> Parts<'a> {
    let start = head.add(1).cast::<u8>();
    let sender = start.add((*head).topic);
    let document = sender.add((*head).sender);
    // The texts were copied from Rust strings, whole.
    Parts {
        topic: str::from_utf8_unchecked(slice::from_raw_parts(start, (*head).topic)),
        sender: (*head).has_sender.then(|| str::from_utf8_unchecked(slice::from_raw_parts(sender, (*head).sender))),
        document: slice::from_raw_parts(document, (*head).document),
    }
}

/// Pushes the table of channels that came with the Message at `index` and answers its place; pushes nil and answers 0 without one.
unsafe fn push_channels(lua: State, index: c_int, head: *const Head) -> c_int {
    if !(*head).has_channels {
        ffi::lua_pushnil(lua);
        return 0;
    }
    ffi::lua_getiuservalue(lua, index, CHANNELS);
    ffi::lua_gettop(lua)
}

/// Pushes the bare value of the Message at `index`: an array of several, nil of none.
pub(crate) unsafe fn push_values(lua: State, index: c_int) -> Result<(), &'static str> {
    let head = lua::check_object::<Head>(lua, index, CLASS);
    let document = parts(head).document;
    let channels = push_channels(lua, index, head);
    let mut elements = payload::each_value(document);
    match (elements.len(), elements.next()) {
        (0, _) => {}
        (1, Some(element)) => {
            payload::decode_document(lua, element, channels)?;
            ffi::lua_remove(lua, -2);
        }
        _ => {
            payload::decode_document(lua, document, channels)?;
            ffi::lua_remove(lua, -2);
        }
    }
    Ok(())
}

/// The Message at `index` as the host delivered it; none when it is something else.
pub(crate) unsafe fn to_host(lua: State, index: c_int) -> Option<host::Message> {
    let index = ffi::lua_absindex(lua, index);
    let head = lua::test_object::<Head>(lua, index, CLASS);
    if head.is_null() {
        return None;
    }
    let Parts { topic, sender, document } = parts(head);
    let mut channels = Vec::new();
    if (*head).has_channels {
        ffi::lua_getiuservalue(lua, index, CHANNELS);
        for number in 1..=ffi::lua_rawlen(lua, -1) {
            ffi::lua_rawgeti(lua, -1, i64::try_from(number).unwrap_or(0));
            channels.extend(channel::share(lua, -1).ok());
            ffi::lua_pop(lua, 1);
        }
        ffi::lua_pop(lua, 1);
    }
    let body = host::Payload { data: document.to_vec(), channels };
    Some(host::Message { sender: sender.map(str::to_owned), topic: topic.to_owned(), body })
}

unsafe fn check(lua: State) -> *const Head {
    ffi::lua_settop(lua, 1);
    lua::check_object::<Head>(lua, 1, CLASS)
}

unsafe extern "C-unwind" fn topic(lua: State) -> c_int {
    lua::push_str(lua, parts(check(lua)).topic);
    1
}

unsafe extern "C-unwind" fn from(lua: State) -> c_int {
    match parts(check(lua)).sender {
        Some(sender) => lua::push_str(lua, sender),
        None => ffi::lua_pushnil(lua),
    }
    1
}

unsafe extern "C-unwind" fn payload_of(lua: State) -> c_int {
    let head = check(lua);
    let channels = push_channels(lua, 1, head);
    payload::push_each(lua, parts(head).document, 1, channels);
    1
}

unsafe extern "C-unwind" fn to_string(lua: State) -> c_int {
    lua::push_str(lua, "Message(");
    lua::push_str(lua, parts(lua::check_object::<Head>(lua, 1, CLASS)).topic);
    lua::push_str(lua, ")");
    ffi::lua_concat(lua, 3);
    1
}
