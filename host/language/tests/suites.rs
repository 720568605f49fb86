//! Runs the literate suites in `tests/check`: Markdown with Lua blocks, each a file of its own.
//!
//! In a block, `-- error: [code] "part of the message"` (also `warning`, `info`) says what is reported on its line, and
//! `reveal_type(x) -- type: T` what type something has. Whatever is reported and not expected fails, as does the reverse.
//! A block that starts with `-- file: name` is a library that later blocks of the same section may `require`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed assumption in a test should panic")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use moonlet_language::check::{Checker, Exports, Program};
use moonlet_language::diagnostic::{Level, Sources, render};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expectation {
    line: usize,
    level: &'static str,
    code: String,
    message: String,
}

#[test]
fn suites() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/check");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("README.md"));
    files.sort();
    assert!(!files.is_empty(), "there are no suites");
    let mut failures = String::new();
    let mut cases = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        run_file(&file.file_name().unwrap().to_string_lossy(), &text, &mut failures, &mut cases);
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(cases >= 400, "only {cases} expectations and blocks: the suites shrank");
}

fn run_file(name: &str, text: &str, failures: &mut String, cases: &mut usize) {
    let mut checker = Checker::new().with_facts();
    let mut imports: BTreeMap<String, Exports> = BTreeMap::new();
    let mut heading = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            line.trim_start_matches(['#', ' ']).clone_into(&mut heading);
            imports.clear();
        }
        if line != "```lua" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let source = block.join("\n");
        let library = block.first().and_then(|line| line.strip_prefix("-- file: "));
        let place = format!("{name}:{} ({heading})", number + 1);
        *cases += 1;
        let modules: Vec<String> = block
            .iter()
            .filter_map(|line| line.strip_prefix("-- modules: "))
            .flat_map(|line| line.split(", ").map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let program =
            Program { source: &source, file: "block.lua", modules: &modules, imports: imports.clone(), any_module: false };
        let checked = checker.check(&program);
        let mut diagnostics = checked.diagnostics;
        diagnostics.retain(|diagnostic| !diagnostic.message.contains("`reveal_type`"));
        let mut sources = Sources::new();
        sources.add("block.lua", source.as_str());
        let (mut expected, reveals) = expectations(&block);
        *cases += expected.len() + reveals.len();
        for diagnostic in &diagnostics {
            let line = diagnostic
                .primary
                .as_ref()
                .and_then(|label| sources.position("block.lua", label.span.start))
                .map_or(1, |at| at.line);
            let position = expected.iter().position(|expectation| {
                expectation.line == line
                    && expectation.level == diagnostic.level.as_str()
                    && expectation.code == diagnostic.code
                    && diagnostic.message.contains(&expectation.message)
            });
            match position {
                Some(position) => {
                    expected.remove(position);
                }
                // Hints are tested where they are asked for.
                None if diagnostic.level == Level::Info || diagnostic.code == "unused-local" => {}
                None => {
                    let _ =
                        writeln!(failures, "{place}: unexpected\n{}", render(std::slice::from_ref(diagnostic), &sources, false));
                }
            }
        }
        for expectation in expected {
            let _ = writeln!(failures, "{place}: line {} did not report {expectation:?}", expectation.line);
        }
        for (line, wanted) in reveals {
            let span = sources.line_span("block.lua", line).unwrap();
            let start = span.start + source[span.clone()].find("reveal_type(").unwrap() + "reveal_type(".len();
            let found = checked
                .facts
                .types
                .iter()
                .filter(|(span, _)| span.start as usize == start)
                .max_by_key(|(span, _)| span.end)
                .map(|(_, text)| text.clone());
            if found.as_deref() != Some(wanted.as_str()) {
                let _ = writeln!(failures, "{place}: line {line} has type {found:?}, expected {wanted:?}");
            }
        }
        if let Some(library) = library {
            imports.insert(library.to_owned(), checked.exports);
        }
    }
}

fn expectations(block: &[&str]) -> (Vec<Expectation>, Vec<(usize, String)>) {
    let mut expected = Vec::new();
    let mut reveals = Vec::new();
    for (index, line) in block.iter().enumerate() {
        if let Some((_, wanted)) = line.split_once("-- type: ") {
            reveals.push((index + 1, wanted.trim().to_owned()));
        }
        for level in ["error", "warning", "info"] {
            for part in line.split(&format!("-- {level}: [")).skip(1) {
                let Some((code, rest)) = part.split_once(']') else { panic!("{line}") };
                let message = rest.trim().split("--").next().unwrap().trim().trim_matches('"').to_owned();
                expected.push(Expectation { line: index + 1, level, code: code.to_owned(), message });
            }
        }
    }
    (expected, reveals)
}
