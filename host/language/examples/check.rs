//! Checks the files named on the command line: `cargo run -p moonlet-language --example check -- FILE...`.
#![expect(clippy::print_stdout, reason = "a command-line example")]

use std::time::Instant;

use moonlet_language::check::{Checker, Program};
use moonlet_language::diagnostic::{Level, Sources, render};

fn main() {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let hints = files.iter().any(|file| file == "--all");
    let any_module = !files.iter().any(|file| file == "--strict-modules");
    let time = files.iter().any(|file| file == "--time");
    files.retain(|file| !file.starts_with("--"));
    for file in &files {
        let Ok(text) = std::fs::read(file) else { continue };
        let source = String::from_utf8_lossy(&text);
        let start = Instant::now();
        let mut checker = Checker::new();
        let checked = checker.check(&Program { source: &source, file, any_module, ..Program::default() });
        let spent = start.elapsed();
        let shown: Vec<_> = checked.diagnostics.into_iter().filter(|d| hints || d.level != Level::Info).collect();
        let mut sources = Sources::new();
        sources.add(file.as_str(), &*source);
        print!("{}", render(&shown, &sources, false));
        if time {
            println!("{file}: {} lines, {spent:.1?}", source.lines().count());
        }
        if !matches!(checker.show(&checked.exports).as_str(), "any") {
            println!("exports {}", checker.show(&checked.exports));
        }
    }
}
