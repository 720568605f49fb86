//! Regular expressions with the semantics of RE2: linear in the text, whatever the pattern.

use std::time::{Duration, Instant};

use moonlet_runtime::{Answer, Args, Error, Fault, ModuleCall, Value};
use regex::bytes::Regex;

use crate::fail::{answer_too_long, exceeded, no_function};
use crate::heavy::{self, Canceled, Watch};

mod pattern;

pub(crate) use pattern::{Pattern, compile, quick};

/// The longest text, the longest replacement, and the most that one search may cost for which the work is begun in the caller's own
/// step; and for how long it goes on there.
const QUICK_TEXT: usize = 1024;
const QUICK_COST: u64 = 2 << 20;
const QUICK_TIME: Duration = Duration::from_micros(500);
/// For how long the searches of one call may go on in all: each may look to the end of the text.
const MAX_TIME: Duration = Duration::from_secs(5);
/// What a value of a result takes, beside the bytes in it.
const VALUE: usize = 48;

/// `compile(pattern)`.
pub(super) fn check(call: &ModuleCall<'_>, pattern: &str) -> Result<Answer, Fault> {
    if let Some(result) = quick(pattern) {
        result?;
        return Answer::one(pattern);
    }
    let pattern = pattern.to_owned();
    heavy::run(call, move |_| {
        compile(&pattern)?;
        Ok(vec![pattern.into()])
    })
}

/// A method of a compiled pattern.
pub(super) fn method(call: &ModuleCall<'_>, method: &str, pattern: &Value, args: &Args<'_>) -> Result<Answer, Fault> {
    let pattern = pattern.as_str().ok_or_else(|| Fault::Raised("Regexp expected: call this with `:`".to_owned()))?;
    if method == "string" {
        return Answer::one(pattern);
    }
    let (text, search) = match method {
        "num_subexp" => (&[][..], Search::Groups),
        "subexp_names" => (&[][..], Search::Names),
        _ => (args.bytes(1)?, Search::read(method, args)?),
    };
    let (max, freight) = (call.max_bytes(), call.freight());
    if text.len() <= QUICK_TEXT
        && search.is_quick()
        && let Some(pattern) = quick(pattern).transpose()?
        && pattern.cost(text.len()) <= QUICK_COST
    {
        let mut work = Work::new(Watch::new(&Canceled::default(), freight.clone()), QUICK_TIME);
        let result = search.run(&pattern, text, max, &mut work);
        if !work.is_over {
            return Answer::one(result?);
        }
    }
    // The copies live as long as the job.
    freight.add(text.len().saturating_add(pattern.len()))?;
    let (text, pattern) = (text.to_vec(), pattern.to_owned());
    heavy::run(call, move |canceled| {
        let pattern = compile(&pattern)?;
        pattern.check(text.len())?;
        Ok(vec![search.run(&pattern, &text, max, &mut Work::new(Watch::new(canceled, freight), MAX_TIME))?])
    })
}

/// The work of one call: many searches.
pub(super) struct Work {
    watch: Watch,
    since: Instant,
    most: Duration,
    /// It has taken too long.
    is_over: bool,
}

impl Work {
    fn new(watch: Watch, most: Duration) -> Self {
        Self { watch, since: Instant::now(), most, is_over: false }
    }

    /// Asks before a search whether to go on, and charges what is gathered.
    fn step(&mut self, bytes: usize) -> Result<(), Error> {
        self.watch.hold(bytes)?;
        if self.since.elapsed() <= self.most {
            return Ok(());
        }
        self.is_over = true;
        let most = self.most.as_secs();
        let message = format!("the search takes more than {most} seconds: the pattern reads the text again for each match");
        Err(exceeded(message, "regexp_seconds", most))
    }
}

/// What to do with a text.
enum Search {
    Groups,
    Names,
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

    /// Tells whether the work depends on nothing that is long beside the text.
    fn is_quick(&self) -> bool {
        !matches!(self, Self::Replace(replacement) if replacement.len() > QUICK_TEXT)
    }

    fn run(&self, regex: &Regex, text: &[u8], max: usize, work: &mut Work) -> Result<Value, Error> {
        let mut size = Size { most: max, left: max };
        Ok(match self {
            Self::Groups => (regex.captures_len().saturating_sub(1) as u64).into(),
            Self::Names => Value::Array(regex.capture_names().map(|name| Value::from(name.unwrap_or(""))).collect()),
            Self::Match => regex.is_match(text).into(),
            Self::Find => {
                let found = regex.find(text).filter(|found| !found.is_empty());
                found.map_or(Value::Nil, |found| string(found.as_bytes()))
            }
            Self::FindAll(count) => {
                let mut all = Vec::new();
                for found in regex.find_iter(text).take(*count) {
                    work.step(VALUE + found.len())?;
                    size.count(found.len())?;
                    all.push(string(found.as_bytes()));
                }
                Value::Array(all)
            }
            Self::Submatch => regex.captures(text).map_or(Value::Nil, |groups| groups_of(&groups)),
            Self::AllSubmatch(count) => {
                let mut all = Vec::new();
                for groups in regex.captures_iter(text).take(*count) {
                    let lengths = groups.iter().flatten().map(|group| group.len());
                    let bytes = lengths.sum::<usize>();
                    work.step(bytes + VALUE * (groups.len() + 1))?;
                    size.count(bytes + groups.len())?;
                    all.push(groups_of(&groups));
                }
                Value::Array(all)
            }
            Self::Index => regex.find(text).map_or(Value::Nil, |found| place(found.start(), found.end())),
            Self::AllIndex(count) => {
                let mut all = Vec::new();
                for found in regex.find_iter(text).take(*count) {
                    work.step(3 * VALUE)?;
                    size.count(6)?;
                    all.push(place(found.start(), found.end()));
                }
                if all.is_empty() { Value::Nil } else { Value::Array(all) }
            }
            Self::Replace(replacement) => string(&replace(regex, text, replacement, max, work)?),
            Self::Split(count) => Value::Array(split(regex, text, *count, &mut size, work)?),
        })
    }
}

/// What is left of the size that an answer may have.
struct Size {
    most: usize,
    left: usize,
}

impl Size {
    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        // One byte at least stands around each value.
        self.left = self.left.checked_sub(bytes + 1).ok_or_else(|| too_long(self.most))?;
        Ok(())
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

fn groups_of(groups: &regex::bytes::Captures<'_>) -> Value {
    let texts = groups.iter().map(|group| group.map_or(&b""[..], |group| group.as_bytes()));
    Value::Array(texts.map(string).collect())
}

fn replace(regex: &Regex, text: &[u8], replacement: &[u8], max: usize, work: &mut Work) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut last = 0;
    let references = replacement.iter().filter(|byte| **byte == b'$').count();
    for groups in regex.captures_iter(text) {
        let Some(whole) = groups.get(0) else { continue };
        let before = text.get(last..whole.start()).unwrap_or_default();
        // No reference stands for more than the whole.
        let most = references.saturating_mul(whole.len()).saturating_add(replacement.len());
        if most > max.saturating_sub(out.len()) {
            return Err(too_long(max));
        }
        work.step(before.len() + whole.len() + most)?;
        out.extend_from_slice(before);
        groups.expand(replacement, &mut out);
        last = whole.end();
        if out.len() > max {
            return Err(too_long(max));
        }
    }
    let rest = text.get(last..).unwrap_or_default();
    work.step(rest.len())?;
    out.extend_from_slice(rest);
    if out.len() > max { Err(too_long(max)) } else { Ok(out) }
}

fn split(regex: &Regex, text: &[u8], count: i64, size: &mut Size, work: &mut Work) -> Result<Vec<Value>, Error> {
    let mut parts = Vec::new();
    if count == 0 {
        return Ok(parts);
    }
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let (mut begin, mut end) = (0, 0);
    if text.is_empty() {
        return Ok(vec![string(b"")]);
    }
    let mut push = |parts: &mut Vec<Value>, part: &[u8], work: &mut Work| {
        work.step(VALUE + part.len())?;
        size.count(part.len())?;
        parts.push(string(part));
        Ok(())
    };
    for found in regex.find_iter(text) {
        if parts.len() >= most - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            push(&mut parts, text.get(begin..end).unwrap_or_default(), work)?;
        }
        begin = found.end();
    }
    if end != text.len() {
        push(&mut parts, text.get(begin..).unwrap_or_default(), work)?;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn work(most: Duration) -> Work {
        Work::new(Watch::default(), most)
    }

    fn parts(pattern: &str, text: &str, count: i64) -> Vec<String> {
        let regex = compile(pattern).unwrap();
        let mut size = Size { most: 1 << 20, left: 1 << 20 };
        let parts = split(&regex, text.as_bytes(), count, &mut size, &mut work(MAX_TIME)).unwrap();
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
    fn a_search_that_reads_the_text_again_and_again_ends() {
        let regex = compile("[01]*1[01]{30}[xy]|[01]").unwrap();
        let text = "10".repeat(50_000);
        for search in
            [Search::FindAll(usize::MAX), Search::AllSubmatch(usize::MAX), Search::Split(-1), Search::Replace(vec![b'x'])]
        {
            let mut work = work(Duration::from_millis(20));
            let error = search.run(&regex, text.as_bytes(), 1 << 24, &mut work).unwrap_err();
            assert_eq!((error.kind.as_str(), work.is_over), ("LimitExceeded", true));
            let mut given_up = Work::new(Watch::canceled_now(), MAX_TIME);
            assert_eq!(search.run(&regex, text.as_bytes(), 1 << 24, &mut given_up).unwrap_err().kind, "Canceled");
        }
    }

    #[test]
    fn a_replacement_cannot_unfold_at_a_stretch() {
        let regex = compile("a+").unwrap();
        let replacement = "$0".repeat(100_000).into_bytes();
        let error = replace(&regex, &[b'a'; 100_000], &replacement, 1 << 20, &mut work(MAX_TIME)).unwrap_err();
        assert_eq!(error.kind, "LimitExceeded");
        assert_eq!(replace(&regex, b"-aa-", b"<$0>", 100, &mut work(MAX_TIME)).unwrap(), b"-<aa>-");
    }
}
