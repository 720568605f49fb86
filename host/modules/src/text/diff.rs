//! Differences between two texts, character by character, tidied up so that people see words and not letters.

use std::time::{Duration, Instant};

use moonlet_runtime::{Error, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use crate::fail::invalid;

/// The longest that a comparison may take; after it the rest counts as replaced.
const MAX_SECONDS: f64 = 5.0;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Equal,
    Delete,
    Insert,
}

/// A piece of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) operation: Operation,
    pub(super) text: String,
}

/// How texts are compared and patched.
#[derive(Debug, Clone)]
pub(super) struct Options {
    timeout: f64,
    pub(super) match_distance: usize,
    pub(super) patch_margin: usize,
}

impl Options {
    pub(super) fn read(fields: &[(Value, Value)]) -> Result<Self, Error> {
        let mut options = Self { timeout: 1.0, match_distance: 1_000, patch_margin: 4 };
        for (name, value) in fields {
            let name = name.as_str().unwrap_or("");
            let number = || {
                value
                    .as_f64()
                    .filter(|number| *number >= 0.0)
                    .ok_or_else(|| invalid(format!("`{name}` is a number of 0 or more")))
            };
            match name {
                "diff_timeout" => options.timeout = number()?,
                "match_distance" => options.match_distance = number()? as usize,
                "patch_margin" => options.patch_margin = number()?.min(64.0) as usize,
                "diff_edit_cost" | "match_threshold" | "patch_delete_threshold" => drop(number()?),
                _ => {}
            }
        }
        Ok(options)
    }
}

/// Compares two texts.
pub(super) fn compare(a: &str, b: &str, options: &Options) -> Vec<Piece> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // No time means no bound, where the caller decides; here there always is one.
    let seconds = if options.timeout > 0.0 { options.timeout.min(MAX_SECONDS) } else { MAX_SECONDS };
    let deadline = Instant::now().checked_add(Duration::from_secs_f64(seconds));
    let mut pieces = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &a, &b, deadline) {
        let old = |from: usize, length: usize| text(&a, from, length);
        let new = |from: usize, length: usize| text(&b, from, length);
        match op {
            DiffOp::Equal { old_index, len, .. } => push(&mut pieces, Operation::Equal, &old(old_index, len)),
            DiffOp::Delete { old_index, old_len, .. } => push(&mut pieces, Operation::Delete, &old(old_index, old_len)),
            DiffOp::Insert { new_index, new_len, .. } => push(&mut pieces, Operation::Insert, &new(new_index, new_len)),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                push(&mut pieces, Operation::Delete, &old(old_index, old_len));
                push(&mut pieces, Operation::Insert, &new(new_index, new_len));
            }
        }
    }
    tidy(pieces)
}

fn text(characters: &[char], from: usize, length: usize) -> String {
    characters.get(from..from + length).unwrap_or_default().iter().collect()
}

fn push(pieces: &mut Vec<Piece>, operation: Operation, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.operation == operation => last.text.push_str(text),
        _ => pieces.push(Piece { operation, text: text.to_owned() }),
    }
}

/// An edit: what is deleted and what comes instead.
#[derive(Default)]
struct Edit {
    delete: String,
    insert: String,
}

impl Edit {
    fn size(&self) -> usize {
        self.delete.chars().count().max(self.insert.chars().count())
    }
}

/// Drops equal pieces that are no longer than the edits on both of their sides, so that `world` to `there` is one edit and not three.
fn tidy(pieces: Vec<Piece>) -> Vec<Piece> {
    // Edits and the equal pieces between them take turns: equal, edit, equal, edit, ..., equal.
    let mut edits: Vec<(String, Edit)> = Vec::new();
    let (mut equal, mut edit) = (String::new(), Edit::default());
    for piece in pieces {
        match piece.operation {
            Operation::Delete => edit.delete.push_str(&piece.text),
            Operation::Insert => edit.insert.push_str(&piece.text),
            Operation::Equal => {
                if edit.size() > 0 {
                    add(&mut edits, std::mem::take(&mut equal), std::mem::take(&mut edit));
                }
                equal.push_str(&piece.text);
            }
        }
    }
    if edit.size() > 0 {
        add(&mut edits, std::mem::take(&mut equal), edit);
    }
    let mut tidy = Vec::new();
    for (equal, edit) in edits {
        push(&mut tidy, Operation::Equal, &equal);
        push(&mut tidy, Operation::Delete, &edit.delete);
        push(&mut tidy, Operation::Insert, &edit.insert);
    }
    push(&mut tidy, Operation::Equal, &equal);
    tidy
}

/// Adds an edit behind an equal piece; where that piece is short, the edit and the one before it become one, and so on backwards.
fn add(edits: &mut Vec<(String, Edit)>, equal: String, edit: Edit) {
    let (mut equal, mut edit) = (equal, edit);
    while let Some((_, before)) = edits.last() {
        let length = equal.chars().count();
        if length == 0 || length > before.size() || length > edit.size() {
            break;
        }
        let Some((equal_before, before)) = edits.pop() else { break };
        edit = Edit { delete: before.delete + &equal + &edit.delete, insert: before.insert + &equal + &edit.insert };
        equal = equal_before;
    }
    edits.push((equal, edit));
}

/// Writes pieces as Lua sees them.
pub(super) fn to_value(pieces: &[Piece]) -> Value {
    let piece = |piece: &Piece| {
        let operation = match piece.operation {
            Operation::Equal => "equal",
            Operation::Delete => "delete",
            Operation::Insert => "insert",
        };
        Value::Map(vec![("operation".into(), operation.into()), ("text".into(), piece.text.as_str().into())])
    };
    Value::Array(pieces.iter().map(piece).collect())
}

/// Reads pieces that Lua gives back.
pub(super) fn from_value(items: &[Value]) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let field = |name: &str| {
            let fields = item.as_map().map(Vec::as_slice).unwrap_or_default();
            fields.iter().find(|(key, _)| key.as_str() == Some(name)).and_then(|(_, value)| value.as_str())
        };
        let operation = match field("operation") {
            Some("equal") => Operation::Equal,
            Some("delete") => Operation::Delete,
            Some("insert") => Operation::Insert,
            _ => return Err(invalid(format!("piece {} has no `operation` of equal, delete or insert", index + 1))),
        };
        let text = field("text").ok_or_else(|| invalid(format!("piece {} has no `text`", index + 1)))?;
        pieces.push(Piece { operation, text: text.to_owned() });
    }
    Ok(pieces)
}

/// Counts characters by what became of them.
pub(super) fn summarize(pieces: &[Piece]) -> Value {
    let count = |operation| {
        let texts = pieces.iter().filter(|piece| piece.operation == operation);
        Value::from(texts.map(|piece| piece.text.chars().count() as u64).sum::<u64>())
    };
    Value::Map(vec![
        ("insertions".into(), count(Operation::Insert)),
        ("deletions".into(), count(Operation::Delete)),
        ("equals".into(), count(Operation::Equal)),
    ])
}

/// Colours pieces for a terminal.
pub(super) fn pretty_text(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece.operation {
            Operation::Equal => out.push_str(&piece.text),
            Operation::Delete => out.push_str(&format!("\u{1b}[31m{}\u{1b}[0m", piece.text)),
            Operation::Insert => out.push_str(&format!("\u{1b}[32m{}\u{1b}[0m", piece.text)),
        }
    }
    out
}

/// Marks pieces for a page.
pub(super) fn pretty_html(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        let text = piece.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "&para;<br>");
        match piece.operation {
            Operation::Equal => out.push_str(&text),
            Operation::Delete => out.push_str(&format!("<del>{text}</del>")),
            Operation::Insert => out.push_str(&format!("<ins>{text}</ins>")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn words_are_replaced_as_a_whole() {
        let options = Options::read(&[]).unwrap();
        let pieces = compare("hello world", "hello there", &options);
        assert_eq!(pretty_html(&pieces), "hello <del>world</del><ins>there</ins>");
        assert!(compare("", "", &options).is_empty());
        for (a, b) in [("", "abc"), ("abc", ""), ("the cat sat", "the dog sat down"), ("aXbXc", "abc"), ("é1", "é2")] {
            let pieces = compare(a, b, &options);
            let join = |without| {
                pieces.iter().filter(|piece| piece.operation != without).map(|piece| piece.text.as_str()).collect::<String>()
            };
            assert_eq!((join(Operation::Insert), join(Operation::Delete)), (a.to_owned(), b.to_owned()));
            assert_eq!(from_value(to_value(&pieces).as_array().unwrap()).unwrap(), pieces);
        }
    }
}
