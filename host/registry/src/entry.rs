//! One entry of the registry, and where it came from.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use crate::id::EntryId;
use crate::path::{FieldPath, Segment, Spans};

/// A definition: a process, a function, a host, a piece of data.
///
/// Entries are immutable; a change makes a new one.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who it is.
    pub id: EntryId,
    /// What it is, such as `process.lua`.
    pub kind: String,
    /// Free data about it, by which it is found; a map.
    pub meta: Value,
    /// The fields that its kind gives a meaning to; a map for every kind but `registry.entry`.
    pub data: Value,
    /// Where it was read from; absent for an entry that a program made.
    pub origin: Option<Arc<Origin>>,
}

impl Entry {
    /// Makes an entry that no file holds.
    #[must_use]
    pub fn new(id: EntryId, kind: impl Into<String>, meta: Value, data: Value) -> Self {
        Self { id, kind: kind.into(), meta, data, origin: None }
    }

    /// Gives the installed module that it belongs to, such as `acme/http`; none for an entry of the application itself.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        self.origin.as_ref()?.module.as_deref()
    }

    /// Gives the value of a field; the path starts with `meta` or with a field of the data.
    #[must_use]
    pub fn field(&self, path: &FieldPath) -> Option<&Value> {
        let (root, rest) = match path.segments().split_first() {
            Some((Segment::Key(key), rest)) if key == "meta" => (&self.meta, rest),
            _ => (&self.data, path.segments()),
        };
        rest.iter().try_fold(root, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
    }

    /// Gives the value of a field to change it, before the entry is shared.
    pub(crate) fn field_mut(&mut self, path: &FieldPath) -> Option<&mut Value> {
        let (root, rest) = match path.segments().split_first() {
            Some((Segment::Key(key), rest)) if key == "meta" => (&mut self.meta, rest),
            _ => (&mut self.data, path.segments()),
        };
        rest.iter().try_fold(root, |value, segment| match segment {
            Segment::Key(key) => value.get_mut(key),
            Segment::Index(index) => value.get_mut(index),
        })
    }

    /// Gives the file whose text a field holds, if the field was written as `file://...`.
    #[must_use]
    pub fn source_file(&self, field: &FieldPath) -> Option<&SourceFile> {
        self.origin.as_ref()?.files.iter().find(|file| file.field == *field)
    }

    /// Makes a diagnostic point to a field of this entry.
    #[must_use]
    pub fn locate(&self, diagnostic: Diagnostic, path: &FieldPath, text: impl Into<String>) -> Diagnostic {
        match &self.origin {
            Some(origin) => origin.locate(diagnostic, origin.spans.find(path).underline(), path, text),
            None => diagnostic,
        }
    }

    /// Makes a diagnostic point to the name of a field, as for a field that should not be there.
    #[must_use]
    pub fn locate_key(&self, diagnostic: Diagnostic, path: &FieldPath, text: impl Into<String>) -> Diagnostic {
        match &self.origin {
            Some(origin) => origin.locate(diagnostic, origin.spans.find(path).key(), path, text),
            None => diagnostic,
        }
    }

    /// Adds this entry to a diagnostic about another one.
    #[must_use]
    pub fn also(&self, diagnostic: Diagnostic, path: &FieldPath, text: impl Into<String>) -> Diagnostic {
        match &self.origin {
            Some(origin) => diagnostic.also(Arc::clone(&origin.file), origin.spans.find(path).underline(), text),
            None => diagnostic,
        }
    }

    /// Estimates the bytes that the entry takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.id.as_str().len() + self.kind.len() + size(&self.meta) + size(&self.data)
    }

    /// Gives a copy without its origin, which says nothing about what the entry does.
    #[must_use]
    pub fn same_definition(&self, other: &Self) -> bool {
        self.id == other.id && self.kind == other.kind && self.meta == other.meta && self.data == other.data
    }
}

/// Estimates the bytes of a value.
fn size(value: &Value) -> usize {
    /// What a value takes beside its text.
    const OVERHEAD: usize = 32;
    match value {
        Value::String(text) => text.len() + OVERHEAD,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + OVERHEAD,
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value) + OVERHEAD).sum::<usize>() + OVERHEAD,
        _ => OVERHEAD,
    }
}

/// Where an entry was read from.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as it is shown to the user.
    pub file: Arc<str>,
    /// The directory of the file, from which relative paths in the entry start.
    pub directory: PathBuf,
    /// The source directory of the project, which nothing may leave.
    pub root: PathBuf,
    /// The installed module that the file belongs to, such as `acme/http`; absent for the application itself.
    pub module: Option<Arc<str>>,
    /// Where the entry and its fields stand in the file.
    pub spans: EntrySpans,
    /// The files whose text took the place of `file://...` values.
    pub files: Vec<SourceFile>,
    /// The fields that the command line or the configuration changed, with the text that did it.
    pub overrides: Vec<(FieldPath, String)>,
}

impl Origin {
    fn locate(&self, diagnostic: Diagnostic, span: Range<usize>, path: &FieldPath, text: impl Into<String>) -> Diagnostic {
        let diagnostic = diagnostic.at(Arc::clone(&self.file), span, text);
        let covers = |field: &FieldPath| path.segments().starts_with(field.segments());
        match self.overrides.iter().find(|(field, _)| covers(field)) {
            Some((_, text)) => diagnostic.note(format!("the value comes from {text}")),
            None => diagnostic,
        }
    }
}

impl fmt::Debug for Origin {
    // The spans of all fields would drown what matters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Where the parts of an entry stand in its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntrySpans {
    /// The whole entry; its first line where it spreads over several.
    pub entry: Range<usize>,
    /// The value of `name`.
    pub name: Spans,
    /// The value of `kind`.
    pub kind: Spans,
    /// The field `meta` and below.
    pub meta: Spans,
    /// The other fields.
    pub data: Spans,
}

impl EntrySpans {
    /// Finds the place of a field; what the file does not have is at its nearest ancestor, at last at the name.
    #[must_use]
    pub fn find(&self, path: &FieldPath) -> &Spans {
        match path.segments().split_first() {
            None => &self.name,
            Some((Segment::Key(key), [])) if key == "name" => &self.name,
            Some((Segment::Key(key), [])) if key == "kind" => &self.kind,
            Some((Segment::Key(key), rest)) if key == "meta" => self.meta.find(rest),
            Some((first, rest)) => self.data.get(std::slice::from_ref(first)).map_or(&self.name, |field| field.find(rest)),
        }
    }
}

/// A file whose text stands in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The field that holds the text.
    pub field: FieldPath,
    /// The file as it is shown to the user, and in the source map of a report.
    pub file: Arc<str>,
    /// The file on disk.
    pub path: PathBuf,
    /// Its text; empty for a binary file, which stays on disk.
    pub text: Arc<str>,
}
