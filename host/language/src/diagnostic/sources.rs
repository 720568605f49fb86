//! The texts that diagnostics point into, with line and column look-up.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A place in a text as people count: both from one, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
}

/// File texts by the path that is shown to the user.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, Source>,
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) text: Arc<str>,
    /// The offset at which each line starts; never empty.
    line_starts: Vec<usize>,
}

impl Sources {
    /// Starts with no files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces its text.
    pub fn add(&mut self, file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.files.insert(file.into(), Source::new(text.into()));
    }

    /// Gives the text of a file.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(|source| &*source.text)
    }

    /// Gives line and column of a byte offset; an offset beyond the end counts as the end.
    #[must_use]
    pub fn position(&self, file: &str, offset: usize) -> Option<Position> {
        self.files.get(file).map(|source| source.position(offset))
    }

    /// Gives the byte range of a line, counted from one, without its line break.
    #[must_use]
    pub fn line_span(&self, file: &str, line: usize) -> Option<Range<usize>> {
        self.files.get(file)?.line_span(line)
    }

    pub(super) fn source(&self, file: &str) -> Option<&Source> {
        self.files.get(file)
    }
}

impl Source {
    fn new(text: Arc<str>) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1));
        Self { text, line_starts }
    }

    /// Moves an offset into the text and onto the start of a character.
    pub(super) fn clamp(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = self.clamp(offset);
        let line = self.line(offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line, column }
    }

    pub(super) fn line_span(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.line_starts.get(line.checked_sub(1)?)?;
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end)?;
        Some(start..start + text.trim_end_matches('\r').len())
    }
}
