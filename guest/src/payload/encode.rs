//! From the Lua stack to bytes. Nothing here raises: it reads without metamethods and allocates outside of Lua.

use std::ffi::{c_int, c_void};
use std::{mem, str};

use super::{EXT_CHANNEL, EXT_ERROR, EXT_RESOURCE, MAX_DEPTH};
use crate::errors::{self, Kind};
use crate::host::Payload;
use crate::lua::{self, State, ffi};
use crate::machine::machine;

/// Why values cannot cross, with the path to the one that cannot.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// The limit that is exceeded, a document; empty for other failures.
    pub(crate) details: Vec<u8>,
}

/// Encodes `count` values from `first` on as the array document of a payload.
///
/// The bytes come from the machine's reused buffer; give them back with [`put_back`] after use.
pub(crate) unsafe fn encode_values(lua: State, first: c_int, count: c_int) -> Result<Payload, Failure> {
    encode(lua, first, count, Encoder::new(), "payload")
}

/// Like [`encode_values`], for a call of a host module, which may see resources, but no channels.
pub(crate) unsafe fn encode_arguments(lua: State, first: c_int, count: c_int) -> Result<Payload, Failure> {
    let mut encoder = Encoder::new();
    encoder.channels_allowed = false;
    encoder.resources_allowed = true;
    // What the host allows, see `exchange` there.
    let memory = usize::try_from(machine().limits.memory / 8).unwrap_or(usize::MAX);
    encoder.max_size = encoder.max_size.max(memory.min(16 << 20));
    encode(lua, first, count, encoder, "argument")
}

unsafe fn encode(lua: State, first: c_int, count: c_int, mut encoder: Encoder, root: &str) -> Result<Payload, Failure> {
    if count == 0 {
        return Ok(encoder.finish());
    }
    encoder.array_header(usize::try_from(count).unwrap_or(0));
    // The object of a method is none of the arguments that its caller wrote.
    let of_method = encoder.resources_allowed && crate::hostmodule::resource(lua, first).is_some();
    for offset in 0..count {
        if let Err(fault) = encoder.value(lua, first + offset) {
            let root = match (of_method, count) {
                (true, 2) | (false, 1) => root.to_owned(),
                (true, _) => format!("{root}[{offset}]"),
                (false, _) => format!("{root}[{}]", offset + 1),
            };
            return Err(encoder.failure(root, fault));
        }
    }
    Ok(encoder.finish())
}

/// Encodes the value at `index` as one document. Channels cannot stand in it.
pub(crate) unsafe fn encode_document(lua: State, index: c_int, root: &str) -> Result<Vec<u8>, Failure> {
    encode_one(lua, index, root, false)
}

unsafe fn encode_one(lua: State, index: c_int, root: &str, resources: bool) -> Result<Vec<u8>, Failure> {
    let mut encoder = Encoder::new();
    encoder.channels_allowed = false;
    encoder.resources_allowed = resources;
    match encoder.value(lua, ffi::lua_absindex(lua, index)) {
        Ok(()) => Ok(encoder.finish().data),
        Err(fault) => Err(encoder.failure(root.to_owned(), fault)),
    }
}

/// Like [`encode_document`] for a table that must be a map; an empty table is an empty map, none is no bytes.
pub(crate) unsafe fn encode_map(lua: State, index: c_int, root: &str) -> Result<Vec<u8>, Failure> {
    encode_fields(lua, index, root, false)
}

/// Like [`encode_map`] for options of a call or a spawn, among which resources of host modules may be.
pub(crate) unsafe fn encode_options(lua: State, index: c_int) -> Result<Vec<u8>, Failure> {
    encode_fields(lua, index, "options", true)
}

unsafe fn encode_fields(lua: State, index: c_int, root: &str, resources: bool) -> Result<Vec<u8>, Failure> {
    if ffi::lua_isnoneornil(lua, index) != 0 {
        return Ok(Vec::new());
    }
    let document = encode_one(lua, index, root, resources)?;
    match document.first() {
        Some(0x80..=0x8f | 0xde | 0xdf) => Ok(document),
        Some(0x90) => Ok(vec![0x80]),
        _ => Err(Failure {
            details: Vec::new(),
            kind: errors::INVALID,
            message: format!("{root} is not a table of named values; write {root}.name = value"),
        }),
    }
}

/// Gives the bytes of a payload back for the next one.
pub(crate) fn put_back(payload: Payload) {
    /// A buffer above this size goes back to the allocator, so that one large message does not stay in memory.
    const KEPT: usize = 16 * 1024;
    let mut data = payload.data;
    if data.capacity() <= KEPT && data.capacity() > machine().buffer.capacity() {
        data.clear();
        machine().buffer = data;
    }
}

struct Encoder {
    bytes: Vec<u8>,
    channels: Vec<u32>,
    channels_allowed: bool,
    resources_allowed: bool,
    max_size: usize,
    max_depth: u32,
    /// The tables around the current value, to tell a cycle from depth.
    around: Vec<*const c_void>,
}

/// A value that cannot be encoded, before the path to it is known.
struct Fault {
    kind: Kind,
    reason: String,
    /// Steps from the value outwards.
    path: Vec<String>,
    /// How many of the innermost steps to leave out: those that go round a cycle again.
    skip: usize,
    /// The limit that is exceeded, a document as [`errors::limit_details`] makes it.
    details: Vec<u8>,
}

type Encoded = Result<(), Fault>;

fn invalid(reason: String) -> Fault {
    Fault { kind: errors::INVALID, reason, path: Vec::new(), skip: 0, details: Vec::new() }
}

fn exceeded(limit: &str, allowed: usize, used: usize, reason: String) -> Fault {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    crate::host::refused(limit);
    let details = errors::limit_details(limit, number(allowed), number(used));
    Fault { kind: errors::LIMIT_EXCEEDED, details, ..invalid(reason) }
}

impl Encoder {
    fn new() -> Self {
        let limits = &machine().limits;
        Self {
            bytes: mem::take(&mut machine().buffer),
            channels: Vec::new(),
            channels_allowed: true,
            resources_allowed: false,
            max_size: usize::try_from(limits.message_size).unwrap_or(usize::MAX),
            max_depth: limits.depth.min(MAX_DEPTH),
            around: Vec::new(),
        }
    }

    fn finish(self) -> Payload {
        Payload { data: self.bytes, channels: self.channels }
    }

    fn failure(self, root: String, fault: Fault) -> Failure {
        let mut path = root;
        for step in fault.path.iter().skip(fault.skip).rev() {
            path.push_str(step);
        }
        let kept = self.bytes;
        put_back(Payload { data: kept, channels: Vec::new() });
        Failure { kind: fault.kind, message: format!("{path} {}", fault.reason), details: fault.details }
    }

    /// Makes room for `more` bytes within the limit.
    fn reserve(&mut self, more: usize) -> Encoded {
        let size = self.bytes.len().saturating_add(more);
        if size > self.max_size {
            return Err(exceeded(
                "message_size",
                self.max_size,
                size,
                format!("makes the message larger than {} bytes, the limit of one message", self.max_size),
            ));
        }
        self.bytes
            .try_reserve(more)
            .map_err(|_| exceeded("memory", self.bytes.len(), size, "does not fit into the memory of the process".to_owned()))
    }

    unsafe fn value(&mut self, lua: State, index: c_int) -> Encoded {
        self.reserve(9)?;
        match ffi::lua_type(lua, index) {
            ffi::LUA_TNIL => self.bytes.push(0xc0),
            ffi::LUA_TBOOLEAN => self.bytes.push(if ffi::lua_toboolean(lua, index) != 0 { 0xc3 } else { 0xc2 }),
            ffi::LUA_TNUMBER => self.number(lua, index),
            ffi::LUA_TSTRING => return self.string(lua::to_bytes(lua, index).unwrap_or(b"")),
            ffi::LUA_TTABLE => return self.table(lua, index),
            ffi::LUA_TUSERDATA => return self.object(lua, index),
            _ => {
                let name = lua::type_name(lua, index);
                return Err(invalid(format!("is a {name}, which cannot leave its process")));
            }
        }
        Ok(())
    }

    unsafe fn number(&mut self, lua: State, index: c_int) {
        if ffi::lua_isinteger(lua, index) != 0 {
            self.integer(ffi::lua_tointegerx(lua, index, std::ptr::null_mut()));
        } else {
            self.bytes.push(0xcb);
            self.bytes.extend_from_slice(&ffi::lua_tonumberx(lua, index, std::ptr::null_mut()).to_be_bytes());
        }
    }

    fn integer(&mut self, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            if value >= -32 {
                self.bytes.extend_from_slice(&value.to_be_bytes());
            } else {
                self.bytes.push(0xd0);
                self.bytes.extend_from_slice(&value.to_be_bytes());
            }
        } else if let Ok(value) = i16::try_from(value) {
            self.bytes.push(0xd1);
            self.bytes.extend_from_slice(&value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.bytes.push(0xd2);
            self.bytes.extend_from_slice(&value.to_be_bytes());
        } else {
            self.bytes.push(0xd3);
            self.bytes.extend_from_slice(&value.to_be_bytes());
        }
    }

    fn string(&mut self, text: &[u8]) -> Encoded {
        self.reserve(text.len().saturating_add(5))?;
        let utf8 = str::from_utf8(text).is_ok();
        match (utf8, text.len()) {
            (true, length @ 0..=31) => self.bytes.push(0xa0 | low_byte(length)),
            (true, length @ 32..=0xff) => self.bytes.extend_from_slice(&[0xd9, low_byte(length)]),
            (false, length @ 0..=0xff) => self.bytes.extend_from_slice(&[0xc4, low_byte(length)]),
            (_, length) => self.wide_header(length, if utf8 { 0xda } else { 0xc5 }),
        }
        self.bytes.extend_from_slice(text);
        Ok(())
    }

    /// A header of 16 bits of length, or of 32 bits, whose code is the next one.
    fn wide_header(&mut self, length: usize, code: u8) {
        if let Ok(length) = u16::try_from(length) {
            self.bytes.push(code);
            self.bytes.extend_from_slice(&length.to_be_bytes());
        } else {
            self.bytes.push(code + 1);
            self.bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }

    fn array_header(&mut self, length: usize) {
        match length {
            0..=15 => self.bytes.push(0x90 | low_byte(length)),
            _ => self.wide_header(length, 0xdc),
        }
    }

    unsafe fn table(&mut self, lua: State, index: c_int) -> Encoded {
        let address = ffi::lua_topointer(lua, index);
        if self.around.len() >= usize::try_from(self.max_depth).unwrap_or(usize::MAX) || ffi::lua_checkstack(lua, 6) == 0 {
            return Err(self.too_deep(address));
        }
        let table = ffi::lua_absindex(lua, index);
        self.around.push(address);
        let start = self.bytes.len();
        let top = ffi::lua_gettop(lua);
        let length = ffi::lua_rawlen(lua, table);
        let mut done = self.array(lua, table, length);
        if matches!(done, Ok(false)) {
            self.bytes.truncate(start);
            ffi::lua_settop(lua, top);
            done = if is_sequence(lua, table, length) { self.elements(lua, table, length) } else { self.map(lua, table) };
        }
        self.around.pop();
        ffi::lua_settop(lua, top);
        done.map(|_| ())
    }

    /// Encodes a table as an array while its keys come as 1..n; false when they do not.
    unsafe fn array(&mut self, lua: State, table: c_int, length: usize) -> Result<bool, Fault> {
        self.array_header(length);
        let mut expected = 0;
        let mut checked = false;
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            expected += 1;
            if ffi::lua_isinteger(lua, -2) == 0 || ffi::lua_tointegerx(lua, -2, std::ptr::null_mut()) != expected {
                return Ok(false);
            }
            let value = ffi::lua_gettop(lua);
            if !checked && ffi::lua_istable(lua, value) != 0 {
                // What is written in vain must not be large: nested tables would double the work at each level.
                checked = true;
                if !is_in_order(lua, table, length) {
                    return Ok(false);
                }
            }
            self.value(lua, value).map_err(|fault| at(fault, || format!("[{expected}]")))?;
            ffi::lua_pop(lua, 1);
        }
        Ok(usize::try_from(expected) == Ok(length))
    }

    /// Encodes a sequence whose elements do not lie in order.
    unsafe fn elements(&mut self, lua: State, table: c_int, length: usize) -> Result<bool, Fault> {
        self.array_header(length);
        for key in 1..=i64::try_from(length).unwrap_or(0) {
            ffi::lua_rawgeti(lua, table, key);
            let value = ffi::lua_gettop(lua);
            self.value(lua, value).map_err(|fault| at(fault, || format!("[{key}]")))?;
            ffi::lua_pop(lua, 1);
        }
        Ok(true)
    }

    unsafe fn map(&mut self, lua: State, table: c_int) -> Result<bool, Fault> {
        let start = self.bytes.len();
        self.bytes.push(0x80);
        let mut count = 0;
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, table) != 0 {
            count += 1;
            let value = ffi::lua_gettop(lua);
            self.key(lua, value - 1)?;
            self.value(lua, value).map_err(|fault| at(fault, || key_step(lua, value - 1)))?;
            ffi::lua_pop(lua, 1);
        }
        self.patch_map_header(start, count)?;
        Ok(true)
    }

    /// The number of entries is known only after they are written, and a larger header needs more room than the small one.
    fn patch_map_header(&mut self, start: usize, count: usize) -> Encoded {
        let body = start + 1;
        let mut header = [0; 5];
        let header = match u16::try_from(count) {
            Ok(count @ 0..=15) => {
                header[0] = 0x80 | low_byte(usize::from(count));
                header.get(..1)
            }
            Ok(count) => {
                header[0] = 0xde;
                header[1..3].copy_from_slice(&count.to_be_bytes());
                header.get(..3)
            }
            Err(_) => {
                header[0] = 0xdf;
                header[1..5].copy_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
                header.get(..5)
            }
        };
        self.reserve(4)?;
        self.bytes.splice(start..body, header.unwrap_or(&[]).iter().copied());
        Ok(())
    }

    unsafe fn key(&mut self, lua: State, index: c_int) -> Encoded {
        match ffi::lua_type(lua, index) {
            ffi::LUA_TSTRING | ffi::LUA_TNUMBER | ffi::LUA_TBOOLEAN => self.value(lua, index),
            _ => {
                let name = lua::type_name(lua, index);
                Err(invalid(format!("has a {name} as a key; only strings, numbers and booleans can leave a process as keys")))
            }
        }
    }

    unsafe fn object(&mut self, lua: State, index: c_int) -> Encoded {
        if errors::is_error(lua, index) {
            return self.error(lua, index);
        }
        if crate::channel::is_channel(lua, index) {
            return self.channel(lua, index);
        }
        if super::object::is_payload(lua, index) {
            return self.payload(lua, index);
        }
        if self.resources_allowed
            && let Some(id) = crate::hostmodule::resource(lua, index)
        {
            return self.resource(lua, index, id);
        }
        if ffi::luaL_getmetafield(lua, index, c"__name".as_ptr()) == ffi::LUA_TNIL {
            ffi::lua_pushnil(lua);
        }
        let name = lua::to_text(lua, -1).unwrap_or("userdata").to_owned();
        ffi::lua_settop(lua, -2);
        Err(invalid(format!("is a {name}, which cannot leave its process")))
    }

    unsafe fn error(&mut self, lua: State, index: c_int) -> Encoded {
        let Some(parts) = errors::parts(lua, index) else { return Ok(()) };
        let index = ffi::lua_absindex(lua, index);
        if self.around.len() >= usize::try_from(self.max_depth).unwrap_or(usize::MAX) || ffi::lua_checkstack(lua, 6) == 0 {
            return Err(self.too_deep(ffi::lua_topointer(lua, index)));
        }
        // The length of the extension comes before its data, so it is patched in afterwards.
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0xc9, 0, 0, 0, 0, EXT_ERROR.to_be_bytes()[0]]);
        let count = 4 + u8::from(parts.retryable.is_some());
        self.reserve(1)?;
        self.bytes.push(0x80 | count);
        self.string(b"kind")?;
        self.string(parts.kind)?;
        self.string(b"message")?;
        self.string(parts.message)?;
        if let Some(retryable) = parts.retryable {
            self.string(b"retryable")?;
            self.bytes.push(if retryable { 0xc3 } else { 0xc2 });
        }
        self.string(b"details")?;
        self.around.push(ffi::lua_topointer(lua, index));
        errors::push_details(lua, index);
        let details = ffi::lua_gettop(lua);
        let done = self.value(lua, details).map_err(|fault| at(fault, || ".details".to_owned()));
        ffi::lua_pop(lua, 1);
        self.around.pop();
        done?;
        self.string(b"trace")?;
        self.string(parts.stack)?;
        self.patch_length(start);
        Ok(())
    }

    unsafe fn channel(&mut self, lua: State, index: c_int) -> Encoded {
        if !self.channels_allowed {
            return Err(invalid("is a channel, which can stand in messages and arguments only".to_owned()));
        }
        let handle = crate::channel::share(lua, index).map_err(|failure| Fault {
            details: failure.details,
            kind: failure.kind,
            ..invalid(format!("is a channel that cannot be shared: {}", failure.message))
        })?;
        let place = self.channels.iter().position(|known| *known == handle).unwrap_or_else(|| {
            self.channels.push(handle);
            self.channels.len() - 1
        });
        self.bytes.extend_from_slice(&[0xd6, EXT_CHANNEL.to_be_bytes()[0]]);
        self.bytes.extend_from_slice(&u32::try_from(place).unwrap_or(u32::MAX).to_be_bytes());
        Ok(())
    }

    unsafe fn resource(&mut self, lua: State, index: c_int, id: u64) -> Encoded {
        let top = ffi::lua_gettop(lua);
        if ffi::lua_checkstack(lua, 6) == 0 {
            return Err(self.too_deep(std::ptr::null()));
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0xc9, 0, 0, 0, 0, EXT_RESOURCE.to_be_bytes()[0], 0x93]);
        crate::hostmodule::push_names(lua, index);
        let done = self.value(lua, top + 1).and_then(|()| self.value(lua, top + 2)).and_then(|()| self.reserve(9));
        ffi::lua_settop(lua, top);
        done?;
        self.bytes.push(0xcf);
        self.bytes.extend_from_slice(&id.to_be_bytes());
        self.patch_length(start);
        Ok(())
    }

    /// Writes the length of the extension that began at `start`, which is known only now.
    fn patch_length(&mut self, start: usize) {
        let length = u32::try_from(self.bytes.len() - start - 6).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(start + 1..start + 5) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// A Payload stands for its value.
    unsafe fn payload(&mut self, lua: State, index: c_int) -> Encoded {
        if ffi::lua_checkstack(lua, 6) == 0 {
            return Err(self.too_deep(std::ptr::null()));
        }
        let top = ffi::lua_gettop(lua);
        let done = match super::object::content(lua, index) {
            super::object::Content::Document(document) => {
                self.reserve(document.len()).map(|()| self.bytes.extend_from_slice(document))
            }
            super::object::Content::Value => {
                let value = ffi::lua_gettop(lua);
                self.value(lua, value)
            }
        };
        ffi::lua_settop(lua, top);
        done
    }

    fn too_deep(&self, address: *const c_void) -> Fault {
        let depth = self.around.len();
        match self.around.iter().rposition(|known| *known == address) {
            Some(first) => {
                let first = self.around.iter().position(|known| *known == address).unwrap_or(first);
                let length =
                    self.around.iter().skip(first + 1).position(|known| *known == address).map_or(depth - first, |next| next + 1);
                let mut fault = invalid("contains itself; values that leave a process cannot be cyclic".to_owned());
                fault.skip = depth.saturating_sub(first + length);
                fault
            }
            None => exceeded(
                "message_depth",
                depth,
                depth + 1,
                format!("is nested deeper than {depth} levels, the limit of one message"),
            ),
        }
    }
}

fn at(mut fault: Fault, step: impl FnOnce() -> String) -> Fault {
    fault.path.push(step());
    fault
}

/// How a key reads in a path: `.name`, `[3]` or `["other name"]`.
unsafe fn key_step(lua: State, index: c_int) -> String {
    match ffi::lua_type(lua, index) {
        ffi::LUA_TSTRING => {
            let name = String::from_utf8_lossy(lua::to_bytes(lua, index).unwrap_or(b""));
            let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if plain { format!(".{name}") } else { format!("[{name:?}]") }
        }
        ffi::LUA_TBOOLEAN => format!("[{}]", ffi::lua_toboolean(lua, index) != 0),
        _ if ffi::lua_isinteger(lua, index) != 0 => format!("[{}]", ffi::lua_tointegerx(lua, index, std::ptr::null_mut())),
        _ => format!("[{}]", ffi::lua_tonumberx(lua, index, std::ptr::null_mut())),
    }
}

/// Tells whether the keys of a table are 1 to `length`, and come in this order.
unsafe fn is_in_order(lua: State, table: c_int, length: usize) -> bool {
    let top = ffi::lua_gettop(lua);
    let mut expected = 0;
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, table) != 0 {
        expected += 1;
        if ffi::lua_isinteger(lua, -2) == 0 || ffi::lua_tointegerx(lua, -2, std::ptr::null_mut()) != expected {
            ffi::lua_settop(lua, top);
            return false;
        }
        ffi::lua_pop(lua, 1);
    }
    usize::try_from(expected) == Ok(length)
}

/// Whether the keys are exactly 1..length, in whatever order they lie.
unsafe fn is_sequence(lua: State, table: c_int, length: usize) -> bool {
    let mut count = 0;
    ffi::lua_pushnil(lua);
    while ffi::lua_next(lua, table) != 0 {
        ffi::lua_pop(lua, 1);
        let key = if ffi::lua_isinteger(lua, -1) != 0 { ffi::lua_tointegerx(lua, -1, std::ptr::null_mut()) } else { 0 };
        if key < 1 || usize::try_from(key).map_or(true, |key| key > length) {
            ffi::lua_pop(lua, 1);
            return false;
        }
        count += 1;
    }
    count == length
}

fn low_byte(length: usize) -> u8 {
    u8::try_from(length & 0xff).unwrap_or(0)
}
