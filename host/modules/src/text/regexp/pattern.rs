//! Compiled patterns: how large they are, which may be made in the caller's step, and those of late.

use std::ops::Deref;
use std::sync::Arc;

use moonlet_runtime::Error;
use parking_lot::Mutex;
use regex::bytes::{Regex, RegexBuilder};

use crate::fail::{exceeded, invalid};
use crate::recent::Recent;
use crate::text::syntax::translate;

/// The longest pattern, and how deep it may be nested.
const MAX_PATTERN: usize = 8_192;
const MAX_NESTING: u32 = 128;
/// The most classes of Unicode in a pattern: to negate one and to fold its case takes a millisecond, before any size is counted.
const MAX_CLASSES: usize = 64;
/// The longest pattern that is compiled in the caller's own step.
const SHORT: usize = 256;
/// What a compiled pattern may take: patterns can ask for exponentially large automata. Each is made as small as it can be, so that
/// its size is known. The first ones are small: they take no time to make, and little for each byte of a text.
const SMALL_SIZES: &[usize] = &[2 << 10, 4 << 10, 8 << 10];
const LARGE_SIZES: &[usize] = &[16 << 10, 24 << 10, 32 << 10, 48 << 10, 64 << 10, 96 << 10, 128 << 10, 192 << 10];
const MAX_SIZE: usize = 256 << 10;
/// The caches of small and of large ones, and how many large ones are kept.
const SMALL_CACHE: usize = 128 << 10;
const LARGE_CACHE: usize = 512 << 10;
const LARGE_KEPT: usize = 16;
/// The most bytes of a pattern times bytes of a text that one search may meet. At worst that takes ten seconds, in which nothing
/// can interrupt it: each byte of the text meets each state of the pattern.
const MAX_WORK: u64 = 1 << 35;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    size: usize,
}

impl Deref for Pattern {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.regex
    }
}

impl Pattern {
    /// Returns what one search through so many bytes costs at worst, in units of about a third of a nanosecond.
    pub(crate) fn cost(&self, bytes: usize) -> u64 {
        (self.size as u64).saturating_mul(bytes as u64)
    }

    /// Refuses a search that could take too long.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), Error> {
        if self.cost(bytes) <= MAX_WORK {
            return Ok(());
        }
        let most = MAX_WORK / self.size as u64;
        let message = format!("a text of {bytes} bytes is too long for a pattern of this size: it may have {most}");
        Err(exceeded(message, "regexp_text", most))
    }
}

type Compiled = Result<Arc<Pattern>, Error>;

/// Finds a pattern among those of late, or compiles it if that takes no time; none: it takes a while, see [`compile`].
pub(crate) fn quick(pattern: &str) -> Option<Compiled> {
    if let Some(known) = CACHES.get(pattern) {
        return Some(known);
    }
    if pattern.len() > MAX_PATTERN {
        return Some(Err(invalid(format!("failed to compile the pattern: it is longer than {MAX_PATTERN} bytes"))));
    }
    let folds = pattern.contains("(?") && pattern.contains('[');
    if pattern.len() > SHORT || folds || classes(pattern) > 0 {
        return None;
    }
    build_small(pattern)
}

/// Compiles a pattern, or finds it among those that were compiled lately, also those that have faults. It may take a quarter of a
/// second: work in the caller's own step asks [`quick`] first.
pub(crate) fn compile(pattern: &str) -> Compiled {
    if let Some(result) = quick(pattern) {
        return result;
    }
    if classes(pattern) > MAX_CLASSES {
        let reason = format!("it has more than {MAX_CLASSES} classes of Unicode");
        return Err(invalid(format!("failed to compile the pattern: {reason}")));
    }
    // The largest comes first: what is larger still, or has faults, is read once.
    let (mut best, mut size) = match at_most(&translate(pattern), MAX_SIZE) {
        Ok(regex) => (regex, MAX_SIZE),
        Err(regex::Error::CompiledTooBig(_)) => {
            let reason = "it is too large once compiled; use smaller repetitions";
            return CACHES.put(pattern, Err(fault(pattern, reason)));
        }
        Err(error) => return CACHES.put(pattern, Err(describe(pattern, &error))),
    };
    let sizes = [SMALL_SIZES, LARGE_SIZES].concat();
    let _ = sizes.partition_point(|smaller| match at_most(&translate(pattern), *smaller) {
        Ok(regex) => {
            (best, size) = (regex, *smaller);
            false
        }
        Err(_) => true,
    });
    CACHES.put(pattern, Ok(Arc::new(Pattern { regex: best, size })))
}

/// Counts `\p` and `\P`.
fn classes(pattern: &str) -> usize {
    pattern.matches("\\p").count() + pattern.matches("\\P").count()
}

/// Compiles a short pattern to one of the small sizes; none: it is larger.
fn build_small(pattern: &str) -> Option<Compiled> {
    let translated = translate(pattern);
    for size in SMALL_SIZES {
        match at_most(&translated, *size) {
            Ok(regex) => return Some(CACHES.put(pattern, Ok(Arc::new(Pattern { regex, size: *size })))),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(error) => return Some(CACHES.put(pattern, Err(describe(pattern, &error)))),
        }
    }
    None
}

/// Compiles a translated pattern, unless it is larger than so many bytes then.
fn at_most(translated: &str, size: usize) -> Result<Regex, regex::Error> {
    let cache = if SMALL_SIZES.contains(&size) { SMALL_CACHE } else { LARGE_CACHE };
    RegexBuilder::new(translated).size_limit(size).dfa_size_limit(cache).nest_limit(MAX_NESTING).build()
}

fn describe(pattern: &str, error: &regex::Error) -> Error {
    // The library draws the place in several lines, the last of which says what is wrong.
    let text = error.to_string();
    fault(pattern, text.lines().last().unwrap_or("").trim().trim_start_matches("error: "))
}

fn fault(pattern: &str, reason: &str) -> Error {
    let shown: String = pattern.chars().take(80).collect();
    invalid(format!("failed to compile the pattern `{shown}`: {reason}"))
}

static CACHES: Caches = Caches {
    small: Mutex::new(Recent::new()),
    large: Mutex::new(Recent::keeping(LARGE_KEPT)),
    faults: Mutex::new(Recent::new()),
};

/// What was compiled lately. Large ones are few, because each takes up to two megabytes with its caches.
struct Caches {
    small: Mutex<Recent<Pattern>>,
    large: Mutex<Recent<Pattern>>,
    faults: Mutex<Recent<Error>>,
}

impl Caches {
    fn get(&self, pattern: &str) -> Option<Compiled> {
        let known = self.small.lock().get(pattern).or_else(|| self.large.lock().get(pattern));
        known.map(Ok).or_else(|| self.faults.lock().get(pattern).map(|error| Err(error.as_ref().clone())))
    }

    fn put(&self, pattern: &str, result: Compiled) -> Compiled {
        match &result {
            Ok(known) if SMALL_SIZES.contains(&known.size) => self.small.lock().put(pattern, known),
            Ok(known) => self.large.lock().put(pattern, known),
            Err(error) => self.faults.lock().put(pattern, &Arc::new(error.clone())),
        }
        result
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn classes_are_about_ascii() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣".as_bytes()));
        assert!(!compile(r"^\w$").unwrap().is_match("é".as_bytes()));
        assert!(compile(r"^.$").unwrap().is_match("é".as_bytes()));
    }

    #[test]
    fn hostile_patterns_are_refused() {
        for pattern in ["(", "a{1000}{1000}", "(?=a)", r"(a)\1", "*", "[b-a]"] {
            for _ in 0..2 {
                assert_eq!(compile(pattern).unwrap_err().kind, "Invalid", "{pattern}");
            }
        }
        assert!(compile(&"a".repeat(10_000)).is_err());
        assert!(compile(&format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000))).is_err());
        for number in 0..1_000 {
            compile(&format!("x{number}")).unwrap();
        }
    }

    #[test]
    fn what_takes_long_to_compile_is_not_compiled_in_passing() {
        assert!(quick("abc[0-9]+|x").unwrap().is_ok());
        for pattern in [r"\p{L}{1,3}", "[01]{5000}", "(?i)[^a][^b]", &"ab".repeat(200)] {
            assert!(quick(pattern).is_none(), "{pattern}");
        }
        // Refused before it is compiled, which would take a second.
        let error = compile(&format!("(?i){}", r"[^\PL]".repeat(1_100))).unwrap_err();
        assert!(error.message.contains("classes of Unicode"), "{}", error.message);
    }

    #[test]
    fn long_texts_need_small_patterns() {
        assert!(compile("a+").unwrap().check(8 << 20).is_ok());
        let error = compile("[01]*1[01]{3000}[xy]").unwrap().check(8 << 20).unwrap_err();
        assert_eq!(error.kind, "LimitExceeded");
    }
}
