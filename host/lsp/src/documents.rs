//! What stands in the editor, which may differ from what stands on disk.

use std::collections::BTreeMap;

/// A longer document is not taken: the checker would refuse it.
const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// The open documents by URI.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: BTreeMap<String, String>,
}

impl Documents {
    pub(crate) fn set(&mut self, uri: &str, text: String) {
        if text.len() <= MAX_DOCUMENT_BYTES {
            self.open.insert(uri.to_owned(), text);
        }
    }

    pub(crate) fn close(&mut self, uri: &str) {
        self.open.remove(uri);
    }

    pub(crate) fn get(&self, uri: &str) -> Option<&str> {
        self.open.get(uri).map(String::as_str)
    }

    pub(crate) fn uris(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }
}
