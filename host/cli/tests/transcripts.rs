//! One test for each file below `transcripts`: commands with the whole of what they print.
//!
//! ```text
//! # A remark.
//! $ moonlet check tests/projects/good
//! standard output
//! [stderr]
//! standard error
//! ? 1
//! ```
//!
//! `MOONLET_UPDATE=1 cargo test -p moonlet-cli` writes what is printed now; a file that holds only commands is enough to
//! start. Commands run in the directory of this crate. What starts processes is tested in the folder `tests` of the
//! repository; here is what needs none.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

fn transcript(path: &Path) -> datatest_stable::Result<()> {
    let expected = fs::read_to_string(path)?;
    let mut actual = String::new();
    for line in expected.lines() {
        if let Some(command) = line.strip_prefix("$ moonlet") {
            perform(line, command, &mut actual);
        } else if line.starts_with("# ") {
            let _ = writeln!(actual, "{line}");
        }
    }
    let actual = actual.trim_end().to_owned() + "\n";
    if std::env::var_os("MOONLET_UPDATE").is_some() {
        fs::write(path, &actual)?;
        return Ok(());
    }
    if actual != expected {
        return Err(format!("{} differs\n--- now ---\n{actual}", path.display()).into());
    }
    Ok(())
}

fn perform(line: &str, command: &str, actual: &mut String) {
    let output = Command::new(env!("CARGO_BIN_EXE_moonlet"))
        .args(words(command))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let _ = writeln!(actual, "{line}");
    actual.push_str(&String::from_utf8_lossy(&output.stdout));
    if !output.stderr.is_empty() {
        let _ = write!(actual, "[stderr]\n{}", String::from_utf8_lossy(&output.stderr));
    }
    match output.status.code() {
        Some(0) => {}
        code => {
            let _ = writeln!(actual, "? {}", code.map_or("signal".to_owned(), |code| code.to_string()));
        }
    }
    actual.push('\n');
}

/// Splits at blanks; single quotes keep blanks.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for character in command.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

datatest_stable::harness! {
    { test = transcript, root = "tests/transcripts", pattern = r"\.txt$" },
}
