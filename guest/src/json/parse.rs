//! Reading JSON text: one pass over the bytes that tells a sink what it finds. Knows nothing of Lua.

use std::{ops, str};

/// The most levels of nesting, which bounds the stack of whoever builds or walks the value.
pub(crate) const MAX_DEPTH: usize = 128;

/// What a parser tells about the values it finds. Containers are told by their begin and end, and inside an object each key before its value.
pub(crate) trait Sink {
    /// Why the sink gives up.
    type Stop;

    fn null(&mut self) -> Result<(), Self::Stop>;
    fn boolean(&mut self, value: bool) -> Result<(), Self::Stop>;
    fn integer(&mut self, value: i64) -> Result<(), Self::Stop>;
    fn float(&mut self, value: f64) -> Result<(), Self::Stop>;
    fn string(&mut self, text: &[u8]) -> Result<(), Self::Stop>;
    fn key(&mut self, text: &[u8]) -> Result<(), Self::Stop>;
    fn begin_array(&mut self) -> Result<(), Self::Stop>;
    fn end_element(&mut self) -> Result<(), Self::Stop>;
    fn end_array(&mut self) -> Result<(), Self::Stop>;
    fn begin_object(&mut self) -> Result<(), Self::Stop>;
    fn end_member(&mut self) -> Result<(), Self::Stop>;
    fn end_object(&mut self) -> Result<(), Self::Stop>;
}

/// Why parsing ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure<S> {
    /// The text is no JSON.
    Syntax(Reason, usize),
    /// The sink gave up.
    Stopped(S),
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    End,
    Value,
    Key,
    Colon,
    CommaOrBracket,
    CommaOrBrace,
    Trailing,
    Number,
    NumberRange,
    Control,
    Escape,
    Utf8,
    Depth,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Reason::End => "unexpected end",
            Reason::Value => "expected a value",
            Reason::Key => "expected a key in double quotes",
            Reason::Colon => "expected ':'",
            Reason::CommaOrBracket => "expected ',' or ']'",
            Reason::CommaOrBrace => "expected ',' or '}'",
            Reason::Trailing => "expected nothing more after the value",
            Reason::Number => "malformed number",
            Reason::NumberRange => "number is too large",
            Reason::Control => "control character in a string, escape it",
            Reason::Escape => "unknown escape in a string",
            Reason::Utf8 => "string is not valid UTF-8",
            Reason::Depth => "more than 128 levels of nesting",
        }
    }
}

/// Describes a mistake at a place of the text: `invalid JSON at line 2, column 7: expected ':'`.
pub(crate) fn describe(text: &[u8], reason: Reason, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let found = match text.get(at) {
        Some(byte) if byte.is_ascii_graphic() && reason != Reason::Depth => format!(", found '{}'", char::from(*byte)),
        _ => String::new(),
    };
    format!("invalid JSON at line {line}, column {column}: {}{found}", reason.text())
}

/// Parses one value and nothing after it.
pub(crate) fn parse<S: Sink>(text: &[u8], sink: &mut S) -> Result<(), Failure<S::Stop>> {
    let mut parser = Parser { text, at: 0, scratch: Vec::new(), depth: 0 };
    parser.skip_space();
    parser.value(sink)?;
    parser.skip_space();
    if parser.at < text.len() { Err(parser.wrong(Reason::Trailing)) } else { Ok(()) }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// Holds the string that is being read when it has escapes.
    scratch: Vec<u8>,
    depth: usize,
}

type Parsed<S> = Result<(), Failure<<S as Sink>::Stop>>;

impl<'a> Parser<'a> {
    #[cold]
    fn wrong<S>(&self, reason: Reason) -> Failure<S> {
        let reason = if self.at >= self.text.len() { Reason::End } else { reason };
        Failure::Syntax(reason, self.at)
    }

    /// The byte at the position; zero, which is never valid outside strings, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn value<S: Sink>(&mut self, sink: &mut S) -> Parsed<S> {
        match self.peek() {
            b'"' => {
                let text = self.string()?;
                sink.string(text.of(self.text, &self.scratch)).map_err(Failure::Stopped)
            }
            b'{' => self.object(sink),
            b'[' => self.array(sink),
            b'-' | b'0'..=b'9' => self.number(sink),
            b't' => {
                self.word(b"true")?;
                sink.boolean(true).map_err(Failure::Stopped)
            }
            b'f' => {
                self.word(b"false")?;
                sink.boolean(false).map_err(Failure::Stopped)
            }
            b'n' => {
                self.word(b"null")?;
                sink.null().map_err(Failure::Stopped)
            }
            _ => Err(self.wrong(Reason::Value)),
        }
    }

    fn word<S>(&mut self, word: &[u8]) -> Result<(), Failure<S>> {
        for byte in word {
            if self.peek() != *byte {
                return Err(self.wrong(Reason::Value));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn enter<S>(&mut self) -> Result<(), Failure<S>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(Reason::Depth));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn array<S: Sink>(&mut self, sink: &mut S) -> Parsed<S> {
        self.enter()?;
        sink.begin_array().map_err(Failure::Stopped)?;
        if self.peek() != b']' {
            loop {
                self.value(sink)?;
                sink.end_element().map_err(Failure::Stopped)?;
                self.skip_space();
                match self.peek() {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return Err(self.wrong(Reason::CommaOrBracket)),
                }
                self.skip_space();
            }
        }
        self.leave();
        sink.end_array().map_err(Failure::Stopped)
    }

    fn object<S: Sink>(&mut self, sink: &mut S) -> Parsed<S> {
        self.enter()?;
        sink.begin_object().map_err(Failure::Stopped)?;
        if self.peek() != b'}' {
            loop {
                if self.peek() != b'"' {
                    return Err(self.wrong(Reason::Key));
                }
                let key = self.string()?;
                sink.key(key.of(self.text, &self.scratch)).map_err(Failure::Stopped)?;
                self.skip_space();
                if self.peek() != b':' {
                    return Err(self.wrong(Reason::Colon));
                }
                self.at += 1;
                self.skip_space();
                self.value(sink)?;
                sink.end_member().map_err(Failure::Stopped)?;
                self.skip_space();
                match self.peek() {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return Err(self.wrong(Reason::CommaOrBrace)),
                }
                self.skip_space();
            }
        }
        self.leave();
        sink.end_object().map_err(Failure::Stopped)
    }

    fn number<S: Sink>(&mut self, sink: &mut S) -> Parsed<S> {
        let start = self.at;
        let negative = self.peek() == b'-';
        if negative {
            self.at += 1;
        }
        // Digits of the mantissa, as long as they fit.
        let first = self.at;
        let mut mantissa: u64 = 0;
        while let digit @ b'0'..=b'9' = self.peek() {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let mut digits = self.at - first;
        if digits == 0 {
            return Err(self.wrong(Reason::Number));
        }
        if digits > 1 && self.text.get(first) == Some(&b'0') {
            return Err(Failure::Syntax(Reason::Number, start));
        }
        if !matches!(self.peek(), b'.' | b'e' | b'E') {
            if digits <= 18 && (mantissa != 0 || !negative) {
                let value = mantissa as i64;
                return sink.integer(if negative { -value } else { value }).map_err(Failure::Stopped);
            }
            return self.long_integer(start, sink);
        }
        let mut exponent: i32 = 0;
        if self.peek() == b'.' {
            self.at += 1;
            let first = self.at;
            while let digit @ b'0'..=b'9' = self.peek() {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                self.at += 1;
            }
            let places = self.at - first;
            if places == 0 {
                return Err(self.wrong(Reason::Number));
            }
            digits += places;
            exponent = -i32::try_from(places).unwrap_or(i32::MAX);
        }
        let plain = !matches!(self.peek(), b'e' | b'E');
        if !plain {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            let first = self.at;
            while self.peek().is_ascii_digit() {
                self.at += 1;
            }
            if self.at == first {
                return Err(self.wrong(Reason::Number));
            }
        }
        // Up to 2^53 and 10^22 both operands are exact, so one division rounds correctly.
        if plain && digits <= 15 {
            let scale = POWERS.get(exponent.unsigned_abs() as usize).copied().unwrap_or(1.0);
            let value = mantissa as f64 / scale;
            return sink.float(if negative { -value } else { value }).map_err(Failure::Stopped);
        }
        self.float(start, sink)
    }

    /// An integer of many digits, or minus zero, which only a float can be.
    fn long_integer<S: Sink>(&mut self, start: usize, sink: &mut S) -> Parsed<S> {
        let text = self.slice(start);
        if text != b"-0"
            && let Ok(value) = ascii(text).parse::<i64>()
        {
            return sink.integer(value).map_err(Failure::Stopped);
        }
        self.float(start, sink)
    }

    fn float<S: Sink>(&mut self, start: usize, sink: &mut S) -> Parsed<S> {
        match ascii(self.slice(start)).parse::<f64>() {
            Ok(value) if value.is_finite() => sink.float(value).map_err(Failure::Stopped),
            _ => Err(Failure::Syntax(Reason::NumberRange, start)),
        }
    }

    fn slice(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a string from its opening quote on: the part of the text it is, or, with escapes, that it stands in `scratch`.
    #[inline]
    fn string<S>(&mut self) -> Result<Read, Failure<S>> {
        self.at += 1;
        let start = self.at;
        let mut high = 0;
        let plain = plain_length(self.text.get(start..).unwrap_or_default(), &mut high);
        self.at = start + plain;
        match self.peek() {
            b'"' => {
                let read = start..self.at;
                if high != 0 {
                    self.check_utf8(start, self.slice(start))?;
                }
                self.at += 1;
                Ok(Read::Plain(read))
            }
            _ => self.string_with_escapes(start),
        }
    }

    #[cold]
    fn check_utf8<S>(&self, start: usize, bytes: &[u8]) -> Result<(), Failure<S>> {
        match str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Syntax(Reason::Utf8, start + error.valid_up_to())),
        }
    }

    fn string_with_escapes<S>(&mut self, start: usize) -> Result<Read, Failure<S>> {
        self.scratch.clear();
        let mut high = 0;
        let mut run = start;
        loop {
            match self.peek() {
                b'"' => {
                    self.scratch.extend_from_slice(self.text.get(run..self.at).unwrap_or_default());
                    // Only the plain runs can be invalid; escapes add valid characters.
                    self.check_utf8(start, self.slice(start))?;
                    self.at += 1;
                    return Ok(Read::Scratch);
                }
                b'\\' => {
                    self.scratch.extend_from_slice(self.text.get(run..self.at).unwrap_or_default());
                    self.at += 1;
                    self.escape()?;
                    run = self.at;
                }
                byte if byte < 0x20 => return Err(self.wrong(Reason::Control)),
                _ => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    self.at += plain_length(rest, &mut high);
                }
            }
        }
    }

    fn escape<S>(&mut self) -> Result<(), Failure<S>> {
        let byte = match self.peek() {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                let character = self.unicode()?;
                let mut buffer = [0; 4];
                self.scratch.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                return Ok(());
            }
            _ => return Err(self.wrong(Reason::Escape)),
        };
        self.at += 1;
        self.scratch.push(byte);
        Ok(())
    }

    /// The character of `\uXXXX`, or of two of them. Half a pair becomes the replacement character.
    fn unicode<S>(&mut self) -> Result<char, Failure<S>> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex<S>(&mut self) -> Result<u32, Failure<S>> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.peek()).to_digit(16) else { return Err(self.wrong(Reason::Escape)) };
            code = (code << 4) | digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// Where a string that was read stands.
enum Read {
    Plain(ops::Range<usize>),
    Scratch,
}

impl Read {
    #[inline(always)]
    fn of<'b>(self, text: &'b [u8], scratch: &'b [u8]) -> &'b [u8] {
        match self {
            Read::Plain(range) => text.get(range).unwrap_or_default(),
            Read::Scratch => scratch,
        }
    }
}

/// The length of the run of bytes that stand for themselves in a string; `high` collects their top bits.
#[inline]
pub(crate) fn plain_length(text: &[u8], high: &mut u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = text.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // A byte below a limit borrows into its top bit; the lowest such bit is exact.
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let special = (control | (quote.wrapping_sub(ONES) & !quote) | (slash.wrapping_sub(ONES) & !slash)) & TOPS;
        if special != 0 {
            let count = special.trailing_zeros() / 8;
            let before = (1_u64 << (count * 8)) - 1;
            *high |= word & TOPS & before;
            return length + count as usize;
        }
        *high |= word & TOPS;
        length += 8;
    }
    for byte in rest {
        if *byte < 0x20 || *byte == b'"' || *byte == b'\\' {
            return length;
        }
        *high |= u64::from(*byte & 0x80);
        length += 1;
    }
    length
}

/// Text that is known to be digits and signs.
fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or("")
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];
