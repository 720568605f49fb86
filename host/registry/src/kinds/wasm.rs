//! WebAssembly components: functions and processes in other languages.

use std::path::PathBuf;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, Reader};
use super::lua::{Command, POOL, Pool, Retry};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::limits::{LIMITS, Limits};
use crate::path::FieldPath;
use crate::schema::{Field, Object, Target, Type, Unknown};
use crate::source::join_inside;

/// What a component is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WasmForm {
    /// It is called and returns.
    Function,
    /// It is spawned and lives.
    Process,
}

/// An entry of WebAssembly code.
#[derive(Debug, Clone, PartialEq)]
pub struct WasmEntry {
    /// Who it is.
    pub id: EntryId,
    /// What it is for.
    pub form: WasmForm,
    /// The file with the component; absent when it lies in the volume of `fs`.
    pub file: Option<PathBuf>,
    /// The volume that holds the file, and the path in it.
    pub volume: Option<(EntryId, String)>,
    /// The hash that the file must have, as `sha256:...`.
    pub hash: Option<String>,
    /// The function that runs.
    pub method: String,
    /// The host interfaces it may import.
    pub imports: Vec<String>,
    /// Its own limits.
    pub limits: Limits,
    /// How many calls run at once; functions only.
    pub pool: Pool,
    /// The host on which a process runs when it is called as a function.
    pub default_host: Option<EntryId>,
    /// How failed calls are repeated.
    pub retry: Option<Retry>,
    /// The command of the command line that runs it.
    pub command: Option<Command>,
}

impl WasmEntry {
    /// Sees an entry as a component.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its path or method.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        let form = match entry.kind.as_str() {
            "function.wasm" => WasmForm::Function,
            "process.wasm" => WasmForm::Process,
            _ => return Err(reader.wrong_kind("a WebAssembly component")),
        };
        let volume = match (reader.id("fs"), reader.optional_text("path")) {
            (Ok(fs), Some(path)) => Some((fs, path)),
            _ => None,
        };
        let file = if volume.is_some() { None } else { component_file(entry) };
        if volume.is_none() && file.is_none() {
            return Err(reader.missing("path"));
        }
        Ok(Self {
            id: entry.id.clone(),
            form,
            file,
            volume,
            hash: reader.optional_text("hash"),
            method: reader.text("method")?.to_owned(),
            imports: fields::texts(reader.get("imports")),
            limits: Limits::read(reader.get("limits")),
            pool: Pool::read(reader.get("pool")),
            default_host: entry.meta.get("default_host").and_then(|value| fields::id(value, entry)),
            retry: Retry::read(entry),
            command: Command::read(entry),
        })
    }
}

/// Gives the file that `path` or `source` names: relative to the entry's file, or to the source directory with a leading slash.
pub(crate) fn component_file(entry: &Entry) -> Option<PathBuf> {
    if let Some(file) = entry.source_file(&FieldPath::new().key("source")) {
        return Some(file.path.clone());
    }
    let path = entry.data.get("path").and_then(Value::as_str)?;
    let origin = entry.origin.as_ref()?;
    let path = path.strip_prefix("file://").unwrap_or(path);
    let base = if path.starts_with('/') { &origin.root } else { &origin.directory };
    join_inside(&origin.root, base, path.trim_start_matches('/'))
}

static VOLUME: Target = Target { what: "a file volume", kinds: &["fs.*"] };

pub(super) static COMPONENT: Object = Object {
    fields: &[
        Field::new("fs", Type::Ref(&VOLUME)),
        Field::new("path", Type::Text),
        Field::new("source", Type::Text),
        Field::new("hash", Type::Text),
        Field::required("method", Type::Text, "write `method: run`, the exported function to run"),
        Field::new("wit", Type::Text),
        Field::new("transport", Type::Choice(&["payload", "wasi-http"])),
        Field::new("imports", Type::List(&Type::Text)),
        Field::new("wasi", Type::Map(&Type::Any)),
        Field::new("limits", Type::Object(&LIMITS)),
        Field::new("pool", Type::Object(&POOL)),
        // Known, so that the check of services can say why it has no effect.
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
