//! The entries of the project, and the checking of their files with what stands in the editor.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use moonlet_language::check::{At, Checker, Exports, Program};
use moonlet_language::diagnostic::Diagnostic;
use moonlet_registry::{EntryId, FieldPath, LoadOptions, LuaEntry, load};

use crate::convert::uri_of;
use crate::documents::Documents;

/// The checker keeps the types of all it has seen; after so many files it starts anew.
const MAX_CHECKS: usize = 2_000;

/// A project and what is known of it.
pub(crate) struct Project {
    root: Option<PathBuf>,
    entries: BTreeMap<EntryId, Code>,
    by_path: BTreeMap<PathBuf, EntryId>,
    /// All entries, for completion.
    pub(crate) ids: Vec<String>,
    checker: Checker,
    checks: usize,
    exports: BTreeMap<EntryId, (u64, Exports)>,
}

/// A Lua entry.
#[derive(Debug, Clone)]
struct Code {
    path: PathBuf,
    source: String,
    modules: Vec<String>,
    imports: Vec<(String, EntryId)>,
}

/// What a check needs, owned.
struct Prepared {
    modules: Vec<String>,
    imports: BTreeMap<String, Exports>,
    any_module: bool,
}

impl Project {
    pub(crate) fn new(root: Option<PathBuf>) -> Self {
        let mut project = Self {
            root,
            entries: BTreeMap::new(),
            by_path: BTreeMap::new(),
            ids: Vec::new(),
            checker: Checker::new(),
            checks: 0,
            exports: BTreeMap::new(),
        };
        project.reload();
        project
    }

    /// Reads the entries again. A project that cannot be loaded keeps the entries that it had.
    pub(crate) fn reload(&mut self) {
        let Some(root) = &self.root else { return };
        let Ok(loaded) = load(root, &LoadOptions::default()) else { return };
        let snapshot = loaded.registry.snapshot();
        let field = FieldPath::new().key("source");
        self.entries.clear();
        self.by_path.clear();
        self.ids = snapshot.entries().map(|entry| entry.id.as_str().to_owned()).collect();
        for entry in snapshot.entries() {
            let (Ok(view), Some(file)) = (LuaEntry::new(entry), entry.source_file(&field)) else { continue };
            let path = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
            self.by_path.insert(path.clone(), entry.id.clone());
            let code = Code { path, source: view.source.to_string(), modules: view.modules, imports: view.imports };
            self.entries.insert(entry.id.clone(), code);
        }
        self.exports.clear();
    }

    /// Gives the file of an import of a file.
    pub(crate) fn import(&self, path: &Path, name: &str) -> Option<PathBuf> {
        let entry = self.entries.get(self.by_path.get(path)?)?;
        let (_, id) = entry.imports.iter().find(|(known, _)| known == name)?;
        self.entries.get(id).map(|code| code.path.clone())
    }

    /// Gives the files of all Lua entries with their texts.
    pub(crate) fn files(&self, documents: &Documents) -> Vec<(PathBuf, String)> {
        self.entries.values().map(|code| (code.path.clone(), current_text(code, documents))).collect()
    }

    pub(crate) fn check(&mut self, path: &Path, text: &str, documents: &Documents) -> Vec<Diagnostic> {
        self.renew();
        let prepared = self.prepare(path, documents);
        let file = path.to_string_lossy();
        self.checks += 1;
        self.checker.check(&prepared.program(text, &file)).diagnostics
    }

    pub(crate) fn probe(&mut self, path: &Path, text: &str, offset: usize, documents: &Documents) -> At {
        self.renew();
        let prepared = self.prepare(path, documents);
        let file = path.to_string_lossy();
        self.checks += 1;
        self.checker.probe(&prepared.program(text, &file), offset)
    }

    fn renew(&mut self) {
        if self.checks > MAX_CHECKS {
            self.checker = Checker::new();
            self.exports.clear();
            self.checks = 0;
        }
    }

    fn prepare(&mut self, path: &Path, documents: &Documents) -> Prepared {
        let code = self.by_path.get(path).and_then(|id| self.entries.get(id)).cloned();
        let Some(code) = code else {
            return Prepared { modules: Vec::new(), imports: BTreeMap::new(), any_module: true };
        };
        let mut imports = BTreeMap::new();
        for (name, id) in &code.imports {
            imports.insert(name.clone(), self.exports_of(id, documents, 0).1);
        }
        Prepared { modules: code.modules, imports, any_module: false }
    }

    /// Gives what a library offers, checking it again only if it or a library of its own changed.
    fn exports_of(&mut self, id: &EntryId, documents: &Documents, depth: usize) -> (u64, Exports) {
        let Some(code) = self.entries.get(id).cloned() else { return (0, Exports::unknown()) };
        if depth > 20 {
            return (0, Exports::unknown());
        }
        let text = current_text(&code, documents);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut imports = BTreeMap::new();
        for (name, import) in &code.imports {
            let (hash, exports) = self.exports_of(import, documents, depth + 1);
            hash.hash(&mut hasher);
            imports.insert(name.clone(), exports);
        }
        let hash = hasher.finish();
        if let Some((known, exports)) = self.exports.get(id)
            && *known == hash
        {
            return (hash, exports.clone());
        }
        let file = code.path.to_string_lossy();
        let prepared = Prepared { modules: code.modules.clone(), imports, any_module: false };
        self.checks += 1;
        let exports = self.checker.check(&prepared.program(&text, &file)).exports;
        self.exports.insert(id.clone(), (hash, exports.clone()));
        (hash, exports)
    }
}

impl Prepared {
    fn program<'a>(&'a self, source: &'a str, file: &'a str) -> Program<'a> {
        Program { source, file, modules: &self.modules, imports: self.imports.clone(), any_module: self.any_module }
    }
}

fn current_text(code: &Code, documents: &Documents) -> String {
    documents.get(&uri_of(&code.path)).map_or_else(|| code.source.clone(), str::to_owned)
}
