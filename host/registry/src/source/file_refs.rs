//! Values of the form `file://path`, which stand for the text of the file.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Sources};
use serde_json::Value;

use super::project::{Project, ReadError, read_text};
use crate::entry::{Entry, SourceFile};
use crate::path::FieldPath;
use crate::suggest::nearest;

/// The largest file that a value may stand for; what Lua source may measure is a limit of its own.
pub(crate) const MAX_SUBSTITUTED_BYTES: u64 = 16 << 20;

const SCHEME: &str = "file://";

/// Reads the files that entries name.
pub(crate) struct FileRefs<'a> {
    project: &'a Project,
    canonical_root: Option<PathBuf>,
    /// Several entries often share one file.
    texts: HashMap<PathBuf, Arc<str>>,
}

impl<'a> FileRefs<'a> {
    pub(crate) fn new(project: &'a Project) -> Self {
        Self { project, canonical_root: project.source.canonicalize().ok(), texts: HashMap::new() }
    }

    /// Replaces every `file://` value of an entry that was just read from `directory`.
    pub(crate) fn substitute(
        &mut self,
        entry: &mut Entry,
        directory: &Path,
        sources: &mut Sources,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<SourceFile> {
        let mut found = Vec::new();
        collect(&entry.meta, &FieldPath::new().key("meta"), &mut found);
        collect(&entry.data, &FieldPath::new(), &mut found);
        let mut files = Vec::new();
        for (field, reference) in found {
            match self.read(&reference, directory, is_binary(&entry.kind)) {
                Ok(file) => {
                    let file = SourceFile { field: field.clone(), ..file };
                    if !file.text.is_empty() {
                        sources.add(Arc::clone(&file.file), Arc::clone(&file.text));
                    }
                    if !is_binary(&entry.kind) {
                        replace(entry, &field, &file.text);
                    }
                    files.push(file);
                }
                Err(problem) => {
                    let message = format!("`{field}` of `{}` names a file that {}", entry.id, problem.reason);
                    let diagnostic = entry.locate(Diagnostic::error(problem.code, message), &field, "");
                    diagnostics.push(diagnostic.help(problem.help));
                    // The entry is not used any more, yet other checks should not stumble over the reference.
                    replace(entry, &field, "");
                }
            }
        }
        files
    }

    fn read(&mut self, reference: &str, directory: &Path, binary: bool) -> Result<SourceFile, Problem> {
        let relative = reference.strip_prefix(SCHEME).unwrap_or(reference);
        let base = if relative.starts_with('/') { self.project.source.as_path() } else { directory };
        let Some(path) = join_inside(&self.project.source, base, relative.trim_start_matches('/')) else {
            return Err(Problem::outside(self.project));
        };
        let shown = self.project.shown(&path);
        // A link may lead out where the text of the path does not.
        if let (Ok(canonical), Some(root)) = (path.canonicalize(), &self.canonical_root)
            && !canonical.starts_with(root)
        {
            return Err(Problem::outside(self.project));
        }
        let file = SourceFile { field: FieldPath::new(), file: shown.as_str().into(), path: path.clone(), text: "".into() };
        if binary {
            return if path.is_file() { Ok(file) } else { Err(missing(&path, &shown)) };
        }
        if let Some(text) = self.texts.get(&path) {
            return Ok(SourceFile { text: Arc::clone(text), ..file });
        }
        match read_text(&path, MAX_SUBSTITUTED_BYTES) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                self.texts.insert(path, Arc::clone(&text));
                Ok(SourceFile { text, ..file })
            }
            Err(ReadError::Missing) => Err(missing(&path, &shown)),
            Err(error) => Err(Problem {
                code: "unreadable-file",
                reason: error.to_string(),
                help: format!("look at `{shown}`: it must be a text file that this user may read"),
            }),
        }
    }
}

struct Problem {
    code: &'static str,
    reason: String,
    help: String,
}

impl Problem {
    fn outside(project: &Project) -> Self {
        let root = project.shown(&project.source);
        Self {
            code: "file-outside-source",
            reason: "lies outside the source directory".to_owned(),
            help: format!("move the file below `{root}`; `file:///name` starts there, `file://name` beside this file"),
        }
    }
}

fn missing(path: &Path, shown: &str) -> Problem {
    let help = match similar_file(path) {
        Some(name) => format!("there is `{name}` in that directory"),
        None => format!(
            "create `{shown}`, or correct the path: `file://name` starts beside this file, `file:///name` in the source directory"
        ),
    };
    Problem { code: "missing-file", reason: format!("does not exist: `{shown}`"), help }
}

fn similar_file(path: &Path) -> Option<String> {
    const MAX_LISTED: usize = 1000;
    let wanted = path.file_name()?.to_str()?;
    let listing = fs::read_dir(path.parent()?).ok()?;
    let mut names: Vec<String> =
        listing.flatten().take(MAX_LISTED).filter_map(|item| item.file_name().into_string().ok()).collect();
    names.sort();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Kinds whose code is a file of bytes, which stays on disk.
fn is_binary(kind: &str) -> bool {
    kind.ends_with(".wasm") || kind.ends_with(".bc")
}

/// Joins a relative path to a directory, unless that leads out of `root`.
pub(crate) fn join_inside(root: &Path, base: &Path, relative: &str) -> Option<PathBuf> {
    let mut path = base.to_path_buf();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path != *root && path.starts_with(root) => {
                path.pop();
            }
            _ => return None,
        }
    }
    path.starts_with(root).then_some(path)
}

/// Lists the values below `value` that name files. Loading has bounded the depth.
fn collect(value: &Value, path: &FieldPath, found: &mut Vec<(FieldPath, String)>) {
    match value {
        Value::String(text) if text.starts_with(SCHEME) => found.push((path.clone(), text.clone())),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                collect(value, &path.index(index), found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                collect(value, &path.key(key), found);
            }
        }
        _ => {}
    }
}

fn replace(entry: &mut Entry, path: &FieldPath, text: &str) {
    if let Some(value) = entry.field_mut(path) {
        *value = Value::String(text.to_owned());
    }
}
