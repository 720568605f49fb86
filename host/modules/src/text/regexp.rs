//! Regular expressions with the semantics of RE2: linear in the text, whatever the pattern.

use std::sync::Arc;

use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};
use parking_lot::Mutex;
use regex::bytes::{Regex, RegexBuilder};

use super::syntax::translate;
use crate::fail::{answer_too_long, invalid, no_function};
use crate::heavy;
use crate::recent::Recent;

/// The longest pattern, and what a compiled one and its cache may take: patterns can ask for exponentially large automata.
const MAX_PATTERN: usize = 8_192;
const MAX_COMPILED: usize = 256 * 1024;
const MAX_CACHE: usize = 512 * 1024;
/// Work that is done in the caller's own step: length of the pattern times length of the text.
const QUICK: usize = 512 * 1024;

/// Compiles a pattern, or finds it among those that were compiled lately.
pub(crate) fn compile(pattern: &str) -> Result<Arc<Regex>, Error> {
    static CACHE: Mutex<Recent<Regex>> = Mutex::new(Recent::new());
    if let Some(regex) = CACHE.lock().get(pattern) {
        return Ok(regex);
    }
    if pattern.len() > MAX_PATTERN {
        return Err(invalid(format!("failed to compile the pattern: it is longer than {MAX_PATTERN} bytes")));
    }
    let compiled = RegexBuilder::new(&translate(pattern)).size_limit(MAX_COMPILED).dfa_size_limit(MAX_CACHE).build();
    let regex = Arc::new(compiled.map_err(|error| describe(pattern, &error))?);
    CACHE.lock().put(pattern, &regex);
    Ok(regex)
}

fn describe(pattern: &str, error: &regex::Error) -> Error {
    let text = error.to_string();
    let reason = match error {
        regex::Error::CompiledTooBig(_) => "it is too large once compiled; use smaller repetitions",
        // The library draws the place in several lines, the last of which says what is wrong.
        _ => text.lines().last().unwrap_or("").trim().trim_start_matches("error: "),
    };
    let shown: String = pattern.chars().take(80).collect();
    invalid(format!("failed to compile the pattern `{shown}`: {reason}"))
}

/// A method of a compiled pattern.
pub(super) fn method(call: &ModuleCall<'_>, method: &str, pattern: &Value, args: &Args<'_>) -> Result<Answer, Fault> {
    let pattern = pattern.as_str().ok_or_else(|| Fault::Raised("Regexp expected: call this with `:`".to_owned()))?;
    let regex = compile(pattern)?;
    match method {
        "num_subexp" => return Answer::one(regex.captures_len().saturating_sub(1) as u64),
        "subexp_names" => {
            let names = regex.capture_names().map(|name| Value::from(name.unwrap_or("")));
            return Answer::one(Value::Array(names.collect()));
        }
        "string" => return Answer::one(pattern),
        _ => {}
    }
    let text = args.bytes(1)?;
    let search = Search::read(method, args)?;
    let max = call.max_bytes();
    if pattern.len().saturating_mul(text.len()) <= QUICK {
        return Answer::one(search.run(&regex, text, max)?);
    }
    let text = text.to_vec();
    heavy::run(call, move |_| Ok(vec![search.run(&regex, &text, max)?]))
}

/// What to do with a text.
enum Search {
    Match,
    Find,
    FindAll(usize),
    Submatch,
    AllSubmatch(usize),
    Index,
    AllIndex(usize),
    Replace(Vec<u8>),
    Split(i64),
}

impl Search {
    fn read(method: &str, args: &Args<'_>) -> Result<Self, Fault> {
        let count = || -> Result<usize, Fault> {
            let count = args.opt_integer(2)?.unwrap_or(-1);
            Ok(usize::try_from(count).unwrap_or(usize::MAX))
        };
        Ok(match method {
            "match_string" => Self::Match,
            "find_string" => Self::Find,
            "find_all_string" => Self::FindAll(count()?),
            "find_string_submatch" => Self::Submatch,
            "find_all_string_submatch" => Self::AllSubmatch(count()?),
            "find_string_index" => Self::Index,
            "find_all_string_index" => Self::AllIndex(count()?),
            "replace_all_string" => Self::Replace(args.bytes(2)?.to_vec()),
            "split" => Self::Split(args.opt_integer(2)?.unwrap_or(-1)),
            other => return Err(no_function("text", other)),
        })
    }

    fn run(&self, regex: &Regex, text: &[u8], max: usize) -> Result<Value, Error> {
        let mut size = Size { most: max, left: max };
        Ok(match self {
            Self::Match => regex.is_match(text).into(),
            Self::Find => {
                let found = regex.find(text).filter(|found| !found.is_empty());
                found.map_or(Value::Nil, |found| string(found.as_bytes()))
            }
            Self::FindAll(count) => {
                let mut all = Vec::new();
                for found in regex.find_iter(text).take(*count) {
                    all.push(size.count(string(found.as_bytes()), found.len())?);
                }
                Value::Array(all)
            }
            Self::Submatch => regex.captures(text).map_or(Value::Nil, |groups| groups_of(&groups).0),
            Self::AllSubmatch(count) => {
                let mut all = Vec::new();
                for groups in regex.captures_iter(text).take(*count) {
                    let (value, bytes) = groups_of(&groups);
                    all.push(size.count(value, bytes)?);
                }
                Value::Array(all)
            }
            Self::Index => regex.find(text).map_or(Value::Nil, |found| place(found.start(), found.end())),
            Self::AllIndex(count) => {
                let mut all = Vec::new();
                for found in regex.find_iter(text).take(*count) {
                    all.push(size.count(place(found.start(), found.end()), 6)?);
                }
                if all.is_empty() { Value::Nil } else { Value::Array(all) }
            }
            Self::Replace(replacement) => string(&replace(regex, text, replacement, max)?),
            Self::Split(count) => Value::Array(split(regex, text, *count, &mut size)?),
        })
    }
}

/// What is left of the size that an answer may have.
struct Size {
    most: usize,
    left: usize,
}

impl Size {
    fn count(&mut self, value: Value, bytes: usize) -> Result<Value, Error> {
        // One byte at least stands around each value.
        match self.left.checked_sub(bytes + 1) {
            Some(left) => {
                self.left = left;
                Ok(value)
            }
            None => Err(too_long(self.most)),
        }
    }
}

fn too_long(most: usize) -> Error {
    answer_too_long("the result is longer than one answer to this process may be; raise `limits.message_size`", most)
}

fn string(bytes: &[u8]) -> Value {
    Value::Binary(bytes.to_vec())
}

/// First and last byte, counted from 1.
fn place(start: usize, end: usize) -> Value {
    Value::Array(vec![(start as u64 + 1).into(), (end as u64).into()])
}

fn groups_of(groups: &regex::bytes::Captures<'_>) -> (Value, usize) {
    let texts = groups.iter().map(|group| group.map_or(&b""[..], |group| group.as_bytes()));
    let bytes = texts.clone().map(|text| text.len() + 1).sum();
    (Value::Array(texts.map(string).collect()), bytes)
}

fn replace(regex: &Regex, text: &[u8], replacement: &[u8], max: usize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(text.len());
    let mut last = 0;
    for groups in regex.captures_iter(text) {
        let Some(whole) = groups.get(0) else { continue };
        out.extend_from_slice(text.get(last..whole.start()).unwrap_or_default());
        groups.expand(replacement, &mut out);
        last = whole.end();
        if out.len() > max {
            return Err(too_long(max));
        }
    }
    out.extend_from_slice(text.get(last..).unwrap_or_default());
    if out.len() > max { Err(too_long(max)) } else { Ok(out) }
}

fn split(regex: &Regex, text: &[u8], count: i64, size: &mut Size) -> Result<Vec<Value>, Error> {
    let mut parts = Vec::new();
    if count == 0 {
        return Ok(parts);
    }
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let (mut begin, mut end) = (0, 0);
    if text.is_empty() {
        return Ok(vec![string(b"")]);
    }
    for found in regex.find_iter(text) {
        if parts.len() >= most - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            let part = text.get(begin..end).unwrap_or_default();
            parts.push(size.count(string(part), part.len())?);
        }
        begin = found.end();
    }
    if end != text.len() {
        let part = text.get(begin..).unwrap_or_default();
        parts.push(size.count(string(part), part.len())?);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parts(pattern: &str, text: &str, count: i64) -> Vec<String> {
        let regex = compile(pattern).unwrap();
        let parts = split(&regex, text.as_bytes(), count, &mut Size { most: 1 << 20, left: 1 << 20 }).unwrap();
        parts.iter().map(|part| String::from_utf8(part.as_slice().unwrap().to_vec()).unwrap()).collect()
    }

    #[test]
    fn splitting_is_that_of_re2() {
        assert_eq!(parts(",", "a,b,c", -1), ["a", "b", "c"]);
        assert_eq!(parts(",", "a,b,c", 2), ["a", "b,c"]);
        assert_eq!(parts(",", ",a,", -1), ["", "a", ""]);
        assert_eq!(parts("x*", "axbxc", -1), ["a", "b", "c"]);
        assert_eq!(parts("", "abc", -1), ["a", "b", "c"]);
        assert_eq!(parts(",", "", -1), [""]);
        assert_eq!(parts(",", "a,b", 0), Vec::<String>::new());
    }

    #[test]
    fn classes_are_about_ascii() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣".as_bytes()));
        assert!(!compile(r"^\w$").unwrap().is_match("é".as_bytes()));
        assert!(compile(r"^.$").unwrap().is_match("é".as_bytes()));
    }

    #[test]
    fn hostile_patterns_are_refused() {
        for pattern in ["(", "a{1000}{1000}", "(?=a)", r"(a)\1", "*", "[b-a]"] {
            assert_eq!(compile(pattern).unwrap_err().kind, "Invalid", "{pattern}");
        }
        assert!(compile(&"a".repeat(10_000)).is_err());
        for number in 0..1_000 {
            compile(&format!("x{number}")).unwrap();
        }
    }
}
