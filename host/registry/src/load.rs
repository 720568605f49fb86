//! A project directory into a registry, or one report of all that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Level, Sources};
use serde_json::Value;

use crate::check::{Checked, Entries, check_alone, check_together, code};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::modules::{ModuleCatalog, ModuleSupport};
use crate::overrides::{self, Override};
use crate::path::FieldPath;
use crate::report::{Report, arrange};
use crate::requirements;
use crate::source::{ConfigLayers, Project, installed, locate, read_definitions};
use crate::state::Registry;

/// What a project is loaded with.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The modules of this build; absent: modules are not checked.
    pub modules: Option<ModuleCatalog>,
    /// Changes of single fields, applied after those of the configuration.
    pub overrides: Vec<Override>,
    /// What makes up the configuration beside the usual file.
    pub config: ConfigLayers,
}

/// A project that loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Its directories and configuration.
    pub project: Project,
    /// Its entries.
    pub registry: Registry,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, for these and later reports.
    pub sources: Sources,
}

/// Loads the project in a directory.
///
/// # Errors
/// When anything is wrong with it: the report lists every problem, with the warnings.
pub fn load(directory: &Path, options: &LoadOptions) -> Result<Loaded, Box<Report>> {
    let mut sources = Sources::new();
    let mut diagnostics = Vec::new();
    let Some(project) = locate(directory, &options.config, &mut sources, &mut diagnostics) else {
        return Err(Box::new(Report { diagnostics, sources }));
    };
    let mut seen = BTreeSet::new();
    let mut entries = read_definitions(&project, &mut seen, &mut sources, &mut diagnostics);
    let modules = installed(&project, &mut diagnostics);
    for module in &modules {
        let place = Project { source: module.source.clone(), ..project.clone() };
        let read = read_definitions(&place, &mut seen, &mut sources, &mut diagnostics);
        for mut entry in read.into_iter().filter(|entry| !module.excluded.covers(entry)) {
            if let Some(origin) = &mut entry.origin {
                Arc::make_mut(origin).module = Some(Arc::clone(&module.name));
            }
            entries.push(entry);
        }
    }
    let disabled = &project.config.disabled;
    entries.retain(|entry| !disabled.covers(&entry.id));
    let changes = config_overrides(&project, &mut diagnostics);
    // Before, because they may give a requirement its default; and again, because what they say holds. Problems are reported once.
    overrides::apply(&changes, &mut entries, &mut Vec::new());
    overrides::apply(&options.overrides, &mut entries, &mut Vec::new());
    requirements::link(&mut entries, &modules, disabled, &mut diagnostics);
    overrides::apply(&changes, &mut entries, &mut diagnostics);
    overrides::apply(&options.overrides, &mut entries, &mut diagnostics);
    if let Some(catalog) = &options.modules {
        name_modules(&mut entries, catalog);
    }
    let entries = collect(entries, &mut sources, &mut diagnostics);
    check_together(&entries, options.modules.as_ref(), &mut diagnostics);
    arrange(&mut diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(Box::new(Report { diagnostics, sources }));
    }
    let registry = Registry::new(entries, options.modules.clone());
    Ok(Loaded { project, registry, diagnostics, sources })
}

fn config_overrides(project: &Project, diagnostics: &mut Vec<Diagnostic>) -> Vec<Override> {
    let mut changes = Vec::new();
    let file = project.config.file.as_deref().unwrap_or_default();
    for (key, value) in &project.config.overrides {
        match Override::new(key, value.clone(), format!("`override` of `{file}`: `{key}`")) {
            Ok(change) => changes.push(change),
            Err(error) => {
                let message = format!("`override` of `{file}`: {error}");
                diagnostics.push(Diagnostic::error("malformed-id", message).help("write `namespace:entry:path: value`"));
            }
        }
    }
    changes
}

/// Marks imports that name a module and not an entry, as `env: env`: what is an entry of the own namespace is that.
fn name_modules(entries: &mut [Entry], catalog: &ModuleCatalog) {
    let ids: BTreeSet<EntryId> = entries.iter().map(|entry| entry.id.clone()).collect();
    for entry in entries.iter_mut().filter(|entry| entry.kind.ends_with(".lua")) {
        let namespace = entry.id.to_namespace();
        let imports = entry.data.get_mut("imports").and_then(Value::as_object_mut);
        for value in imports.into_iter().flat_map(serde_json::Map::values_mut) {
            let Some(name) = value.as_str().filter(|name| !name.contains(':')) else { continue };
            let is_entry = EntryId::resolve(name, &namespace).is_ok_and(|id| ids.contains(&id));
            if !is_entry && catalog.support(name) != ModuleSupport::Unknown {
                *value = Value::String(format!(":{name}"));
            }
        }
    }
}

/// Checks entries one by one and puts them in order; of two with the same id the first stays.
fn collect(entries: Vec<Entry>, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Entries {
    let mut collected: BTreeMap<EntryId, Checked> = BTreeMap::new();
    for entry in entries {
        let references = check_alone(&entry, diagnostics);
        code::check(&entry, sources, diagnostics);
        if let Some(first) = collected.get(&entry.id) {
            let diagnostic = Diagnostic::error("duplicate-id", format!("there are two entries `{}`", entry.id));
            let name = FieldPath::new().key("name");
            let diagnostic = entry.locate(diagnostic, &name, "again here");
            let diagnostic = first.entry.also(diagnostic, &name, "first here");
            diagnostics.push(diagnostic.help("rename or remove one of them"));
            continue;
        }
        let id = entry.id.clone();
        collected.insert(id, Checked { entry: Arc::new(entry), references });
    }
    collected
}
