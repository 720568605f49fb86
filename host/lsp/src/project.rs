//! The entries of the project, and the checking of their files with what stands in the editor.
//!
//! What was found about a file is kept under a hash of all that it depends on: its text, its modules and what it imports. So a
//! change costs the check of the changed file and of those that import it, whatever else there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moonlet_language::check::{At, Checker, Exports, Program};
use moonlet_language::diagnostic::Diagnostic;
use moonlet_registry::{EntryId, FieldPath, LoadOptions, LuaEntry, load};

use crate::convert::uri_of;
use crate::documents::{Documents, hash_of};

/// The checker keeps the types of all it has seen; after so many files it starts anew.
const MAX_CHECKS: usize = 2_000;

/// Of what libraries import through more libraries than this, nothing is known.
const MAX_IMPORT_DEPTH: usize = 200;

/// A project and what is known of it.
pub(crate) struct Project {
    root: Option<PathBuf>,
    entries: BTreeMap<EntryId, Arc<Code>>,
    by_path: BTreeMap<PathBuf, EntryId>,
    /// All entries, for completion.
    pub(crate) ids: Vec<String>,
    checker: Checker,
    checks: usize,
    exports: BTreeMap<EntryId, Known>,
    reports: BTreeMap<PathBuf, Reports>,
    /// How often the entries were read.
    loads: u64,
}

/// A Lua entry.
#[derive(Debug)]
struct Code {
    path: PathBuf,
    uri: String,
    source: Arc<str>,
    hash: u64,
    modules: Vec<String>,
    imports: Vec<(String, EntryId)>,
    /// Names that other kinds of entries give.
    aliases: Vec<String>,
}

/// What a library offers.
#[derive(Debug)]
struct Known {
    /// When it was last compared with what stands in the editor and on disk.
    at: (u64, u64),
    /// Of all that it depends on.
    hash: u64,
    exports: Exports,
}

/// What was found in a file.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    /// Of all that it depends on.
    pub(crate) hash: u64,
    pub(crate) diagnostics: Arc<[Diagnostic]>,
}

/// What a check needs, owned.
struct Prepared {
    modules: Vec<String>,
    imports: BTreeMap<String, Exports>,
    any_module: bool,
    /// Of all of this.
    hash: u64,
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
            reports: BTreeMap::new(),
            loads: 0,
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
        self.loads += 1;
        self.entries.clear();
        self.by_path.clear();
        self.ids = snapshot.entries().map(|entry| entry.id.as_str().to_owned()).collect();
        for entry in snapshot.entries() {
            let (Ok(view), Some(file)) = (LuaEntry::new(entry), entry.source_file(&field)) else { continue };
            let path = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
            self.by_path.insert(path.clone(), entry.id.clone());
            let code = Code {
                uri: uri_of(&path),
                path,
                hash: hash_of(&*view.source),
                source: view.source,
                modules: view.modules,
                imports: view.imports,
                aliases: view.aliases.into_iter().map(|(name, _)| name).collect(),
            };
            self.entries.insert(entry.id.clone(), Arc::new(code));
        }
        self.exports.retain(|id, _| self.entries.contains_key(id));
    }

    /// Gives the file of an import of a file.
    pub(crate) fn import(&self, path: &Path, name: &str) -> Option<PathBuf> {
        let entry = self.entries.get(self.by_path.get(path)?)?;
        let (_, id) = entry.imports.iter().find(|(known, _)| known == name)?;
        self.entries.get(id).map(|code| code.path.clone())
    }

    /// Gives the files of all Lua entries with their texts.
    pub(crate) fn files(&self, documents: &Documents) -> Vec<(PathBuf, String)> {
        self.entries.values().map(|code| (code.path.clone(), code.current(documents).0.to_owned())).collect()
    }

    /// Checks a file, unless nothing that it depends on changed since it was last checked.
    pub(crate) fn check(&mut self, path: &Path, text: &str, documents: &Documents) -> Reports {
        self.renew();
        if let Some(id) = self.by_path.get(path).cloned() {
            // One check finds what a library offers and what is wrong in it.
            self.exports_of(&id, documents, &mut Vec::new());
        }
        let prepared = self.prepare(path, documents);
        let hash = hash_of(&(prepared.hash, hash_of(text)));
        if let Some(known) = self.reports.get(path).filter(|known| known.hash == hash) {
            return known.clone();
        }
        let file = path.to_string_lossy();
        self.checks += 1;
        let diagnostics = self.checker.check(&prepared.program(text, &file)).diagnostics.into();
        let reports = Reports { hash, diagnostics };
        self.reports.insert(path.to_owned(), reports.clone());
        reports
    }

    /// Forgets what was found in a file that is no longer open.
    pub(crate) fn close(&mut self, path: &Path) {
        self.reports.remove(path);
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
        match self.by_path.get(path).and_then(|id| self.entries.get(id)).cloned() {
            Some(code) => self.prepare_entry(&code, documents, &mut Vec::new()),
            None => Prepared { modules: Vec::new(), imports: BTreeMap::new(), any_module: true, hash: 0 },
        }
    }

    /// Finds what an entry may use; `through` are the libraries whose imports led here.
    fn prepare_entry(&mut self, code: &Code, documents: &Documents, through: &mut Vec<EntryId>) -> Prepared {
        let mut hashes = Vec::new();
        let mut imports = BTreeMap::new();
        for (name, id) in &code.imports {
            let (hash, exports) = self.exports_of(id, documents, through);
            hashes.push(hash);
            imports.insert(name.clone(), exports);
        }
        imports.extend(code.aliases.iter().map(|name| (name.clone(), Exports::unknown())));
        let hash = hash_of(&(&code.modules, imports.keys().collect::<Vec<_>>(), hashes));
        Prepared { modules: code.modules.clone(), imports, any_module: false, hash }
    }

    /// Gives what a library offers, checking it again only if it or a library of its own changed.
    fn exports_of(&mut self, id: &EntryId, documents: &Documents, through: &mut Vec<EntryId>) -> (u64, Exports) {
        let at = (documents.version(), self.loads);
        if let Some(known) = self.exports.get(id).filter(|known| known.at == at) {
            return (known.hash, known.exports.clone());
        }
        let Some(code) = self.entries.get(id).cloned() else { return (0, Exports::unknown()) };
        if through.len() >= MAX_IMPORT_DEPTH || through.contains(id) {
            return (0, Exports::unknown());
        }
        through.push(id.clone());
        let prepared = self.prepare_entry(&code, documents, through);
        through.pop();
        let (text, hash) = code.current(documents);
        let hash = hash_of(&(prepared.hash, hash));
        if let Some(known) = self.exports.get_mut(id).filter(|known| known.hash == hash) {
            known.at = at;
            return (hash, known.exports.clone());
        }
        self.checks += 1;
        let checked = self.checker.check(&prepared.program(text, &code.path.to_string_lossy()));
        if documents.get(&code.uri).is_some() && self.by_path.get(&code.path) == Some(id) {
            self.reports.insert(code.path.clone(), Reports { hash, diagnostics: checked.diagnostics.into() });
        }
        self.exports.insert(id.clone(), Known { at, hash, exports: checked.exports.clone() });
        (hash, checked.exports)
    }
}

impl Code {
    /// Gives the text, as it stands in the editor if it does, and its hash.
    fn current<'a>(&'a self, documents: &'a Documents) -> (&'a str, u64) {
        documents.hashed(&self.uri).unwrap_or((&self.source, self.hash))
    }
}

impl Prepared {
    fn program<'a>(&'a self, source: &'a str, file: &'a str) -> Program<'a> {
        Program { source, file, modules: &self.modules, imports: self.imports.clone(), any_module: self.any_module }
    }
}
