//! Modules of other people whose sources lie in the project: unpacked ones, and directories that replace them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::project::Project;

/// How many modules a project may have.
const MAX_MODULES: usize = 1_000;

/// Lists the directories with the definitions of installed modules, ordered by the names of the modules.
pub(crate) fn installed(project: &Project, diagnostics: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut modules: BTreeMap<String, PathBuf> = BTreeMap::new();
    for organization in directories(&project.modules.join("vendor")) {
        for module in directories(&organization) {
            if let (Some(organization), Some(name)) = (name_of(&organization), name_of(&module)) {
                modules.insert(format!("{organization}/{name}"), module);
            }
        }
    }
    let replacements = project.config.value.get("workspace").and_then(|workspace| workspace.get("replacements"));
    for (name, path) in replacements.and_then(Value::as_object).into_iter().flatten() {
        // Null undoes a replacement of another configuration.
        let Some(path) = path.as_str() else { continue };
        let directory = project.root.join(path);
        if directory.is_dir() {
            modules.insert(name.clone(), directory);
        } else {
            let file = project.config.file.as_deref().unwrap_or_default();
            let message =
                format!("`workspace.replacements` of `{file}` puts `{path}` in the place of `{name}`, and that is no directory");
            let help = "name the directory of the module, from the directory of this file";
            diagnostics.push(Diagnostic::error("no-source-directory", message).help(help));
        }
    }
    let sources = modules.into_values().take(MAX_MODULES).map(|directory| {
        let sources = directory.join("src");
        if sources.is_dir() { sources } else { directory }
    });
    sources.collect()
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
