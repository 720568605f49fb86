//! Diagnostics for scripts: an array of objects, ordered as given.

use serde_json::{Map, Value, json};

use super::{Diagnostic, Label, Sources};

/// Gives the diagnostics as a JSON array.
///
/// Lines and columns count from one, columns in characters; `start` and `end` are byte offsets. Members without a value are left out.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    Value::Array(diagnostics.iter().map(|diagnostic| diagnostic_to_json(diagnostic, sources)).collect())
}

fn diagnostic_to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(diagnostic.code));
    object.insert("level".to_owned(), json!(diagnostic.level.as_str()));
    object.insert("message".to_owned(), json!(diagnostic.message));
    if let Some(label) = &diagnostic.primary {
        object.extend(label_to_json(label, sources));
    }
    if !diagnostic.secondary.is_empty() {
        let related = diagnostic.secondary.iter().map(|label| Value::Object(label_to_json(label, sources))).collect();
        object.insert("related".to_owned(), Value::Array(related));
    }
    if !diagnostic.notes.is_empty() {
        object.insert("notes".to_owned(), json!(diagnostic.notes));
    }
    if let Some(help) = &diagnostic.help {
        object.insert("help".to_owned(), json!(help));
    }
    if let Some(fix) = &diagnostic.fix {
        let fix = json!({"title": fix.title, "start": fix.span.start, "end": fix.span.end, "replacement": fix.replacement});
        object.insert("fix".to_owned(), fix);
    }
    Value::Object(object)
}

fn label_to_json(label: &Label, sources: &Sources) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("file".to_owned(), json!(&*label.file));
    let start = sources.position(&label.file, label.span.start);
    let end = sources.position(&label.file, label.span.end);
    if let (Some(start), Some(end)) = (start, end) {
        object.insert("line".to_owned(), json!(start.line));
        object.insert("column".to_owned(), json!(start.column));
        object.insert("end_line".to_owned(), json!(end.line));
        object.insert("end_column".to_owned(), json!(end.column));
    }
    object.insert("start".to_owned(), json!(label.span.start));
    object.insert("end".to_owned(), json!(label.span.end));
    if !label.text.is_empty() {
        object.insert("label".to_owned(), json!(label.text));
    }
    object
}
