//! Definition files into entries.
//!
//! Judges only the frame: namespace, entries, names and kinds. A file that defines nothing is not an error, because data
//! files and manifests of other tools lie in the same directories.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Sources};
use serde_json::Value;

use super::file_refs::FileRefs;
use super::node::{Node, NodeValue, Pair, split_pairs};
use super::project::{Project, ReadError, read_text, syntax_error};
use super::walk::walk;
use super::yaml::{parse_json, parse_yaml};
use crate::entry::{Entry, EntrySpans, Origin};
use crate::id::{EntryId, Namespace};
use crate::path::Spans;
use crate::suggest::nearest;

/// The largest definition file that is read.
const MAX_DEFINITION_BYTES: u64 = 8 << 20;
/// How much all definition files may measure together.
const MAX_TOTAL_BYTES: usize = 256 << 20;
/// How many entries a project may have.
const MAX_ENTRIES: usize = 200_000;

const TOP_FIELDS: &[&str] = &["version", "namespace", "meta", "entries"];

/// Reads all entries of a project, as far as they can be read.
///
/// Files that were `seen` already are left out: a module may lie in the directory that holds its tests, or around it.
pub(crate) fn read_definitions(
    project: &Project,
    seen: &mut BTreeSet<PathBuf>,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let mut reader =
        Reader { project, sources, diagnostics, files: FileRefs::new(project), entries: Vec::new(), definition_files: 0 };
    let shown_source = project.shown(&project.source);
    let mut total = 0_usize;
    for path in walk(&project.source, &shown_source, reader.diagnostics) {
        if !path.canonicalize().is_ok_and(|path| seen.insert(path)) {
            reader.definition_files += 1;
            continue;
        }
        total = total.saturating_add(reader.read_file(&path));
        if total > MAX_TOTAL_BYTES || reader.entries.len() > MAX_ENTRIES {
            let message = format!(
                "the project is too large: at most {MAX_ENTRIES} entries and {MAX_TOTAL_BYTES} bytes of definitions are read"
            );
            reader.diagnostics.push(Diagnostic::error("project-too-large", message));
            break;
        }
    }
    if reader.definition_files == 0 && reader.diagnostics.is_empty() {
        let message = format!("there are no entries below `{shown_source}`");
        let help = format!("create `{shown_source}/_index.yaml` with `namespace: app` and a list `entries:`");
        reader.diagnostics.push(Diagnostic::error("no-entries", message).help(help));
    }
    reader.entries
}

struct Reader<'a> {
    project: &'a Project,
    sources: &'a mut Sources,
    diagnostics: &'a mut Vec<Diagnostic>,
    files: FileRefs<'a>,
    entries: Vec<Entry>,
    definition_files: usize,
}

/// What is the same for all entries of one file.
struct Frame<'a> {
    file: &'a Arc<str>,
    directory: &'a Path,
    namespace: &'a Namespace,
}

impl Reader<'_> {
    /// Reads one file and gives how many bytes it had.
    fn read_file(&mut self, path: &Path) -> usize {
        let file: Arc<str> = self.project.shown(path).into();
        let is_index = path.file_stem().is_some_and(|stem| stem == "_index");
        let text = match read_text(path, MAX_DEFINITION_BYTES) {
            Ok(text) => text,
            Err(error) => {
                // A data file may be anything; what was meant as a definition must not vanish silently.
                let meant = is_index
                    || match &error {
                        ReadError::NotText(bytes) => looks_like_definition(&String::from_utf8_lossy(bytes)),
                        _ => false,
                    };
                let message = format!("`{file}` {error}");
                if meant {
                    self.diagnostics.push(Diagnostic::error("unreadable-file", message));
                } else if !matches!(error, ReadError::NotText(_)) {
                    self.diagnostics.push(Diagnostic::warning("unreadable-file", message + ", so it is left out"));
                }
                return 0;
            }
        };
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let parsed = if is_json { parse_json(&text) } else { parse_yaml(&text) };
        match parsed {
            Ok(node) => self.read_top(path, &file, node, is_index, &text),
            Err(error) if is_index || looks_like_definition(&text) => {
                self.sources.add(Arc::clone(&file), text.as_str());
                self.definition_files += 1;
                self.diagnostics.push(syntax_error(&file, error));
            }
            Err(_) => {}
        }
        text.len()
    }

    fn read_top(&mut self, path: &Path, file: &Arc<str>, node: Node, is_index: bool, text: &str) {
        let single = node.get("name").is_some() && node.get("kind").is_some() && node.get("entries").is_none();
        let lists_entries = node.get("entries").is_some_and(|pair| looks_like_entries(&pair.node));
        let has_namespace = node.get("namespace").is_some();
        let defines = is_index || lists_entries || has_namespace && (single || node.get("entries").is_some());
        if !defines {
            return;
        }
        self.sources.add(Arc::clone(file), text);
        self.definition_files += 1;
        let Some(pairs) = node.pairs() else {
            let message = if node.value == NodeValue::Null {
                Diagnostic::warning("empty-definition", format!("`{file}` is empty"))
            } else {
                Diagnostic::error("wrong-type", format!("a definition file must be a map, and this is {}", node.describe()))
            };
            self.diagnostics.push(message.at(Arc::clone(file), node.span.clone(), "").help(FRAME_HELP));
            return;
        };
        let Some(namespace) = self.namespace(file, &node) else { return };
        let directory = path.parent().unwrap_or(&self.project.source);
        let frame = Frame { file, directory, namespace: &namespace };
        if single {
            let fields = pairs.iter().filter(|pair| !matches!(pair.key.as_str(), "version" | "namespace"));
            let fields = fields.cloned().collect();
            self.read_entry(&frame, Node { value: NodeValue::Map(fields), span: node.span.clone() });
            return;
        }
        self.check_top_fields(file, pairs);
        self.check_version(file, &node);
        let Some(entries) = node.get("entries") else { return };
        match &entries.node.value {
            NodeValue::List(nodes) => {
                for node in nodes {
                    self.read_entry(&frame, node.clone());
                }
            }
            NodeValue::Null => {}
            _ => {
                let message = format!("`entries` must be a list, and is {}", entries.node.describe());
                let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(file), entries.key_span.clone(), "");
                self.diagnostics.push(diagnostic.help("write each entry as `- name: ...` below `entries:`"));
            }
        }
    }

    fn namespace(&mut self, file: &Arc<str>, node: &Node) -> Option<Namespace> {
        let Some(pair) = node.get("namespace") else {
            let diagnostic = Diagnostic::error("missing-namespace", format!("`{file}` has no `namespace`"));
            let other = |pair: &&Pair| !TOP_FIELDS.contains(&pair.key.as_str());
            let misspelt = |pair: &&Pair| nearest(&pair.key, ["namespace"]).is_some();
            if let Some(pair) = node.pairs().into_iter().flatten().filter(other).find(misspelt) {
                let span = pair.key_span.clone();
                let diagnostic = diagnostic.at(Arc::clone(file), span.clone(), "misspelt").help("write `namespace`");
                self.diagnostics.push(match span.len() == pair.key.len() {
                    true => diagnostic.fix(span, "namespace", "write `namespace`"),
                    false => diagnostic,
                });
                return None;
            }
            let span = node.pairs().and_then(<[Pair]>::first).map_or(0..0, |pair| pair.key_span.clone());
            self.diagnostics
                .push(diagnostic.at(Arc::clone(file), span, "").help("write `namespace: app` at the top of the file"));
            return None;
        };
        let Some(text) = pair.node.text() else {
            let message = format!("`namespace` must be a text, and is {}", pair.node.describe());
            let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(file), pair.node.span.clone(), "");
            self.diagnostics.push(diagnostic.help("write a dotted name such as `app.workers`"));
            return None;
        };
        match Namespace::new(text) {
            Ok(namespace) => Some(namespace),
            Err(error) => {
                let diagnostic = Diagnostic::error("malformed-id", error.to_string());
                self.diagnostics.push(diagnostic.at(Arc::clone(file), pair.node.span.clone(), ""));
                None
            }
        }
    }

    fn check_top_fields(&mut self, file: &Arc<str>, pairs: &[Pair]) {
        for pair in pairs.iter().filter(|pair| !TOP_FIELDS.contains(&pair.key.as_str())) {
            let message = format!("a definition file has no field `{}`", pair.key);
            let help = match nearest(&pair.key, TOP_FIELDS.iter().copied()) {
                Some(name) => format!("write `{name}`"),
                None => format!("the fields are {}", list_names(TOP_FIELDS)),
            };
            let diagnostic = Diagnostic::warning("unknown-field", message);
            self.diagnostics.push(diagnostic.at(Arc::clone(file), pair.key_span.clone(), "").help(help));
        }
    }

    fn check_version(&mut self, file: &Arc<str>, node: &Node) {
        let Some(pair) = node.get("version") else { return };
        let written = match &pair.node.value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Number(number) => number.to_string(),
            _ => return,
        };
        if written.split('.').next() == Some("1") {
            return;
        }
        let message = format!("`{file}` is of version `{written}`, which this build does not know, and is read as `1.0`");
        let diagnostic = Diagnostic::warning("unknown-version", message).at(Arc::clone(file), pair.node.span.clone(), "");
        self.diagnostics.push(diagnostic.help("write `version: \"1.0\"`"));
    }

    fn read_entry(&mut self, frame: &Frame<'_>, node: Node) {
        let span = node.span.clone();
        let described = node.describe();
        let NodeValue::Map(mut pairs) = node.value else {
            let diagnostic = Diagnostic::error("wrong-type", format!("an entry must be a map, and this is {described}"));
            self.diagnostics.push(diagnostic.at(Arc::clone(frame.file), span, "").help("write `- name: ...` and `kind: ...`"));
            return;
        };
        let first_key = pairs.first().map_or(span, |pair| pair.key_span.clone());
        let name = self.take_text(frame, &mut pairs, "name", &first_key);
        let kind = self.take_text(frame, &mut pairs, "kind", &first_key);
        let (Some((name, name_span)), Some((kind, kind_span))) = (name, kind) else { return };
        let id = match EntryId::new(frame.namespace, &name) {
            Ok(id) => id,
            Err(error) => {
                let diagnostic = Diagnostic::error("malformed-id", error.to_string());
                self.diagnostics.push(diagnostic.at(Arc::clone(frame.file), name_span.value(), ""));
                return;
            }
        };
        let (meta, meta_spans) = self.take_meta(frame, &mut pairs, &id, &first_key);
        // All fields may stand together under `data`; beside other fields, `data` is one of them.
        let only_data = pairs.len() == 1 && pairs.first().is_some_and(|pair| pair.key == "data");
        let (data, data_spans) = match pairs.pop() {
            Some(pair) if only_data => match pair.node.value {
                NodeValue::Null => (Value::Object(serde_json::Map::new()), Spans::leaf(pair.key_span.clone(), pair.key_span)),
                _ => pair.node.split(pair.key_span),
            },
            last => {
                pairs.extend(last);
                let (map, fields) = split_pairs(pairs);
                (Value::Object(map), Spans::fields(first_key.clone(), first_key.clone(), fields))
            }
        };
        let mut origin = Origin {
            file: Arc::clone(frame.file),
            directory: frame.directory.to_path_buf(),
            root: self.project.source.clone(),
            module: None,
            spans: EntrySpans { entry: first_key, name: name_span, kind: kind_span, meta: meta_spans, data: data_spans },
            files: Vec::new(),
            overrides: Vec::new(),
        };
        let mut entry = Entry { origin: Some(Arc::new(origin.clone())), ..Entry::new(id, kind, meta, data) };
        let files = self.files.substitute(&mut entry, frame.directory, self.sources, self.diagnostics);
        if !files.is_empty() {
            origin.files = files;
            entry.origin = Some(Arc::new(origin));
        }
        self.entries.push(entry);
    }

    fn take_text(
        &mut self,
        frame: &Frame<'_>,
        pairs: &mut Vec<Pair>,
        key: &str,
        entry_span: &Range<usize>,
    ) -> Option<(String, Spans)> {
        let Some(position) = pairs.iter().position(|pair| pair.key == key) else {
            let diagnostic = Diagnostic::error("missing-field", format!("an entry needs `{key}`"));
            let misspelt = nearest(key, pairs.iter().map(|pair| pair.key.as_str()));
            let help = match (misspelt, key) {
                (Some(misspelt), _) => format!("write `{key}` instead of `{misspelt}`"),
                (None, "kind") => "write what it is, such as `kind: process.lua`".to_owned(),
                (None, _) => format!("write `{key}: ...`, unique in its namespace"),
            };
            self.diagnostics.push(diagnostic.at(Arc::clone(frame.file), entry_span.clone(), "this entry").help(help));
            return None;
        };
        let pair = pairs.remove(position);
        let spans = Spans::leaf(pair.key_span, pair.node.span.clone());
        match pair.node.value {
            NodeValue::Text(text) => Some((text, spans)),
            _ => {
                let message = format!("`{key}` must be a text, and is {}", pair.node.describe());
                let diagnostic = Diagnostic::error("wrong-type", message).at(Arc::clone(frame.file), spans.underline(), "");
                self.diagnostics.push(diagnostic.help("write it in quotes"));
                None
            }
        }
    }

    fn take_meta(&mut self, frame: &Frame<'_>, pairs: &mut Vec<Pair>, id: &EntryId, entry_span: &Range<usize>) -> (Value, Spans) {
        let empty = || Value::Object(serde_json::Map::new());
        let nowhere = || Spans::leaf(entry_span.clone(), entry_span.clone());
        let Some(position) = pairs.iter().position(|pair| pair.key == "meta") else {
            return (empty(), nowhere());
        };
        let pair = pairs.remove(position);
        match pair.node.value {
            NodeValue::Map(_) => pair.node.split(pair.key_span),
            NodeValue::Null => (empty(), Spans::leaf(pair.key_span.clone(), pair.key_span)),
            _ => {
                let message = format!("`meta` of `{id}` must be a map, and is {}", pair.node.describe());
                let diagnostic = Diagnostic::error("wrong-type", message);
                self.diagnostics.push(diagnostic.at(Arc::clone(frame.file), pair.node.span, ""));
                (empty(), nowhere())
            }
        }
    }
}

const FRAME_HELP: &str = "write `version: \"1.0\"`, `namespace: app` and a list `entries:`";

/// Tells whether a list holds what can only be meant as entries.
fn looks_like_entries(node: &Node) -> bool {
    let NodeValue::List(nodes) = &node.value else { return false };
    nodes.first().is_some_and(|node| node.get("name").is_some() && node.get("kind").is_some())
}

/// Tells whether a text that cannot be parsed was meant as a definition.
fn looks_like_definition(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("namespace:")) || text.contains("\"namespace\"") && text.contains("\"entries\"")
}

/// Writes names as people list them: `a`, `b` and `c`.
pub(crate) fn list_names(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [name] => format!("`{name}`"),
        [names @ .., last] => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", names.join(", "))
        }
    }
}
