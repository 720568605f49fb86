//! Lua values as JSON text, in one pass over the tables where they lie.

use std::ffi::{CStr, c_int};
use std::{cmp, ptr, str};

use super::number;
use super::parse::{MAX_DEPTH, plain_length};
use crate::lua::{self, State, ffi};
use crate::raw::{self, Table, Value};

/// What cannot be encoded, and where it stands.
pub(crate) struct EncodeError {
    problem: Problem,
    /// The way to it, innermost first.
    path: Vec<Step>,
}

enum Problem {
    Memory,
    Depth,
    Cycle,
    Sparse,
    Mixed,
    Key(&'static str),
    Type(&'static str),
}

enum Step {
    Index(usize),
    Key(Vec<u8>),
}

type Encoded = Result<(), Box<EncodeError>>;

impl EncodeError {
    #[cold]
    fn new(problem: Problem) -> Box<EncodeError> {
        Box::new(EncodeError { problem, path: Vec::new() })
    }

    #[cold]
    fn at(mut self: Box<EncodeError>, step: Step) -> Box<EncodeError> {
        self.path.push(step);
        self
    }

    /// Whether memory ran out, which Lua has an error of its own for.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.problem, Problem::Memory)
    }

    /// Whether a userdata is in the way, which may be an Error.
    pub(crate) fn is_of_userdata(&self) -> bool {
        matches!(self.problem, Problem::Type(USERDATA))
    }

    /// The message: what is wrong and the path to it.
    pub(crate) fn message(&self) -> String {
        let what = match self.problem {
            Problem::Memory => "not enough memory".to_owned(),
            Problem::Depth => format!("nesting exceeds {MAX_DEPTH} levels"),
            Problem::Cycle => "recursive table reference".to_owned(),
            Problem::Sparse => "sparse array: its indices have gaps".to_owned(),
            Problem::Mixed => "table mixes string keys and array indices".to_owned(),
            Problem::Key(name) => format!("table has a key that is a {name}, neither a string nor an array index"),
            Problem::Type(name) => format!("a {name} has no JSON form"),
        };
        let mut path = String::new();
        for step in self.path.iter().rev().take(16) {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) => path.push_str(&format!(".{}", String::from_utf8_lossy(key))),
            }
        }
        if path.is_empty() { what } else { format!("{what} (at {})", path.trim_start_matches('.')) }
    }
}

/// Encodes the value at `index`. Raises nothing and leaves the stack as it is.
pub(crate) unsafe fn encode(lua: State, index: c_int) -> Result<Vec<u8>, Box<EncodeError>> {
    let mut encoder = Encoder { out: Vec::new(), parents: Vec::new(), members: Vec::new() };
    encoder.grow(256)?;
    encoder.value(raw::value_at(lua, index))?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    out: Vec<u8>,
    /// The tables that are being written, outermost first.
    parents: Vec<*const Table>,
    /// The members of the objects that are being written, those of the innermost last.
    members: Vec<Member<'a>>,
}

#[derive(Clone, Copy)]
struct Member<'a> {
    /// The first eight bytes of the key, which decide most comparisons.
    prefix: u64,
    key: &'a [u8],
    value: Value<'a>,
}

impl<'a> Member<'a> {
    #[inline]
    fn new(key: &'a [u8], value: Value<'a>) -> Self {
        let prefix = match key.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => {
                let bytes = key.iter().fold(0_u64, |bytes, byte| (bytes << 8) | u64::from(*byte));
                if key.is_empty() { 0 } else { bytes << (64 - 8 * key.len()) }
            }
        };
        Self { prefix, key, value }
    }

    #[inline]
    fn order(&self, other: &Self) -> cmp::Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.key.cmp(other.key))
    }
}

impl<'a> Encoder<'a> {
    /// Makes room for `more` bytes. Memory that runs out is an error instead of the end of the process.
    #[inline(always)]
    fn reserve(&mut self, more: usize) -> Encoded {
        if self.out.capacity() - self.out.len() < more { self.grow(more) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Encoded {
        self.out.try_reserve(more).map_err(|_| EncodeError::new(Problem::Memory))
    }

    #[inline(always)]
    fn push(&mut self, bytes: &[u8]) -> Encoded {
        self.reserve(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn value(&mut self, value: Value<'a>) -> Encoded {
        match value {
            Value::String(text) => self.string(text),
            Value::Integer(value) => {
                let mut buffer = number::Buffer::default();
                self.push(number::integer(&mut buffer, value))
            }
            Value::Float(value) => self.float(value),
            Value::Boolean(true) => self.push(b"true"),
            Value::Boolean(false) => self.push(b"false"),
            Value::Nil => self.push(b"null"),
            Value::Table(table) => self.table(table),
            Value::Other(of_type) => Err(EncodeError::new(Problem::Type(type_name(of_type)))),
        }
    }

    /// What is not finite has no JSON form and becomes `null`.
    fn float(&mut self, value: f64) -> Encoded {
        if !value.is_finite() {
            return self.push(b"null");
        }
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        self.push(text.strip_suffix(".0").unwrap_or(text).as_bytes())
    }

    #[inline]
    fn string(&mut self, text: &[u8]) -> Encoded {
        let mut high = 0;
        if plain_length(text, &mut high) < text.len() || high != 0 {
            return self.string_with_care(text);
        }
        self.reserve(text.len() + 2)?;
        self.out.push(b'"');
        self.out.extend_from_slice(text);
        self.out.push(b'"');
        Ok(())
    }

    /// A string with bytes to escape or to check: what is no UTF-8 becomes the replacement character.
    fn string_with_care(&mut self, text: &[u8]) -> Encoded {
        self.push(b"\"")?;
        for chunk in text.utf8_chunks() {
            self.escaped(chunk.valid().as_bytes())?;
            if !chunk.invalid().is_empty() {
                self.push("\u{fffd}".as_bytes())?;
            }
        }
        self.push(b"\"")
    }

    fn escaped(&mut self, mut text: &[u8]) -> Encoded {
        loop {
            let (plain, rest) = text.split_at(plain_length(text, &mut 0));
            self.push(plain)?;
            let Some((byte, after)) = rest.split_first() else { return Ok(()) };
            match byte {
                b'"' => self.push(b"\\\"")?,
                b'\\' => self.push(b"\\\\")?,
                b'\n' => self.push(b"\\n")?,
                b'\r' => self.push(b"\\r")?,
                b'\t' => self.push(b"\\t")?,
                8 => self.push(b"\\b")?,
                12 => self.push(b"\\f")?,
                _ => {
                    let digit = |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit as u8);
                    self.push(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)])?;
                }
            }
            text = after;
        }
    }

    fn table(&mut self, table: &'a Table) -> Encoded {
        if self.parents.len() >= MAX_DEPTH {
            return Err(EncodeError::new(Problem::Depth));
        }
        if self.parents.iter().any(|parent| ptr::eq(*parent, table)) {
            return Err(EncodeError::new(Problem::Cycle));
        }
        self.parents.push(table);
        let slots = table.array();
        let count = slots.iter().take_while(|slot| !matches!(slot.get(), Value::Nil)).count();
        let (elements, rest) = slots.split_at(count);
        let gap = rest.iter().any(|slot| !matches!(slot.get(), Value::Nil));
        let first = self.members.len();
        let mut tail: Vec<(i64, Value<'a>)> = Vec::new();
        for (key, value) in table.entries() {
            match key {
                Value::String(key) => {
                    if self.members.len() == self.members.capacity() {
                        self.members.try_reserve(8).map_err(|_| EncodeError::new(Problem::Memory))?;
                    }
                    self.members.push(Member::new(key, value));
                }
                Value::Integer(index) => {
                    tail.try_reserve(1).map_err(|_| EncodeError::new(Problem::Memory))?;
                    tail.push((index, value));
                }
                other => return Err(EncodeError::new(Problem::Key(name_of(other)))),
            }
        }
        let done = if self.members.len() > first {
            if count > 0 || gap || !tail.is_empty() { Err(EncodeError::new(Problem::Mixed)) } else { self.object(first) }
        } else if gap {
            Err(EncodeError::new(Problem::Sparse))
        } else if count == 0 && tail.is_empty() {
            // A table that has, or had, room for string keys is an empty object.
            self.push(if table.has_hash_part() { b"{}" } else { b"[]" })
        } else {
            self.array(elements, tail)
        };
        self.parents.pop();
        done
    }

    /// Writes the members from `first` on, sorted by key.
    fn object(&mut self, first: usize) -> Encoded {
        let end = self.members.len();
        if let Some(members) = self.members.get_mut(first..) {
            members.sort_unstable_by(Member::order);
        }
        let mut before = b'{';
        for index in first..end {
            let Some(Member { key, value, .. }) = self.members.get(index).copied() else { break };
            self.push(&[before])?;
            before = b',';
            self.string(key)?;
            self.push(b":")?;
            self.value(value).map_err(|error| error.at(Step::Key(key.to_vec())))?;
        }
        self.members.truncate(first);
        self.push(b"}")
    }

    /// Writes the elements of the array part, and then those that landed in the hash part.
    fn array(&mut self, elements: &'a [raw::Slot], mut tail: Vec<(i64, Value<'a>)>) -> Encoded {
        tail.sort_unstable_by_key(|(index, _)| *index);
        let count = elements.len();
        if !tail.iter().zip(count + 1..).all(|((index, _), wanted)| usize::try_from(*index) == Ok(wanted)) {
            return Err(EncodeError::new(Problem::Sparse));
        }
        let mut before = b'[';
        let all = elements.iter().map(raw::Slot::get).chain(tail.into_iter().map(|(_, value)| value));
        for (index, value) in all.enumerate() {
            self.push(&[before])?;
            before = b',';
            self.value(value).map_err(|error| error.at(Step::Index(index + 1)))?;
        }
        self.push(b"]")
    }
}

fn name_of(value: Value<'_>) -> &'static str {
    match value {
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Float(_) => "fractional number",
        Value::Table(_) => "table",
        Value::String(_) => "string",
        Value::Nil => "nil",
        Value::Other(of_type) => type_name(of_type),
    }
}

const USERDATA: &str = "userdata";

fn type_name(of_type: c_int) -> &'static str {
    match of_type {
        ffi::LUA_TFUNCTION => "function",
        ffi::LUA_TTHREAD => "thread",
        _ => USERDATA,
    }
}

/// Reads the text of Lua's own error for exhausted memory, which must not need memory to be raised.
pub(crate) const NOT_ENOUGH_MEMORY: &CStr = c"not enough memory";

/// Raises Lua's error for exhausted memory.
pub(crate) unsafe fn raise_memory(lua: State) -> ! {
    lua::push_str(lua, str::from_utf8(NOT_ENOUGH_MEMORY.to_bytes()).unwrap_or(""));
    ffi::lua_error(lua)
}
