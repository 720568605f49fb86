//! The module `hash`: digests, message authentication codes, and FNV for partitioning.

use std::ffi::c_int;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::errors;
use crate::lua::{self, State, ffi};

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 10);
    lua::set_funcs(
        lua,
        -1,
        &[
            (c"md5", md5),
            (c"sha1", sha1),
            (c"sha256", sha256),
            (c"sha512", sha512),
            (c"hmac_md5", hmac_md5),
            (c"hmac_sha1", hmac_sha1),
            (c"hmac_sha256", hmac_sha256),
            (c"hmac_sha512", hmac_sha512),
            (c"fnv32", fnv32),
            (c"fnv64", fnv64),
        ],
    );
}

/// The two hexadecimal digits of a byte.
pub(crate) fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The MD5 digest of parts one after another.
pub(crate) fn md5_of(parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// The first 16 bytes of the SHA-1 digest of parts one after another.
pub(crate) fn sha1_head_of(parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Sha1::new();
    for part in parts {
        digest.update(part);
    }
    let mut head = [0; 16];
    for (to, from) in head.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    head
}

unsafe extern "C-unwind" fn md5(lua: State) -> c_int {
    digest::<Md5>(lua)
}

unsafe extern "C-unwind" fn sha1(lua: State) -> c_int {
    digest::<Sha1>(lua)
}

unsafe extern "C-unwind" fn sha256(lua: State) -> c_int {
    digest::<Sha256>(lua)
}

unsafe extern "C-unwind" fn sha512(lua: State) -> c_int {
    digest::<Sha512>(lua)
}

unsafe extern "C-unwind" fn hmac_md5(lua: State) -> c_int {
    code::<Hmac<Md5>>(lua)
}

unsafe extern "C-unwind" fn hmac_sha1(lua: State) -> c_int {
    code::<Hmac<Sha1>>(lua)
}

unsafe extern "C-unwind" fn hmac_sha256(lua: State) -> c_int {
    code::<Hmac<Sha256>>(lua)
}

unsafe extern "C-unwind" fn hmac_sha512(lua: State) -> c_int {
    code::<Hmac<Sha512>>(lua)
}

unsafe fn digest<D: Digest>(lua: State) -> c_int {
    let Some(data) = lua::to_bytes(lua, 1) else { return no_string(lua, "data") };
    let raw = is_raw(lua, 2);
    push(lua, &D::digest(data), raw)
}

unsafe fn code<M: Mac + KeyInit>(lua: State) -> c_int {
    let Some(data) = lua::to_bytes(lua, 1) else { return no_string(lua, "data") };
    let Some(secret) = lua::to_bytes(lua, 2) else { return no_string(lua, "secret") };
    let raw = is_raw(lua, 3);
    // These codes take keys of any length.
    let Ok(mut code) = <M as KeyInit>::new_from_slice(secret) else {
        return errors::fail(lua, errors::INVALID, "the secret does not fit");
    };
    code.update(data);
    push(lua, &code.finalize().into_bytes(), raw)
}

unsafe fn push(lua: State, digest: &[u8], raw: bool) -> c_int {
    if raw {
        lua::push_bytes(lua, digest);
        return 1;
    }
    let mut text = [0; 128];
    let (pairs, _) = text.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(digest) {
        *pair = hex(*byte);
    }
    lua::push_bytes(lua, text.get(..digest.len() * 2).unwrap_or_default());
    1
}

unsafe extern "C-unwind" fn fnv32(lua: State) -> c_int {
    let Some(data) = lua::to_bytes(lua, 1) else { return no_string(lua, "data") };
    let hash = data.iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
    ffi::lua_pushinteger(lua, i64::from(hash));
    1
}

/// All 64 bits as an integer, so the upper half of the range shows as negative numbers.
unsafe extern "C-unwind" fn fnv64(lua: State) -> c_int {
    let Some(data) = lua::to_bytes(lua, 1) else { return no_string(lua, "data") };
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte));
    ffi::lua_pushinteger(lua, hash as i64);
    1
}

/// What is to be hashed often comes from elsewhere, so that a wrong type is an error value here, as documented.
unsafe fn no_string(lua: State, what: &str) -> c_int {
    errors::fail_with(lua, errors::INVALID, format!("{what} must be a string"))
}

unsafe fn is_raw(lua: State, index: c_int) -> bool {
    if ffi::lua_isnoneornil(lua, index) != 0 {
        return false;
    }
    ffi::luaL_checktype(lua, index, ffi::LUA_TBOOLEAN);
    ffi::lua_toboolean(lua, index) != 0
}
