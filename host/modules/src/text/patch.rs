//! Patches: differences with a little text around them, which can be applied to a text that is not quite the old one any more.
//!
//! They are written in the form of diff-match-patch: `@@ -1,7 +1,8 @@`, then lines that start with a space, `-` or `+`.

use moonlet_runtime::{Error, Value};

use super::diff::{Operation, Options, PIECE, Piece};
use crate::fail::{answer_too_long, exceeded, invalid};
use crate::heavy::Watch;

/// The most patches, and pieces in them, that are applied at once.
const MAX_PIECES: usize = 100_000;
/// The most bytes that patches may be looked for in, all together: each reads the text, and most of it is moved when one is applied.
const MAX_WORK: u64 = 4 << 30;

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
pub(super) fn make(pieces: &[Piece], options: &Options, watch: &mut Watch) -> Result<Value, Error> {
    let margin = options.patch_margin;
    let mut patches: Vec<Patch> = Vec::new();
    let mut open: Option<Patch> = None;
    // Where the next piece starts in the old text, and the text right before it.
    let (mut place, mut before) = (0_usize, String::new());
    for (index, piece) in pieces.iter().enumerate() {
        // It stands in a patch, and escaped in the text of that.
        watch.hold(PIECE + 2 * piece.text.len())?;
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
            let start = place.saturating_sub(before.chars().count());
            let around = Piece { operation: Operation::Equal, text: std::mem::take(&mut before) };
            open = Some(Patch { start, pieces: vec![around, piece.clone()] });
        }
        if piece.operation != Operation::Insert {
            place += length;
        }
    }
    patches.extend(open);
    let mut shift: isize = 0;
    let mut texts = Vec::new();
    for patch in &patches {
        let text = write(patch, shift);
        watch.hold(PIECE + text.len())?;
        shift = shift.saturating_add(patch.side(Operation::Delete).chars().count().cast_signed());
        shift = shift.saturating_sub(patch.side(Operation::Insert).chars().count().cast_signed());
        texts.push(Value::Map(vec![("text".into(), text.into())]));
    }
    Ok(Value::Array(texts))
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
        1 => format!("{}", start.saturating_add(1)),
        _ => format!("{},{length}", start.saturating_add(1)),
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
pub(super) fn read(items: &[Value], watch: &mut Watch) -> Result<Vec<Patch>, Error> {
    let mut patches = Vec::new();
    let mut count = 0;
    for (index, item) in items.iter().enumerate() {
        let fields = item.as_map().map(Vec::as_slice).unwrap_or_default();
        let text = fields.iter().find(|(key, _)| key.as_str() == Some("text")).and_then(|(_, value)| value.as_str());
        let text = text.ok_or_else(|| invalid(format!("patch {} has no `text`", index + 1)))?;
        let broken = || invalid(format!("patch {} cannot be read", index + 1));
        for line in text.lines() {
            count += 1;
            watch.hold(PIECE + line.len())?;
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

/// Applies patches, as long as the text is no longer than `most` bytes; tells also whether all of them fitted.
pub(super) fn apply(
    patches: &[Patch],
    text: &str,
    options: &Options,
    most: usize,
    watch: &mut Watch,
) -> Result<(String, bool), Error> {
    let mut text = text.to_owned();
    watch.hold(text.len())?;
    let mut all = true;
    let mut shift: isize = 0;
    let mut work: u64 = 0;
    for patch in patches {
        watch.check()?;
        let (old, new) = (patch.side(Operation::Insert), patch.side(Operation::Delete));
        work = work.saturating_add((text.len() + old.len() + new.len()) as u64);
        if work > MAX_WORK {
            let message = "there are too many patches for so long a text";
            return Err(exceeded(message, "patched_bytes", MAX_WORK));
        }
        let expected = patch.start.saturating_add_signed(shift);
        let (found, old, new) = if let Some(found) = nearest(&text, &old, expected, options.match_distance) {
            (found, old, new)
        } else if let Some(core) = core(patch, &text, expected, options) {
            core
        } else {
            all = false;
            continue;
        };
        if text.len().saturating_add(new.len()).saturating_sub(old.len()) > most {
            let message = "the text would be longer than one answer to this process may be; raise `limits.message_size`";
            return Err(answer_too_long(message, most));
        }
        watch.hold(new.len())?;
        text.replace_range(found..found + old.len(), &new);
        shift = shift.saturating_add(new.chars().count().cast_signed()).saturating_sub(old.chars().count().cast_signed());
    }
    Ok((text, all))
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
    let found = nearest(text, &old, expected.saturating_add(lead), options.match_distance)?;
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

    const MOST: usize = 1 << 20;

    fn patch(a: &str, b: &str) -> Vec<Patch> {
        let (options, mut watch) = (Options::read(&[]).unwrap(), Watch::default());
        let pieces = diff::compare(a, b, &options, &mut watch).unwrap();
        read(make(&pieces, &options, &mut watch).unwrap().as_array().unwrap(), &mut watch).unwrap()
    }

    fn read_text(text: &str) -> Result<Vec<Patch>, Error> {
        read(&[Value::Map(vec![("text".into(), text.into())])], &mut Watch::default())
    }

    fn apply(patches: &[Patch], text: &str, options: &Options) -> (String, bool) {
        super::apply(patches, text, options, MOST, &mut Watch::default()).unwrap()
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
            assert!(read_text(text).is_err(), "{text}");
        }
    }
    #[test]
    fn hostile_patches_end() {
        let options = Options::read(&[]).unwrap();
        let patches =
            read_text("@@ -18446744073709551615 +1 @@\n xx\n-yy\n@@ -18446744073709551615,0 +1 @@\n xx\n+yy\n").unwrap();
        assert_eq!(apply(&patches, "hello", &options), ("hello".to_owned(), false));
        let growing = read_text(&format!("@@ -1,0 +1,70 @@\n+{}\n", "x".repeat(70)).repeat(20_000)).unwrap();
        let error = super::apply(&growing, "hello", &options, MOST, &mut Watch::default()).unwrap_err();
        assert_eq!(error.kind, "LimitExceeded");
        let error = super::apply(&growing, "hello", &options, MOST, &mut Watch::canceled_now()).unwrap_err();
        assert_eq!(error.kind, "Canceled");
        let missed = read_text(&"@@ -1 +1 @@\n-y\n".repeat(50_000)).unwrap();
        let error = super::apply(&missed, &"x".repeat(MOST), &options, MOST, &mut Watch::default()).unwrap_err();
        assert_eq!(error.kind, "LimitExceeded");
    }
}
