//! Stores in memory: kind `store.memory`.
//!
//! What has expired is not there for anybody, and makes room for what is new. It is removed some at a time, by whoever uses the store and
//! by a timer, so that no single call does the work of a million items that expired together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Once, Weak};
use std::time::{Duration, Instant};

use moonlet_registry::{Entry, MemoryStore as View};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;

use super::{Listing, Put, Store, StoreBackend, StoreInfo, StoreItem, StorePage, conflict, exists};
use crate::fail::exceeded;

/// What an item takes besides its key and value.
const ITEM_BYTES: u64 = 128;
/// Expired items that a call removes on its way, and the timer at a time. No call can add more than one, so that it gains on them.
const SWEPT_BY_CALL: usize = 64;
const SWEPT_BY_TIMER: usize = 1_024;

/// Opens stores in memory.
#[derive(Debug, Default)]
pub struct MemoryStores;

impl StoreBackend for MemoryStores {
    fn kinds(&self) -> &[&str] {
        &["store.memory"]
    }

    fn open(&self, entry: &Entry, node: &NodeHandle) -> Result<Arc<dyn Store>, Error> {
        let view = View::new(entry).map_err(|error| Error::new("Invalid", error.to_string()).with_retryable(false))?;
        let timer = (!view.cleanup_interval.is_zero()).then(|| (node.clone(), view.cleanup_interval));
        Ok(Arc::new_cyclic(|store| {
            let timer = timer.map(|(node, interval)| Timer { node, interval, store: Weak::clone(store), started: Once::new() });
            MemoryStore { timer, ..MemoryStore::new(view.max_size, view.max_bytes) }
        }))
    }
}

/// Removes what has expired every now and then, as long as the store is there.
pub(super) async fn sweep(store: Weak<MemoryStore>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        loop {
            let Some(store) = store.upgrade() else { return };
            if store.sweep(SWEPT_BY_TIMER) < SWEPT_BY_TIMER {
                break;
            }
            drop(store);
            tokio::task::yield_now().await;
        }
    }
}

/// What removes expired items of a store, from the first one on that can expire.
struct Timer {
    node: NodeHandle,
    interval: Duration,
    store: Weak<MemoryStore>,
    started: Once,
}

impl Timer {
    fn start(&self) {
        self.started.call_once(|| {
            // Without it, items go when they are in the way.
            if let Ok(tokio) = self.node.tokio() {
                tokio.spawn(sweep(Weak::clone(&self.store), self.interval));
            }
        });
    }
}

/// A store in memory.
pub(super) struct MemoryStore {
    timer: Option<Timer>,
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
        Self { timer: None, max_items, max_bytes, start: Instant::now(), items: Mutex::default() }
    }

    fn now(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Takes the lock, and gives the time; some of what has expired by now is gone.
    fn items(&self) -> (parking_lot::MutexGuard<'_, Items>, u64) {
        let mut items = self.items.lock();
        let now = if items.expiring.is_empty() { 0 } else { self.now() };
        items.expire(now, SWEPT_BY_CALL);
        (items, now)
    }

    /// Removes some of what has expired, and returns how many items.
    fn sweep(&self, most: usize) -> usize {
        self.items.lock().expire(self.now(), most)
    }

    /// Counts the items that take memory, expired or not.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.items.lock().by_key.len()
    }
}

impl Items {
    /// Removes some of what has expired, the first to expire first, and returns how many items.
    fn expire(&mut self, now: u64, most: usize) -> usize {
        let mut count = 0;
        while count < most
            && let Some((first, _)) = self.expiring.first()
            && *first <= now
        {
            if let Some((_, key)) = self.expiring.pop_first() {
                self.take(&key);
            }
            count += 1;
        }
        count
    }

    /// Finds an item that has not expired.
    fn get(&self, key: &str, now: u64) -> Option<&Item> {
        self.by_key.get(key).filter(|item| item.is_fresh(now))
    }

    /// Removes what has expired until there is room; nothing more when that is not enough.
    fn make_room(&mut self, now: u64, has_room: impl Fn(&Self) -> bool) {
        while !has_room(self) && self.expire(now, 1) > 0 {}
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
        let (items, now) = self.items();
        Ok(items.get(key, now).map(|item| item.copy(key)))
    }

    fn has(&self, key: &str) -> Result<bool, Error> {
        let (items, now) = self.items();
        Ok(items.get(key, now).is_some())
    }

    fn put(&self, key: &str, value: Vec<u8>, put: &Put) -> Result<String, Error> {
        let (mut items, now) = self.items();
        let before = items.get(key, now);
        if put.only_if_absent && before.is_some() {
            return Err(exists(key));
        }
        if let Some(version) = &put.if_version
            && before.is_none_or(|item| item.version.to_string() != *version)
        {
            return Err(conflict(key));
        }
        if before.is_none() {
            // It may be there still, expired.
            items.take(key);
            items.make_room(now, |items| (items.by_key.len() as u64) < self.max_items);
            if items.by_key.len() as u64 >= self.max_items {
                return Err(full("max_size", self.max_items));
            }
        }
        let freed = items.by_key.get(key).map_or(0, |item| size(key, &item.value));
        let added = size(key, &value);
        items.make_room(now, |items| items.bytes - freed + added <= self.max_bytes);
        let bytes = items.bytes - freed + added;
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
            if let Some(timer) = &self.timer {
                timer.start();
            }
        }
        items.by_key.insert(key, Item { value, version, expires });
        items.bytes = bytes;
        Ok(version.to_string())
    }

    fn delete(&self, key: &str) -> Result<bool, Error> {
        let (mut items, now) = self.items();
        Ok(items.take(key).is_some_and(|item| item.is_fresh(now)))
    }

    fn list(&self, listing: &Listing) -> Result<StorePage, Error> {
        let (items, now) = self.items();
        let prefix = listing.prefix.as_str();
        let start = match &listing.after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.as_str()),
            _ => Bound::Included(prefix),
        };
        let mut page = StorePage::default();
        let mut bytes = 0;
        let range = items.by_key.range::<str, _>((start, Bound::Unbounded));
        let range = range.take_while(|(key, _)| key.starts_with(prefix));
        for (key, item) in range.filter(|(_, item)| item.is_fresh(now)) {
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
    fn is_fresh(&self, now: u64) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }

    fn copy(&self, key: &str) -> StoreItem {
        StoreItem { key: key.to_owned(), value: self.value.clone(), version: self.version.to_string() }
    }
}
