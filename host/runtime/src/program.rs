//! What an entry runs: its code with all it imports, compiled once and shared by every process.

use std::sync::{Arc, OnceLock};

use moonlet_language::diagnostic::Diagnostic;
use moonlet_registry::{Entry, EntryId, FieldPath, Limits, LuaEntry, LuaForm, Retry, Snapshot, WasmEntry, WasmForm};
use moonlet_sandbox::{Component, Exported, Sandbox, wit};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::errors;
use crate::functions::Gate;
use crate::shared::Shared;

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is called.
    Function,
    /// It is spawned.
    Process,
}

/// One entry that can run, at one version of the registry.
pub(crate) struct Program {
    pub(crate) entry: Arc<str>,
    pub(crate) form: Form,
    pub(crate) method: String,
    /// The modules that it and what it imports declare.
    pub(crate) modules: Vec<String>,
    pub(crate) limits: Limits,
    /// Where it runs when nobody says where.
    pub(crate) default_host: Option<EntryId>,
    pub(crate) retry: Option<Retry>,
    /// Whether its calls act as its entry says, whoever calls.
    pub(crate) acts_itself: bool,
    /// How many calls of it run at once.
    pub(crate) gate: Option<Gate>,
    /// Bytes of its source with all that it imports.
    pub(crate) source_size: u64,
    /// Whether it may not reach other processes nor call anything: evaluated code.
    pub(crate) sealed: bool,
    source: Source,
    code: OnceLock<Result<Code, wit::Error>>,
}

enum Source {
    /// The main chunk and its libraries, each before those that import it.
    Lua { main: Arc<Entry>, libraries: Vec<Arc<Entry>> },
    /// Code in another language.
    Foreign(Box<WasmEntry>),
    /// Code of the host, see [`crate::Port`].
    Outside,
    /// Code that a process brought along, compiled already.
    Evaluated,
}

/// Code that is ready to run.
pub(crate) enum Code {
    Lua(Chunks),
    Component(Component),
    /// A function of a component that knows nothing of Moonlet, and the entry that says what WASI gives to it.
    Exported(Exported, Box<WasmEntry>),
}

/// Compiled chunks.
pub(crate) struct Chunks {
    pub(crate) main: Arc<wit::Chunk>,
    pub(crate) libraries: Vec<Arc<wit::Chunk>>,
}

impl Program {
    /// Looks an entry up; its code is compiled when it is first needed.
    ///
    /// # Errors
    ///
    /// `NotFound` without such an entry, `Invalid` when it is none that runs.
    pub(crate) fn find(snapshot: &Snapshot, id: &str) -> Result<Self, wit::Error> {
        let Some(entry) = snapshot.find_id(id) else {
            EntryId::parse(id).map_err(|error| errors::invalid(error.to_string()))?;
            return Err(errors::not_found(format!("there is no entry `{}`", errors::shown(id))));
        };
        match entry.kind.as_str() {
            "function.lua" | "process.lua" => Self::lua(snapshot, entry),
            "process.wasm" | "function.wasm" | "function.wat" => Self::component(entry),
            kind => Err(errors::invalid(format!("`{id}` is of kind `{kind}` and cannot run; only processes and functions can"))),
        }
    }

    fn lua(snapshot: &Snapshot, entry: &Arc<Entry>) -> Result<Self, wit::Error> {
        let view = LuaEntry::new(entry).map_err(|error| errors::invalid(error.to_string()))?;
        let libraries = libraries(snapshot, &view.id, &view.imports)?;
        let mut modules = view.modules.clone();
        for library in &libraries {
            modules.extend(LuaEntry::new(library).map(|view| view.modules).unwrap_or_default());
        }
        modules.sort();
        modules.dedup();
        let sizes = libraries.iter().filter_map(|library| LuaEntry::new(library).ok()).map(|view| view.source.len() as u64);
        let source_size = sizes.sum::<u64>() + view.source.len() as u64;
        Ok(Self {
            entry: entry.id.as_str().into(),
            form: if view.form == LuaForm::Function { Form::Function } else { Form::Process },
            method: view.method.unwrap_or_default(),
            modules,
            limits: view.limits,
            default_host: view.default_host,
            retry: view.retry,
            acts_itself: view.form == LuaForm::Function && acts_itself(entry),
            gate: if view.form == LuaForm::Function { Gate::new(&view.pool) } else { None },
            source_size,
            sealed: false,
            source: Source::Lua { main: Arc::clone(entry), libraries },
            code: OnceLock::new(),
        })
    }

    fn component(entry: &Arc<Entry>) -> Result<Self, wit::Error> {
        let view = WasmEntry::new(entry).map_err(|error| errors::invalid(error.to_string()))?;
        if view.transport.as_deref() == Some("wasi-http") {
            let message =
                format!("`{}` asks for the transport `wasi-http`, which this build does not support: use `payload`", entry.id);
            return Err(errors::unavailable(message).with_retryable(false));
        }
        let mut limits = view.limits;
        if let Some(time) = view.max_execution {
            limits.wall_time = Some(limits.wall_time.map_or(time, |other| other.min(time)));
        }
        Ok(Self {
            entry: entry.id.as_str().into(),
            form: if view.form == WasmForm::Function { Form::Function } else { Form::Process },
            method: view.method.clone(),
            modules: Vec::new(),
            limits,
            default_host: view.default_host.clone(),
            retry: view.retry.clone(),
            acts_itself: view.form == WasmForm::Function && acts_itself(entry),
            gate: None,
            source_size: 0,
            sealed: false,
            source: Source::Foreign(Box::new(view)),
            code: OnceLock::new(),
        })
    }

    /// Code that a process of another program brought along. It has the name and the limits of that program.
    pub(crate) fn evaluated(by: &Self, method: String, modules: Vec<String>, chunks: Chunks, sealed: bool) -> Self {
        let code = OnceLock::new();
        // It is empty, so that nothing is refused.
        let _ = code.set(Ok(Code::Lua(chunks)));
        Self {
            entry: Arc::clone(&by.entry),
            form: Form::Function,
            method,
            modules,
            limits: by.limits,
            default_host: None,
            retry: None,
            acts_itself: false,
            gate: None,
            source_size: 0,
            sealed,
            source: Source::Evaluated,
            code,
        }
    }

    /// Code of the host that acts in the name of an entry.
    pub(crate) fn outside(entry: &str) -> Self {
        Self {
            entry: entry.into(),
            form: Form::Process,
            method: String::new(),
            modules: Vec::new(),
            limits: Limits::default(),
            default_host: None,
            retry: None,
            acts_itself: false,
            gate: None,
            source_size: 0,
            sealed: false,
            source: Source::Outside,
            code: OnceLock::new(),
        }
    }

    /// Lists the entries that it is made of, each after those that it imports.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let (main, libraries) = match &self.source {
            Source::Lua { main, libraries } => (Some(main), libraries.as_slice()),
            Source::Foreign(_) | Source::Outside | Source::Evaluated => (None, [].as_slice()),
        };
        libraries.iter().chain(main)
    }

    /// Tells whether it is no machine, so that it chooses itself what it takes from its mailbox.
    pub(crate) fn is_component(&self) -> bool {
        !matches!(self.source, Source::Lua { .. } | Source::Evaluated)
    }

    /// Returns the code, compiled now if it was not before.
    ///
    /// # Errors
    ///
    /// What is wrong with the code.
    pub(crate) fn code(&self, node: &Shared) -> Result<&Code, wit::Error> {
        let code = self.code.get_or_init(|| match &self.source {
            Source::Lua { main, libraries } => self.compile(node, main, libraries),
            Source::Foreign(view) => crate::foreign::read(node, view),
            Source::Evaluated => Err(errors::internal("evaluated code is compiled before it runs")),
            Source::Outside => Err(errors::internal("code of the host runs as a program")),
        });
        code.as_ref().map_err(wit::Error::clone)
    }

    fn compile(&self, node: &Shared, main: &Arc<Entry>, libraries: &[Arc<Entry>]) -> Result<Code, wit::Error> {
        let chunk = |entry: &Arc<Entry>| node.chunks.get(&node.sandbox, entry);
        let libraries = libraries.iter().map(chunk).collect::<Result<Vec<_>, _>>()?;
        Ok(Code::Lua(Chunks { main: chunk(main)?, libraries }))
    }
}

/// Tells whether a function says on whose behalf it runs.
fn acts_itself(entry: &Entry) -> bool {
    entry.data.get("security").is_some_and(serde_json::Value::is_object)
}

/// Lists what an entry imports, directly and through others, each before those that import it.
fn libraries(snapshot: &Snapshot, importer: &EntryId, imports: &[(String, EntryId)]) -> Result<Vec<Arc<Entry>>, wit::Error> {
    enum Visit {
        Enter(EntryId, EntryId),
        Leave(Arc<Entry>),
    }
    let mut ordered = Vec::new();
    let mut seen = std::collections::HashSet::new();
    seen.insert(importer.clone());
    // An explicit stack: an application may nest its imports as deep as it likes.
    let enter = |importer: &EntryId, imports: &[(String, EntryId)], stack: &mut Vec<Visit>| {
        stack.extend(imports.iter().rev().map(|(_, id)| Visit::Enter(importer.clone(), id.clone())));
    };
    let mut stack = Vec::new();
    enter(importer, imports, &mut stack);
    while let Some(visit) = stack.pop() {
        match visit {
            Visit::Leave(entry) => ordered.push(entry),
            Visit::Enter(importer, id) => {
                if !seen.insert(id.clone()) {
                    continue;
                }
                let Some(entry) = snapshot.get(&id) else {
                    return Err(errors::not_found(format!("`{importer}` imports `{id}`, which does not exist")));
                };
                let view =
                    LuaEntry::new(entry).map_err(|error| errors::invalid(format!("`{importer}` imports `{id}`: {error}")))?;
                stack.push(Visit::Leave(Arc::clone(entry)));
                enter(&view.id, &view.imports, &mut stack);
            }
        }
    }
    Ok(ordered)
}

/// An entry and what became of it.
type Compiled = (Arc<Entry>, Arc<wit::Chunk>);

/// Compiled chunks by entry, shared by all programs that contain them.
pub(crate) struct ChunkCache {
    chunks: Mutex<FxHashMap<EntryId, Compiled>>,
}

impl ChunkCache {
    pub(crate) fn new() -> Self {
        Self { chunks: Mutex::new(FxHashMap::default()) }
    }

    fn get(&self, sandbox: &Sandbox, entry: &Arc<Entry>) -> Result<Arc<wit::Chunk>, wit::Error> {
        if let Some((cached, chunk)) = self.chunks.lock().get(&entry.id)
            && cached.same_definition(entry)
        {
            return Ok(Arc::clone(chunk));
        }
        let chunk = match compile(sandbox, entry) {
            Ok(chunk) => Arc::new(chunk),
            Err(diagnostics) => {
                let texts: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
                return Err(errors::invalid(texts.join("; ")));
            }
        };
        self.chunks.lock().insert(entry.id.clone(), (Arc::clone(entry), Arc::clone(&chunk)));
        Ok(chunk)
    }

    /// Compiles what code imports that is no entry, and what that imports in turn.
    pub(crate) fn libraries(
        &self,
        sandbox: &Sandbox,
        snapshot: &Snapshot,
        imports: &[(String, EntryId)],
    ) -> Result<Vec<Arc<wit::Chunk>>, wit::Error> {
        let importer = EntryId::parse("moonlet:eval").map_err(|error| errors::internal(error.to_string()))?;
        let entries = libraries(snapshot, &importer, imports)?;
        entries.iter().map(|entry| self.get(sandbox, entry)).collect()
    }

    /// Compiles an entry ahead of its use and says what is wrong with it.
    pub(crate) fn prepare(&self, sandbox: &Sandbox, entry: &Arc<Entry>) -> Vec<Diagnostic> {
        match compile(sandbox, entry) {
            Ok(chunk) => {
                self.chunks.lock().insert(entry.id.clone(), (Arc::clone(entry), Arc::new(chunk)));
                Vec::new()
            }
            Err(diagnostics) => diagnostics,
        }
    }
}

/// Compiles the source of one entry.
fn compile(sandbox: &Sandbox, entry: &Arc<Entry>) -> Result<wit::Chunk, Vec<Diagnostic>> {
    let located = |message: String| {
        let source = FieldPath::new().key("source");
        vec![entry.locate(Diagnostic::error("invalid-code", message), &source, "this code")]
    };
    let view = LuaEntry::new(entry).map_err(|error| located(error.to_string()))?;
    let file = view.source_name.as_deref().unwrap_or(entry.id.as_str());
    let lowered = moonlet_language::lower::lower(&view.source, file);
    if !lowered.diagnostics.is_empty() {
        return Err(lowered.diagnostics);
    }
    let code = sandbox.compile(lowered.lua.as_bytes(), entry.id.as_str()).map_err(|error| located(error.message))?;
    let imports = view.imports.into_iter().map(|(name, id)| wit::Alias { name, entry: id.to_string() });
    let aliases = view.aliases.into_iter().map(|(name, module)| wit::Alias { name, entry: format!(":{module}") });
    Ok(wit::Chunk { entry: entry.id.to_string(), code, modules: view.modules, imports: imports.chain(aliases).collect() })
}
