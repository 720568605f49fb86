//! What stands in the editor, which may differ from what stands on disk.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// A longer document is not taken: the checker would refuse it.
const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The open documents by URI.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: BTreeMap<String, Document>,
    version: u64,
}

#[derive(Debug)]
struct Document {
    text: String,
    hash: u64,
}

/// Gives a number that is another one for another value.
pub(crate) fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Documents {
    pub(crate) fn set(&mut self, uri: &str, text: String) {
        if text.len() <= MAX_DOCUMENT_BYTES {
            self.version += 1;
            self.open.insert(uri.to_owned(), Document { hash: hash_of(text.as_str()), text });
        }
    }

    pub(crate) fn close(&mut self, uri: &str) {
        self.version += 1;
        self.open.remove(uri);
    }

    pub(crate) fn get(&self, uri: &str) -> Option<&str> {
        self.open.get(uri).map(|document| document.text.as_str())
    }

    /// Gives a text with its hash.
    pub(crate) fn hashed(&self, uri: &str) -> Option<(&str, u64)> {
        self.open.get(uri).map(|document| (document.text.as_str(), document.hash))
    }

    /// Gives a number that every change raises.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn uris(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }
}
