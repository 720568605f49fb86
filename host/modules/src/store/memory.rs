//! Stores in memory: kind `store.memory`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moonlet_registry::{Entry, MemoryStore as View};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;

use super::{Listing, Put, Store, StoreBackend, StoreInfo, StoreItem, StorePage, conflict, exists};
use crate::fail::exceeded;

/// What an item takes besides its key and value.
const ITEM_BYTES: u64 = 128;

/// Opens stores in memory.
#[derive(Debug, Default)]
pub struct MemoryStores;

impl StoreBackend for MemoryStores {
    fn kinds(&self) -> &[&str] {
        &["store.memory"]
    }

    fn open(&self, entry: &Entry, _node: &NodeHandle) -> Result<Arc<dyn Store>, Error> {
        let view = View::new(entry).map_err(|error| Error::new("Invalid", error.to_string()).with_retryable(false))?;
        Ok(Arc::new(MemoryStore::new(view.max_size, view.max_bytes)))
    }
}

/// A store in memory.
pub(super) struct MemoryStore {
    max_items: u64,
    max_bytes: u64,
    start: Instant,
    /// Guards all items.
    items: Mutex<Items>,
}

#[derive(Default)]
struct Items {
    by_key: BTreeMap<Arc<str>, Item>,
    /// What expires, the next first, in nanoseconds since the start.
    expiring: BTreeSet<(u64, Arc<str>)>,
    bytes: u64,
    writes: u64,
}

struct Item {
    value: Vec<u8>,
    version: u64,
    expires: Option<u64>,
}

impl MemoryStore {
    pub(super) fn new(max_items: u64, max_bytes: u64) -> Self {
        Self { max_items, max_bytes, start: Instant::now(), items: Mutex::default() }
    }

    /// Takes the lock, without what has expired by now.
    fn items(&self) -> parking_lot::MutexGuard<'_, Items> {
        let mut items = self.items.lock();
        if let Some((first, _)) = items.expiring.first() {
            let now = nanoseconds(self.start.elapsed());
            if *first <= now {
                items.expire(now);
            }
        }
        items
    }
}

impl Items {
    fn expire(&mut self, now: u64) {
        while let Some((first, _)) = self.expiring.first()
            && *first <= now
        {
            if let Some((_, key)) = self.expiring.pop_first() {
                self.take(&key);
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Item> {
        let (key, item) = self.by_key.remove_entry(key)?;
        self.bytes -= size(&key, &item.value);
        if let Some(expires) = item.expires {
            self.expiring.remove(&(expires, key));
        }
        Some(item)
    }
}

fn size(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64 + ITEM_BYTES
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn full(limit: &str, allowed: u64) -> Error {
    let message =
        format!("the store is full: `{limit}` allows {allowed}; delete keys, give them a ttl, or raise `{limit}` in its entry");
    exceeded(message, limit, allowed)
}

impl Store for MemoryStore {
    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "memory",
            consistency: "local",
            durable: false,
            list: true,
            versioned: true,
            conditional_put: true,
            ttl: true,
        }
    }

    fn entry(&self, key: &str) -> Result<Option<StoreItem>, Error> {
        let items = self.items();
        Ok(items.by_key.get(key).map(|item| item.copy(key)))
    }

    fn has(&self, key: &str) -> Result<bool, Error> {
        Ok(self.items().by_key.contains_key(key))
    }

    fn put(&self, key: &str, value: Vec<u8>, put: &Put) -> Result<String, Error> {
        let mut items = self.items();
        let before = items.by_key.get(key);
        if put.only_if_absent && before.is_some() {
            return Err(exists(key));
        }
        if let Some(version) = &put.if_version
            && before.is_none_or(|item| item.version.to_string() != *version)
        {
            return Err(conflict(key));
        }
        let freed = before.map_or(0, |item| size(key, &item.value));
        if before.is_none() && items.by_key.len() as u64 >= self.max_items {
            return Err(full("max_size", self.max_items));
        }
        let bytes = items.bytes - freed + size(key, &value);
        if bytes > self.max_bytes {
            return Err(full("max_bytes", self.max_bytes));
        }
        items.take(key);
        items.writes += 1;
        let version = items.writes;
        let key: Arc<str> = key.into();
        let expires = put.ttl.map(|ttl| nanoseconds(self.start.elapsed().saturating_add(ttl)));
        if let Some(expires) = expires {
            items.expiring.insert((expires, Arc::clone(&key)));
        }
        items.by_key.insert(key, Item { value, version, expires });
        items.bytes = bytes;
        Ok(version.to_string())
    }

    fn delete(&self, key: &str) -> Result<bool, Error> {
        Ok(self.items().take(key).is_some())
    }

    fn list(&self, listing: &Listing) -> Result<StorePage, Error> {
        let items = self.items();
        let prefix = listing.prefix.as_str();
        let start = match &listing.after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.as_str()),
            _ => Bound::Included(prefix),
        };
        let mut page = StorePage::default();
        let mut bytes = 0;
        let range = items.by_key.range::<str, _>((start, Bound::Unbounded));
        for (key, item) in range.take_while(|(key, _)| key.starts_with(prefix)) {
            bytes += key.len() + item.value.len();
            if page.items.len() >= listing.limit || (bytes > listing.bytes && !page.items.is_empty()) {
                page.has_more = true;
                break;
            }
            page.items.push(item.copy(key));
        }
        Ok(page)
    }
}

impl Item {
    fn copy(&self, key: &str) -> StoreItem {
        StoreItem { key: key.to_owned(), value: self.value.clone(), version: self.version.to_string() }
    }
}
