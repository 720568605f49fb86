//! The page of common mistakes shows what is really printed. `UPDATE=1` writes the page anew.
#![expect(clippy::unwrap_used, reason = "a failed assumption in a test should panic")]

use moonlet_language::check::{Checker, Program};
use moonlet_language::diagnostic::{Sources, render};

#[test]
fn the_page_of_common_mistakes_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/common-mistakes.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut parts = page.split("```lua\n");
    let mut output = parts.next().unwrap().to_owned();
    for part in parts {
        let (source, rest) = part.split_once("```\n").unwrap();
        let (between, rest) = rest.split_once("```text\n").unwrap();
        let (_, after) = rest.split_once("\n```").unwrap();
        let checked = Checker::new().check(&Program { source, file: "main.lua", ..Program::default() });
        let mut sources = Sources::new();
        sources.add("main.lua", source);
        let printed = render(&checked.diagnostics, &sources, false);
        output.push_str(&format!("```lua\n{source}```\n{between}```text\n{}\n```{after}", printed.trim_end()));
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &output).unwrap();
    }
    assert!(output == page, "docs/common-mistakes.md shows something else; UPDATE=1 writes it anew:\n{output}");
}
