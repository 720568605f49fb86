//! Which modules Lua code may name in `modules:`.
//!
//! What is built comes from the caller; what the reference knows beyond that is listed here, so that an application that
//! names it loads with a warning and not with an error.

use std::collections::BTreeSet;

/// Modules that every program has without naming them; naming them is harmless.
const ALWAYS: &[&str] = &[
    "channel",
    "coroutine",
    "errors",
    "math",
    "os",
    "payload",
    "print",
    "process",
    "string",
    "subscribe",
    "table",
    "unsubscribe",
    "utf8",
];

/// Tells whether every program has a module without naming it.
#[must_use]
pub fn is_always_there(name: &str) -> bool {
    ALWAYS.contains(&name)
}

/// Modules of the reference.
const KNOWN: &[&str] = &[
    "archive",
    "base64",
    "cdc",
    "cloudstorage",
    "compress",
    "contract",
    "crypto",
    "ctx",
    "env",
    "eval_runner",
    "events",
    "excel",
    "exec",
    "expr",
    "fs",
    "funcs",
    "hash",
    "html",
    "http",
    "http_client",
    "hub",
    "io",
    "json",
    "logger",
    "metrics",
    "pg",
    "queue",
    "registry",
    "security",
    "sql",
    "store",
    "stream",
    "system",
    "templates",
    "text",
    "time",
    "treesitter",
    "tty",
    "uuid",
    "websocket",
    "workflow",
    "yaml",
];

/// The modules of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleCatalog {
    built: BTreeSet<String>,
}

/// What a build knows about a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleSupport {
    /// It is there.
    Built,
    /// The reference has it, this build does not.
    Missing,
    /// Nobody knows it.
    Unknown,
}

impl ModuleCatalog {
    /// Takes the names of the modules that are built.
    #[must_use]
    pub fn new<T: Into<String>>(built: impl IntoIterator<Item = T>) -> Self {
        Self { built: built.into_iter().map(Into::into).collect() }
    }

    /// Says what is known about a module.
    #[must_use]
    pub fn support(&self, name: &str) -> ModuleSupport {
        if self.built.contains(name) || ALWAYS.contains(&name) {
            ModuleSupport::Built
        } else if KNOWN.contains(&name) {
            ModuleSupport::Missing
        } else {
            ModuleSupport::Unknown
        }
    }

    /// Lists all names that may be written, for suggestions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.built.iter().map(String::as_str).chain(ALWAYS.iter().copied()).chain(KNOWN.iter().copied())
    }
}
