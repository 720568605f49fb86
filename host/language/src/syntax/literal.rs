//! The values of number and string literals.

/// The value of a number literal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer of 64 bits.
    Integer(i64),
    /// A float.
    Float(f64),
}

/// Gives the value of a well-formed number literal, as Lua reads it.
#[must_use]
pub fn number_value(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return hexadecimal(digits);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = text.parse::<i64>()
    {
        return Some(Number::Integer(value));
    }
    text.parse().ok().map(Number::Float)
}

fn hexadecimal(text: &str) -> Option<Number> {
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // Hexadecimal integers wrap around.
        let value = text.bytes().fold(0_u64, |value, byte| {
            value.wrapping_mul(16).wrapping_add(u64::from(char::from(byte).to_digit(16).unwrap_or(0)))
        });
        return Some(Number::Integer(value.cast_signed()));
    }
    let (mantissa, exponent) = text.split_once(['p', 'P']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(Number::Float(value * f64::from(exponent.checked_sub(places)?).exp2()))
}

/// Gives the bytes of a string literal with its quotes or brackets, as Lua reads it.
#[must_use]
pub fn string_value(text: &str) -> Vec<u8> {
    if text.starts_with('[') {
        return long_string(text);
    }
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    let mut output = Vec::with_capacity(inner.len());
    let mut bytes = inner.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            output.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'a') => output.push(7),
            Some(b'b') => output.push(8),
            Some(b'f') => output.push(12),
            Some(b'n' | b'\n') => output.push(b'\n'),
            Some(b'r') => output.push(b'\r'),
            Some(b't') => output.push(b'\t'),
            Some(b'v') => output.push(11),
            Some(b'\r') => {
                bytes.next_if_eq(&b'\n');
                output.push(b'\n');
            }
            Some(b'z') => while bytes.next_if(|byte| byte.is_ascii_whitespace() || *byte == 11).is_some() {},
            Some(b'x') => {
                let mut value = 0;
                for _ in 0..2 {
                    if let Some(digit) = bytes.next_if(u8::is_ascii_hexdigit) {
                        value = value * 16 + hex_digit(digit);
                    }
                }
                output.push(value);
            }
            Some(digit @ b'0'..=b'9') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(digit) = bytes.next_if(u8::is_ascii_digit) {
                        value = value * 10 + u32::from(digit - b'0');
                    }
                }
                output.push(u8::try_from(value).unwrap_or(255));
            }
            Some(b'u') => {
                bytes.next_if_eq(&b'{');
                let mut value = 0_u32;
                while let Some(digit) = bytes.next_if(u8::is_ascii_hexdigit) {
                    value = value.wrapping_mul(16).wrapping_add(u32::from(hex_digit(digit)));
                }
                bytes.next_if_eq(&b'}');
                push_utf8(&mut output, value);
            }
            Some(other) => output.push(other),
            None => {}
        }
    }
    output
}

fn hex_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0)
}

/// Lua encodes up to 31 bits, beyond what Unicode has.
fn push_utf8(output: &mut Vec<u8>, value: u32) {
    if let Some(character) = char::from_u32(value) {
        output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let mut tail = Vec::new();
    let mut rest = value;
    let mut first_limit = 0x3f;
    while rest > first_limit {
        tail.push(0x80 | (rest & 0x3f) as u8);
        rest >>= 6;
        first_limit >>= 1;
    }
    output.push(((!first_limit << 1) | rest) as u8);
    output.extend(tail.iter().rev());
}

fn long_string(text: &str) -> Vec<u8> {
    let level = text.bytes().skip(1).take_while(|byte| *byte == b'=').count();
    let inner = text.get(level + 2..text.len().saturating_sub(level + 2)).unwrap_or("");
    let inner = inner.strip_prefix("\r\n").or_else(|| inner.strip_prefix('\n')).unwrap_or(inner);
    inner.replace("\r\n", "\n").into_bytes()
}
