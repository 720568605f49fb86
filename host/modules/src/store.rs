//! Stores: keys and values that outlive processes.
//!
//! [`Store`] is what every backend answers, [`StoreBackend`] opens the stores of some kinds of entries, [`Stores`] keeps the open ones for
//! whoever needs one: the module `store` here, and the token stores of `security`. To add a kind, write a backend and give it to
//! [`Stores::new`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use moonlet_registry::Entry;
use moonlet_runtime::{Error, NodeHandle, Value};

mod arguments;
mod file;
mod memory;
mod module;
mod sql;
mod stores;
#[cfg(test)]
mod tests;

pub use file::FileStores;
pub use memory::MemoryStores;
pub use module::StoreModule;
pub use sql::SqlStores;
pub use stores::Stores;

/// The longest key in bytes: keys are kept in memory and stand in audit lines.
pub const MAX_KEY: usize = 4 << 10;
/// Items of one page unless the caller says otherwise.
pub const DEFAULT_PAGE: usize = 100;
/// The most items of one page.
pub const MAX_PAGE: usize = 1_000;

/// The end of a wait for a store.
pub type Ready = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A store. Its operations take keys that are not empty and at most [`MAX_KEY`] long, and values as MessagePack documents.
pub trait Store: Send + Sync {
    /// Says what it is and can do.
    fn info(&self) -> StoreInfo;

    /// Tells whether its operations may wait, for a disk or a network; they run on a thread of their own then.
    fn waits(&self) -> bool {
        false
    }

    /// Waits until an operation would probably not wait for other operations, as for a database in which a transaction is open: thousands
    /// that wait like this take no threads. None: nothing is to be waited for.
    fn ready(self: Arc<Self>) -> Option<Ready> {
        None
    }

    /// Reads an item; none where there is none, or it has expired.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn entry(&self, key: &str) -> Result<Option<StoreItem>, Error>;

    /// Tells whether there is an item.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn has(&self, key: &str) -> Result<bool, Error> {
        Ok(self.entry(key)?.is_some())
    }

    /// Writes an item and returns its version.
    ///
    /// # Errors
    ///
    /// [`exists`] and [`conflict`] for conditions that do not hold, [`unconditional`] where there are none, `LimitExceeded` when it is full.
    fn put(&self, key: &str, value: Vec<u8>, put: &Put) -> Result<String, Error>;

    /// Removes an item; false when there is none.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    fn delete(&self, key: &str) -> Result<bool, Error>;

    /// Lists items in the order of their keys.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn list(&self, listing: &Listing) -> Result<StorePage, Error>;
}

/// Opens the stores of some kinds of entries.
pub trait StoreBackend: Send + Sync {
    /// Names the kinds of entries that it opens.
    fn kinds(&self) -> &[&str];

    /// Opens the store of an entry. It is called once for each version of the entry, when somebody first asks for it.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened; the next one who asks tries again.
    fn open(&self, entry: &Entry, node: &NodeHandle) -> Result<std::sync::Arc<dyn Store>, Error>;
}

/// What a store is and can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreInfo {
    /// What holds the items, such as `memory` or `sql`.
    pub backend: &'static str,
    /// What readers see of writes: `linearizable`, `eventual` or `local`.
    pub consistency: &'static str,
    /// Whether items survive the end of the node.
    pub durable: bool,
    /// Whether it can list items.
    pub list: bool,
    /// Whether items have versions.
    pub versioned: bool,
    /// Whether writes can have conditions.
    pub conditional_put: bool,
    /// Whether items can expire.
    pub ttl: bool,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreItem {
    /// Its key.
    pub key: String,
    /// Its value, a document.
    pub value: Vec<u8>,
    /// Its version, which changes with every write; empty where there are none.
    pub version: String,
}

/// How to write an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Put {
    /// How long it stays; none: until it is removed.
    pub ttl: Option<std::time::Duration>,
    /// Whether there must be none.
    pub only_if_absent: bool,
    /// The version that there must be.
    pub if_version: Option<String>,
}

impl Put {
    /// Tells whether writing depends on what there is.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        self.only_if_absent || self.if_version.is_some()
    }
}

/// Which items to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What their keys begin with.
    pub prefix: String,
    /// The key that they come after.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// How many bytes of keys and values at most; the first item always fits.
    pub bytes: usize,
}

/// Some items, and whether there are more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StorePage {
    /// The items.
    pub items: Vec<StoreItem>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

/// The error of a write that asked for no item where there is one.
#[must_use]
pub fn exists(key: &str) -> Error {
    Error::new("AlreadyExists", format!("there is a value under `{key}` already")).with_retryable(false)
}

/// The error of a write that asked for another version.
#[must_use]
pub fn conflict(key: &str) -> Error {
    let message = format!("the value under `{key}` has changed since that version was read: read it again, and retry");
    Error::new("Conflict", message).with_retryable(true)
}

/// The error of a conditional write to a store without conditions.
#[must_use]
pub fn unconditional(backend: &str) -> Error {
    let message =
        format!("a store of the backend `{backend}` has no conditional writes: leave `only_if_absent` and `if_version` away");
    Error::new("Invalid", message).with_retryable(false)
}

/// Reads the value of an item.
fn value(document: &[u8]) -> Result<Value, Error> {
    moonlet_runtime::document::decode(document)
}
