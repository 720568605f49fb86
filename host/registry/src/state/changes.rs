//! Change sets: what to do, what it did, and the difference between two states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Sources};

use super::ChangeError;
use crate::check::{Checked, Entries, check_alone, code};
use crate::entry::Entry;
use crate::id::EntryId;

/// Operations that are applied together, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangeSet {
    /// The operations.
    pub operations: Vec<Operation>,
}

/// One operation of a change set.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Adds an entry that is not there.
    Create(Entry),
    /// Replaces an entry that is there.
    Update(Entry),
    /// Removes an entry that is there.
    Delete(EntryId),
}

/// What happened to one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The entry.
    pub id: EntryId,
    /// The entry before; absent when it was created.
    pub before: Option<Arc<Entry>>,
    /// The entry after; absent when it was removed.
    pub after: Option<Arc<Entry>>,
}

/// How an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added.
    Create,
    /// It was replaced.
    Update,
    /// It was removed.
    Delete,
}

impl ChangeKind {
    /// Gives the name that events and Lua code use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "entry.create",
            Self::Update => "entry.update",
            Self::Delete => "entry.delete",
        }
    }
}

impl Change {
    /// Says how the entry changed.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Create,
            (Some(_), Some(_)) => ChangeKind::Update,
            (Some(_), None) => ChangeKind::Delete,
        }
    }

    /// Gives the change that undoes this one.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { id: self.id.clone(), before: self.after.clone(), after: self.before.clone() }
    }
}

/// Gives the operations that lead from some entries to others: first what goes, the last first, then what comes or changes.
#[must_use]
pub fn delta(from: &[Entry], to: &[Entry]) -> ChangeSet {
    let before: BTreeMap<&EntryId, &Entry> = from.iter().map(|entry| (&entry.id, entry)).collect();
    let after: BTreeSet<&EntryId> = to.iter().map(|entry| &entry.id).collect();
    let gone = from.iter().rev().filter(|entry| !after.contains(&entry.id));
    let mut operations: Vec<Operation> = gone.map(|entry| Operation::Delete(entry.id.clone())).collect();
    for entry in to {
        match before.get(&entry.id) {
            None => operations.push(Operation::Create(entry.clone())),
            Some(other) if !other.same_definition(entry) => operations.push(Operation::Update(entry.clone())),
            Some(_) => {}
        }
    }
    ChangeSet { operations }
}

/// Carries a change set out on a copy, and gives the copy, what changed, and what each entry alone is to blame for.
pub(super) fn carry_out(entries: &Entries, set: &ChangeSet) -> Result<(Entries, Vec<Change>, Vec<Diagnostic>), ChangeError> {
    let mut result = entries.clone();
    let mut diagnostics = Vec::new();
    let mut problems = Vec::new();
    for operation in &set.operations {
        match operation {
            Operation::Create(entry) => {
                if result.contains_key(&entry.id) {
                    problems.push(ChangeError::AlreadyExists(entry.id.clone()));
                    continue;
                }
                insert(&mut result, entry.clone(), &mut diagnostics);
            }
            Operation::Update(entry) => {
                let Some(before) = result.get(&entry.id) else {
                    problems.push(ChangeError::NotFound(entry.id.clone()));
                    continue;
                };
                let mut entry = entry.clone();
                // Its code still stands in the same file as long as only the meta changes.
                if entry.origin.is_none() && entry.kind == before.entry.kind && entry.data == before.entry.data {
                    entry.origin.clone_from(&before.entry.origin);
                }
                insert(&mut result, entry, &mut diagnostics);
            }
            Operation::Delete(id) => {
                if result.remove(id).is_none() {
                    problems.push(ChangeError::NotFound(id.clone()));
                }
            }
        }
    }
    if let Some(problem) = problems.pop() {
        if problems.is_empty() {
            return Err(problem);
        }
        problems.push(problem);
        return Err(ChangeError::Several(problems));
    }
    let touched = set.operations.iter().map(|operation| match operation {
        Operation::Create(entry) | Operation::Update(entry) => &entry.id,
        Operation::Delete(id) => id,
    });
    let mut touched: Vec<&EntryId> = touched.collect();
    touched.sort();
    touched.dedup();
    let changes = touched.into_iter().filter_map(|id| change(id, entries, &result)).collect();
    Ok((result, changes, diagnostics))
}

fn insert(entries: &mut Entries, entry: Entry, diagnostics: &mut Vec<Diagnostic>) {
    let references = check_alone(&entry, diagnostics);
    let before = diagnostics.len();
    code::check(&entry, &mut Sources::new(), diagnostics);
    for diagnostic in diagnostics.iter_mut().skip(before) {
        say_where(diagnostic, &entry);
    }
    entries.insert(entry.id.clone(), Checked { entry: Arc::new(entry), references });
}

/// Puts the place into a message about code: a program that reads it has no report that shows the line.
fn say_where(diagnostic: &mut Diagnostic, entry: &Entry) {
    let Some(label) = &diagnostic.primary else { return };
    let Some(source) = entry.data.get("source").and_then(serde_json::Value::as_str) else { return };
    let line = source.get(..label.span.start).map_or(1, |before| before.matches('\n').count() + 1);
    diagnostic.message = format!("{}:{line}: {}", label.file, diagnostic.message);
}

/// Lists what differs between two states.
pub(super) fn between(before: &Entries, after: &Entries) -> Vec<Change> {
    let mut ids: Vec<&EntryId> = before.keys().chain(after.keys()).collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().filter_map(|id| change(id, before, after)).collect()
}

fn change(id: &EntryId, before: &Entries, after: &Entries) -> Option<Change> {
    let entry = |entries: &Entries| entries.get(id).map(|checked| Arc::clone(&checked.entry));
    let (before, after) = (entry(before), entry(after));
    match (&before, &after) {
        (None, None) => None,
        (Some(before), Some(after)) if Arc::ptr_eq(before, after) || before.same_definition(after) => None,
        _ => Some(Change { id: id.clone(), before, after }),
    }
}
