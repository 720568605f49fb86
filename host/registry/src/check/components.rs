//! Components must have a file.

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::Entries;
use crate::entry::Entry;
use crate::kinds::component_file;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &checked.entry;
        if matches!(entry.kind.as_str(), "process.wasm" | "function.wasm") {
            check_file(entry, diagnostics);
        }
    }
}

fn check_file(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) {
    let has = |name: &str| entry.data.get(name).is_some_and(|value| !value.is_null());
    if has("fs") && has("path") || entry.source_file(&FieldPath::new().key("source")).is_some() {
        return;
    }
    let path = FieldPath::new().key("path");
    if !has("path") {
        if !has("source") {
            let diagnostic = Diagnostic::error("missing-field", format!("`{}` ({}) needs `path`", entry.id, entry.kind));
            let diagnostic = entry.locate_key(diagnostic, &path, "");
            diagnostics.push(diagnostic.help("write `path: name.wasm`, the file of the component, beside this file"));
        }
        return;
    }
    // An entry that a program made has no directory from which a path could start.
    if entry.origin.is_none() || !entry.data.get("path").is_some_and(Value::is_string) {
        return;
    }
    match component_file(entry) {
        None => {
            let message = format!("`path` of `{}` names a file that lies outside the source directory", entry.id);
            let diagnostic = entry.locate(Diagnostic::error("file-outside-source", message), &path, "");
            diagnostics.push(diagnostic.help("move the file below the source directory"));
        }
        Some(file) if !file.is_file() => {
            let message = format!("`path` of `{}` names a file that does not exist", entry.id);
            let diagnostic = entry.locate(Diagnostic::error("missing-file", message), &path, "");
            diagnostics.push(diagnostic.help("build the component, or correct the path; it starts beside this file"));
        }
        Some(_) => {}
    }
}
