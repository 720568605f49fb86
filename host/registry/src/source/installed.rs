//! Modules of other people whose sources lie in the project: unpacked ones, and directories that replace them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::node::NodeValue;
use super::project::{Project, read_text};
use super::yaml::parse_yaml;
use crate::entry::Entry;
use crate::pattern::Glob;

/// How many modules a project may have.
const MAX_MODULES: usize = 1_000;

/// The largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// The file with which a module describes itself.
const MANIFEST: &str = "wippy.yaml";

/// A module of other people.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// Its name, such as `acme/http`.
    pub(crate) name: Arc<str>,
    /// Where its definitions are.
    pub(crate) source: PathBuf,
    /// Which entries are there for its authors only.
    pub(crate) excluded: Excluded,
}

/// What the manifest of a module leaves out of the applications that use it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Excluded {
    ids: Vec<Glob>,
    /// Fields of `meta` with values of them.
    meta: Vec<(String, Vec<String>)>,
}

impl Excluded {
    pub(crate) fn covers(&self, entry: &Entry) -> bool {
        let has = |(name, values): &(String, Vec<String>)| {
            let value = entry.meta.get(name).and_then(Value::as_str);
            value.is_some_and(|value| values.iter().any(|excluded| excluded == value))
        };
        self.ids.iter().any(|glob| glob.matches(entry.id.as_str())) || self.meta.iter().any(has)
    }
}

/// Lists the installed modules, ordered by name.
pub(crate) fn installed(project: &Project, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let mut modules: BTreeMap<String, PathBuf> = BTreeMap::new();
    for organization in directories(&project.modules.join("vendor")) {
        for module in directories(&organization) {
            if let (Some(organization), Some(name)) = (name_of(&organization), name_of(&module)) {
                modules.insert(format!("{organization}/{name}"), module);
            }
        }
    }
    for (name, path) in &project.replacements {
        modules.insert(name.clone(), project.root.join(path));
    }
    let replacements = project.config.value.get("workspace").and_then(|workspace| workspace.get("replacements"));
    let file = project.config.file.as_deref().unwrap_or_default();
    for (name, path) in replacements.and_then(Value::as_object).into_iter().flatten() {
        // Null undoes a replacement of another configuration.
        let Some(path) = path.as_str() else { continue };
        let directory = project.root.join(path);
        if directory.is_dir() {
            modules.insert(name.clone(), directory);
        } else {
            let message =
                format!("`workspace.replacements` of `{file}` puts `{path}` in the place of `{name}`, and that is no directory");
            let help = "name the directory of the module, from the directory of this file";
            diagnostics.push(Diagnostic::error("no-source-directory", message).help(help));
        }
    }
    let modules = modules.into_iter().take(MAX_MODULES).map(|(name, directory)| {
        let excluded = excluded(&directory);
        let source = directory.join("src");
        Module { name: name.into(), source: if source.is_dir() { source } else { directory }, excluded }
    });
    modules.collect()
}

/// Reads which entries the manifest of a module leaves out.
fn excluded(directory: &Path) -> Excluded {
    let text = read_text(&directory.join(MANIFEST), MAX_MANIFEST_BYTES).ok();
    let Some(manifest) = text.and_then(|text| parse_yaml(&text).ok()) else { return Excluded::default() };
    let texts = |value: &NodeValue| match value {
        NodeValue::List(items) => items.iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let ids = manifest.get("exclude").map(|list| texts(&list.node.value)).unwrap_or_default();
    let meta = manifest.get("exclude_meta").and_then(|fields| fields.node.pairs()).unwrap_or_default();
    let meta = meta.iter().map(|field| (field.key.clone(), texts(&field.node.value))).collect();
    Excluded { ids: ids.iter().filter_map(|pattern| Glob::new(pattern).ok()).collect(), meta }
}

fn directories(of: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(of).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = listing.map(|item| item.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}
