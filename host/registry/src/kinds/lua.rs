//! Lua code: functions, processes and libraries.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, LUA_CODE, Reader, SERVICE_SECURITY};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::limits::{LIMITS, Limits};
use crate::path::FieldPath;
use crate::schema::{Field, Object, Type, Unknown};

/// What Lua code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LuaForm {
    /// It is called and returns.
    Function,
    /// It is spawned and lives.
    Process,
    /// Other code imports it.
    Library,
}

/// An entry of Lua code.
#[derive(Debug, Clone, PartialEq)]
pub struct LuaEntry {
    /// Who it is.
    pub id: EntryId,
    /// What it is for.
    pub form: LuaForm,
    /// The text of the code.
    pub source: Arc<str>,
    /// The file that the text came from, as it is shown in reports; absent where it stands in the entry itself.
    pub source_name: Option<Arc<str>>,
    /// The function that runs, where the chunk returns a table; libraries have none.
    pub method: Option<String>,
    /// The modules that it may use.
    pub modules: Vec<String>,
    /// Other code that it uses, by the name it uses it under.
    pub imports: Vec<(String, EntryId)>,
    /// Modules that it uses under names of its own, by that name; they stand among the modules, too.
    pub aliases: Vec<(String, String)>,
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

impl LuaEntry {
    /// Sees an entry as Lua code.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its source.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        let form = match entry.kind.as_str() {
            "function.lua" => LuaForm::Function,
            "process.lua" => LuaForm::Process,
            "library.lua" => LuaForm::Library,
            _ => return Err(reader.wrong_kind("Lua code")),
        };
        let source = reader.text("source")?;
        let file = entry.source_file(&FieldPath::new().key("source"));
        let aliases = aliases(entry);
        let mut modules = fields::texts(reader.get("modules"));
        for (_, module) in &aliases {
            if !modules.contains(module) {
                modules.push(module.clone());
            }
        }
        Ok(Self {
            id: entry.id.clone(),
            form,
            // The text of a file is shared with every other entry that names the file, unless it was overridden.
            source: match file {
                Some(file) if *file.text == *source => Arc::clone(&file.text),
                _ => source.into(),
            },
            source_name: file.map(|file| Arc::clone(&file.file)),
            method: reader.optional_text("method"),
            modules,
            imports: imports(entry),
            aliases,
            limits: Limits::read(reader.get("limits")),
            pool: Pool::read(reader.get("pool")),
            default_host: entry.meta.get("default_host").and_then(|value| fields::id(value, entry)),
            retry: Retry::read(entry),
            command: Command::read(entry),
        })
    }
}

/// Reads the imports of an entry of code.
pub(crate) fn imports(entry: &Entry) -> Vec<(String, EntryId)> {
    let map = entry.data.get("imports").and_then(Value::as_object);
    let import = |(name, value): (&String, &Value)| Some((name.clone(), fields::id(value, entry)?));
    map.into_iter().flatten().filter_map(import).collect()
}

/// Reads the imports that name a module instead of an entry, as `name: :module`.
fn aliases(entry: &Entry) -> Vec<(String, String)> {
    let map = entry.data.get("imports").and_then(Value::as_object);
    let alias = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.strip_prefix(':')?.to_owned()));
    map.into_iter().flatten().filter_map(alias).collect()
}

/// How many calls of a function run at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// How calls get their instance.
    pub pool_type: PoolType,
    /// How many calls run at once at most.
    pub max_size: u64,
    /// How many calls may wait.
    pub buffer: u64,
    /// Whether the entry says anything about its pool; otherwise only other limits bound its calls.
    pub declared: bool,
}

/// How calls get their instance; the image of each call is fresh whatever the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PoolType {
    /// In the turn of the caller.
    Inline,
    /// Made on demand, none kept.
    #[default]
    Lazy,
    /// A fixed number.
    Static,
    /// Grows under load and shrinks when idle.
    Adaptive,
}

impl Pool {
    /// How many calls of a function run at once unless it says otherwise.
    pub const DEFAULT_MAX_SIZE: u64 = 100;
    /// The same where a growing type is named without its size.
    pub const DEFAULT_ELASTIC_SIZE: u64 = 16;
    /// The size of a static pool that names none.
    pub const DEFAULT_STATIC_SIZE: u64 = 8;
    /// How many calls may wait for each that runs.
    pub const BUFFER_PER_SIZE: u64 = 64;

    pub(super) fn read(value: Option<&Value>) -> Self {
        let field = |name: &str| value.and_then(|value| value.get(name));
        let number = |name: &str| field(name).and_then(Value::as_u64).filter(|number| *number > 0);
        let fixed = number("workers").or(number("size"));
        let named = field("type").and_then(Value::as_str);
        let pool_type = match named {
            Some("inline") => PoolType::Inline,
            Some("static") => PoolType::Static,
            Some("adaptive") => PoolType::Adaptive,
            Some("lazy") => PoolType::Lazy,
            _ if fixed.is_some() => PoolType::Static,
            _ => PoolType::Lazy,
        };
        let max_size = match (pool_type, named) {
            (PoolType::Static, _) => fixed.unwrap_or(Self::DEFAULT_STATIC_SIZE),
            (PoolType::Lazy | PoolType::Adaptive, Some(_)) => number("max_size").unwrap_or(Self::DEFAULT_ELASTIC_SIZE),
            _ => number("max_size").unwrap_or(Self::DEFAULT_MAX_SIZE),
        };
        let buffer = number("buffer").unwrap_or(max_size.saturating_mul(Self::BUFFER_PER_SIZE));
        let declared = fixed.is_some() || named.is_some() || number("max_size").is_some() || number("buffer").is_some();
        Self { pool_type, max_size, buffer, declared }
    }
}

/// How failed calls of a function are repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How often it is called at most, with the first time.
    pub max_attempts: u64,
    /// The wait before the first repetition.
    pub initial_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// What each wait is multiplied with.
    pub backoff_factor: f64,
    /// The share by which each wait varies.
    pub jitter: f64,
}

impl Retry {
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        let value = entry.meta.get("options")?.get("retry").filter(|value| value.is_object())?;
        let number = |name: &str, default: f64| value.get(name).and_then(Value::as_f64).unwrap_or(default);
        Some(Self {
            max_attempts: value.get("max_attempts").and_then(Value::as_u64).unwrap_or(3),
            initial_delay: fields::millis(value.get("initial_delay"), Duration::from_millis(100)),
            max_delay: fields::millis(value.get("max_delay"), Duration::from_secs(30)),
            backoff_factor: number("backoff_factor", 2.0),
            jitter: number("jitter", 0.0),
        })
    }
}

/// A command of the command line: `moonlet run NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The word that runs it.
    pub name: String,
    /// What it does, in one line.
    pub short: Option<String>,
    /// Whether it is the one to run when none is named.
    pub main: bool,
    /// Which tool runs it: `run` unless the entry says otherwise.
    pub use_case: String,
}

impl Command {
    /// Reads the command that an entry of any kind declares.
    #[must_use]
    pub fn read(entry: &Entry) -> Option<Self> {
        let value = entry.meta.get("command")?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            name: text("name")?,
            short: text("short"),
            main: fields::bool(value.get("main"), false),
            use_case: text("use_case").unwrap_or_else(|| "run".to_owned()),
        })
    }
}

const SOURCE_HELP: &str = "write `source: file://name.lua`, or the code itself";
pub(crate) const METHOD_HELP: &str = "write `method: main`, the function to run";

pub(super) static RUNNABLE: Object = Object {
    fields: &[
        Field::required("source", Type::Text, SOURCE_HELP),
        // Needed where the chunk returns a table, which only its code tells.
        Field::new("method", Type::Text),
        Field::new("modules", MODULES),
        Field::new("imports", IMPORTS),
        Field::new("limits", Type::Object(&LIMITS)),
        Field::new("pool", Type::Object(&POOL)),
        Field::new("security", Type::Object(&SERVICE_SECURITY)),
        // Known, so that the check of services can say why it has no effect.
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static LIBRARY: Object = Object {
    fields: &[
        Field::required("source", Type::Text, SOURCE_HELP),
        Field::new("method", Type::Text),
        Field::new("modules", MODULES),
        Field::new("imports", IMPORTS),
    ],
    unknown: Unknown::Warned,
};

const MODULES: Type = Type::List(&Type::Text);
const IMPORTS: Type = Type::Map(&Type::Ref(&LUA_CODE));

pub(super) static POOL: Object = Object {
    fields: &[
        Field::new("type", Type::Choice(&["inline", "lazy", "static", "adaptive"])),
        Field::new("workers", Type::Int(0, 100_000)),
        Field::new("size", Type::Int(0, 100_000)),
        Field::new("buffer", Type::Int(0, 10_000_000)),
        Field::new("max_size", Type::Int(0, 100_000)),
        Field::new("worker_class", Type::Text),
    ],
    unknown: Unknown::Warned,
};
