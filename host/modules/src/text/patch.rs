//! Patches: differences with a little text around them, which can be applied to a text that is not quite the old one any more.
//!
//! They are written in the form of diff-match-patch: `@@ -1,7 +1,8 @@`, then lines that start with a space, `-` or `+`.

use moonlet_runtime::{Error, Value};

use super::diff::{Operation, Options, Piece};
use crate::fail::invalid;

/// The most patches, and pieces in them, that are applied at once.
const MAX_PIECES: usize = 100_000;

/// One patch: where it starts in the old text, counted in characters, and its pieces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Patch {
    start: usize,
    pieces: Vec<Piece>,
}

impl Patch {
    fn side(&self, without: Operation) -> String {
        self.pieces.iter().filter(|piece| piece.operation != without).map(|piece| piece.text.as_str()).collect()
    }
}

/// Makes patches of a difference.
pub(super) fn make(pieces: &[Piece], options: &Options) -> Value {
    let margin = options.patch_margin;
    let mut patches: Vec<Patch> = Vec::new();
    let mut open: Option<Patch> = None;
    // Where the next piece starts in the old text, and the text right before it.
    let (mut place, mut before) = (0, String::new());
    for (index, piece) in pieces.iter().enumerate() {
        let length = piece.text.chars().count();
        if piece.operation == Operation::Equal {
            let is_last = index + 1 == pieces.len();
            if let Some(mut patch) = open.take() {
                if length <= 2 * margin && !is_last {
                    patch.pieces.push(piece.clone());
                    open = Some(patch);
                } else {
                    patch.pieces.push(Piece { operation: Operation::Equal, text: first(&piece.text, margin) });
                    patches.push(patch);
                }
            }
            before = last(&piece.text, margin);
        } else if let Some(patch) = &mut open {
            patch.pieces.push(piece.clone());
        } else {
            let start = place - before.chars().count();
            let around = Piece { operation: Operation::Equal, text: std::mem::take(&mut before) };
            open = Some(Patch { start, pieces: vec![around, piece.clone()] });
        }
        if piece.operation != Operation::Insert {
            place += length;
        }
    }
    patches.extend(open);
    let mut shift: isize = 0;
    let texts = patches.iter().map(|patch| {
        let text = write(patch, shift);
        shift += patch.side(Operation::Delete).chars().count().cast_signed();
        shift -= patch.side(Operation::Insert).chars().count().cast_signed();
        Value::Map(vec![("text".into(), text.into())])
    });
    Value::Array(texts.collect())
}

fn first(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

fn last(text: &str, count: usize) -> String {
    let skip = text.chars().count().saturating_sub(count);
    text.chars().skip(skip).collect()
}

fn write(patch: &Patch, shift: isize) -> String {
    let range = |start: usize, length: usize| match length {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        _ => format!("{},{length}", start + 1),
    };
    let (old, new) = (patch.side(Operation::Insert).chars().count(), patch.side(Operation::Delete).chars().count());
    let mut text = format!("@@ -{} +{} @@\n", range(patch.start, old), range(patch.start.saturating_add_signed(shift), new));
    for piece in patch.pieces.iter().filter(|piece| !piece.text.is_empty()) {
        text.push(match piece.operation {
            Operation::Equal => ' ',
            Operation::Delete => '-',
            Operation::Insert => '+',
        });
        push_escaped(&mut text, &piece.text);
        text.push('\n');
    }
    text
}

fn push_escaped(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'();/?:@&=+$,# ".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Reads the patches that Lua gives back.
pub(super) fn read(items: &[Value]) -> Result<Vec<Patch>, Error> {
    let mut patches = Vec::new();
    let mut count = 0;
    for (index, item) in items.iter().enumerate() {
        let fields = item.as_map().map(Vec::as_slice).unwrap_or_default();
        let text = fields.iter().find(|(key, _)| key.as_str() == Some("text")).and_then(|(_, value)| value.as_str());
        let text = text.ok_or_else(|| invalid(format!("patch {} has no `text`", index + 1)))?;
        let broken = || invalid(format!("patch {} cannot be read", index + 1));
        for line in text.lines() {
            count += 1;
            if count > MAX_PIECES {
                return Err(invalid("there are too many patches"));
            }
            if let Some(head) = line.strip_prefix("@@ -") {
                patches.push(Patch { start: read_start(head).ok_or_else(broken)?, pieces: Vec::new() });
                continue;
            }
            let operation = match line.chars().next() {
                Some(' ') => Operation::Equal,
                Some('-') => Operation::Delete,
                Some('+') => Operation::Insert,
                None => continue,
                Some(_) => return Err(broken()),
            };
            let text = line.get(1..).and_then(unescape).ok_or_else(broken)?;
            patches.last_mut().ok_or_else(broken)?.pieces.push(Piece { operation, text });
        }
    }
    Ok(patches)
}

fn read_start(head: &str) -> Option<usize> {
    let range = head.split(' ').next()?;
    let (start, length) = range.split_once(',').unwrap_or((range, "1"));
    let start: usize = start.parse().ok()?;
    if length == "0" { Some(start) } else { start.checked_sub(1) }
}

/// Applies patches; tells also whether all of them fitted.
pub(super) fn apply(patches: &[Patch], text: &str, options: &Options) -> (String, bool) {
    let mut text = text.to_owned();
    let mut all = true;
    let mut shift: isize = 0;
    for patch in patches {
        let (old, new) = (patch.side(Operation::Insert), patch.side(Operation::Delete));
        let expected = patch.start.saturating_add_signed(shift);
        if let Some(found) = nearest(&text, &old, expected, options.match_distance) {
            text.replace_range(found..found + old.len(), &new);
        } else if let Some((found, old, new)) = core(patch, &text, expected, options) {
            text.replace_range(found..found + old.len(), &new);
        } else {
            all = false;
            continue;
        }
        shift += new.chars().count().cast_signed() - old.chars().count().cast_signed();
    }
    (text, all)
}

/// Finds what a patch changes without the text around it, for a text whose surroundings have changed.
fn core(patch: &Patch, text: &str, expected: usize, options: &Options) -> Option<(usize, String, String)> {
    let is_edit = |piece: &Piece| piece.operation != Operation::Equal;
    let (from, to) = (patch.pieces.iter().position(is_edit)?, patch.pieces.iter().rposition(is_edit)?);
    let lead: usize = patch.pieces.iter().take(from).map(|piece| piece.text.chars().count()).sum();
    let inner = Patch { start: 0, pieces: patch.pieces.get(from..=to)?.to_vec() };
    let (old, new) = (inner.side(Operation::Insert), inner.side(Operation::Delete));
    if old.is_empty() {
        return None;
    }
    let found = nearest(text, &old, expected + lead, options.match_distance)?;
    Some((found, old, new))
}

/// Finds the place of a pattern that is nearest to the expected one, both as offsets: the expected in characters, the found in bytes.
fn nearest(text: &str, pattern: &str, expected: usize, distance: usize) -> Option<usize> {
    let place = text.char_indices().nth(expected).map_or(text.len(), |(index, _)| index);
    if text.get(place..).is_some_and(|rest| rest.starts_with(pattern)) {
        return Some(place);
    }
    let after = text.get(place..).and_then(|rest| rest.find(pattern)).map(|found| place + found);
    let before = text.get(..place).and_then(|start| start.rfind(pattern));
    let near = |found: &usize| found.abs_diff(place) <= distance.max(1);
    [after.filter(near), before.filter(near)].into_iter().flatten().min_by_key(|found| found.abs_diff(place))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::diff;
    use super::*;

    fn patch(a: &str, b: &str) -> Vec<Patch> {
        let options = Options::read(&[]).unwrap();
        read(make(&diff::compare(a, b, &options), &options).as_array().unwrap()).unwrap()
    }

    #[test]
    fn patches_lead_from_one_text_to_the_other() {
        let options = Options::read(&[]).unwrap();
        let long = "The quick brown fox jumps over the lazy dog. ".repeat(20);
        for (a, b) in [
            ("The quick brown fox jumps over the lazy dog", "The quick red fox jumps over the lazy cat"),
            ("", "new"),
            ("old", ""),
            ("same", "same"),
            ("line 1\nline 2\n", "line 1\nline two\n%20\n"),
            ("äöü 1", "äöü 2"),
            (long.as_str(), long.replace("lazy", "quiet").as_str()),
        ] {
            assert_eq!(apply(&patch(a, b), a, &options), (b.to_owned(), true), "{a}");
        }
    }

    #[test]
    fn patches_fit_where_the_text_has_moved() {
        let options = Options::read(&[]).unwrap();
        let patches = patch("one two three four", "one 2 three four");
        assert_eq!(apply(&patches, "zero one two three four", &options), ("zero one 2 three four".to_owned(), true));
        assert_eq!(apply(&patches, "something else", &options), ("something else".to_owned(), false));
        for text in ["@@ -x", "@@ -1 +1 @@\n*x", " x", "@@ -1 +1 @@\n-%zz"] {
            assert!(read(&[Value::Map(vec![("text".into(), text.into())])]).is_err(), "{text}");
        }
    }
}
