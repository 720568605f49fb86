//! Between the editor's places and ours: URIs and paths, lines of UTF-16 and bytes.

use std::ops::Range;
use std::path::{Path, PathBuf};

use moonlet_language::diagnostic::{Diagnostic, Level};
use serde_json::{Value, json};

/// Gives the path of a `file:` URI.
pub(crate) fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut input = path.bytes();
    while let Some(byte) = input.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [input.next()?, input.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Gives the `file:` URI of a path.
pub(crate) fn uri_of(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// Gives the byte offset of a position; one beyond a line counts as its end.
pub(crate) fn offset_of(text: &str, position: &Value) -> usize {
    let number =
        |name: &str| position.get(name).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok()).unwrap_or(0);
    let (line, character) = (number("line"), number("character"));
    let mut start = 0;
    for _ in 0..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let mut units = 0;
    for (at, c) in text.get(start..).unwrap_or("").char_indices() {
        if units >= character || c == '\n' {
            return start + at;
        }
        units += c.len_utf16();
    }
    text.len()
}

/// Gives the position of a byte offset.
pub(crate) fn position_of(text: &str, offset: usize) -> Value {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let last = before.rsplit('\n').next().unwrap_or("");
    json!({"line": line, "character": last.encode_utf16().count()})
}

/// Gives a range.
pub(crate) fn range_of(text: &str, span: Range<usize>) -> Value {
    json!({"start": position_of(text, span.start), "end": position_of(text, span.end)})
}

/// Gives a diagnostic as the protocol has it.
pub(crate) fn diagnostic_of(diagnostic: &Diagnostic, uri: &str, text: &str) -> Value {
    let severity = match diagnostic.level {
        Level::Error => 1,
        Level::Warning => 2,
        Level::Info => 3,
    };
    let span = diagnostic.primary.as_ref().map_or(0..0, |label| label.span.clone());
    // What has no width would be invisible.
    let span = if span.is_empty() { span.start.saturating_sub(1)..span.end } else { span };
    let mut message = diagnostic.message.clone();
    for line in diagnostic.notes.iter().chain(diagnostic.help.iter()) {
        message.push('\n');
        message.push_str(line);
    }
    let related: Vec<Value> = diagnostic
        .secondary
        .iter()
        .map(|label| json!({"location": {"uri": uri, "range": range_of(text, label.span.clone())}, "message": label.text}))
        .collect();
    json!({
        "range": range_of(text, span),
        "severity": severity,
        "code": diagnostic.code,
        "source": "moonlet",
        "message": message,
        "relatedInformation": related,
    })
}
