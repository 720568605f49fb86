//! Lua tables read where they lie, without a call into Lua per element.
//!
//! Encoders walk tables far more often than anything else does, and through the API each element costs several calls. The
//! layouts below are those of the one Lua that `build.rs` compiles; a native test and `self_check`, which runs while the image is
//! made, hold them against the API. Nothing here writes, and nothing here may be kept across a call that can run Lua code or its
//! collector.

use std::ffi::c_int;
use std::{ptr, slice};

use crate::lua::{State, ffi};

const TAG_FALSE: u8 = 0x01;
const TAG_TRUE: u8 = 0x11;
const TAG_INTEGER: u8 = 0x03;
const TAG_FLOAT: u8 = 0x13;
const TAG_SHORT_STRING: u8 = 0x44;
const TAG_LONG_STRING: u8 = 0x54;
const TAG_TABLE: u8 = 0x45;

/// What a tag tells of the type alone.
const TYPE_MASK: u8 = 0x0f;

/// A value with its tag: `TValue`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    value: Payload,
    tag: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
union Payload {
    integer: i64,
    float: f64,
    string: *const Text,
    table: *const Table,
}

/// An entry of the hash part: `Node`.
#[repr(C)]
pub(crate) struct Node {
    value: Payload,
    tag: u8,
    key_tag: u8,
    next: c_int,
    key: Payload,
}

/// A string: the head of `TString`; its bytes follow.
#[repr(C)]
pub(crate) struct Text {
    next: *const u8,
    tag: u8,
    marked: u8,
    extra: u8,
    short_length: u8,
    hash: u32,
    length_or_next: usize,
}

/// A table: `Table`.
#[repr(C)]
pub(crate) struct Table {
    next: *const u8,
    tag: u8,
    marked: u8,
    flags: u8,
    log2_nodes: u8,
    array_limit: u32,
    array: *const Slot,
    nodes: *const Node,
    last_free: *const Node,
    metatable: *const Table,
    gray_list: *const u8,
}

/// The flag of a table whose `array_limit` is only a hint.
const LIMIT_IS_HINT: u8 = 0x80;

/// A value that encoders know, or the type of another one.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Nil,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(&'a [u8]),
    Table(&'a Table),
    /// Another type, as `lua_type` numbers it.
    Other(c_int),
}

/// A key and a value of the hash part.
pub(crate) type Entry<'a> = (Value<'a>, Value<'a>);

impl Text {
    fn bytes<'a>(this: *const Text) -> &'a [u8] {
        // SAFETY: the caller got the pointer out of a live slot; the bytes follow the head.
        unsafe {
            let length = if (*this).short_length == 0xff { (*this).length_or_next } else { usize::from((*this).short_length) };
            slice::from_raw_parts(this.add(1).cast::<u8>(), length)
        }
    }
}

#[inline(always)]
fn value_of<'a>(value: Payload, tag: u8) -> Value<'a> {
    // SAFETY: the tag says which field of the union is set.
    unsafe {
        match tag {
            TAG_SHORT_STRING | TAG_LONG_STRING => Value::String(Text::bytes(value.string)),
            TAG_INTEGER => Value::Integer(value.integer),
            TAG_FLOAT => Value::Float(value.float),
            TAG_TABLE => Value::Table(&*value.table),
            TAG_FALSE => Value::Boolean(false),
            TAG_TRUE => Value::Boolean(true),
            _ if tag & TYPE_MASK == 0 => Value::Nil,
            _ => Value::Other(c_int::from(tag & TYPE_MASK)),
        }
    }
}

impl Slot {
    /// What stands in the slot.
    #[inline(always)]
    pub(crate) fn get<'a>(&self) -> Value<'a> {
        value_of(self.value, self.tag)
    }
}

impl Table {
    /// The array part; its later slots may be nil.
    #[inline]
    pub(crate) fn array(&self) -> &[Slot] {
        let limit = if self.flags & LIMIT_IS_HINT == 0 || self.array_limit == 0 {
            self.array_limit
        } else {
            self.array_limit.next_power_of_two()
        };
        if limit == 0 {
            return &[];
        }
        // SAFETY: Lua allocated this many slots.
        unsafe { slice::from_raw_parts(self.array, limit as usize) }
    }

    /// Whether a hash part was ever allocated, as a table with string keys has one, even when it is empty now.
    #[inline]
    pub(crate) fn has_hash_part(&self) -> bool {
        !self.last_free.is_null()
    }

    /// The entries of the hash part, in no useful order.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let count = if self.has_hash_part() { 1_usize << (self.log2_nodes & 31) } else { 0 };
        // SAFETY: Lua allocated this many nodes; without any, `nodes` points to a shared one that is never read here.
        let nodes = unsafe { slice::from_raw_parts(if count == 0 { ptr::dangling() } else { self.nodes }, count) };
        nodes
            .iter()
            .filter(|node| node.tag & TYPE_MASK != 0)
            .map(|node| (value_of(node.key, node.key_tag), value_of(node.value, node.tag)))
    }
}

/// The value at `index`. A string keeps its place only as long as it stays on the stack or in a table.
pub(crate) unsafe fn value_at<'a>(lua: State, index: c_int) -> Value<'a> {
    match ffi::lua_type(lua, index) {
        ffi::LUA_TNIL | ffi::LUA_TNONE => Value::Nil,
        ffi::LUA_TBOOLEAN => Value::Boolean(ffi::lua_toboolean(lua, index) != 0),
        ffi::LUA_TNUMBER if ffi::lua_isinteger(lua, index) != 0 => Value::Integer(ffi::lua_tointeger(lua, index)),
        ffi::LUA_TNUMBER => Value::Float(ffi::lua_tonumber(lua, index)),
        ffi::LUA_TSTRING => Value::String(crate::lua::to_bytes(lua, index).unwrap_or_default()),
        ffi::LUA_TTABLE => Value::Table(&*ffi::lua_topointer(lua, index).cast::<Table>()),
        other => Value::Other(other),
    }
}

/// Raises when the layouts above are not those of the Lua that runs, which can only be a mistake of the build.
pub(crate) unsafe fn self_check(lua: State) {
    ffi::lua_createtable(lua, 3, 1);
    for (index, value) in [(1, 11), (2, 22), (3, 33)] {
        ffi::lua_pushinteger(lua, value);
        ffi::lua_rawseti(lua, -2, index);
    }
    ffi::lua_pushnumber(lua, 0.5);
    ffi::lua_setfield(lua, -2, c"half".as_ptr());
    let correct = match value_at(lua, -1) {
        Value::Table(table) => {
            let array = table.array().iter().map(|slot| if let Value::Integer(value) = slot.get() { value } else { 0 });
            let mut entries = table.entries();
            let first = entries.next();
            array.eq([11, 22, 33])
                && matches!(first, Some((Value::String(b"half"), Value::Float(0.5))))
                && entries.next().is_none()
        }
        _ => false,
    };
    ffi::lua_pop(lua, 1);
    if !correct {
        crate::lua::raise_text(lua, "the layout of Lua's tables is not the one this guest was written for");
    }
}
