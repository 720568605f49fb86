//! Changes of a text that keep every line where it is.

use std::cmp::Reverse;
use std::ops::Range;

use crate::syntax::Erasure;

/// Changes to apply to a text.
pub(super) struct Edits {
    edits: Vec<Edit>,
}

struct Edit {
    range: Range<usize>,
    /// What replaces the text, without line breaks; white space and the line breaks of the text follow.
    text: String,
}

impl Edits {
    pub(super) fn new(erasures: &[Erasure]) -> Self {
        let edits = erasures.iter().map(|erasure| Edit {
            range: erasure.span.range(),
            text: if erasure.separator { ";".to_owned() } else { String::new() },
        });
        Self { edits: edits.collect() }
    }

    pub(super) fn blank(&mut self, range: Range<usize>) {
        self.edits.insert(0, Edit { range, text: String::new() });
    }

    /// Puts text before a place.
    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.edits.push(Edit { range: at..at, text });
    }

    /// Replaces a range; changes within it are dropped.
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text });
    }

    pub(super) fn apply(mut self, source: &str) -> String {
        if self.edits.is_empty() {
            return source.to_owned();
        }
        // At one place: what is inserted, then the longest range, and of two equal ones the one that brings text.
        self.edits
            .sort_by_key(|edit| (edit.range.start, !edit.range.is_empty(), Reverse(edit.range.end), Reverse(edit.text.len())));
        let mut output = String::with_capacity(source.len() + 64);
        let mut at = 0;
        for edit in &self.edits {
            if edit.range.start < at {
                continue;
            }
            output.push_str(source.get(at..edit.range.start).unwrap_or(""));
            output.push_str(&edit.text);
            blank(&mut output, source.get(edit.range.clone()).unwrap_or(""), edit.text.len());
            at = edit.range.end;
        }
        output.push_str(source.get(at..).unwrap_or(""));
        output
    }
}

/// Writes white space as long as a text, less what stands there already on its first line, with the line breaks of the text.
fn blank(output: &mut String, text: &str, already: usize) {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' | b'\r' | b'\t' => output.push(char::from(byte)),
            _ if index < already => {}
            _ => output.push(' '),
        }
    }
}
