//! What a program finds without declaring it: the base library and the modules of the host, from declaration files.
//!
//! A declaration file is typed Lua that returns a local of a declared type, beside `export type`s.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::annotations::{BASE_TYPES, base_type};
use super::types::{Type, TypeId};
use super::{Checker, Exports, File, Program};
use crate::syntax::parse;

/// What is known of the host.
#[derive(Debug, Default)]
pub(super) struct Library {
    /// The global names that are always there.
    pub(super) globals: FxHashMap<Arc<str>, TypeId>,
    /// The type names that are always there.
    pub(super) base_types: FxHashMap<Arc<str>, u32>,
    /// The modules that were asked for.
    modules: FxHashMap<String, Option<Exports>>,
    /// The methods of strings.
    pub(super) string: Option<TypeId>,
}

macro_rules! declarations {
    ($($name:literal,)*) => {
        /// The declaration files by module.
        const DECLARATIONS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../declarations/", $name, ".d.lua"))),)*];
    };
}

declarations! {
    "channel", "ctx", "base64", "compress", "env", "errors", "events", "funcs", "hash", "html", "http", "http_client", "io", "json", "logger", "payload",
    "process", "registry", "security", "sql", "store", "time", "uuid", "yaml", "crypto", "queue", "fs", "metrics", "system",
    "text", "expr", "templates", "contract", "exec", "websocket", "archive", "pg", "eval_runner", "excel", "cloudstorage", "tty",
}

/// Modules of the host without a declaration file yet: nothing is known, so nothing is reported about their uses.
const UNDECLARED: &[&str] = &["stream", "treesitter", "cdc", "hub", "workflow", "upstream"];

/// Modules that every process has without listing them.
pub(super) const AMBIENT: &[&str] =
    &["string", "table", "math", "coroutine", "os", "utf8", "errors", "process", "channel", "payload", "print"];

impl Checker {
    pub(super) fn load_base(&mut self) {
        let exports = self.declare("base", include_str!("../../declarations/base.d.lua"));
        for (name, alias) in &exports.types {
            self.library.base_types.insert(name.clone(), *alias);
        }
        let base = self.types.resolve(exports.value);
        if let Type::Record(index) = *self.types.get(base)
            && let Some(record) = self.types.get_record(index).cloned()
        {
            for field in record.fields {
                let name: Arc<str> = self.types.name(field.name).into();
                if &*name == "string" {
                    self.library.string = Some(field.value);
                }
                self.library.globals.insert(name, field.value);
            }
        }
        // The capitalised names are the base types as values.
        for name in BASE_TYPES.iter().filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase())) {
            if let Some(base) = base_type(name) {
                let value = self.types.add(Type::Meta(base));
                self.library.globals.insert((*name).into(), value);
            }
        }
    }

    fn declare(&mut self, name: &str, source: &str) -> Exports {
        let file = format!("{name}.d.lua");
        let program = Program { source, file: &file, modules: &[], imports: BTreeMap::new(), any_module: true };
        let parsed = parse(source);
        let (diagnostics, exports, _) = self.run(&program, &parsed, true);
        debug_assert!(parsed.errors.is_empty() && diagnostics.is_empty(), "{:?} {:?}", parsed.errors, diagnostics);
        exports
    }

    /// Gives what a module of the host offers, if there is such a module.
    pub(super) fn module(&mut self, name: &str) -> Option<Exports> {
        if let Some(known) = self.library.modules.get(name) {
            return known.clone();
        }
        let source = DECLARATIONS.iter().find(|(module, _)| *module == name).map(|(_, source)| *source);
        let exports = match source {
            Some(source) => Some(self.declare(name, source)),
            None => UNDECLARED.contains(&name).then(Exports::unknown),
        };
        self.library.modules.insert(name.to_owned(), exports.clone());
        exports
    }
}

/// Lists the declaration files by module.
#[must_use]
pub fn declarations() -> &'static [(&'static str, &'static str)] {
    DECLARATIONS
}

/// Gives the names of all modules of the host.
pub(super) fn module_names() -> impl Iterator<Item = &'static str> {
    DECLARATIONS.iter().map(|(name, _)| *name).chain(UNDECLARED.iter().copied())
}

impl File<'_> {
    /// Gives what a name that no one declares stands for: an import, a module that the entry lists, or a base name.
    pub(super) fn ambient(&mut self, name: &str) -> Option<TypeId> {
        if let Some(exports) = self.program.imports.get(name) {
            return Some(exports.value);
        }
        let listed = self.program.modules.iter().any(|module| module == name);
        if listed || AMBIENT.contains(&name) {
            if let Some(known) = self.checker.library.globals.get(name) {
                return Some(*known);
            }
            return Some(self.checker.module(name).map_or(TypeId::ANY, |exports| exports.value));
        }
        if let Some(known) = self.checker.library.globals.get(name) {
            return Some(*known);
        }
        if self.program.any_module {
            return self.checker.module(name).map(|exports| exports.value);
        }
        None
    }

    /// Gives what `require` of a name gives, if the entry may use it.
    pub(super) fn required(&mut self, name: &str) -> Option<Exports> {
        if let Some(exports) = self.program.imports.get(name) {
            return Some(exports.clone());
        }
        let listed =
            self.program.any_module || AMBIENT.contains(&name) || self.program.modules.iter().any(|module| module == name);
        if !listed {
            return None;
        }
        if let Some(known) = self.checker.library.globals.get(name) {
            return Some(Exports { value: *known, types: BTreeMap::new() });
        }
        self.checker.module(name).or(Some(Exports::unknown()))
    }
}
