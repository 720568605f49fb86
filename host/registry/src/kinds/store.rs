//! Stores of keys and values.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, Reader};
use super::service::Lifecycle;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Type, Unknown};

/// A store in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryStore {
    /// Who it is.
    pub id: EntryId,
    /// How many keys it holds at most.
    pub max_size: u64,
    /// How many bytes its keys and values have at most.
    pub max_bytes: u64,
    /// How often expired keys are removed; zero: only when they are asked for.
    pub cleanup_interval: Duration,
    /// When it starts and stops.
    pub lifecycle: Lifecycle,
}

impl MemoryStore {
    /// How many keys a store holds unless it says otherwise.
    pub const DEFAULT_MAX_SIZE: u64 = 10_000;
    /// How many bytes the keys and values of a store have unless it says otherwise.
    pub const DEFAULT_MAX_BYTES: u64 = 64 << 20;
    /// How often expired keys are removed unless it says otherwise.
    pub const DEFAULT_CLEANUP_INTERVAL: Duration = Duration::from_secs(300);

    /// Sees an entry as a store in memory.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "store.memory" {
            return Err(reader.wrong_kind("a store in memory"));
        }
        let max_size = reader.get("max_size").and_then(Value::as_u64).filter(|size| *size > 0);
        Ok(Self {
            id: entry.id.clone(),
            max_size: max_size.unwrap_or(Self::DEFAULT_MAX_SIZE),
            max_bytes: fields::size(reader.get("max_bytes"), Self::DEFAULT_MAX_BYTES),
            cleanup_interval: fields::duration(reader.get("cleanup_interval"), Self::DEFAULT_CLEANUP_INTERVAL),
            lifecycle: Lifecycle::read(entry),
        })
    }
}

pub(super) static MEMORY_STORE: Object = Object {
    fields: &[
        Field::new("max_size", Type::Int(0, 1_000_000_000)),
        Field::new("max_bytes", Type::Size),
        Field::new("cleanup_interval", Type::Duration),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
