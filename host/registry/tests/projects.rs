//! One test for each directory below `projects`: what loading it reports.
//!
//! A case is a project directory with a file `expected.txt` beside its files. `MOONLET_UPDATE=1 cargo test` writes what is
//! reported now; an empty `expected.txt` in a new directory is enough to start. Lines of `overrides.txt` stand for `-o`.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use moonlet_language::diagnostic::render;
use moonlet_registry::{LoadOptions, ModuleCatalog, Override, load};

const MODULES: &[&str] = &["time", "json", "logger", "io", "funcs", "uuid", "base64", "ctx", "registry"];

fn report(expected: &Path) -> datatest_stable::Result<()> {
    let directory = expected.parent().unwrap();
    let overrides = fs::read_to_string(directory.join("overrides.txt")).unwrap_or_default();
    let options = LoadOptions {
        modules: Some(ModuleCatalog::new(MODULES.iter().copied())),
        overrides: overrides.lines().map(|line| Override::parse(line).unwrap()).collect(),
        ..LoadOptions::default()
    };
    let (mut text, report) = match load(directory, &options) {
        Ok(loaded) => {
            let mut text = String::new();
            for entry in loaded.registry.snapshot().entries() {
                text.push_str(&format!("{} ({})\n", entry.id, entry.kind));
            }
            (text + "\n", render(&loaded.diagnostics, &loaded.sources, false))
        }
        Err(report) => ("does not load\n\n".to_owned(), render(&report.diagnostics, &report.sources, false)),
    };
    text.push_str(&report);
    // Reports name files as the user named the directory, which here depends on where the tests run.
    let text = format!("{}\n", text.replace(&*directory.to_string_lossy(), "DIR").trim_end());
    if std::env::var_os("MOONLET_UPDATE").is_some() {
        fs::write(expected, &text)?;
        return Ok(());
    }
    let wanted = fs::read_to_string(expected)?;
    if text != wanted {
        return Err(format!("the report differs from {}\n--- now ---\n{text}", expected.display()).into());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = report, root = "tests/projects", pattern = r"/expected\.txt$" },
}
