//! Versions of the registry and where they are kept.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Change, ChangeError};
use crate::entry::Entry;

/// How many versions are kept in memory: a program that changes the registry in a loop must not fill it.
const MAX_VERSIONS: usize = 10_000;

/// Bytes of entries that the kept versions may hold on to, for the same reason: as many as one process host may have in the registry.
const MAX_BYTES: usize = 64 << 20;

/// A version of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Its number; later versions have higher ones.
    pub id: u64,
    /// The version that was current when it was made; absent for the first.
    pub parent: Option<u64>,
}

impl Version {
    /// What was loaded at start.
    pub const FIRST: Self = Self { id: 1, parent: None };
}

/// How a version differs from its parent.
#[derive(Debug, Clone)]
pub struct VersionRecord {
    /// The version.
    pub version: Version,
    /// What changed against its parent.
    pub changes: Arc<[Change]>,
}

/// Why a version could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history of the registry cannot be written: {0}")]
pub struct HistoryError(pub String);

/// Keeps versions. The default keeps them in memory; a file may keep them over restarts.
pub trait History: Send {
    /// Keeps a version that was just made, before it becomes visible.
    ///
    /// # Errors
    /// When it cannot be kept; the version is not made then.
    fn append(&mut self, record: VersionRecord) -> Result<(), HistoryError>;

    /// Remembers which version is current.
    ///
    /// # Errors
    /// When it cannot be remembered; the version does not become current then.
    fn select(&mut self, version: Version) -> Result<(), HistoryError>;

    /// Gives all versions but the first, oldest first.
    fn records(&self) -> &VecDeque<VersionRecord>;

    /// Remembers which entries the files had at this start, so that the next one can tell what changed in them.
    ///
    /// # Errors
    /// When it cannot be remembered.
    fn remember(&mut self, _files: &[Arc<Entry>]) -> Result<(), HistoryError> {
        Ok(())
    }
}

/// Keeps versions in memory, the latest ones only.
#[derive(Debug, Default)]
pub struct MemoryHistory {
    records: VecDeque<VersionRecord>,
    bytes: usize,
}

impl History for MemoryHistory {
    fn append(&mut self, record: VersionRecord) -> Result<(), HistoryError> {
        self.bytes = self.bytes.saturating_add(size(&record));
        self.records.push_back(record);
        while self.records.len() > MAX_VERSIONS || self.bytes > MAX_BYTES && self.records.len() > 1 {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&oldest));
        }
        Ok(())
    }

    fn select(&mut self, _version: Version) -> Result<(), HistoryError> {
        Ok(())
    }

    fn records(&self) -> &VecDeque<VersionRecord> {
        &self.records
    }
}

/// Estimates what a version keeps alive: the entries before and after.
fn size(record: &VersionRecord) -> usize {
    record.changes.iter().flat_map(|change| change.before.iter().chain(&change.after)).map(|entry| entry.size()).sum()
}

/// Walks from one version to another over their common ancestor, and hands over each change on the way.
pub(super) fn walk(
    history: &dyn History,
    from: Version,
    to: u64,
    mut visit: impl FnMut(&Change),
) -> Result<Version, ChangeError> {
    let records = history.records();
    let find = |id: u64| -> Option<&VersionRecord> {
        let position = records.binary_search_by_key(&id, |record| record.version.id).ok()?;
        records.get(position)
    };
    let missing = || ChangeError::VersionNotFound(to);
    let mut forward: Vec<&VersionRecord> = Vec::new();
    let (mut up, mut down) = (from.id, to);
    // Parents have lower numbers, so that stepping back from the higher one meets at the common ancestor.
    while up != down {
        if up > down {
            let record = find(up).ok_or_else(missing)?;
            record.changes.iter().rev().for_each(|change| visit(&change.reversed()));
            up = record.version.parent.ok_or_else(missing)?;
        } else {
            let record = find(down).ok_or_else(missing)?;
            forward.push(record);
            down = record.version.parent.ok_or_else(missing)?;
        }
    }
    for record in forward.iter().rev() {
        record.changes.iter().for_each(&mut visit);
    }
    if to == from.id {
        return Ok(from);
    }
    if to == Version::FIRST.id { Ok(Version::FIRST) } else { find(to).map(|record| record.version).ok_or_else(missing) }
}
