//! Lowers the files named on the command line: `cargo run -p moonlet-language --example lower -- FILE...`.
//!
//! With one file it prints the plain Lua; with several it only counts, which serves as a speed test.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line example")]

use std::time::{Duration, Instant};

use moonlet_language::diagnostic::{Sources, render};
use moonlet_language::lower::lower;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut bytes = 0;
    let mut spent = Duration::ZERO;
    for file in &files {
        let Ok(text) = std::fs::read(file) else {
            eprintln!("{file}: cannot be read");
            continue;
        };
        let source = String::from_utf8_lossy(&text);
        let start = Instant::now();
        let lowered = lower(&source, file);
        spent += start.elapsed();
        bytes += source.len();
        let mut sources = Sources::new();
        sources.add(file.as_str(), &*source);
        eprint!("{}", render(&lowered.diagnostics, &sources, false));
        if files.len() == 1 {
            print!("{}", lowered.lua);
        }
    }
    if files.len() > 1 {
        let rate = bytes as f64 / spent.as_secs_f64().max(1e-9) / 1e6;
        println!("{} files, {bytes} bytes, {spent:.1?}, {rate:.0} MB/s", files.len());
    }
}
