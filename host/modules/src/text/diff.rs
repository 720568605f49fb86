//! Differences between two texts, character by character, tidied up so that people see words and not letters.

use std::cell::Cell;
use std::ops::{Index, Range};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use moonlet_runtime::{Error, Value};
use similar::algorithms::{Capture, Compact, DiffHook, myers};
use similar::{DiffOp, DiffTag};

use crate::fail::{answer_too_long, internal, invalid};
use crate::heavy::{Canceled, Watch};

/// The longest that a comparison may take; after it the rest counts as replaced.
const MAX_SECONDS: f64 = 5.0;

/// What a comparison takes for each character of both texts: the characters, and how far each way through them got.
const CHARACTER: usize = 24;
/// What a step and a piece of a difference take, beside the text in it.
const STEP: usize = 64;
pub(super) const PIECE: usize = 256;
/// Steps are moved to where people expect them up to so many of them: the time for that grows with their square.
const MAX_MOVED: usize = 4_096;
/// After so many comparisons somebody may have lost interest: less than a tenth of a millisecond.
const PATIENCE: u32 = 16_384;

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
pub(super) fn compare(a: &str, b: &str, options: &Options, watch: &mut Watch) -> Result<Vec<Piece>, Error> {
    watch.hold((a.len() + b.len()).saturating_mul(CHARACTER))?;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // No time means no bound, where the caller decides; here there always is one.
    let seconds = if options.timeout > 0.0 { options.timeout.min(MAX_SECONDS) } else { MAX_SECONDS };
    let deadline = Instant::now().checked_add(Duration::from_secs_f64(seconds));
    let edits = tidy(&steps(&a, &b, deadline, watch)?, watch)?;
    let mut pieces = Vec::new();
    let mut push = |operation, characters: &[char]| {
        if characters.is_empty() {
            return Ok(());
        }
        let text: String = characters.iter().collect();
        watch.hold(PIECE + text.len())?;
        pieces.push(Piece { operation, text });
        Ok(())
    };
    let mut place = 0;
    for edit in edits {
        push(Operation::Equal, a.get(place..edit.old.start).unwrap_or_default())?;
        push(Operation::Delete, a.get(edit.old.clone()).unwrap_or_default())?;
        push(Operation::Insert, b.get(edit.new).unwrap_or_default())?;
        place = edit.old.end;
    }
    push(Operation::Equal, a.get(place..).unwrap_or_default())?;
    Ok(pieces)
}

/// Characters that are compared for as long as somebody waits.
struct Watched<'a> {
    characters: &'a [char],
    canceled: &'a Canceled,
    patience: Cell<u32>,
}

/// What a comparison that nobody waits for unwinds with: the library has no other way out. Nothing is printed, and [`steps`] catches it.
struct GivenUp(Error);

impl Index<usize> for Watched<'_> {
    type Output = char;

    fn index(&self, index: usize) -> &char {
        let patience = self.patience.get();
        self.patience.set(patience.checked_sub(1).unwrap_or(PATIENCE));
        if patience == 0
            && let Err(error) = self.canceled.check()
        {
            panic::resume_unwind(Box::new(GivenUp(error)));
        }
        self.characters.get(index).unwrap_or(&'\0')
    }
}

/// Gathers steps and charges them.
struct Steps<'a> {
    steps: Vec<DiffOp>,
    watch: &'a mut Watch,
}

impl Steps<'_> {
    fn push(&mut self, step: DiffOp) -> Result<(), Error> {
        self.watch.hold(STEP)?;
        self.steps.push(step);
        Ok(())
    }
}

impl DiffHook for Steps<'_> {
    type Error = Error;

    fn equal(&mut self, old_index: usize, new_index: usize, len: usize) -> Result<(), Error> {
        self.push(DiffOp::Equal { old_index, new_index, len })
    }

    fn delete(&mut self, old_index: usize, old_len: usize, new_index: usize) -> Result<(), Error> {
        self.push(DiffOp::Delete { old_index, old_len, new_index })
    }

    fn insert(&mut self, old_index: usize, new_index: usize, new_len: usize) -> Result<(), Error> {
        self.push(DiffOp::Insert { old_index, new_index, new_len })
    }
}

/// Finds the steps that lead from one text to the other.
fn steps(a: &[char], b: &[char], deadline: Option<Instant>, watch: &mut Watch) -> Result<Vec<DiffOp>, Error> {
    let canceled = watch.canceled();
    let watched = |characters| Watched { characters, canceled: &canceled, patience: Cell::new(0) };
    let (old, new) = (watched(a), watched(b));
    let find = || {
        let mut found = Steps { steps: Vec::new(), watch };
        myers::diff_deadline(&mut found, &old, 0..a.len(), &new, 0..b.len(), deadline)?;
        if found.steps.len() > MAX_MOVED {
            return Ok(found.steps);
        }
        let mut moved = Compact::new(Capture::new(), &old, &new);
        let all = found.steps.iter().try_for_each(|step| step.apply_to_hook(&mut moved));
        let Ok(()) = all.and_then(|()| moved.finish());
        Ok(moved.into_inner().into_ops())
    };
    panic::catch_unwind(AssertUnwindSafe(find)).unwrap_or_else(|thrown| match thrown.downcast::<GivenUp>() {
        Ok(given_up) => Err(given_up.0),
        Err(_) => Err(internal("the comparison broke off")),
    })
}

/// An edit: which characters of the old text become which of the new one. Between two of them the texts are equal.
#[derive(Debug)]
struct Edit {
    old: Range<usize>,
    new: Range<usize>,
}

impl Edit {
    fn size(&self) -> usize {
        self.old.len().max(self.new.len())
    }
}

/// Drops equal pieces that are no longer than the edits on both of their sides, so that `world` to `there` is one edit and not three.
fn tidy(steps: &[DiffOp], watch: &mut Watch) -> Result<Vec<Edit>, Error> {
    let mut edits = Vec::new();
    let mut edit = Edit { old: 0..0, new: 0..0 };
    for step in steps {
        let (old, new) = (step.old_range().len(), step.new_range().len());
        if step.tag() != DiffTag::Equal {
            edit = Edit { old: edit.old.start..edit.old.end + old, new: edit.new.start..edit.new.end + new };
        } else if old > 0 {
            let next = (edit.old.end + old, edit.new.end + new);
            watch.hold(STEP)?;
            add(&mut edits, edit);
            edit = Edit { old: next.0..next.0, new: next.1..next.1 };
        }
    }
    add(&mut edits, edit);
    Ok(edits)
}

/// Adds an edit; where the equal piece before it is short, the edit and the one before become one, and so on backwards.
fn add(edits: &mut Vec<Edit>, edit: Edit) {
    if edit.size() == 0 {
        return;
    }
    let mut edit = edit;
    while let Some(before) = edits.pop_if(|before| {
        let length = edit.old.start - before.old.end;
        length <= before.size() && length <= edit.size()
    }) {
        edit = Edit { old: before.old.start..edit.old.end, new: before.new.start..edit.new.end };
    }
    edits.push(edit);
}

/// Writes pieces as Lua sees them.
pub(super) fn to_value(pieces: &[Piece], watch: &mut Watch) -> Result<Value, Error> {
    for piece in pieces {
        watch.hold(PIECE + piece.text.len())?;
    }
    let piece = |piece: &Piece| {
        let operation = match piece.operation {
            Operation::Equal => "equal",
            Operation::Delete => "delete",
            Operation::Insert => "insert",
        };
        Value::Map(vec![("operation".into(), operation.into()), ("text".into(), piece.text.as_str().into())])
    };
    Ok(Value::Array(pieces.iter().map(piece).collect()))
}

/// Reads pieces that Lua gives back.
pub(super) fn from_value(items: &[Value], watch: &mut Watch) -> Result<Vec<Piece>, Error> {
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
        watch.hold(STEP + text.len())?;
        pieces.push(Piece { operation, text: text.to_owned() });
    }
    Ok(pieces)
}

/// Returns how much there is to read in such a list.
pub(super) fn weight(items: &[Value]) -> usize {
    let fields = items.iter().filter_map(Value::as_map).flatten();
    let texts = fields.map(|(_, value)| value.as_str().map_or(0, str::len));
    items.len().saturating_mul(16).saturating_add(texts.sum())
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

/// A text that people see, which grows to the length of an answer.
struct Pretty<'a> {
    text: String,
    most: usize,
    watch: &'a mut Watch,
}

impl Pretty<'_> {
    fn push(&mut self, text: &str) -> Result<(), Error> {
        if self.text.len() + text.len() > self.most {
            let message = "the text is longer than one answer to this process may be; raise `limits.message_size`";
            return Err(answer_too_long(message, self.most));
        }
        self.watch.hold(text.len())?;
        self.text.push_str(text);
        Ok(())
    }
}

/// Colours pieces for a terminal.
pub(super) fn pretty_text(pieces: &[Piece], most: usize, watch: &mut Watch) -> Result<String, Error> {
    let mut out = Pretty { text: String::new(), most, watch };
    for piece in pieces {
        let (before, after) = match piece.operation {
            Operation::Equal => ("", ""),
            Operation::Delete => ("\u{1b}[31m", "\u{1b}[0m"),
            Operation::Insert => ("\u{1b}[32m", "\u{1b}[0m"),
        };
        [before, &piece.text, after].into_iter().try_for_each(|text| out.push(text))?;
    }
    Ok(out.text)
}

/// Marks pieces for a page.
pub(super) fn pretty_html(pieces: &[Piece], most: usize, watch: &mut Watch) -> Result<String, Error> {
    let mut out = Pretty { text: String::new(), most, watch };
    for piece in pieces {
        let (before, after) = match piece.operation {
            Operation::Equal => ("", ""),
            Operation::Delete => ("<del>", "</del>"),
            Operation::Insert => ("<ins>", "</ins>"),
        };
        out.push(before)?;
        for part in piece.text.split_inclusive(['&', '<', '>', '\n']) {
            let (plain, escaped) = match part.as_bytes().split_last() {
                Some((b'&', _)) => (part.trim_end_matches('&'), "&amp;"),
                Some((b'<', _)) => (part.trim_end_matches('<'), "&lt;"),
                Some((b'>', _)) => (part.trim_end_matches('>'), "&gt;"),
                Some((b'\n', _)) => (part.trim_end_matches('\n'), "&para;<br>"),
                _ => (part, ""),
            };
            out.push(plain)?;
            out.push(escaped)?;
        }
        out.push(after)?;
    }
    Ok(out.text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn words_are_replaced_as_a_whole() {
        let (options, mut watch) = (Options::read(&[]).unwrap(), Watch::default());
        let pieces = compare("hello world", "hello there", &options, &mut watch).unwrap();
        assert_eq!(pretty_html(&pieces, 100, &mut watch).unwrap(), "hello <del>world</del><ins>there</ins>");
        assert!(compare("", "", &options, &mut watch).unwrap().is_empty());
        for (a, b) in [("", "abc"), ("abc", ""), ("the cat sat", "the dog sat down"), ("aXbXc", "abc"), ("é1", "é2")] {
            let pieces = compare(a, b, &options, &mut watch).unwrap();
            let join = |without| {
                pieces.iter().filter(|piece| piece.operation != without).map(|piece| piece.text.as_str()).collect::<String>()
            };
            assert_eq!((join(Operation::Insert), join(Operation::Delete)), (a.to_owned(), b.to_owned()));
            let value = to_value(&pieces, &mut watch).unwrap();
            assert_eq!(from_value(value.as_array().unwrap(), &mut watch).unwrap(), pieces);
        }
    }

    #[test]
    fn pages_are_bounded_and_escaped() {
        let mut watch = Watch::default();
        let pieces = [Piece { operation: Operation::Insert, text: "a<&&>\n\nb".to_owned() }];
        let page = "<ins>a&lt;&amp;&amp;&gt;&para;<br>&para;<br>b</ins>";
        assert_eq!(pretty_html(&pieces, 100, &mut watch).unwrap(), page);
        assert_eq!(pretty_html(&pieces, 20, &mut watch).unwrap_err().kind, "LimitExceeded");
        assert_eq!(pretty_text(&pieces, 8, &mut watch).unwrap_err().kind, "LimitExceeded");
    }

    #[test]
    fn a_comparison_that_nobody_waits_for_ends() {
        let (mut a, mut b, mut state) = (String::new(), String::new(), 7_u32);
        for _ in 0..40_000 {
            for text in [&mut a, &mut b] {
                state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                text.push(char::from(b'a' + (state >> 16) as u8 % 20));
            }
        }
        let options = Options::read(&[("diff_timeout".into(), 0.into())]).unwrap();
        let canceled = Canceled::default();
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                canceled.set();
            });
            let error = steps(
                &a.chars().collect::<Vec<_>>(),
                &b.chars().collect::<Vec<_>>(),
                start.checked_add(Duration::from_secs(60)),
                &mut Watch::of(&canceled),
            );
            assert_eq!(error.unwrap_err().kind, "Canceled");
        });
        assert_eq!(compare(&a, &b, &options, &mut Watch::canceled_now()).unwrap_err().kind, "Canceled");
    }
}
