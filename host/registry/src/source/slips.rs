//! The slip behind a YAML parser's complaint, which often points somewhere else.
//!
//! What is only likely is tried: a slip is named when the text without it can be read further.

use std::ops::Range;

use super::yaml::{YamlError, fails_at};

/// Texts that are read once more to try what would mend them.
const MAX_TRIED_BYTES: usize = 1 << 20;
/// How many lines above the complaint a bracket is looked for.
const MAX_LINES: usize = 50;

/// Says what is wrong, where, and what to write.
pub(super) fn find(text: &str, message: String, span: Range<usize>) -> YamlError {
    if message.contains("tab") {
        let line = line_start(text, span.start);
        if let Some(error) = indenting_tab(text, line) {
            return error;
        }
    }
    if text.len() <= MAX_TRIED_BYTES
        && let Some(error) = missing_space(text, &span).or_else(|| open_bracket(text, &span))
    {
        return error;
    }
    let help = if message.contains("mapping values are not allowed") {
        Some("put a value that holds `: ` in quotes, and check the indentation")
    } else if message.contains("tab") {
        Some("indent with spaces")
    } else if message.contains("flow") {
        match text.get(span.clone()) {
            Some(":") => Some("put a value that holds `: ` in quotes"),
            _ => Some("close each `[` and `{`, and separate what is within by commas"),
        }
    } else if message.contains("did not find expected") || message.contains("invalid indentation") {
        Some("indent the fields of one entry alike")
    } else {
        None
    };
    YamlError { message, span, help }
}

/// Finds the first tab in front of a line, from the given one on; the complaint is often about the line before.
fn indenting_tab(text: &str, start: usize) -> Option<YamlError> {
    let mut offset = start;
    for line in text.get(start..)?.split_inclusive('\n').take(2) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.get(..indent).and_then(|indent| indent.find('\t')) {
            let message = "a tab indents this line, and YAML takes only spaces".to_owned();
            return Some(YamlError { message, span: offset + tab..offset + tab + 1, help: Some("indent with spaces") });
        }
        offset += line.len();
    }
    None
}

/// Finds `name:value` where a space should follow the colon.
fn missing_space(text: &str, span: &Range<usize>) -> Option<YamlError> {
    let line = line_start(text, span.start);
    let before = line.checked_sub(1).map(|end| line_start(text, end));
    for start in [Some(line), before].into_iter().flatten() {
        let content = text.get(start..)?.split('\n').next()?.trim_end();
        let word = content.trim_start_matches([' ', '-']);
        let word_start = start + content.len() - word.len();
        let Some((name, value)) = word.split_once(':') else { continue };
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.'));
        if !is_name || value.starts_with([' ', ':', '/']) || value.is_empty() {
            continue;
        }
        let colon = word_start + name.len() + 1;
        if is_mended(text, colon, " ", span) {
            let message = format!("`{}` is one word, and no field with its value", word.split_whitespace().next()?);
            return Some(YamlError { message, span: word_start..colon, help: Some("write a space after the colon") });
        }
    }
    None
}

/// Finds the bracket that is still open at the end of its line.
fn open_bracket(text: &str, span: &Range<usize>) -> Option<YamlError> {
    let mut start = line_start(text, span.start);
    for _ in 0..MAX_LINES {
        let line = text.get(start..)?.split('\n').next()?;
        if let Some((open, end)) = unclosed(line) {
            let bracket = line.get(open..=open)?;
            let (closing, help) = match bracket {
                "[" => ("]", "write `]` behind its last element"),
                _ => ("}", "write `}` behind its last field"),
            };
            // Where a bracket of another form follows, it closes what is around.
            let number = text.get(..start)?.matches('\n').count() + 1;
            let message = format!("the `{bracket}` of line {number} is not closed");
            return is_mended(text, start + end, closing, span).then(|| YamlError {
                message,
                span: start + open..start + open + 1,
                help: Some(help),
            });
        }
        start = line_start(text, start.checked_sub(1)?);
    }
    None
}

/// Gives the innermost bracket of a line that nothing closes, and where its closing bracket would stand: before one of another
/// form, or at the end.
fn unclosed(line: &str) -> Option<(usize, usize)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote = None;
    let mut previous = ' ';
    let mut end = line.trim_end().len();
    for (offset, letter) in line.char_indices() {
        match (quote, letter) {
            (Some(mark), letter) if mark == letter && previous != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if matches!(previous, ' ' | '[' | '{' | ',' | ':') => quote = Some(letter),
            (None, '#') if previous == ' ' => {
                end = line.get(..offset)?.trim_end().len();
                break;
            }
            // Outside of brackets, one that opens stands where a value begins.
            (None, '[' | '{') if !open.is_empty() || previous == ' ' => open.push((offset, letter)),
            (None, ']' | '}') => match open.pop() {
                Some((_, '[')) if letter == ']' => {}
                Some((_, '{')) if letter == '}' => {}
                Some((opened, _)) => return Some((opened, offset)),
                None => return None,
            },
            _ => {}
        }
        previous = letter;
    }
    open.last().map(|(opened, _)| (*opened, end))
}

/// Tells whether a text can be read further with something inserted.
fn is_mended(text: &str, at: usize, insert: &str, span: &Range<usize>) -> bool {
    let (Some(head), Some(tail)) = (text.get(..at), text.get(at..)) else { return false };
    let failed = line_start(text, span.start);
    let next = text.get(failed..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| failed + length + 1);
    // Behind the line of the complaint, in the longer text; a text that ends there must be whole.
    let fails = fails_at(&format!("{head}{insert}{tail}"));
    fails == usize::MAX || next < text.len() && fails > next + insert.len()
}

fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1)
}
