//! The registry as it runs: immutable snapshots, atomic changes, versions.
//!
//! Readers never wait: a snapshot is a pointer. Changes are serialised by one lock, checked as a whole before anything
//! changes, and then visible all at once.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use moonlet_language::diagnostic::{Diagnostic, Level};
use parking_lot::Mutex;

use crate::check::{Checked, Entries, check_alone, check_together};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::modules::ModuleCatalog;
use crate::order::{StartOrder, start_order};
use crate::query::Filter;
use crate::report::arrange;

mod changes;
mod history;
mod resume;

pub use changes::{Change, ChangeKind, ChangeSet, Operation, delta};
pub use history::{History, HistoryError, MemoryHistory, Version, VersionRecord};
pub use resume::Kept;

/// How many entries a registry may hold: programs make them too.
pub const MAX_ENTRIES: usize = 200_000;

/// Bytes that all entries may take together.
pub const MAX_REGISTRY_BYTES: usize = 512 << 20;

/// All entries, over time. Clones share one state.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    current: ArcSwap<State>,
    modules: Option<ModuleCatalog>,
    /// Guards the order of changes; `current` is only stored to while it is held.
    writer: Mutex<Writer>,
}

struct Writer {
    history: Box<dyn History>,
    watchers: Vec<Watcher>,
}

/// Called after each change, in the order of versions.
pub type Watcher = Box<dyn Fn(&Applied) + Send>;

/// A check of what a change set would lead to, for what this crate cannot judge, such as whether code compiles.
pub type Review<'a> = &'a dyn Fn(&Snapshot, &[Change]) -> Vec<Diagnostic>;

#[derive(Debug)]
struct State {
    version: Version,
    entries: Entries,
    /// What the entries take, see [`Entry::size`].
    bytes: usize,
}

impl State {
    fn new(version: Version, entries: Entries) -> Self {
        let bytes = entries.values().map(|checked| checked.entry.size()).sum();
        Self { version, entries, bytes }
    }
}

/// A change that happened.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The version that is current now.
    pub version: Version,
    /// What changed against the version before.
    pub changes: Vec<Change>,
    /// Warnings about changed entries.
    pub warnings: Vec<Diagnostic>,
}

/// Why a change did not happen; nothing changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeError {
    /// There is nothing in the change set, or it leads to what there is.
    #[error("there are no changes to apply")]
    Empty,
    /// A new entry has the id of another.
    #[error("`{0}` exists already")]
    AlreadyExists(EntryId),
    /// An entry to change or remove is not there.
    #[error("`{0}` does not exist")]
    NotFound(EntryId),
    /// A version is not known, or not any more.
    #[error("version {0} does not exist")]
    VersionNotFound(u64),
    /// The registry would hold too much.
    #[error("the registry would hold more than {MAX_ENTRIES} entries, or {MAX_REGISTRY_BYTES} bytes of them")]
    TooMany,
    /// Several operations do not fit the current state.
    #[error("{}", several(.0))]
    Several(Vec<ChangeError>),
    /// The result would have errors.
    #[error("{}", summary(.0))]
    Invalid(Vec<Diagnostic>),
    /// The history could not be written.
    #[error(transparent)]
    History(#[from] HistoryError),
}

fn several(problems: &[ChangeError]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for (position, diagnostic) in diagnostics.iter().enumerate() {
        if position > 0 {
            text.push_str("; ");
        }
        text.push_str(&diagnostic.message);
        if let Some(help) = &diagnostic.help {
            text.push_str(&format!(" ({help})"));
        }
    }
    text
}

impl Registry {
    pub(crate) fn new(entries: Entries, modules: Option<ModuleCatalog>) -> Self {
        Self::with_history(entries, modules, Box::new(MemoryHistory::default()))
    }

    fn with_history(entries: Entries, modules: Option<ModuleCatalog>, history: Box<dyn History>) -> Self {
        let state = State::new(Version::FIRST, entries);
        let writer = Writer { history, watchers: Vec::new() };
        Self { shared: Arc::new(Shared { current: ArcSwap::from_pointee(state), modules, writer: Mutex::new(writer) }) }
    }

    /// Makes a registry of entries that no project holds.
    ///
    /// # Errors
    /// When two entries have the same id or any of them is invalid.
    pub fn from_entries(entries: Vec<Entry>, modules: Option<ModuleCatalog>) -> Result<Self, ChangeError> {
        let registry = Self::new(Entries::new(), modules);
        if !entries.is_empty() {
            let operations = entries.into_iter().map(Operation::Create).collect();
            registry.apply(&ChangeSet { operations })?;
        }
        Ok(registry)
    }

    /// Fills an empty registry that has not changed yet: these are the entries of its first version.
    ///
    /// # Errors
    /// When two entries have the same id or any of them is invalid.
    pub fn start_with(&self, entries: Vec<Entry>) -> Result<(), ChangeError> {
        let set = ChangeSet { operations: entries.into_iter().map(Operation::Create).collect() };
        let (entries, changes, mut diagnostics) = changes::carry_out(&Entries::new(), &set)?;
        check_together(&entries, self.shared.modules.as_ref(), &mut diagnostics);
        accept(diagnostics, &changes)?;
        self.shared.current.store(Arc::new(State::new(Version::FIRST, entries)));
        Ok(())
    }

    /// Calls back after each change. The callback must not change the registry: changes wait for it.
    pub fn watch(&self, watcher: Watcher) {
        self.shared.writer.lock().watchers.push(watcher);
    }

    /// Gives the current state, which does not change any more.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { state: self.shared.current.load_full() }
    }

    /// Gives the state of an earlier or later version.
    ///
    /// # Errors
    /// When the version is not known.
    pub fn snapshot_at(&self, version: u64) -> Result<Snapshot, ChangeError> {
        let writer = self.shared.writer.lock();
        let state = self.shared.current.load_full();
        Ok(Snapshot { state: Arc::new(self.state_at(&writer, &state, version)?) })
    }

    /// Lists the known versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        let writer = self.shared.writer.lock();
        let mut versions = vec![Version::FIRST];
        versions.extend(writer.history.records().iter().map(|record| record.version));
        versions
    }

    /// Applies a change set as a whole, or nothing of it.
    ///
    /// # Errors
    /// When the set is empty, an operation does not fit the current state, or the result would have errors.
    pub fn apply(&self, changes: &ChangeSet) -> Result<Applied, ChangeError> {
        self.apply_reviewed(changes, &|_, _| Vec::new())
    }

    /// Applies a change set that somebody else has to agree to, too: an error among its diagnostics rejects the set.
    ///
    /// # Errors
    /// As [`Registry::apply`], and when the review finds errors.
    pub fn apply_reviewed(&self, changes: &ChangeSet, review: Review<'_>) -> Result<Applied, ChangeError> {
        let mut writer = self.shared.writer.lock();
        let state = self.shared.current.load_full();
        let (entries, changes, mut diagnostics) = changes::carry_out(&state.entries, changes)?;
        if changes.is_empty() {
            return Err(ChangeError::Empty);
        }
        let (mut added, mut removed) = (0, 0);
        for change in &changes {
            removed += change.before.as_ref().map_or(0, |entry| entry.size());
            added += change.after.as_ref().map_or(0, |entry| entry.size());
        }
        let bytes = (state.bytes + added).saturating_sub(removed);
        if entries.len() > MAX_ENTRIES || bytes > MAX_REGISTRY_BYTES && added > removed {
            return Err(ChangeError::TooMany);
        }
        let last = writer.history.records().back().map_or(Version::FIRST, |record| record.version);
        let version = Version { id: last.id + 1, parent: Some(state.version.id) };
        let candidate = Snapshot { state: Arc::new(State { version, entries, bytes }) };
        check_together(&candidate.state.entries, self.shared.modules.as_ref(), &mut diagnostics);
        diagnostics.extend(review(&candidate, &changes));
        let warnings = accept(diagnostics, &changes)?;
        writer.history.append(VersionRecord { version, changes: changes.clone().into() })?;
        self.shared.current.store(candidate.state);
        Ok(writer.announce(Applied { version, changes, warnings }))
    }

    /// Makes an earlier or later version current again.
    ///
    /// # Errors
    /// When the version is not known, or the review finds errors.
    pub fn apply_version(&self, version: u64, review: Review<'_>) -> Result<Applied, ChangeError> {
        let mut writer = self.shared.writer.lock();
        let state = self.shared.current.load_full();
        let target = Snapshot { state: Arc::new(self.state_at(&writer, &state, version)?) };
        let changes = changes::between(&state.entries, &target.state.entries);
        // The version was valid when it was made; the review may depend on what has changed around the registry.
        let warnings = accept(review(&target, &changes), &changes)?;
        let version = target.state.version;
        writer.history.select(version)?;
        self.shared.current.store(target.state);
        Ok(writer.announce(Applied { version, changes, warnings }))
    }

    fn state_at(&self, writer: &Writer, state: &State, version: u64) -> Result<State, ChangeError> {
        let mut entries = state.entries.clone();
        let target = history::walk(&*writer.history, state.version, version, |change| match &change.after {
            Some(entry) => {
                let references = check_alone(entry, &mut Vec::new());
                entries.insert(change.id.clone(), Checked { entry: Arc::clone(entry), references });
            }
            None => {
                entries.remove(&change.id);
            }
        })?;
        Ok(State::new(target, entries))
    }
}

/// Rejects what has errors; of the warnings only those about changed entries are news.
fn accept(mut diagnostics: Vec<Diagnostic>, changes: &[Change]) -> Result<Vec<Diagnostic>, ChangeError> {
    arrange(&mut diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        diagnostics.retain(|diagnostic| diagnostic.level == Level::Error);
        return Err(ChangeError::Invalid(diagnostics));
    }
    if diagnostics.is_empty() {
        return Ok(diagnostics);
    }
    let changed: BTreeSet<&str> = changes.iter().map(|change| change.id.as_str()).collect();
    // Ids stand between backquotes, which no id contains.
    diagnostics.retain(|diagnostic| diagnostic.message.split('`').skip(1).step_by(2).any(|name| changed.contains(name)));
    Ok(diagnostics)
}

impl Writer {
    fn announce(&self, applied: Applied) -> Applied {
        for watcher in &self.watchers {
            watcher(&applied);
        }
        applied
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.current.load();
        write!(f, "Registry(version {}, {} entries)", state.version.id, state.entries.len())
    }
}

/// The registry at one version.
#[derive(Clone)]
pub struct Snapshot {
    state: Arc<State>,
}

impl Snapshot {
    /// Gives the version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.state.version
    }

    /// Gives an entry.
    #[must_use]
    pub fn get(&self, id: &EntryId) -> Option<&Arc<Entry>> {
        self.find_id(id.as_str())
    }

    /// Gives an entry by the text of its id.
    #[must_use]
    pub fn find_id(&self, id: &str) -> Option<&Arc<Entry>> {
        self.state.entries.get(id).map(|checked| &checked.entry)
    }

    /// Lists all entries, ordered by id.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.state.entries.values().map(|checked| &checked.entry)
    }

    /// Lists the entries of a kind, ordered by id.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.entries().filter(move |entry| entry.kind == kind)
    }

    /// Lists the entries of a namespace, ordered by id.
    pub fn namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.entries().filter(move |entry| entry.id.namespace() == namespace)
    }

    /// Lists the entries that a filter lets through, ordered by id.
    pub fn find<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.entries().filter(move |entry| filter.matches(entry))
    }

    /// Gives the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.entries.len()
    }

    /// Tells whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.entries.is_empty()
    }

    /// Orders what starts with the node so that each comes after what it depends on: what its lifecycle names, and the
    /// entries that its fields refer to.
    #[must_use]
    pub fn start_order(&self) -> StartOrder {
        let started = self.state.entries.iter().filter(|(_, checked)| checked.entry.data.get("lifecycle").is_some());
        let needed = |checked: &Checked| {
            let own = checked.references.iter().filter(|reference| reference.id != checked.entry.id);
            own.map(|reference| reference.id.clone()).collect()
        };
        start_order(&started.map(|(id, checked)| (id.clone(), needed(checked))).collect())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot(version {}, {} entries)", self.state.version.id, self.len())
    }
}

#[cfg(test)]
mod tests;
