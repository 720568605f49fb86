//! WebAssembly components: functions and processes in other languages.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, Reader, SERVICE_SECURITY};
use super::lua::{Command, POOL, Pool, Retry};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::limits::{Limits, WASM_LIMITS};
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

/// What an entry grants to its code through WASI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WasiFields {
    /// Command-line arguments.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<WasiVariable>,
    /// File volumes.
    pub mounts: Vec<WasiMount>,
}

/// An environment variable that code sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasiVariable {
    /// The entry of kind `env.variable`.
    pub id: EntryId,
    /// Its name in the code.
    pub name: String,
    /// Whether the code cannot run without it.
    pub required: bool,
}

/// A file volume that code sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasiMount {
    /// The entry of kind `fs.directory` or `fs.embed`.
    pub volume: EntryId,
    /// The absolute path under which the code sees it.
    pub guest: String,
    /// Whether it can only be read.
    pub read_only: bool,
}

impl WasiFields {
    fn read(value: Option<&Value>, entry: &Entry) -> Self {
        let list = |name: &str| value.and_then(|value| value.get(name)).and_then(Value::as_array).into_iter().flatten();
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = |value: &Value, name: &str| value.get(name).and_then(|id| fields::id(id, entry));
        let variable = |value: &Value| {
            let name = text(value, "name")?;
            Some(WasiVariable { id: id(value, "id")?, name, required: fields::bool(value.get("required"), false) })
        };
        let mount = |value: &Value| {
            let guest = text(value, "guest")?;
            Some(WasiMount { volume: id(value, "fs")?, guest, read_only: fields::bool(value.get("read_only"), false) })
        };
        Self {
            args: list("args").filter_map(Value::as_str).map(str::to_owned).collect(),
            env: list("env").filter_map(variable).collect(),
            mounts: list("mounts").filter_map(mount).collect(),
        }
    }
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
    /// The code itself as text, for entries of kind `function.wat`.
    pub text: Option<String>,
    /// The function that runs.
    pub method: String,
    /// The types of a core module's functions.
    pub wit: Option<String>,
    /// How arguments reach it: `payload`, or `wasi-http`.
    pub transport: Option<String>,
    /// What WASI gives to it.
    pub wasi: WasiFields,
    /// How long one run may take.
    pub max_execution: Option<Duration>,
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
            "function.wasm" | "function.wat" => WasmForm::Function,
            "process.wasm" => WasmForm::Process,
            _ => return Err(reader.wrong_kind("a WebAssembly component")),
        };
        let text = if entry.kind == "function.wat" { Some(reader.text("source")?.to_owned()) } else { None };
        let volume = match (reader.id("fs"), reader.optional_text("path")) {
            (Ok(fs), Some(path)) => Some((fs, path)),
            _ => None,
        };
        let file = if volume.is_some() || text.is_some() { None } else { component_file(entry) };
        if volume.is_none() && file.is_none() && text.is_none() {
            return Err(reader.missing("path"));
        }
        Ok(Self {
            id: entry.id.clone(),
            form,
            file,
            volume,
            hash: reader.optional_text("hash"),
            text,
            method: reader.text("method")?.to_owned(),
            wit: reader.optional_text("wit"),
            transport: reader.optional_text("transport"),
            wasi: WasiFields::read(reader.get("wasi"), entry),
            max_execution: reader
                .get("limits")
                .and_then(|limits| limits.get("max_execution_ms"))
                .and_then(Value::as_u64)
                .map(Duration::from_millis),
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

static VARIABLE: Target = Target { what: "a variable", kinds: &["env.variable"] };

static WASI: Object = Object {
    fields: &[
        Field::new("args", Type::List(&Type::Text)),
        Field::new("cwd", Type::Text),
        Field::new("env", Type::List(&Type::Object(&WASI_VARIABLE))),
        Field::new("mounts", Type::List(&Type::Object(&WASI_MOUNT))),
    ],
    unknown: Unknown::Warned,
};

static WASI_VARIABLE: Object = Object {
    fields: &[
        Field::required("id", Type::Ref(&VARIABLE), "write `id: name`, the variable that holds the value"),
        Field::required("name", Type::Text, "write `name: NAME`, what the code calls the variable"),
        Field::new("required", Type::Bool),
    ],
    unknown: Unknown::Warned,
};

static WASI_MOUNT: Object = Object {
    fields: &[
        Field::required("fs", Type::Ref(&VOLUME), "write `fs: name`, the volume to mount"),
        Field::required("guest", Type::Text, "write `guest: /data`, where the code sees the volume"),
        Field::new("read_only", Type::Bool),
    ],
    unknown: Unknown::Warned,
};

pub(super) static TEXT: Object = Object {
    fields: &[
        Field::required("source", Type::Text, "write `source: file://NAME.wat`, or the text itself"),
        Field::required("method", Type::Text, "write `method: run`, the exported function to run"),
        Field::new("wit", Type::Text),
        Field::new("transport", Type::Choice(&["payload", "wasi-http"])),
        Field::new("imports", Type::List(&Type::Text)),
        Field::new("wasi", Type::Object(&WASI)),
        Field::new("limits", Type::Object(&WASM_LIMITS)),
        Field::new("pool", Type::Object(&POOL)),
        Field::new("security", Type::Object(&SERVICE_SECURITY)),
    ],
    unknown: Unknown::Warned,
};

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
        Field::new("wasi", Type::Object(&WASI)),
        Field::new("limits", Type::Object(&WASM_LIMITS)),
        Field::new("pool", Type::Object(&POOL)),
        Field::new("security", Type::Object(&SERVICE_SECURITY)),
        // Known, so that the check of services can say why it has no effect.
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
