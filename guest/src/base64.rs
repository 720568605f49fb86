//! The module `base64`: the standard alphabet with padding, as RFC 4648 has it.

use std::ffi::c_int;

use crate::errors;
use crate::lua::{self, State, ffi};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Not a digit of the alphabet.
const NONE: u8 = 0xff;

/// The value of each byte as a digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        digits[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Pushes the module.
pub(crate) unsafe fn open(lua: State) {
    ffi::lua_createtable(lua, 0, 2);
    lua::set_funcs(lua, -1, &[(c"encode", lua_encode), (c"decode", lua_decode)]);
}

unsafe extern "C-unwind" fn lua_encode(lua: State) -> c_int {
    let Some(data) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    let text = encode(data);
    lua::push_bytes(lua, &text);
    1
}

unsafe extern "C-unwind" fn lua_decode(lua: State) -> c_int {
    let Some(text) = lua::to_bytes(lua, 1) else { return no_string(lua) };
    match decode(text) {
        Ok(data) => {
            lua::push_bytes(lua, &data);
            1
        }
        Err(at) => errors::fail_with(lua, errors::INVALID, format!("illegal base64 data at input byte {at}")),
    }
}

/// What converts to a string is none, and a wrong type is an error value, as documented.
unsafe fn no_string(lua: State) -> c_int {
    errors::fail(lua, errors::INVALID, "data must be a string")
}

/// Encodes with padding.
pub(crate) fn encode(data: &[u8]) -> Vec<u8> {
    let digit = |value: u32| ALPHABET[(value & 63) as usize];
    let mut text = Vec::with_capacity(data.len().div_ceil(3) * 4);
    let (groups, rest) = data.as_chunks::<3>();
    for [a, b, c] in groups {
        let bits = (u32::from(*a) << 16) | (u32::from(*b) << 8) | u32::from(*c);
        text.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]);
    }
    match rest {
        [a] => {
            let bits = u32::from(*a) << 16;
            text.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), b'=', b'=']);
        }
        [a, b] => {
            let bits = (u32::from(*a) << 16) | (u32::from(*b) << 8);
            text.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), b'=']);
        }
        _ => {}
    }
    text
}

/// Decodes padded text; line breaks are passed over. The error is the position of the first byte that does not fit.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut data = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut bits: u32 = 0;
    let mut count = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digit = DIGITS[usize::from(*byte)];
        if digit == NONE {
            match byte {
                b'\n' | b'\r' => {}
                b'=' => return padding(text, at, data, bits, count),
                _ => return Err(at),
            }
            at += 1;
            continue;
        }
        bits = (bits << 6) | u32::from(digit);
        count += 1;
        if count == 4 {
            data.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
            (bits, count) = (0, 0);
        }
        at += 1;
    }
    if count == 0 { Ok(data) } else { Err(text.len()) }
}

/// The end of the text from its first `=`, behind `count` digits of an unfinished group.
fn padding(text: &[u8], at: usize, mut data: Vec<u8>, bits: u32, count: u32) -> Result<Vec<u8>, usize> {
    let wanted = match count {
        2 => 2,
        3 => 1,
        _ => return Err(at),
    };
    let mut signs = 0;
    for (offset, byte) in text.iter().enumerate().skip(at) {
        match byte {
            b'\n' | b'\r' => {}
            b'=' if signs < wanted => signs += 1,
            _ => return Err(offset),
        }
    }
    if signs < wanted {
        return Err(text.len());
    }
    if count == 2 {
        data.push((bits >> 4) as u8);
    } else {
        data.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]);
    }
    Ok(data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (data, text) in pairs {
            assert_eq!(encode(data.as_bytes()), text.as_bytes());
            assert_eq!(decode(text.as_bytes()).unwrap(), data.as_bytes());
        }
        assert_eq!(decode(b"Zm9v\r\nYmE=\n").unwrap(), b"fooba");
    }

    #[test]
    fn what_is_not_base64_is_refused_where_it_breaks() {
        for (text, at) in [
            ("Zg", 2),
            ("Zg=", 3),
            ("Z", 1),
            ("=", 0),
            ("Zm9v!", 4),
            ("Zg==Zg==", 4),
            ("Zm9v=", 4),
            ("Zg===", 4),
            ("Zm8=x", 4),
            ("Z_-=", 1),
        ] {
            assert_eq!(decode(text.as_bytes()), Err(at), "{text}");
        }
    }

    #[test]
    fn all_bytes_survive() {
        for length in 0..300_usize {
            let data: Vec<u8> = (0..length).map(|value| (value * 7) as u8).collect();
            assert_eq!(decode(&encode(&data)).unwrap(), data);
        }
    }
}
