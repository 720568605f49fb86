//! Going on where an earlier run of the node stopped.

use std::sync::Arc;

use super::changes::between;
use super::{ChangeError, ChangeSet, Checked, History, Operation, Registry, State, Version, accept};
use crate::check::{Entries, check_alone, check_together};
use crate::entry::Entry;

/// What a history kept from earlier runs, beside its versions.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The entries of the first version.
    pub base: Vec<Entry>,
    /// The entries as the files had them when the node started the last time.
    pub files: Vec<Entry>,
    /// The version that was current when it stopped.
    pub current: u64,
}

impl Registry {
    /// Keeps versions elsewhere from now on, and goes on at the version that was current there. What changed in the files since then is a
    /// new version on top of it. Call it before the first change.
    ///
    /// # Errors
    /// When what was kept does not fit together with the files, or cannot be written; the registry is of no use then.
    pub fn resume(&self, history: Box<dyn History>, kept: Option<Kept>) -> Result<(), ChangeError> {
        let files = self.shared.current.load_full();
        let mut operations = Vec::new();
        {
            let mut writer = self.shared.writer.lock();
            writer.history = history;
            if let Some(kept) = kept {
                let base = State::new(Version::FIRST, checked(kept.base));
                let mut state = self.state_at(&writer, &base, kept.current)?;
                adopt(&mut state.entries, &files.entries);
                operations = news(&checked(kept.files), &files.entries, &state.entries);
                self.shared.current.store(Arc::new(state));
            }
        }
        if operations.is_empty() {
            self.check_current()?;
        } else {
            match self.apply(&ChangeSet { operations }) {
                Ok(_) | Err(ChangeError::Empty) => {}
                Err(error) => return Err(error),
            }
        }
        let files: Vec<Arc<Entry>> = files.entries.values().map(|checked| Arc::clone(&checked.entry)).collect();
        Ok(self.shared.writer.lock().history.remember(&files)?)
    }

    fn check_current(&self) -> Result<(), ChangeError> {
        let state = self.shared.current.load_full();
        let mut diagnostics = Vec::new();
        for checked in state.entries.values() {
            check_alone(&checked.entry, &mut diagnostics);
        }
        check_together(&state.entries, self.shared.modules.as_ref(), &mut diagnostics);
        accept(diagnostics, &[]).map(|_| ())
    }
}

fn checked(entries: Vec<Entry>) -> Entries {
    let checked = entries.into_iter().map(|entry| {
        let references = check_alone(&entry, &mut Vec::new());
        (entry.id.clone(), Checked { entry: Arc::new(entry), references })
    });
    checked.collect()
}

/// Takes entries from the files where they are what was kept: those know where they stand.
fn adopt(entries: &mut Entries, files: &Entries) {
    for (id, checked) in entries.iter_mut() {
        let Some(file) = files.get(id) else { continue };
        if file.entry.same_definition(&checked.entry) {
            *checked = file.clone();
        } else if file.entry.kind == checked.entry.kind && file.entry.data == checked.entry.data {
            let entry = Entry { origin: file.entry.origin.clone(), ..Entry::clone(&checked.entry) };
            checked.entry = Arc::new(entry);
        }
    }
}

/// Says what to do to the current entries so that they have what changed in the files.
fn news(before: &Entries, after: &Entries, current: &Entries) -> Vec<Operation> {
    let operation = |change: super::Change| {
        let exists = current.get(&change.id);
        match (change.after, exists) {
            (Some(entry), Some(known)) if known.entry.same_definition(&entry) => None,
            (Some(entry), Some(_)) => Some(Operation::Update(Entry::clone(&entry))),
            (Some(entry), None) => Some(Operation::Create(Entry::clone(&entry))),
            (None, Some(_)) => Some(Operation::Delete(change.id)),
            (None, None) => None,
        }
    };
    between(before, after).into_iter().filter_map(operation).collect()
}
