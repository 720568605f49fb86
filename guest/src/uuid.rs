//! The module `uuid`: making, reading and printing universally unique identifiers (RFC 9562).

use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::lua::{self, State, ffi};
use crate::{errors, hash, host};

/// Ticks of 100 ns between the start of the Gregorian calendar in 1582 and 1970.
const GREGORIAN_TO_UNIX: u64 = 0x01b2_1dd2_1381_4000;

/// An identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uuid([u8; 16]);

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 10);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"v1", v1),
            (c"v3", v3),
            (c"v4", v4),
            (c"v5", v5),
            (c"v7", v7),
            (c"validate", validate),
            (c"version", version),
            (c"variant", variant),
            (c"parse", parse),
            (c"format", format),
        ],
    );
}

impl Uuid {
    /// Makes an identifier of the standard variant.
    fn new(mut bytes: [u8; 16], version: u8) -> Uuid {
        bytes[6] = (bytes[6] & 0x0f) | (version << 4);
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid(bytes)
    }

    /// A random one.
    pub(crate) fn random() -> Uuid {
        Uuid::new(random_bytes(), 4)
    }

    /// Reads the hyphenated form, also in braces or behind `urn:uuid:`, and 32 digits without hyphens. Case does not matter.
    pub(crate) fn parse(text: &[u8]) -> Option<Uuid> {
        let text = match text {
            [b'{', inner @ .., b'}'] if inner.len() == 36 => inner,
            [
                prefix @ ..,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
            ] if prefix.eq_ignore_ascii_case(b"urn:uuid:") => text.get(9..)?,
            _ => text,
        };
        let hyphenated = match text.len() {
            36 => true,
            32 => false,
            _ => return None,
        };
        let mut digits = text
            .iter()
            .enumerate()
            .filter(|(index, _)| !hyphenated || !matches!(index, 8 | 13 | 18 | 23))
            .map(|(_, digit)| *digit);
        if hyphenated && [8, 13, 18, 23].iter().any(|index| text.get(*index) != Some(&b'-')) {
            return None;
        }
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let high = char::from(digits.next()?).to_digit(16)?;
            let low = char::from(digits.next()?).to_digit(16)?;
            *byte = ((high << 4) | low) as u8;
        }
        Some(Uuid(bytes))
    }

    fn version(self) -> u8 {
        self.0[6] >> 4
    }

    fn variant(self) -> &'static str {
        match self.0[8] >> 4 {
            0..=7 => "NCS",
            8..=11 => "RFC4122",
            12..=13 => "Microsoft",
            _ => "Future",
        }
    }

    /// The 32 digits.
    fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0) {
            *pair = hash::hex(byte);
        }
        digits
    }

    /// The hyphenated form.
    fn hyphenated(self) -> [u8; 36] {
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|index| !matches!(index, 8 | 13 | 18 | 23));
        for (place, digit) in places.zip(self.digits()) {
            text[place] = digit;
        }
        text
    }

    /// Seconds since 1970, for the versions that carry a time.
    fn timestamp(self) -> Option<i64> {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        match self.version() {
            1 => {
                let ticks = u64::from_be_bytes([g & 0x0f, h, e, f, a, b, c, d]);
                Some((ticks as i64 - GREGORIAN_TO_UNIX as i64).div_euclid(10_000_000))
            }
            7 => Some((u64::from_be_bytes([0, 0, a, b, c, d, e, f]) / 1000) as i64),
            _ => None,
        }
    }
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&host::random_number().to_le_bytes());
    bytes[8..].copy_from_slice(&host::random_number().to_le_bytes());
    bytes
}

/// A stamp later than any that `last` has seen: the clock, or one more than the last when the clock did not go on.
fn later(last: &AtomicU64, clock: u64) -> u64 {
    let stamp = clock.max(last.load(Ordering::Relaxed).wrapping_add(1));
    last.store(stamp, Ordering::Relaxed);
    stamp
}

/// The host did not say where it runs, so the node is random, as the standard allows; its multicast bit marks that.
unsafe extern "C-unwind" fn v1(lua: State) -> c_int {
    static LAST: AtomicU64 = AtomicU64::new(0);
    static NODE: AtomicU64 = AtomicU64::new(0);
    if NODE.load(Ordering::Relaxed) == 0 {
        NODE.store(host::random_number() | (1 << 40), Ordering::Relaxed);
    }
    let node = NODE.load(Ordering::Relaxed);
    let ticks = later(&LAST, host::now() / 100 + GREGORIAN_TO_UNIX);
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(ticks as u32).to_be_bytes());
    bytes[4..6].copy_from_slice(&((ticks >> 32) as u16).to_be_bytes());
    bytes[6..8].copy_from_slice(&((ticks >> 48) as u16).to_be_bytes());
    // Fourteen bits of the same number serve as the clock sequence.
    bytes[8..].copy_from_slice(&node.to_be_bytes());
    push(lua, Uuid::new(bytes, 1))
}

unsafe extern "C-unwind" fn v4(lua: State) -> c_int {
    push(lua, Uuid::random())
}

/// Milliseconds, then twelve bits of their fraction, so that identifiers of one process sort in the order they were made.
unsafe extern "C-unwind" fn v7(lua: State) -> c_int {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = host::now();
    let stamp = later(&LAST, ((now / 1_000_000) << 12) | ((now % 1_000_000) * 4096 / 1_000_000));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&((stamp >> 12 << 16) | (stamp & 0xfff)).to_be_bytes());
    bytes[8..].copy_from_slice(&host::random_number().to_be_bytes());
    push(lua, Uuid::new(bytes, 7))
}

unsafe extern "C-unwind" fn v3(lua: State) -> c_int {
    named(lua, 3)
}

unsafe extern "C-unwind" fn v5(lua: State) -> c_int {
    named(lua, 5)
}

unsafe fn named(lua: State, version: u8) -> c_int {
    let (Some(namespace), Some(name)) = (lua::to_bytes(lua, 1), lua::to_bytes(lua, 2)) else {
        return errors::fail(lua, errors::INVALID, "namespace and name must be strings");
    };
    let Some(namespace) = Uuid::parse(namespace) else { return errors::fail(lua, errors::INVALID, "namespace is not a UUID") };
    let bytes = if version == 3 { hash::md5_of(&[&namespace.0, name]) } else { hash::sha1_head_of(&[&namespace.0, name]) };
    push(lua, Uuid::new(bytes, version))
}

unsafe extern "C-unwind" fn validate(lua: State) -> c_int {
    ffi::luaL_checkany(lua, 1);
    let valid = lua::to_bytes(lua, 1).is_some_and(|text| Uuid::parse(text).is_some());
    ffi::lua_pushboolean(lua, c_int::from(valid));
    1
}

unsafe extern "C-unwind" fn version(lua: State) -> c_int {
    let Some(text) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    let Some(uuid) = Uuid::parse(text) else { return invalid(lua) };
    ffi::lua_pushinteger(lua, i64::from(uuid.version()));
    1
}

unsafe extern "C-unwind" fn variant(lua: State) -> c_int {
    let Some(text) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    let Some(uuid) = Uuid::parse(text) else { return invalid(lua) };
    lua::push_str(lua, uuid.variant());
    1
}

unsafe extern "C-unwind" fn parse(lua: State) -> c_int {
    let Some(text) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    let Some(uuid) = Uuid::parse(text) else { return invalid(lua) };
    ffi::lua_createtable(lua, 0, 4);
    lua::set_integer(lua, -1, c"version", i64::from(uuid.version()));
    lua::set_text(lua, -1, c"variant", uuid.variant());
    if let Some(timestamp) = uuid.timestamp() {
        lua::set_integer(lua, -1, c"timestamp", timestamp);
    }
    if uuid.version() == 1 {
        let digits = uuid.digits();
        lua::push_bytes(lua, digits.get(20..).unwrap_or_default());
        ffi::lua_setfield(lua, -2, c"node".as_ptr());
    }
    1
}

unsafe extern "C-unwind" fn format(lua: State) -> c_int {
    let Some(text) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    let form = if ffi::lua_isnoneornil(lua, 2) != 0 { Some(&b"standard"[..]) } else { lua::to_bytes(lua, 2) };
    let Some(uuid) = Uuid::parse(text) else { return invalid(lua) };
    match form {
        Some(b"standard") => push(lua, uuid),
        Some(b"simple") => {
            lua::push_bytes(lua, &uuid.digits());
            1
        }
        Some(b"urn") => {
            lua::push_str(lua, "urn:uuid:");
            push(lua, uuid);
            ffi::lua_concat(lua, 2);
            1
        }
        _ => errors::fail(lua, errors::INVALID, "unsupported format, use standard, simple or urn"),
    }
}

unsafe fn push(lua: State, uuid: Uuid) -> c_int {
    lua::push_bytes(lua, &uuid.hyphenated());
    1
}

unsafe fn invalid(lua: State) -> c_int {
    errors::fail(lua, errors::INVALID, "invalid UUID format")
}

unsafe fn no_string(lua: State) -> c_int {
    errors::fail(lua, errors::INVALID, "input must be a string")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_read() {
        let uuid = Uuid::parse(b"6ba7b811-9dad-11d1-80b4-00c04fd430c8").unwrap();
        for form in [
            "6BA7B8119DAD11D180B400C04FD430C8",
            "{6ba7b811-9dad-11d1-80b4-00c04fd430c8}",
            "URN:uuid:6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        ] {
            assert_eq!(Uuid::parse(form.as_bytes()), Some(uuid), "{form}");
        }
        assert_eq!(&uuid.hyphenated(), b"6ba7b811-9dad-11d1-80b4-00c04fd430c8");
        assert_eq!((uuid.version(), uuid.variant(), uuid.timestamp()), (1, "RFC4122", Some(886_630_433)));
    }

    #[test]
    fn other_texts_are_no_identifiers() {
        let whole = b"6ba7b811-9dad-11d1-80b4-00c04fd430c8";
        for length in 0..whole.len() {
            assert_eq!(Uuid::parse(&whole[..length]), None);
        }
        for text in [
            "6ba7b811+9dad-11d1-80b4-00c04fd430c8",
            "6ba7b811-9dad-11d1-80b4-00c04fd430cg",
            "{6ba7b8119dad11d180b400c04fd430c8}",
            "urn:uuid:6ba7b8119dad11d180b400c04fd430c8",
        ] {
            assert_eq!(Uuid::parse(text.as_bytes()), None, "{text}");
        }
    }
}
