//! Every valid Lua 5.3 program is a valid typed program: what Lua's own compiler accepts, the parser accepts, and what lowering makes
//! of it, Lua accepts again. The corpus is the Lua of this repository and what becomes of it when single tokens are lost, doubled,
//! exchanged or replaced by those of other programs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use moonlet_language::lower::lower;
use moonlet_language::syntax::{lex, parse};
use moonlet_sandbox::{Sandbox, SandboxConfig};

/// Changed programs for each file.
const CHANGES: usize = 60;
/// Files above this size are left to the others: a change of theirs tells no more.
const MAX_BYTES: u64 = 8 << 10;

/// The numbers that choose changes: xorshift (Marsaglia, Journal of Statistical Software 8 (14), 2003), the same in every run.
struct Choice(u64);

impl Choice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "lua") && path.metadata().unwrap().len() < MAX_BYTES {
            files.push(path);
        }
    }
}

fn tokens(source: &str) -> Vec<String> {
    let lexed = lex(source);
    lexed.tokens.iter().map(|token| token.span.text(source).to_owned()).filter(|text| !text.is_empty()).collect()
}

fn change(tokens: &[String], pool: &[String], choice: &mut Choice) -> String {
    let mut tokens = tokens.to_vec();
    for _ in 0..=choice.below(2) {
        let (at, other) = (choice.below(tokens.len()), choice.below(tokens.len()));
        match choice.below(4) {
            0 if tokens.len() > 1 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[other].clone()),
            2 => tokens.swap(at, other),
            _ => tokens[at].clone_from(&pool[choice.below(pool.len())]),
        }
    }
    tokens.join(" ")
}

#[test]
fn what_lua_accepts_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut files = Vec::new();
    for folder in ["examples", "tests/apps", "tests/bench/apps", "guest/lua-tests"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let sources: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let programs: Vec<Vec<String>> = sources.iter().map(|source| tokens(source)).filter(|tokens| !tokens.is_empty()).collect();
    let pool: Vec<String> = programs.iter().flatten().cloned().collect();
    let sandbox = Sandbox::new(&SandboxConfig { max_processes: 8, max_stacks: 8, ..SandboxConfig::default() }).unwrap();
    let mut choice = Choice(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for program in &programs {
        for _ in 0..CHANGES {
            let text = change(program, &pool, &mut choice);
            // Attributes are Lua 5.4's, and so are not promised.
            if text.contains("< const >") || text.contains("< close >") {
                continue;
            }
            if sandbox.compile(text.as_bytes(), "changed").is_err() {
                refused += 1;
                continue;
            }
            accepted += 1;
            let parsed = parse(&text);
            assert!(parsed.errors.is_empty(), "Lua accepts, and the parser does not ({:?}):\n{text}", parsed.errors.first());
            let lowered = lower(&text, "changed");
            let again = sandbox.compile(lowered.lua.as_bytes(), "lowered");
            assert!(again.is_ok(), "Lua accepts a program and not what lowering makes of it ({again:?}):\n{text}");
        }
    }
    // Both kinds are there, so that the comparison means something.
    assert!(accepted > 500 && refused > 500, "{accepted} accepted, {refused} refused");
}
