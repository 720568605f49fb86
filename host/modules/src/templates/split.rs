//! From the text of a template to its parts: text, and what stands between delimiters.

use serde_json::Value as Json;

/// What encloses actions and comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delimiters {
    left: String,
    right: String,
    comment_left: String,
    comment_right: String,
}

impl Delimiters {
    pub(super) fn read(fields: &Json) -> Self {
        let read = |name: &str, default: &str| {
            let text = fields.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
            text.unwrap_or(default).to_owned()
        };
        Self {
            left: read("left", "{{"),
            right: read("right", "}}"),
            comment_left: read("comment_left", "{*"),
            comment_right: read("comment_right", "*}"),
        }
    }

    /// Names them, to tell templates apart that were read with others.
    pub(super) fn key(&self) -> String {
        [&*self.left, &self.right, &self.comment_left, &self.comment_right].join("\u{0}")
    }
}

/// A part, with its line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Action(String, usize),
}

/// Splits a template; an error is what is wrong and the line.
pub(super) fn split(source: &str, delimiters: &Delimiters) -> Result<Vec<Part>, (String, usize)> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = source;
    let mut trim = false;
    let line = |rest: &str| source.get(..source.len() - rest.len()).unwrap_or("").matches('\n').count() + 1;
    loop {
        let action = rest.find(&delimiters.left);
        let comment = rest.find(&delimiters.comment_left);
        let is_comment = comment.is_some_and(|comment| action.is_none_or(|action| comment < action));
        let at = if is_comment { comment } else { action };
        let (text, after) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or((rest, ""));
        let mut text = if trim { text.trim_start() } else { text };
        trim = false;
        let inner = after.get(if is_comment { delimiters.comment_left.len() } else { delimiters.left.len() }..).unwrap_or("");
        if !is_comment && inner.starts_with("- ") {
            text = text.trim_end();
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        if at.is_none() {
            return Ok(parts);
        }
        let here = line(after);
        if is_comment {
            let end = inner.find(&delimiters.comment_right).ok_or_else(|| ("the comment has no end".to_owned(), here))?;
            rest = inner.get(end + delimiters.comment_right.len()..).unwrap_or("");
            continue;
        }
        let end = end_of(inner, &delimiters.right).ok_or_else(|| (format!("`{}` is missing", delimiters.right), here))?;
        let mut action = inner.get(..end).unwrap_or("");
        rest = inner.get(end + delimiters.right.len()..).unwrap_or("");
        action = action.strip_prefix("- ").unwrap_or(action);
        if let Some(trimmed) = action.strip_suffix(" -") {
            action = trimmed;
            trim = true;
        }
        parts.push(Part::Action(action.trim().to_owned(), here));
    }
}

/// Finds the end of an action, which does not stand within a string.
fn end_of(text: &str, right: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if character == '\\' && open != '`' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if text.get(index..).is_some_and(|rest| rest.starts_with(right)) => return Some(index),
            None if "\"'`".contains(character) => quote = Some(character),
            None => {}
        }
    }
    None
}
