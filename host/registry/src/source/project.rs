//! The directory of a project: its configuration and where its sources are.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Sources};
use serde_json::Value;

use crate::id::EntryId;
use crate::pattern::Glob;

use super::layers::{self, ConfigLayers};
use super::node::{Node, NodeValue, Pair};
use super::sections;
use super::walk::shown_path;
use super::yaml::{YamlError, parse_yaml};

/// The largest configuration file that is read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The files that may say where the sources are, the first that exists and says it wins.
const CONFIG_FILES: &[&str] = &["moonlet.yaml", ".wippy.yaml", "wippy.lock"];

/// Where modules of others are installed when nothing else is said.
const MODULES: &str = ".wippy";

/// The one of them that says nothing else.
const LOCK_FILE: &str = "wippy.lock";

/// The directory of a project and what its configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The directory that was named.
    pub root: PathBuf,
    /// The directory below which definition files are read.
    pub source: PathBuf,
    /// The directory in which modules of others are installed.
    pub modules: PathBuf,
    /// Directories in the place of modules, as the lock file says: the name of the module and the path from `root`.
    pub replacements: Vec<(String, PathBuf)>,
    /// `root` as the user wrote it.
    pub shown_root: String,
    /// What `moonlet.yaml` says, or else `.wippy.yaml`.
    pub config: Config,
}

impl Project {
    /// Gives a path of the project in the words of the user.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        shown_path(&self.root, &self.shown_root, path)
    }
}

/// What the configuration of a project says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The file, as it is shown; absent when there is none.
    pub file: Option<Arc<str>>,
    /// The whole of the file; null when there is none.
    pub value: Value,
    /// `security.strict`: without actor and scope an act is denied.
    pub strict: bool,
    /// `types.strict`: nothing starts while there are type errors.
    pub strict_types: bool,
    /// `registry.history`: where versions of the registry are kept.
    pub history: HistoryPlace,
    /// `override`: changes of entries, as `namespace:entry:path` and the value.
    pub overrides: Vec<(String, Value)>,
    /// `disable`: entries that are left out.
    pub disabled: Disabled,
}

/// Entries that are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disabled {
    /// Patterns of namespaces.
    pub namespaces: Vec<Glob>,
    /// Patterns of ids.
    pub entries: Vec<Glob>,
}

impl Disabled {
    /// Tells whether an entry is left out.
    #[must_use]
    pub fn covers(&self, id: &EntryId) -> bool {
        let matches = |globs: &[Glob], text: &str| globs.iter().any(|glob| glob.matches(text));
        matches(&self.namespaces, id.namespace()) || matches(&self.entries, id.as_str())
    }
}

/// Where versions of the registry are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HistoryPlace {
    /// In memory: a restart begins with the files again.
    #[default]
    Memory,
    /// In an SQLite file.
    Sqlite(PathBuf),
}

/// The file of the history where the configuration names none.
const HISTORY_FILE: &str = ".moonlet/registry.db";

/// Finds the configuration and the source directory of a project.
pub(crate) fn locate(
    directory: &Path,
    layers: &ConfigLayers,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Project> {
    let shown_root = directory.to_string_lossy().into_owned();
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            let message = format!("`{shown_root}` is a file, and a project is a directory");
            let help = "name the directory that holds `moonlet.yaml`, `wippy.lock` or `src`";
            diagnostics.push(Diagnostic::error("no-project", message).help(help));
            return None;
        }
        Err(error) => {
            let reason = if error.kind() == ErrorKind::NotFound {
                "does not exist".to_owned()
            } else {
                format!("cannot be read: {error}")
            };
            let message = format!("the project directory `{shown_root}` {reason}");
            let help = "name the directory that holds `moonlet.yaml`, `wippy.lock` or `src`";
            diagnostics.push(Diagnostic::error("no-project", message).help(help));
            return None;
        }
    }
    let mut reader = ConfigReader { root: directory, shown_root: &shown_root, sources, diagnostics };
    let mut config = reader.composed(&layers.files);
    let mut source = None;
    let mut modules = None;
    let mut replacements = Vec::new();
    for name in CONFIG_FILES {
        let Some((file, node)) = reader.read(&directory.join(name)) else { continue };
        modules = modules.or_else(|| {
            let path = node.get("directories")?.node.get("modules")?.node.text()?;
            Some(path).filter(|path| !path.is_empty()).map(|path| directory.join(path))
        });
        if *name == LOCK_FILE {
            replacements = reader.replacements(&file, &node);
        }
        if source.is_none() {
            source = reader.source_directory(&file, &node);
        }
        // An application of the reference that moved here may have both; then ours holds.
        if *name != LOCK_FILE && config.is_none() && layers.files.is_empty() {
            config = Some((file, node));
        }
    }
    let config = reader.layered(config, layers);
    let default = directory.join("src");
    let source = source.unwrap_or_else(|| if default.is_dir() { default } else { directory.to_path_buf() });
    let modules = modules.unwrap_or_else(|| directory.join(MODULES));
    Some(Project { root: directory.to_path_buf(), source, modules, replacements, shown_root, config })
}

struct ConfigReader<'a> {
    root: &'a Path,
    shown_root: &'a str,
    sources: &'a mut Sources,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl ConfigReader<'_> {
    /// Reads the files that were named, each of which changes what those before it say.
    fn composed(&mut self, files: &[PathBuf]) -> Option<(Arc<str>, Node)> {
        let mut config: Option<(Arc<str>, Node)> = None;
        for path in files {
            if !path.exists() {
                let message = format!("the configuration `{}` does not exist", path.display());
                self.diagnostics.push(Diagnostic::error("no-config", message).help("correct what stands behind `--config`"));
                continue;
            }
            let Some((file, node)) = self.read(path) else { continue };
            match &mut config {
                Some((_, base)) => layers::overlay(base, node),
                None => config = Some((file, node)),
            }
        }
        config
    }

    /// Makes the configuration of a file, of the profiles that were chosen and of single values.
    fn layered(&mut self, config: Option<(Arc<str>, Node)>, layers: &ConfigLayers) -> Config {
        let empty = || Node { value: NodeValue::Map(Vec::new()), span: 0..0 };
        let (file, mut node) = match config {
            Some((file, node)) => (file, node),
            None if layers.profiles.is_empty() && layers.values.is_empty() => return Config::default(),
            None => ("--set".into(), empty()),
        };
        if matches!(node.value, NodeValue::Null) {
            node = empty();
        }
        layers::apply_profiles(&mut node, &layers.profiles, self.diagnostics);
        layers::apply_values(&mut node, &layers.values, self.diagnostics);
        layers::fill_variables(&mut node, &|name| std::env::var(name).ok(), self.diagnostics);
        self.config(&file, node)
    }

    fn read(&mut self, path: &Path) -> Option<(Arc<str>, Node)> {
        let file: Arc<str> = shown_path(self.root, self.shown_root, path).into();
        let text = match read_text(path, MAX_CONFIG_BYTES) {
            Ok(text) => text,
            Err(ReadError::Missing) => return None,
            Err(error) => {
                self.diagnostics.push(Diagnostic::error("unreadable-file", format!("`{file}` {error}")));
                return None;
            }
        };
        self.sources.add(Arc::clone(&file), text.as_str());
        match parse_yaml(&text) {
            Ok(node) => Some((file, node)),
            Err(error) => {
                self.diagnostics.push(syntax_error(&file, error));
                None
            }
        }
    }

    fn source_directory(&mut self, file: &Arc<str>, node: &Node) -> Option<PathBuf> {
        let Pair { node, .. } = node.get("directories")?.node.get("src")?;
        let Some(text) = node.text() else {
            let message = format!("`directories.src` must be a path, and is {}", node.describe());
            self.diagnostics.push(Diagnostic::error("wrong-type", message).at(Arc::clone(file), node.span.clone(), ""));
            return None;
        };
        // A lock file that nobody filled in names no directory.
        if text.is_empty() {
            return None;
        }
        let path = self.root.join(text.strip_prefix("./").unwrap_or(text));
        if path.is_dir() {
            return Some(path);
        }
        let message = format!("the source directory `{}` does not exist", shown_path(self.root, self.shown_root, &path));
        let diagnostic = Diagnostic::error("no-source-directory", message).at(Arc::clone(file), node.span.clone(), "named here");
        self.diagnostics.push(diagnostic.help("create it, or name another directory in `directories.src`"));
        None
    }

    /// Reads the directories that an older lock file puts in the place of modules.
    fn replacements(&mut self, file: &Arc<str>, node: &Node) -> Vec<(String, PathBuf)> {
        let Some(NodeValue::List(list)) = node.get("replacements").map(|pair| &pair.node.value) else { return Vec::new() };
        let mut replacements = Vec::new();
        for element in list {
            let text = |name: &str| element.get(name).and_then(|pair| pair.node.text());
            let (Some(from), Some(to)) = (text("from"), text("to")) else { continue };
            if self.root.join(to).is_dir() {
                replacements.push((from.to_owned(), PathBuf::from(to)));
                continue;
            }
            let message = format!("`replacements` of `{file}` puts `{to}` in the place of `{from}`, and that is no directory");
            let diagnostic = Diagnostic::error("no-source-directory", message).at(Arc::clone(file), element.span.clone(), "");
            self.diagnostics.push(diagnostic.help("name the directory of the module, from the directory of this file"));
        }
        replacements
    }

    /// Reads a switch, which is off unless it is there. One that cannot be read must not mean "off".
    fn switch(&mut self, file: &Arc<str>, section: &str, pair: Option<&Pair>) -> bool {
        let Some(pair) = pair else { return false };
        if let NodeValue::Bool(value) = pair.node.value {
            return value;
        }
        let message = format!("`{section}.{}` must be true or false, and is {}", pair.key, pair.node.describe());
        let diagnostic = Diagnostic::error("wrong-type", message);
        self.diagnostics.push(diagnostic.at(Arc::clone(file), pair.node.span.clone(), "").help("write `true` or `false`"));
        false
    }

    /// Reads where versions are kept, in our words or in those of the reference.
    fn history(&mut self, file: &Arc<str>, section: &Node) -> HistoryPlace {
        let names = ["history", "history_type"];
        let Some(pair) = names.iter().find_map(|name| section.get(name)) else { return HistoryPlace::Memory };
        let path = section.get("history_path").or_else(|| section.get("path")).map(|pair| pair.node.text());
        match (pair.node.text(), path) {
            (Some("memory" | "nil" | "none"), _) => HistoryPlace::Memory,
            (Some("sqlite"), None) => HistoryPlace::Sqlite(self.root.join(HISTORY_FILE)),
            (Some("sqlite"), Some(Some(path))) if !path.is_empty() => HistoryPlace::Sqlite(self.root.join(path)),
            (Some("sqlite"), Some(_)) => {
                let message = "`registry.history_path` must be the path of a file".to_owned();
                let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(file), section.span.clone(), "");
                self.diagnostics.push(diagnostic.help(format!("write `history_path: {HISTORY_FILE}`")));
                HistoryPlace::Memory
            }
            (Some("postgres"), _) => {
                let message = "versions in Postgres are not supported in this build".to_owned();
                let diagnostic = Diagnostic::error("not-supported", message).at(Arc::clone(file), pair.node.span.clone(), "");
                self.diagnostics.push(diagnostic.help("write `history: sqlite` and `history_path: FILE`, or leave it out"));
                HistoryPlace::Memory
            }
            _ => {
                let found = pair.node.text().map_or_else(|| pair.node.describe().to_owned(), |text| format!("`{text}`"));
                let message = format!("`registry.{}` must be `memory` or `sqlite`, and is {found}", pair.key);
                let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(file), pair.node.span.clone(), "");
                self.diagnostics.push(diagnostic.help("write `history: sqlite` and `history_path: FILE`, or leave it out"));
                HistoryPlace::Memory
            }
        }
    }

    fn config(&mut self, file: &Arc<str>, node: Node) -> Config {
        let mut config = Config { file: Some(Arc::clone(file)), ..Config::default() };
        sections::check(file, &node, self.diagnostics);
        let switch = |section: &str, names: &[&str]| {
            let section = &node.get(section)?.node;
            names.iter().find_map(|name| section.get(name))
        };
        config.strict = self.switch(file, "security", switch("security", &["strict", "strict_mode"]));
        config.strict_types = self.switch(file, "types", switch("types", &["strict"]));
        if let Some(section) = node.get("registry") {
            config.history = self.history(file, &section.node);
        }
        let overrides = node.get("override").and_then(|pair| pair.node.pairs()).unwrap_or_default();
        for pair in overrides {
            config.overrides.push((pair.key.clone(), pair.node.clone().split(0..0).0));
        }
        if let Some(section) = node.get("disable") {
            config.disabled.namespaces = self.patterns(file, &section.node, "namespaces");
            config.disabled.entries = self.patterns(file, &section.node, "entries");
        }
        config.value = node.split(0..0).0;
        config
    }

    /// Reads the patterns of one list of `disable`.
    fn patterns(&mut self, file: &Arc<str>, section: &Node, name: &str) -> Vec<Glob> {
        let Some(pair) = section.get(name) else { return Vec::new() };
        let mut globs = Vec::new();
        let elements =
            if let NodeValue::List(nodes) = &pair.node.value { nodes.as_slice() } else { std::slice::from_ref(&pair.node) };
        for element in elements {
            match element.text().map(Glob::new) {
                Some(Ok(glob)) => globs.push(glob),
                _ => {
                    let message = format!("`disable.{name}` must be a list of patterns, and has {}", element.describe());
                    let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(file), element.span.clone(), "");
                    self.diagnostics.push(diagnostic.help(format!("write `{name}: [\"app.**\"]`")));
                }
            }
        }
        globs
    }
}

/// Why a file cannot be read; the text completes "`file` ...".
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("does not exist")]
    Missing,
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    #[error("is not UTF-8 text: {}", foreign_byte(.0))]
    NotText(Vec<u8>),
}

/// Reads a file of bounded size as text.
pub(super) fn read_text(path: &Path, max_bytes: u64) -> Result<String, ReadError> {
    let mut text = String::from_utf8(read_bytes(path, max_bytes)?).map_err(|error| ReadError::NotText(error.into_bytes()))?;
    // Some editors put a byte order mark in front, which no parser wants.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// Says where a text stops being UTF-8.
fn foreign_byte(bytes: &[u8]) -> String {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let (head, rest) = bytes.split_at_checked(valid).unwrap_or((bytes, &[]));
    let line = head.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = head.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    match rest.first() {
        Some(byte) => format!("byte {column} of line {line} is 0x{byte:02x}"),
        None => format!("it ends in line {line}"),
    }
}

fn read_bytes(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Io(error),
    };
    let metadata = fs::metadata(path).map_err(io)?;
    // A pipe or a device would block or never end.
    if !metadata.is_file() {
        return Err(ReadError::Io(std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(io)?.take(max_bytes + 1).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_bytes {
        return Err(ReadError::TooLarge(max_bytes));
    }
    Ok(bytes)
}

/// Turns a parser's complaint into a diagnostic.
pub(super) fn syntax_error(file: &Arc<str>, error: YamlError) -> Diagnostic {
    let diagnostic = Diagnostic::error("syntax", error.message).at(Arc::clone(file), error.span, "");
    match error.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
