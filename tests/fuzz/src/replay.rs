//! The same inputs every time: the seeds of a target, and what becomes of them by chance.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::mutate::{self, Chance};

/// How long each target runs, in seconds.
const SECONDS_VARIABLE: &str = "MOONLET_FUZZ_SECONDS";
/// What the inputs are made from.
const SEED_VARIABLE: &str = "MOONLET_FUZZ_SEED";

const DEFAULT_SECONDS: u64 = 2;
/// Longer than any input of a few kilobytes may take, also on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(10);
/// The stack of a worker thread: what must suffice for every input.
const STACK: usize = 2 << 20;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs the seeds of a target, then inputs made from them and from its words until its time is over.
///
/// # Panics
///
/// When the target does, or takes too long; the input is in `found/` then.
pub fn replay<T: FnMut(&[u8])>(name: &'static str, make: impl FnOnce() -> T + Send + 'static) {
    let run = move || replay_here(name, make());
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

fn replay_here(name: &str, mut target: impl FnMut(&[u8])) {
    let seeds = read_seeds(&folder().join("seeds").join(name));
    let words = read_words(&folder().join("words").join(format!("{name}.dict")));
    let seed = setting(SEED_VARIABLE, 1).max(1);
    let end = Instant::now() + Duration::from_secs(setting(SECONDS_VARIABLE, DEFAULT_SECONDS));
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut count = 0_u64;
    let mut waiting = seeds.clone();
    while Instant::now() < end || !waiting.is_empty() {
        let input = waiting.pop().unwrap_or_else(|| mutate::input(&mut chance, &seeds, &words));
        let start = Instant::now();
        let failed = catch_unwind(AssertUnwindSafe(|| target(&input))).is_err();
        count += 1;
        if failed || start.elapsed() > TOO_LONG {
            let found = folder().join("found");
            fs::create_dir_all(&found).unwrap();
            let file = found.join(format!("{name}-{seed}-{count}"));
            fs::write(&file, &input).unwrap();
            panic!("{name}: input {count} of seed {seed} fails, after {:?}; it is in {}", start.elapsed(), file.display());
        }
    }
    eprintln!("{name}: {count} inputs of seed {seed}");
}

fn read_seeds(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", folder.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The words of a dictionary of libFuzzer: one in quotes on each line, with `\\`, `\"` and `\xAB`.
fn read_words(file: &Path) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| word(line).unwrap_or_else(|| panic!("{}: {line} is no word in quotes", file.display()))).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut word = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            word.push(*first);
            continue;
        }
        match after {
            [b'x', high, low, after @ ..] => {
                word.push(u8::from_str_radix(std::str::from_utf8(&[*high, *low]).ok()?, 16).ok()?);
                rest = after;
            }
            [escaped @ (b'\\' | b'"'), after @ ..] => {
                word.push(*escaped);
                rest = after;
            }
            _ => return None,
        }
    }
    Some(word)
}
