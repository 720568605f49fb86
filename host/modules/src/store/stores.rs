//! The open stores of a node, by the entries they belong to.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_registry::{Change, Snapshot};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;

use super::{Store, StoreBackend};

/// Opens stores when they are first asked for, and keeps them.
pub struct Stores {
    backends: Vec<Box<dyn StoreBackend>>,
    /// Guards the open stores; held while one is opened, so that each is opened once.
    open: Mutex<BTreeMap<String, Arc<dyn Store>>>,
}

impl Stores {
    /// Makes them from the backends of all kinds of stores.
    #[must_use]
    pub fn new(backends: Vec<Box<dyn StoreBackend>>) -> Self {
        Self { backends, open: Mutex::new(BTreeMap::new()) }
    }

    /// Returns the store of an entry.
    ///
    /// # Errors
    ///
    /// `NotFound` without such an entry, `Invalid` when it is no store, and what keeps it from opening.
    pub fn get(&self, registry: &Snapshot, node: &NodeHandle, id: &str) -> Result<Arc<dyn Store>, Error> {
        let mut open = self.open.lock();
        if let Some(store) = open.get(id) {
            return Ok(Arc::clone(store));
        }
        let Some(entry) = registry.find_id(id) else {
            let message = format!("there is no store `{id}`: write an entry of kind `store.memory` with this id");
            return Err(Error::new("NotFound", message).with_retryable(false));
        };
        let kind = entry.kind.as_str();
        let Some(backend) = self.backends.iter().find(|backend| backend.kinds().contains(&kind)) else {
            let message = match kind.strip_prefix("store.") {
                Some(_) => format!("the store `{id}` is of kind `{kind}`, which this build does not support"),
                None => format!("`{id}` is of kind `{kind}` and not a store"),
            };
            return Err(Error::new("Invalid", message).with_retryable(false));
        };
        let entry = node.environment()?.fill(registry, entry)?;
        let store = backend.open(&entry, node)?;
        open.insert(id.to_owned(), Arc::clone(&store));
        Ok(store)
    }

    /// Follows a change of an entry: its store is opened anew when its data changed. Whoever has the old one keeps it.
    pub fn changed(&self, change: &Change) {
        let same = match (&change.before, &change.after) {
            (Some(before), Some(after)) => before.kind == after.kind && before.data == after.data,
            _ => false,
        };
        if !same {
            let closed = self.open.lock().remove(change.id.as_str());
            drop(closed);
        }
    }

    /// Closes all stores.
    pub fn close(&self) {
        let closed = std::mem::take(&mut *self.open.lock());
        drop(closed);
    }
}
