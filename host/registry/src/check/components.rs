//! Components must have a file. Functions may be core modules, too, and are not looked at.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::Entries;
use crate::entry::Entry;
use crate::kinds::component_file;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &checked.entry;
        if entry.kind == "process.wasm" {
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
        Some(file) => {
            let Some(problem) = problem(&file) else { return };
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let message = format!("`path` of `{}` names `{name}`, which {}", entry.id, problem.reason);
            let diagnostic = entry.locate(Diagnostic::error(problem.code, message), &path, "");
            diagnostics.push(diagnostic.help(problem.help));
        }
    }
}

struct Problem {
    code: &'static str,
    reason: String,
    help: &'static str,
}

/// Looks at the first bytes only: whether the rest is sound shows when it is compiled.
fn problem(file: &Path) -> Option<Problem> {
    const MAGIC: &[u8] = b"\0asm";
    const COMPONENT: &[u8] = &[0x0d, 0x00, 0x01, 0x00];
    let wasm = "build it as a WebAssembly component, for example for the target `wasm32-wasip2`";
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(8).read_to_end(&mut start));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(Problem {
            code: "missing-file",
            reason: "does not exist".to_owned(),
            help: "build the component, or correct the path; it starts beside this file",
        }),
        Err(error) => Some(Problem {
            code: "unreadable-file",
            reason: format!("cannot be read: {error}"),
            help: "make it a file that this user may read",
        }),
        Ok(_) => match start.split_at_checked(4) {
            Some((MAGIC, COMPONENT)) => None,
            Some((MAGIC, _)) => {
                Some(Problem { code: "not-a-component", reason: "is a core module and not a component".to_owned(), help: wasm })
            }
            _ => Some(Problem { code: "not-a-component", reason: "is not WebAssembly".to_owned(), help: wasm }),
        },
    }
}
