//! A command line, taken apart into words without a shell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use moonlet_runtime::Error;

use crate::fail::invalid;

/// The longest command line in bytes.
const LONGEST: usize = 32 << 10;

/// What to start.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) work_dir: Option<PathBuf>,
    /// The directory out of which no link may lead the one above.
    pub(super) below: Option<PathBuf>,
}

impl Command {
    /// Takes a line apart at blanks; quotes of both kinds and backslashes keep blanks together.
    pub(super) fn parse(line: &str) -> Result<Self, Error> {
        if line.len() > LONGEST {
            return Err(invalid(format!("the command is longer than {LONGEST} bytes")));
        }
        if line.contains('\0') {
            return Err(invalid("the command has a zero byte in it"));
        }
        let mut words = words(line)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or_else(|| invalid("the command is empty"))?;
        Ok(Self { program, arguments: words.collect(), env: BTreeMap::new(), work_dir: None, below: None })
    }
}

fn words(line: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let next = characters.next().ok_or_else(|| invalid("the command ends with a backslash"))?;
                word.get_or_insert_default().push(next);
            }
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err(invalid("the command has a quote that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn lines_are_taken_apart_without_a_shell() {
        for (line, want) in [
            ("ls -la", vec!["ls", "-la"]),
            ("echo 'a b'  \"c d\" e\\ f", vec!["echo", "a b", "c d", "e f"]),
            ("echo '' $HOME `x` a;b", vec!["echo", "", "$HOME", "`x`", "a;b"]),
            ("echo 'it''s' \"\\\"\"", vec!["echo", "its", "\""]),
        ] {
            assert_eq!(words(line).unwrap(), want, "{line}");
        }
        for line in ["echo 'a", "a\\", "", "  ", "''", "a\0b"] {
            assert!(Command::parse(line).is_err(), "{line:?}");
        }
    }
}
