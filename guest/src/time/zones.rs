//! The Lua type `Location`: UTC, local time, a fixed offset, or a zone with the data that the host has of it.
//!
//! Zone data comes from the host function `time.zone(name)`: one value, a string that holds a whole file in the format of RFC 8536
//! (version 2 or later), or an error of kind `NotFound`.

use std::ffi::{CStr, c_int};
use std::{ptr, slice};

use super::tzif::{self, Period};
use crate::host::{self, Outcome, Reply};
use crate::lua::{self, State, ffi};
use crate::{errors, payload, scheduler};

/// The name of the class.
pub(super) const CLASS: &CStr = c"Location";

/// The longest offset from UTC, in seconds: a day is more than any zone ever had.
const OFFSET_LIMIT: i64 = 86_400;

/// The longest name of a zone.
const NAME_LIMIT: usize = 255;

/// The registry keys of the two locations that always exist, and of the table of those that were loaded.
static UTC: u8 = 0;
static LOCAL: u8 = 0;
static LOADED: u8 = 0;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Utc,
    Local,
    Fixed,
    Data,
}

/// What stands at the head of a Location; its name and its data follow in the same userdata.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    kind: Kind,
    offset: i32,
    name: u32,
    data: u32,
}

/// A zone as the rest of the module uses it. A location other than the two constant ones lies on the Lua stack or in a moment, which
/// keeps it alive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone {
    kind: Kind,
    location: *const Head,
    /// The stack index of the location; 0 for the constant ones.
    index: c_int,
}

impl Zone {
    pub(super) const UTC: Zone = Zone { kind: Kind::Utc, location: ptr::null(), index: 0 };
    pub(super) const LOCAL: Zone = Zone { kind: Kind::Local, location: ptr::null(), index: 0 };

    /// The location at a stack index.
    unsafe fn of(location: *const Head, index: c_int) -> Zone {
        match (*location).kind {
            Kind::Utc => Zone::UTC,
            Kind::Local => Zone::LOCAL,
            kind => Zone { kind, location, index },
        }
    }

    /// The zone of a moment whose user value, a location, was just pushed.
    pub(super) unsafe fn from_top(lua: State) -> Zone {
        let location = lua::test_object::<Head>(lua, -1, CLASS);
        if location.is_null() { Zone::UTC } else { Zone::of(location, ffi::lua_gettop(lua)) }
    }

    /// Whether a moment has to keep a location for it.
    pub(super) fn needs_location(self) -> bool {
        self.index != 0
    }

    /// Whether it is local time.
    pub(super) fn is_local(self) -> bool {
        self.kind == Kind::Local
    }

    /// Pushes the location.
    pub(super) unsafe fn push(self, lua: State) {
        match self.kind {
            Kind::Utc => push_utc(lua),
            Kind::Local => push_local(lua),
            _ => ffi::lua_pushvalue(lua, self.index),
        }
    }

    /// What holds in the zone at a moment.
    pub(super) fn at<'a>(self, seconds: i64) -> Period<'a> {
        let utc = Period { offset: 0, abbreviation: b"UTC", daylight: false };
        match self.kind {
            Kind::Utc | Kind::Local => utc,
            // SAFETY: the location is alive as long as this value is used, and was built by `push_location`.
            Kind::Fixed => unsafe {
                Period { offset: (*self.location).offset, abbreviation: name_of(self.location), daylight: false }
            },
            Kind::Data => unsafe { data_of(self.location) }.and_then(|zone| zone.at(seconds)).unwrap_or(utc),
        }
    }

    /// The moment of a civil time of the zone. A time that the clocks skip or repeat gets one of the offsets around it.
    pub(super) fn to_unix(self, civil: i64) -> i64 {
        let guess = i64::from(self.at(civil).offset);
        civil - i64::from(self.at(civil - guess).offset)
    }

    /// The offset that an abbreviation has in the zone.
    pub(super) fn offset_of(self, abbreviation: &[u8], civil: i64) -> Option<i32> {
        match self.kind {
            Kind::Utc | Kind::Local => (abbreviation == b"UTC").then_some(0),
            Kind::Fixed => (abbreviation == self.at(civil).abbreviation).then_some(self.at(civil).offset),
            Kind::Data => unsafe { data_of(self.location) }.and_then(|zone| zone.offset_of(abbreviation, civil)),
        }
    }
}

/// Makes the class and the constant locations. Runs when the image is made.
pub(super) unsafe fn open(lua: State) {
    lua::new_class(lua, CLASS, &[(c"string", string)], &[(c"__tostring", string), (c"__eq", equal)]);
    push_location(lua, Kind::Utc, b"UTC", 0, b"");
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&UTC));
    push_location(lua, Kind::Local, b"Local", 0, b"");
    ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOCAL));
}

/// Pushes `time.utc`.
pub(super) unsafe fn push_utc(lua: State) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&UTC));
}

/// Pushes `time.localtz`.
pub(super) unsafe fn push_local(lua: State) {
    ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOCAL));
}

/// Pushes a location with a fixed offset, and answers it.
pub(super) unsafe fn push_fixed(lua: State, name: &[u8], offset: i32) -> Zone {
    push_location(lua, Kind::Fixed, name, offset, b"");
    Zone::from_top(lua)
}

unsafe fn push_location(lua: State, kind: Kind, name: &[u8], offset: i32, data: &[u8]) {
    let size = size_of::<Head>() + name.len() + data.len();
    let head = ffi::lua_newuserdatauv(lua, size, 0).cast::<Head>();
    ptr::write(head, Head { kind, offset, name: name.len() as u32, data: data.len() as u32 });
    let bytes = head.add(1).cast::<u8>();
    ptr::copy_nonoverlapping(name.as_ptr(), bytes, name.len());
    ptr::copy_nonoverlapping(data.as_ptr(), bytes.add(name.len()), data.len());
    ffi::luaL_setmetatable(lua, CLASS.as_ptr());
}

unsafe fn name_of<'a>(location: *const Head) -> &'a [u8] {
    slice::from_raw_parts(location.add(1).cast::<u8>(), (*location).name as usize)
}

unsafe fn data_of<'a>(location: *const Head) -> Option<tzif::Zone<'a>> {
    let start = location.add(1).cast::<u8>().add((*location).name as usize);
    tzif::Zone::new(slice::from_raw_parts(start, (*location).data as usize))
}

/// The location argument at `index`; raises when it is something else.
pub(super) unsafe fn check(lua: State, index: c_int) -> Zone {
    Zone::of(lua::check_object::<Head>(lua, index, CLASS), index)
}

/// The optional location argument at `index`: local time when there is none.
pub(super) unsafe fn optional(lua: State, index: c_int) -> Zone {
    if ffi::lua_isnoneornil(lua, index) != 0 { Zone::LOCAL } else { check(lua, index) }
}

/// What an abbreviation that no zone knows says about its offset: `GMT+3` does.
pub(super) fn offset_of_name(name: &[u8]) -> i32 {
    let Some([sign @ (b'+' | b'-'), digits @ ..]) = name.strip_prefix(b"GMT") else { return 0 };
    let hours = digits.iter().take(2).fold(0, |hours, digit| hours * 10 + i32::from(digit.wrapping_sub(b'0') % 10));
    if *sign == b'-' { -hours * 3600 } else { hours * 3600 }
}

unsafe extern "C-unwind" fn string(lua: State) -> c_int {
    let location = lua::check_object::<Head>(lua, 1, CLASS);
    lua::push_bytes(lua, name_of(location));
    1
}

unsafe extern "C-unwind" fn equal(lua: State) -> c_int {
    let a = lua::test_object::<Head>(lua, 1, CLASS);
    let b = lua::test_object::<Head>(lua, 2, CLASS);
    let same = !a.is_null() && !b.is_null() && (*a).kind == (*b).kind && (*a).offset == (*b).offset && name_of(a) == name_of(b);
    ffi::lua_pushboolean(lua, c_int::from(same));
    1
}

pub(super) unsafe extern "C-unwind" fn fixed_zone(lua: State) -> c_int {
    let name = super::string(lua, 1);
    let offset = ffi::luaL_checkinteger(lua, 2);
    if name.len() > NAME_LIMIT {
        return errors::fail(lua, errors::INVALID, "the name of a location is at most 255 bytes long");
    }
    if !(-OFFSET_LIMIT..=OFFSET_LIMIT).contains(&offset) {
        return errors::fail(lua, errors::INVALID, "the offset of a location is at most 86400 seconds");
    }
    push_fixed(lua, name, offset as i32);
    1
}

pub(super) unsafe extern "C-unwind" fn load_location(lua: State) -> c_int {
    let name = super::string(lua, 1);
    ffi::lua_settop(lua, 1);
    match name {
        b"" => return errors::fail(lua, errors::INVALID, "the name of a location is empty"),
        b"UTC" => {
            push_utc(lua);
            return 1;
        }
        b"Local" => {
            push_local(lua);
            return 1;
        }
        _ => {}
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(byte);
    if name.len() > NAME_LIMIT || !name.iter().all(plain) {
        return unknown(lua, name, "names look like \"Europe/Berlin\"");
    }
    push_loaded(lua);
    ffi::lua_pushvalue(lua, 1);
    if ffi::lua_rawget(lua, -2) != ffi::LUA_TNIL {
        return 1;
    }
    ffi::lua_settop(lua, 1);
    ask(lua)
}

/// Asks the host for the data of the zone whose name is the only value on the stack.
unsafe fn ask(lua: State) -> c_int {
    let args = match payload::encode_value(lua, 1) {
        Ok(args) => args,
        Err(failure) => return errors::fail_host(lua, failure.into()),
    };
    let reply = host::invoke("time", "zone", &args);
    payload::put_back(args);
    match reply {
        Ok(Reply::Done(values)) => received(lua, &values.data),
        Ok(Reply::Pending(ticket)) => {
            scheduler::check_can_block(lua);
            scheduler::block_on_ticket(lua, ticket, received_later)
        }
        Ok(Reply::Raised(message)) => lua::raise(lua, message),
        Err(error) => failed(lua, &error),
    }
}

unsafe extern "C-unwind" fn received_later(lua: State, _status: c_int, _context: ffi::lua_KContext) -> c_int {
    ffi::lua_settop(lua, 1);
    match scheduler::outcome() {
        Outcome::Done(values) => received(lua, &values.data),
        Outcome::Failed(error) => failed(lua, error),
        Outcome::Closed => errors::fail(lua, errors::CANCELED, "the request for a location was given up"),
    }
}

/// Makes the location of the name at index 1 out of the host's answer.
unsafe fn received(lua: State, values: &[u8]) -> c_int {
    let name = super::string(lua, 1);
    let data = match payload::decode_values(lua, values, 0) {
        Ok(count) if count > 0 => lua::to_bytes(lua, 2).unwrap_or_default(),
        _ => b"",
    };
    if tzif::Zone::new(data).is_none() {
        return unknown(lua, name, "its data is broken");
    }
    push_location(lua, Kind::Data, name, 0, data);
    push_loaded(lua);
    ffi::lua_pushvalue(lua, 1);
    ffi::lua_pushvalue(lua, -3);
    ffi::lua_rawset(lua, -3);
    ffi::lua_pop(lua, 1);
    1
}

unsafe fn failed(lua: State, error: &host::HostError) -> c_int {
    if error.kind == errors::NOT_FOUND {
        let name = super::string(lua, 1);
        return unknown(lua, name, &error.message);
    }
    ffi::lua_pushnil(lua);
    errors::push_host(lua, error);
    2
}

unsafe fn unknown(lua: State, name: &[u8], reason: &str) -> c_int {
    let name: String = String::from_utf8_lossy(name).chars().take(80).collect();
    errors::fail_with(lua, errors::NOT_FOUND, format!("unknown location \"{name}\": {reason}"))
}

/// Pushes the table of loaded locations by name.
unsafe fn push_loaded(lua: State) {
    if ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED)) != ffi::LUA_TTABLE {
        ffi::lua_pop(lua, 1);
        ffi::lua_newtable(lua);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, lua::key(&LOADED));
    }
}
