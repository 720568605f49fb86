//! From bytes to the Lua stack. The bytes may be anything: a broken document is an error, never a fault.
//!
//! Pushing may raise "not enough memory", so nothing here owns anything.

use std::ffi::c_int;

use super::{EXT_CHANNEL, EXT_ERROR, EXT_RESOURCE, MAX_DEPTH};
use crate::errors;
use crate::lua::{self, State, ffi};

/// Why a document cannot be read.
pub(crate) type Broken = &'static str;

const TRUNCATED: Broken = "the document ends in the middle of a value";

/// Pushes the values of an array document and answers their number; pushes nothing when it is broken.
///
/// `channels` is the stack index of a table of the channels that came along, 0 for none.
pub(crate) unsafe fn decode_values(lua: State, document: &[u8], channels: c_int) -> Result<c_int, Broken> {
    if document.is_empty() {
        return Ok(0);
    }
    let top = ffi::lua_gettop(lua);
    let mut reader = Reader { bytes: document, channels: absolute(lua, channels) };
    let result = reader.values(lua);
    if result.is_err() {
        ffi::lua_settop(lua, top);
    }
    result
}

/// Pushes the value of a document; pushes nothing when it is broken.
pub(crate) unsafe fn decode_document(lua: State, document: &[u8], channels: c_int) -> Result<(), Broken> {
    let top = ffi::lua_gettop(lua);
    let mut reader = Reader { bytes: document, channels: absolute(lua, channels) };
    let mut result = reader.value(lua, 0);
    if result.is_ok() && !reader.bytes.is_empty() {
        result = Err("the document goes on after its value");
    }
    if result.is_err() {
        ffi::lua_settop(lua, top);
    }
    result
}

/// Splits an array document into the documents of its elements.
pub(crate) fn each_value(document: &[u8]) -> Elements<'_> {
    let mut reader = Reader { bytes: document, channels: 0 };
    let left = if document.is_empty() { 0 } else { reader.array_length().unwrap_or(0) };
    Elements { reader, left }
}

/// The documents of the elements of an array document; ends early when it is broken.
pub(crate) struct Elements<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Elements<'_> {
    /// How many elements are left.
    pub(crate) fn len(&self) -> usize {
        self.left
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let start = self.reader.bytes;
        self.reader.skip(0).ok()?;
        start.get(..start.len() - self.reader.bytes.len())
    }
}

unsafe fn absolute(lua: State, index: c_int) -> c_int {
    if index == 0 { 0 } else { ffi::lua_absindex(lua, index) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    channels: c_int,
}

/// The head of a value: what it is, and what follows.
enum Head {
    Nil,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(usize),
    Array(usize),
    Map(usize),
    Extension(usize),
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn length8(&mut self) -> Result<usize, Broken> {
        Ok(usize::from(u8::from_be_bytes(self.number()?)))
    }

    fn length16(&mut self) -> Result<usize, Broken> {
        Ok(usize::from(u16::from_be_bytes(self.number()?)))
    }

    fn length32(&mut self) -> Result<usize, Broken> {
        usize::try_from(u32::from_be_bytes(self.number()?)).map_err(|_| TRUNCATED)
    }

    fn head(&mut self) -> Result<Head, Broken> {
        let code = u8::from_be_bytes(self.number()?);
        Ok(match code {
            0x00..=0x7f => Head::Integer(i64::from(code)),
            0x80..=0x8f => Head::Map(usize::from(code & 0x0f)),
            0x90..=0x9f => Head::Array(usize::from(code & 0x0f)),
            0xa0..=0xbf => Head::String(usize::from(code & 0x1f)),
            0xc0 => Head::Nil,
            0xc1 => return Err("the document holds the byte 0xc1, which means nothing"),
            0xc2 => Head::Boolean(false),
            0xc3 => Head::Boolean(true),
            0xc4 | 0xd9 => Head::String(self.length8()?),
            0xc5 | 0xda => Head::String(self.length16()?),
            0xc6 | 0xdb => Head::String(self.length32()?),
            0xc7 => Head::Extension(self.length8()?),
            0xc8 => Head::Extension(self.length16()?),
            0xc9 => Head::Extension(self.length32()?),
            0xca => Head::Float(f64::from(f32::from_be_bytes(self.number()?))),
            0xcb => Head::Float(f64::from_be_bytes(self.number()?)),
            0xcc => Head::Integer(i64::from(u8::from_be_bytes(self.number()?))),
            0xcd => Head::Integer(i64::from(u16::from_be_bytes(self.number()?))),
            0xce => Head::Integer(i64::from(u32::from_be_bytes(self.number()?))),
            0xcf => {
                let value = u64::from_be_bytes(self.number()?);
                // Lua has no larger integers; as a float the value is at least close.
                i64::try_from(value).map_or(Head::Float(value as f64), Head::Integer)
            }
            0xd0 => Head::Integer(i64::from(i8::from_be_bytes(self.number()?))),
            0xd1 => Head::Integer(i64::from(i16::from_be_bytes(self.number()?))),
            0xd2 => Head::Integer(i64::from(i32::from_be_bytes(self.number()?))),
            0xd3 => Head::Integer(i64::from_be_bytes(self.number()?)),
            0xd4..=0xd8 => Head::Extension(1 << (code - 0xd4)),
            0xdc => Head::Array(self.length16()?),
            0xdd => Head::Array(self.length32()?),
            0xde => Head::Map(self.length16()?),
            0xdf => Head::Map(self.length32()?),
            0xe0..=0xff => Head::Integer(i64::from(i8::from_be_bytes([code]))),
        })
    }

    fn array_length(&mut self) -> Result<usize, Broken> {
        match self.head()? {
            Head::Array(length) if length <= self.bytes.len() => Ok(length),
            Head::Array(_) => Err(TRUNCATED),
            _ => Err("the document is not an array of values"),
        }
    }

    unsafe fn values(&mut self, lua: State) -> Result<c_int, Broken> {
        let count = c_int::try_from(self.array_length()?).map_err(|_| TRUNCATED)?;
        if ffi::lua_checkstack(lua, count) == 0 {
            return Err("the document holds too many values");
        }
        for _ in 0..count {
            self.value(lua, 0)?;
        }
        if self.bytes.is_empty() { Ok(count) } else { Err("the document goes on after its values") }
    }

    unsafe fn value(&mut self, lua: State, depth: u32) -> Result<(), Broken> {
        match self.head()? {
            Head::Nil => ffi::lua_pushnil(lua),
            Head::Boolean(value) => ffi::lua_pushboolean(lua, c_int::from(value)),
            Head::Integer(value) => ffi::lua_pushinteger(lua, value),
            Head::Float(value) => ffi::lua_pushnumber(lua, value),
            Head::String(length) => lua::push_bytes(lua, self.take(length)?),
            Head::Array(length) => return self.array(lua, length, depth),
            Head::Map(length) => return self.map(lua, length, depth),
            Head::Extension(length) => return self.extension(lua, length, depth),
        }
        Ok(())
    }

    /// Each level needs room on the Lua stack; each element at least one byte, so a length beyond the bytes left is a lie.
    unsafe fn enter(&self, lua: State, least: usize, depth: u32) -> Result<(), Broken> {
        if depth >= MAX_DEPTH || ffi::lua_checkstack(lua, 8) == 0 {
            return Err("the document is nested too deeply");
        }
        if least > self.bytes.len() { Err(TRUNCATED) } else { Ok(()) }
    }

    unsafe fn array(&mut self, lua: State, length: usize, depth: u32) -> Result<(), Broken> {
        self.enter(lua, length, depth)?;
        ffi::lua_createtable(lua, c_int::try_from(length).map_err(|_| TRUNCATED)?, 0);
        for key in 1..=i64::try_from(length).map_err(|_| TRUNCATED)? {
            self.value(lua, depth + 1)?;
            ffi::lua_rawseti(lua, -2, key);
        }
        Ok(())
    }

    unsafe fn map(&mut self, lua: State, length: usize, depth: u32) -> Result<(), Broken> {
        self.enter(lua, length.saturating_mul(2), depth)?;
        ffi::lua_createtable(lua, 0, c_int::try_from(length).map_err(|_| TRUNCATED)?);
        for _ in 0..length {
            match self.head()? {
                Head::Boolean(value) => ffi::lua_pushboolean(lua, c_int::from(value)),
                Head::Integer(value) => ffi::lua_pushinteger(lua, value),
                Head::Float(value) if !value.is_nan() => ffi::lua_pushnumber(lua, value),
                Head::String(length) => lua::push_bytes(lua, self.take(length)?),
                _ => return Err("the document has a key that is neither string, number nor boolean"),
            }
            self.value(lua, depth + 1)?;
            ffi::lua_rawset(lua, -3);
        }
        Ok(())
    }

    unsafe fn extension(&mut self, lua: State, length: usize, depth: u32) -> Result<(), Broken> {
        let kind = i8::from_be_bytes(self.number()?);
        let data = self.take(length)?;
        match kind {
            EXT_ERROR => {
                self.enter(lua, 0, depth)?;
                let mut inner = Reader { bytes: data, channels: self.channels };
                inner.error(lua, depth + 1)
            }
            EXT_CHANNEL => {
                let place: [u8; 4] = data.try_into().map_err(|_| "the document has a channel of the wrong size")?;
                if self.channels == 0 {
                    return Err("the document names a channel, but none came along");
                }
                if ffi::lua_rawgeti(lua, self.channels, i64::from(u32::from_be_bytes(place)) + 1) == ffi::LUA_TNIL {
                    return Err("the document names a channel that did not come along");
                }
                Ok(())
            }
            EXT_RESOURCE => {
                self.enter(lua, 0, depth)?;
                let mut inner = Reader { bytes: data, channels: 0 };
                inner.resource(lua)
            }
            _ => Err("the document has a value of an unknown extension type"),
        }
    }

    unsafe fn resource(&mut self, lua: State) -> Result<(), Broken> {
        const STRANGE: Broken = "the document has a resource that is not [module, type, number]";
        let (Head::Array(3), Head::String(length)) = (self.head()?, self.head()?) else { return Err(STRANGE) };
        let module = self.take(length)?;
        let Head::String(length) = self.head()? else { return Err(STRANGE) };
        let kind = self.take(length)?;
        let Head::Integer(id) = self.head()? else { return Err(STRANGE) };
        if crate::hostmodule::push_resource(lua, module, kind, id.cast_unsigned()) {
            Ok(())
        } else {
            Err("the document has a resource of a module that is not loaded")
        }
    }

    unsafe fn error(&mut self, lua: State, depth: u32) -> Result<(), Broken> {
        let Head::Map(length) = self.head()? else { return Err("the document has an error that is not a map") };
        lua::push_str(lua, "");
        lua::push_str(lua, "");
        ffi::lua_pushnil(lua);
        lua::push_str(lua, "");
        let base = ffi::lua_gettop(lua) - 3;
        let mut retryable = None;
        for _ in 0..length {
            let Head::String(length) = self.head()? else { return Err("the document has an error with a strange key") };
            match self.take(length)? {
                b"kind" => self.text(lua, base)?,
                b"message" => self.text(lua, base + 1)?,
                b"details" => {
                    self.value(lua, depth)?;
                    ffi::lua_replace(lua, base + 2);
                }
                b"trace" => self.text(lua, base + 3)?,
                b"retryable" => match self.head()? {
                    Head::Boolean(value) => retryable = Some(value),
                    Head::Nil => retryable = None,
                    _ => return Err("the document has an error whose `retryable` is no boolean"),
                },
                _ => self.skip(depth)?,
            }
        }
        errors::from_parts(lua, retryable);
        Ok(())
    }

    unsafe fn text(&mut self, lua: State, place: c_int) -> Result<(), Broken> {
        match self.head()? {
            Head::String(length) => lua::push_bytes(lua, self.take(length)?),
            Head::Nil => lua::push_str(lua, ""),
            _ => return Err("the document has an error with a part that is no text"),
        }
        ffi::lua_replace(lua, place);
        Ok(())
    }

    fn skip(&mut self, depth: u32) -> Result<(), Broken> {
        let values = match self.head()? {
            Head::Nil | Head::Boolean(_) | Head::Integer(_) | Head::Float(_) => 0,
            Head::String(length) => {
                self.take(length)?;
                0
            }
            Head::Extension(length) => {
                self.take(length.saturating_add(1))?;
                0
            }
            Head::Array(length) => length,
            Head::Map(length) => length.saturating_mul(2),
        };
        if values > self.bytes.len() {
            return Err(TRUNCATED);
        }
        if depth >= MAX_DEPTH {
            return Err("the document is nested too deeply");
        }
        for _ in 0..values {
            self.skip(depth + 1)?;
        }
        Ok(())
    }
}
