//! Who wrote which entries, so that no process host fills the registry, which all share: what one writes stays when its processes have
//! ended, and is charged to nobody.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use moonlet_registry::{Change, EntryId};
use parking_lot::Mutex;

/// Bytes of entries that code on one process host with a ceiling may have in the registry: an eighth of what fits into it.
pub(super) const MAX_BYTES: usize = 64 << 20;

thread_local! {
    /// The process host for which this thread changes the registry.
    static WRITER: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// The entries that confined code wrote and that are there.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Who wrote an entry, and its size.
    owners: HashMap<EntryId, (Arc<str>, usize)>,
    used: HashMap<Arc<str>, usize>,
}

impl Inner {
    fn forget(&mut self, id: &EntryId) {
        let Some((host, size)) = self.owners.remove(id) else { return };
        if let Some(used) = self.used.get_mut(&host) {
            *used = used.saturating_sub(size);
            if *used == 0 {
                self.used.remove(&host);
            }
        }
    }
}

impl Written {
    /// Tells how many bytes a host would have after some changes, if that are too many and more than now.
    pub(super) fn exceeded(&self, host: &str, changes: &[Change]) -> Option<usize> {
        let inner = self.0.lock();
        let now = inner.used.get(host).copied().unwrap_or(0);
        let own =
            |change: &Change| inner.owners.get(&change.id).filter(|(owner, _)| **owner == *host).map_or(0, |(_, size)| *size);
        let gone: usize = changes.iter().map(own).sum();
        let added: usize = changes.iter().filter_map(|change| change.after.as_ref()).map(|entry| entry.size()).sum();
        let then = now.saturating_sub(gone).saturating_add(added);
        (then > MAX_BYTES && then > now).then_some(then)
    }

    /// Does work that changes the registry for a host; none: for one without a ceiling.
    pub(super) fn during<R>(host: Option<Arc<str>>, work: impl FnOnce() -> R) -> R {
        WRITER.with(|writer| writer.replace(host));
        let result = work();
        WRITER.with(|writer| writer.replace(None));
        result
    }

    /// Notes a change, on the thread that makes it.
    pub(super) fn changed(&self, change: &Change) {
        let writer = WRITER.with(|writer| writer.borrow().clone());
        let mut inner = self.0.lock();
        inner.forget(&change.id);
        if let (Some(host), Some(entry)) = (writer, &change.after) {
            let size = entry.size();
            *inner.used.entry(Arc::clone(&host)).or_default() += size;
            inner.owners.insert(change.id.clone(), (host, size));
        }
    }
}
