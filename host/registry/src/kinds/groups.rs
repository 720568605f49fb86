//! Scopes of process groups.

use serde_json::Value;

use super::ViewError;
use super::fields::{LIFECYCLE, Reader};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Type, Unknown};

/// A scope of process groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupScope {
    /// Who it is.
    pub id: EntryId,
    /// How many groups it has at most; absent: as many as the node allows.
    pub max_groups: Option<u64>,
    /// How many members a group has at most, one for each time that a process joined.
    pub max_members_per_group: Option<u64>,
}

impl GroupScope {
    /// Sees an entry as a scope of process groups.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "pg.scope" {
            return Err(reader.wrong_kind("a scope of process groups"));
        }
        let number = |name: &str| reader.get(name).and_then(Value::as_u64).filter(|number| *number > 0);
        Ok(Self {
            id: entry.id.clone(),
            max_groups: number("max_groups"),
            max_members_per_group: number("max_members_per_group"),
        })
    }
}

const NUMBER: Type = Type::Int(0, 1_000_000_000);

pub(super) static GROUP_SCOPE: Object = Object {
    fields: &[
        Field::new("max_groups", NUMBER),
        Field::new("max_members_per_group", NUMBER),
        // What follows concerns further nodes, and does nothing on a node alone.
        Field::new("protocol_timeout", Type::Duration),
        Field::new("broadcast_timeout", Type::Duration),
        Field::new("anti_entropy_interval", Type::Duration),
        Field::new("circuit_breaker_failures", NUMBER),
        Field::new("circuit_breaker_reset_time", Type::Duration),
        Field::new("max_retries", NUMBER),
        Field::new("retry_base_delay", Type::Duration),
        Field::new("retry_max_delay", Type::Duration),
        Field::new("action_queue_size", NUMBER),
        Field::new("action_queue_max_size", NUMBER),
        Field::new("monitor_buffer", NUMBER),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
