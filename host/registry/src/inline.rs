//! Code that stands in a definition file: reports about it point into that file.
//!
//! Run time knows such code by the id of its entry; a person who reads a report wants the file.

use std::ops::Range;
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Label, Sources};

use crate::entry::Entry;
use crate::path::FieldPath;

/// Where the lines of a text stand in the file that holds it.
struct Placement {
    file: Arc<str>,
    /// For each line of the text: its offset in the text, and in the file.
    lines: Vec<(usize, usize)>,
}

/// Makes reports about the code of an entry point into the entry's file, where the code stands there word for word.
///
/// Otherwise they keep the entry's id as the name of their file, under which the code is added to the sources.
pub(crate) fn relocate(entry: &Entry, source: &Arc<str>, diagnostics: &mut [Diagnostic], sources: &mut Sources) {
    if diagnostics.is_empty() {
        return;
    }
    let Some(placement) = Placement::find(entry, source, sources) else {
        sources.add(entry.id.as_str(), Arc::clone(source));
        return;
    };
    for diagnostic in diagnostics {
        // A change is made in the file of the first place, which may be the entry's already.
        let is_moved = diagnostic.primary.as_ref().is_some_and(|label| *label.file == *entry.id.as_str());
        let labels = diagnostic.primary.iter_mut().chain(&mut diagnostic.secondary);
        for label in labels.filter(|label| *label.file == *entry.id.as_str()) {
            let span = placement.translate(&label.span);
            *label = Label::new(Arc::clone(&placement.file), span, std::mem::take(&mut label.text));
        }
        if let Some(fix) = diagnostic.fix.as_mut().filter(|_| is_moved) {
            fix.span = placement.translate(&fix.span);
        }
    }
}

impl Placement {
    fn find(entry: &Entry, source: &str, sources: &Sources) -> Option<Self> {
        let origin = entry.origin.as_ref()?;
        let text = sources.text(&origin.file)?;
        let start = origin.spans.find(&FieldPath::new().key("source")).value().start;
        let line_start = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
        if let Some(start) = single_line(text, start, source) {
            return Some(Self { file: Arc::clone(&origin.file), lines: vec![(0, start)] });
        }
        // The lines of a block stand below each other.
        let indent = start - line_start;
        let mut lines = Vec::new();
        let (mut in_source, mut in_file) = (0, start);
        for line in source.trim_end_matches('\n').split('\n') {
            let rest = text.get(in_file..)?;
            let end = rest.find('\n').unwrap_or(rest.len());
            // A folded, quoted or escaped text differs from what is written.
            if rest.get(..end)?.trim_end() != line.trim_end() {
                return None;
            }
            lines.push((in_source, in_file));
            in_source += line.len() + 1;
            let next = in_file + end + 1;
            let blank = text.get(next..).is_some_and(|rest| rest.starts_with('\n'));
            in_file = if blank { next } else { next + indent };
        }
        Some(Self { file: Arc::clone(&origin.file), lines })
    }

    fn translate(&self, span: &Range<usize>) -> Range<usize> {
        let translate = |offset: usize| {
            let position = self.lines.partition_point(|(in_source, _)| *in_source <= offset).saturating_sub(1);
            self.lines.get(position).map_or(0, |(in_source, in_file)| in_file + (offset - in_source))
        };
        let start = translate(span.start);
        start..translate(span.end).max(start)
    }
}

/// Where a text of one line starts, behind its quote if it has one.
fn single_line(text: &str, start: usize, source: &str) -> Option<usize> {
    if source.contains('\n') {
        return None;
    }
    let unquoted = start + usize::from(text.get(start..)?.starts_with(['"', '\'']));
    text.get(unquoted..)?.starts_with(source).then_some(unquoted)
}
