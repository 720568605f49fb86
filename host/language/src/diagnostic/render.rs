//! Diagnostics for people: source lines with underlining, and one line each.
//!
//! Source text and messages may come from untrusted hands, so nothing that a terminal would obey passes through: control
//! characters and characters that reorder text are shown as visible stand-ins.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets as snippets;
use annotate_snippets::{AnnotationKind, Element, Group, Patch, Renderer, Snippet};

use super::sources::Source;
use super::{Diagnostic, Label, Level, Sources};

/// A longer line is cut to this many bytes around what is underlined: a minified file must not flood the terminal.
const MAX_LINE_BYTES: usize = 400;
/// Labels further apart than this many lines are shown as separate snippets.
const MAX_SNIPPET_LINES: usize = 500;

/// Renders diagnostics with source lines and underlining, one after the other, each followed by an empty line.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut output = String::new();
    for diagnostic in diagnostics {
        output.push_str(&render_one(diagnostic, sources, &renderer));
        output.push_str("\n\n");
    }
    output
}

/// Renders each diagnostic as one line: `file:line:column: level[code]: message`.
#[must_use]
pub fn render_short(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut output = String::new();
    for diagnostic in diagnostics {
        if let Some(label) = &diagnostic.primary {
            output.push_str(&visible(&label.file));
            if let Some(position) = sources.position(&label.file, label.span.start) {
                let _ = write!(output, ":{}:{}", position.line, position.column);
            }
            output.push_str(": ");
        }
        let message = visible(&diagnostic.message).replace('\n', " ");
        let _ = writeln!(output, "{}[{}]: {message}", diagnostic.level, diagnostic.code);
    }
    output
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.level {
        Level::Error => snippets::Level::ERROR,
        Level::Warning => snippets::Level::WARNING,
        Level::Info => snippets::Level::INFO,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(visible(&diagnostic.code));
    let mut elements: Vec<Element<'_>> = Vec::new();
    for group in group_labels(diagnostic) {
        elements.extend(snippet(&group, sources));
    }
    for note in &diagnostic.notes {
        elements.push(snippets::Level::NOTE.message(visible(note)).into());
    }
    let fix = diagnostic.fix.as_ref().zip(diagnostic.primary.as_ref());
    let fix_snippet = fix.and_then(|(fix, label)| fix_snippet(fix, sources.source(&label.file)?));
    if let (Some(help), None) = (&diagnostic.help, &fix_snippet) {
        elements.push(snippets::Level::HELP.message(visible(help)).into());
    }
    let mut report: Vec<Group<'_>> = vec![title.elements(elements)];
    if let (Some(patch), Some((fix, _))) = (fix_snippet, fix) {
        let text = diagnostic.help.as_deref().unwrap_or(&fix.title);
        report.push(snippets::Level::HELP.secondary_title(visible(text)).element(patch));
    }
    renderer.render(&report)
}

/// Labels that are shown in one snippet; the flag marks the primary one.
struct LabelGroup<'a> {
    labels: Vec<(&'a Label, bool)>,
}

fn group_labels(diagnostic: &Diagnostic) -> Vec<LabelGroup<'_>> {
    let mut groups: Vec<LabelGroup<'_>> = Vec::new();
    let labels = diagnostic.primary.iter().map(|label| (label, true));
    for (label, primary) in labels.chain(diagnostic.secondary.iter().map(|label| (label, false))) {
        let same = |group: &&mut LabelGroup<'_>| group.labels.iter().all(|(other, _)| other.file == label.file);
        match groups.iter_mut().find(same) {
            Some(group) => group.labels.push((label, primary)),
            None => groups.push(LabelGroup { labels: vec![(label, primary)] }),
        }
    }
    groups
}

fn snippet<'a>(group: &LabelGroup<'a>, sources: &Sources) -> Vec<Element<'a>> {
    let Some((first, _)) = group.labels.first() else {
        return Vec::new();
    };
    let path = visible(&first.file);
    let Some(source) = sources.source(&first.file) else {
        return vec![snippets::Origin::path(path).into()];
    };
    let near: Vec<&(&Label, bool)> = group
        .labels
        .iter()
        .filter(|(label, _)| source.line(label.span.start).abs_diff(source.line(first.span.start)) <= MAX_SNIPPET_LINES)
        .collect();
    let spans: Vec<Range<usize>> = near.iter().map(|(label, _)| shown_span(source, &label.span)).collect();
    let excerpt = Excerpt::new(source, &spans);
    let mut snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.first_line).path(path);
    for ((label, primary), span) in near.iter().zip(&spans) {
        let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(excerpt.translate(span));
        snippet = snippet.annotation(if label.text.is_empty() {
            annotation
        } else {
            annotation.label(visible(&label.text).into_owned())
        });
    }
    vec![snippet.into()]
}

fn fix_snippet<'a>(fix: &super::Fix, source: &Source) -> Option<Snippet<'a, Patch<'a>>> {
    let span = source.clamp(fix.span.start)..source.clamp(fix.span.end.max(fix.span.start));
    let lines = source.line(span.end).abs_diff(source.line(span.start));
    if lines > MAX_SNIPPET_LINES || fix.replacement.len() > MAX_LINE_BYTES {
        return None;
    }
    let excerpt = Excerpt::new(source, std::slice::from_ref(&span));
    if excerpt.text.len() > MAX_LINE_BYTES * 4 {
        return None;
    }
    let patch = Patch::new(excerpt.translate(&span), visible(&fix.replacement).into_owned());
    Some(Snippet::source(excerpt.text).line_start(excerpt.first_line).patch(patch))
}

/// Brings a span into the text; one over very many lines shrinks to its first line.
fn shown_span(source: &Source, span: &Range<usize>) -> Range<usize> {
    let start = source.clamp(span.start);
    let end = source.clamp(span.end.max(span.start));
    if source.line(end).abs_diff(source.line(start)) > MAX_SNIPPET_LINES {
        let line_end = source.line_span(source.line(start)).map_or(start, |line| line.end);
        return start..line_end.max(start);
    }
    start..end
}

/// The lines that hold some spans, made safe for a terminal, with a map from offsets of the source to offsets of the text.
struct Excerpt {
    text: String,
    first_line: usize,
    /// Pairs of source offset and offset in `text`, ascending; between two of them both advance alike.
    anchors: Vec<(usize, usize)>,
}

impl Excerpt {
    fn new(source: &Source, spans: &[Range<usize>]) -> Self {
        let first_line = spans.iter().map(|span| source.line(span.start)).min().unwrap_or(1);
        let last_line = spans.iter().map(|span| source.line(span.end)).max().unwrap_or(first_line);
        let mut excerpt = Self { text: String::new(), first_line, anchors: Vec::new() };
        for line in first_line..=last_line {
            let Some(span) = source.line_span(line) else {
                continue;
            };
            if line > first_line {
                excerpt.text.push('\n');
            }
            excerpt.push_line(source, span, spans);
        }
        excerpt
    }

    fn push_line(&mut self, source: &Source, line: Range<usize>, spans: &[Range<usize>]) {
        let mut shown = line.clone();
        if line.len() > MAX_LINE_BYTES {
            let touched = spans.iter().filter(|span| span.start <= line.end && span.end >= line.start);
            let focus = touched.map(|span| span.start.max(line.start)).min().unwrap_or(line.start);
            let start = if focus - line.start > MAX_LINE_BYTES / 2 { focus - MAX_LINE_BYTES / 4 } else { line.start };
            shown = source.clamp(start)..source.clamp((start + MAX_LINE_BYTES).min(line.end));
        }
        if shown.start > line.start {
            self.anchors.push((line.start, self.text.len()));
            self.text.push_str("...");
        }
        for (offset, character) in source.text.get(shown.clone()).unwrap_or("").char_indices() {
            self.anchors.push((shown.start + offset, self.text.len()));
            push_visible(&mut self.text, character);
        }
        self.anchors.push((shown.end, self.text.len()));
        if shown.end < line.end {
            self.text.push_str("...");
        }
    }

    fn translate(&self, span: &Range<usize>) -> Range<usize> {
        let translate = |offset: usize| {
            let next = self.anchors.partition_point(|(from, _)| *from <= offset);
            self.anchors.get(next.saturating_sub(1)).map_or(0, |(_, to)| *to)
        };
        let start = translate(span.start);
        let end = translate(span.end).max(start);
        start..end
    }
}

/// Replaces whatever a terminal would obey; line breaks and tabs stay.
fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut output, character);
    }
    Cow::Owned(output)
}

fn is_unsafe(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn push_visible(output: &mut String, character: char) {
    if !is_unsafe(character) {
        output.push(character);
        return;
    }
    match u32::from(character) {
        // The control pictures block mirrors the control characters.
        code @ 0..0x20 => output.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}')),
        0x7f => output.push('\u{2421}'),
        code => {
            let _ = write!(output, "<U+{code:04X}>");
        }
    }
}
