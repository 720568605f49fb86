//! Paths to fields inside an entry, and where in its file each field stands.

use std::fmt;
use std::ops::Range;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The field of a map.
    Key(String),
    /// The element of a list, counted from zero.
    Index(usize),
}

/// The way from an entry to one of its fields, such as `limits.memory` or `modules[2]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// Starts at the entry itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a dotted path such as `meta.command.name`; a step of digits is an index.
    #[must_use]
    pub fn dotted(text: &str) -> Self {
        let segment = |step: &str| step.parse().map_or_else(|_| Segment::Key(step.to_owned()), Segment::Index);
        Self(text.split('.').filter(|step| !step.is_empty()).map(segment).collect())
    }

    /// Gives the path to a field of what this path leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Key(key.to_owned()));
        path
    }

    /// Gives the path to an element of what this path leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// Gives the steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Tells whether the path leads to the entry itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Where a value and its parts stand in a file, as byte ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spans {
    key: Range<usize>,
    value: Range<usize>,
    parts: Parts,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Parts {
    #[default]
    None,
    Fields(Vec<(String, Spans)>),
    Elements(Vec<Spans>),
}

impl Spans {
    /// Takes the place of a value without parts; `key` is where its name stands, or the value again if it has none.
    pub(crate) fn leaf(key: Range<usize>, value: Range<usize>) -> Self {
        Self { key, value, parts: Parts::None }
    }

    pub(crate) fn fields(key: Range<usize>, value: Range<usize>, fields: Vec<(String, Spans)>) -> Self {
        Self { key, value, parts: Parts::Fields(fields) }
    }

    pub(crate) fn elements(key: Range<usize>, value: Range<usize>, elements: Vec<Spans>) -> Self {
        Self { key, value, parts: Parts::Elements(elements) }
    }

    /// Gives where the name of the field stands.
    #[must_use]
    pub fn key(&self) -> Range<usize> {
        self.key.clone()
    }

    /// Gives where the value stands.
    #[must_use]
    pub fn value(&self) -> Range<usize> {
        self.value.clone()
    }

    /// Gives what to underline for this field: its value, or its name where the value spreads over lines.
    #[must_use]
    pub fn underline(&self) -> Range<usize> {
        if matches!(self.parts, Parts::None) && !self.value.is_empty() { self.value() } else { self.key() }
    }

    /// Follows a path as far as the file has it; what was added later has the place of its nearest ancestor.
    #[must_use]
    pub fn find(&self, path: &[Segment]) -> &Self {
        let Some((first, rest)) = path.split_first() else { return self };
        match self.part(first) {
            Some(part) => part.find(rest),
            None => self,
        }
    }

    /// Follows a path that must be there in full.
    #[must_use]
    pub fn get(&self, path: &[Segment]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        self.part(first)?.get(rest)
    }

    fn part(&self, segment: &Segment) -> Option<&Self> {
        match (&self.parts, segment) {
            (Parts::Fields(fields), Segment::Key(key)) => fields.iter().find(|(name, _)| name == key).map(|(_, part)| part),
            (Parts::Elements(elements), Segment::Index(index)) => elements.get(*index),
            _ => None,
        }
    }
}
