//! Finds the definition files below a directory.
//!
//! What it finds must not depend on the order in which the file system lists things, nor on anything outside the directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use moonlet_language::diagnostic::Diagnostic;

/// How deep directories may nest: stops a tree that was made to exhaust the walk.
const MAX_DEPTH: usize = 32;
/// How many files and directories are looked at, for the same reason.
const MAX_SEEN: usize = 200_000;
/// How many definition files a project may have.
const MAX_FILES: usize = 20_000;

/// Lists all `*.yaml`, `*.yml` and `*.json` files below `root`, ordered by path.
///
/// Hidden directories, `node_modules` and whatever a symbolic link puts outside `root` are left out.
pub(crate) fn walk(root: &Path, shown_root: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut seen = 0;
    let mut visited = BTreeSet::new();
    let Ok(canonical_root) = root.canonicalize() else { return files };
    let mut pending = vec![(root.to_path_buf(), 0)];
    while let Some((directory, depth)) = pending.pop() {
        // Links may form a circle.
        match directory.canonicalize() {
            Ok(canonical) if canonical.starts_with(&canonical_root) && visited.insert(canonical.clone()) => {}
            _ => continue,
        }
        let listing = match fs::read_dir(&directory) {
            Ok(listing) => listing,
            Err(error) => {
                let shown = shown_path(root, shown_root, &directory);
                let message = format!("the directory `{shown}` cannot be listed: {error}");
                diagnostics.push(Diagnostic::error("unreadable-file", message));
                continue;
            }
        };
        for item in listing.flatten() {
            seen += 1;
            if seen > MAX_SEEN || files.len() > MAX_FILES {
                let message = format!(
                    "`{shown_root}` holds too many files: at most {MAX_SEEN} files and {MAX_FILES} definition files are read"
                );
                let help = "name a smaller source directory in `moonlet.yaml` under `directories.src`";
                diagnostics.push(Diagnostic::error("project-too-large", message).help(help));
                return files;
            }
            let path = item.path();
            let name = item.file_name();
            let name = name.to_string_lossy();
            // `metadata` follows links, as the reader of the file will.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                if !name.starts_with('.') && name != "node_modules" && depth < MAX_DEPTH {
                    pending.push((path, depth + 1));
                }
            } else if is_definition_name(&path) && stays_inside(&path, &canonical_root) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn is_definition_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| matches!(extension.to_ascii_lowercase().as_str(), "yaml" | "yml" | "json"))
}

fn stays_inside(path: &Path, canonical_root: &Path) -> bool {
    path.canonicalize().is_ok_and(|canonical| canonical.starts_with(canonical_root))
}

/// Gives a path below `root` in the words of the user, who may have named `root` relative to where he is.
pub(crate) fn shown_path(root: &Path, shown_root: &str, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let relative = relative.components().map(|component| component.as_os_str().to_string_lossy()).collect::<Vec<_>>();
    let relative = relative.join("/");
    match (shown_root, relative.as_str()) {
        ("" | ".", "") => ".".to_owned(),
        ("" | ".", relative) => relative.to_owned(),
        (root, "") => root.to_owned(),
        (root, relative) => format!("{}/{relative}", root.trim_end_matches('/')),
    }
}
