//! Stores in a file of their own, which keep every write that they have confirmed.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use moonlet_registry::Entry;
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::{Listing, Put, Store, StoreBackend, StoreInfo, StoreItem, StorePage, conflict, exists};
use crate::fail::{internal, invalid, limit, unsupported};

/// Items by key: version, the time when they expire in milliseconds (0: never), and the value.
const ITEMS: TableDefinition<'_, &str, (u64, u64, &[u8])> = TableDefinition::new("items_v1");
/// The last version that was given.
const VERSION: TableDefinition<'_, (), u64> = TableDefinition::new("version_v1");
/// How many keys a store holds unless its entry says otherwise.
const MAX_SIZE: u64 = 1_000_000;

/// Opens stores of the kind `store.redb`.
#[derive(Default)]
pub struct FileStores {
    /// Guards the files that are open: each can be opened once only, and closes with its last store.
    files: Mutex<FxHashMap<PathBuf, Weak<Database>>>,
}

impl StoreBackend for FileStores {
    fn kinds(&self) -> &[&str] {
        &["store.redb"]
    }

    fn open(&self, entry: &Entry, node: &NodeHandle) -> Result<Arc<dyn Store>, Error> {
        let file = entry.data.get("file").and_then(Json::as_str).unwrap_or_default();
        if file.is_empty() {
            return Err(invalid(format!("`{}` has no `file`", entry.id)));
        }
        let file = node.project()?.join(file);
        let mut files = self.files.lock();
        let database = match files.get(&file).and_then(Weak::upgrade) {
            Some(database) => database,
            None => {
                if let Some(directory) = file.parent() {
                    let made = std::fs::create_dir_all(directory);
                    made.map_err(|error| unsupported(format!("the directory of the store cannot be made: {}", error.kind())))?;
                }
                let database = Database::create(&file).map_err(|error| failed(&error.into()))?;
                Arc::new(database)
            }
        };
        files.insert(file, Arc::downgrade(&database));
        let max_size = entry.data.get("max_size").and_then(Json::as_u64).filter(|size| *size > 0).unwrap_or(MAX_SIZE);
        Ok(Arc::new(FileStore { database, max_size }))
    }
}

struct FileStore {
    database: Arc<Database>,
    max_size: u64,
}

fn failed(error: &redb::Error) -> Error {
    match error {
        redb::Error::DatabaseAlreadyOpen => unsupported("the store's file is in use by another program"),
        error => internal(format!("the store's file failed: {error}")),
    }
}

/// Lets `?` turn every error of the file into one of Lua.
struct Broken(Error);

impl<E: Into<redb::Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(failed(&error.into()))
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn is_fresh(expires: u64, now: u64) -> bool {
    expires == 0 || expires > now
}

impl FileStore {
    fn read(&self, key: &str) -> Result<Option<StoreItem>, Broken> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(ITEMS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let Some(found) = table.get(key)? else { return Ok(None) };
        let (version, expires, value) = found.value();
        if !is_fresh(expires, now()) {
            return Ok(None);
        }
        Ok(Some(StoreItem { key: key.to_owned(), value: value.to_vec(), version: version.to_string() }))
    }

    fn write(&self, key: &str, value: &[u8], put: &Put) -> Result<Result<String, Error>, Broken> {
        let transaction = self.database.begin_write()?;
        let version = {
            let mut items = transaction.open_table(ITEMS)?;
            let old = items.get(key)?.map(|found| {
                let (version, expires, _) = found.value();
                (version, expires)
            });
            let current = old.filter(|(_, expires)| is_fresh(*expires, now())).map(|(version, _)| version);
            if put.only_if_absent && current.is_some() {
                return Ok(Err(exists(key)));
            }
            if let Some(wanted) = &put.if_version
                && current.map(|version| version.to_string()).as_ref() != Some(wanted)
            {
                return Ok(Err(conflict(key)));
            }
            if old.is_none() && items.len()? >= self.max_size {
                // What has expired makes room.
                let now = now();
                items.retain(|_, (_, expires, _)| is_fresh(expires, now))?;
                let count = items.len()?;
                if count >= self.max_size {
                    return Ok(Err(limit("max_size", self.max_size, count + 1)));
                }
            }
            let mut versions = transaction.open_table(VERSION)?;
            let version = versions.get(())?.map_or(0, |version| version.value()) + 1;
            versions.insert((), version)?;
            let ttl = put.ttl.map(|ttl| u64::try_from(ttl.max(Duration::from_millis(1)).as_millis()).unwrap_or(u64::MAX));
            items.insert(key, (version, ttl.map_or(0, |ttl| now().saturating_add(ttl)), value))?;
            version
        };
        transaction.commit()?;
        Ok(Ok(version.to_string()))
    }

    fn remove(&self, key: &str) -> Result<bool, Broken> {
        let transaction = self.database.begin_write()?;
        let removed = {
            let mut items = transaction.open_table(ITEMS)?;
            let old = items.remove(key)?;
            old.is_some_and(|old| is_fresh(old.value().1, now()))
        };
        transaction.commit()?;
        Ok(removed)
    }

    fn page(&self, listing: &Listing) -> Result<StorePage, Broken> {
        let mut page = StorePage::default();
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(ITEMS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(page),
            table => table?,
        };
        let start = match listing.after.as_deref() {
            Some(after) if after >= listing.prefix.as_str() => Bound::Excluded(after),
            _ => Bound::Included(listing.prefix.as_str()),
        };
        let (mut size, now) = (0, now());
        for item in table.range::<&str>((start, Bound::Unbounded))? {
            let (key, found) = item?;
            let key = key.value();
            if !key.starts_with(&listing.prefix) {
                break;
            }
            let (version, expires, value) = found.value();
            if !is_fresh(expires, now) {
                continue;
            }
            size += key.len() + value.len();
            if page.items.len() == listing.limit || (size > listing.bytes && !page.items.is_empty()) {
                page.has_more = true;
                break;
            }
            page.items.push(StoreItem { key: key.to_owned(), value: value.to_vec(), version: version.to_string() });
        }
        Ok(page)
    }
}

impl Store for FileStore {
    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "redb",
            consistency: "linearizable",
            durable: true,
            list: true,
            versioned: true,
            conditional_put: true,
            ttl: true,
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn entry(&self, key: &str) -> Result<Option<StoreItem>, Error> {
        self.read(key).map_err(|broken| broken.0)
    }

    fn put(&self, key: &str, value: Vec<u8>, put: &Put) -> Result<String, Error> {
        self.write(key, &value, put).map_err(|broken| broken.0)?
    }

    fn delete(&self, key: &str) -> Result<bool, Error> {
        self.remove(key).map_err(|broken| broken.0)
    }

    fn list(&self, listing: &Listing) -> Result<StorePage, Error> {
        self.page(listing).map_err(|broken| broken.0)
    }
}
