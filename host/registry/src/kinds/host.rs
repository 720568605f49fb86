//! Process hosts: the pools that run processes.

use serde_json::Value;

use super::ViewError;
use super::fields::{self, LIFECYCLE, Reader};
use super::service::Lifecycle;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::limits::{ALLOW, Allow, LIMITS, Limits, QUOTA, Quota};
use crate::schema::{Field, Object, Type, Unknown};

/// What a host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostForm {
    /// Any number of processes.
    Pool,
    /// One process with the terminal.
    Terminal,
}

/// An entry that runs processes.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessHost {
    /// Who it is.
    pub id: EntryId,
    /// What it runs.
    pub form: HostForm,
    /// How many threads run its processes; absent: as many as there are cores.
    pub workers: Option<u64>,
    /// The ceiling for each process.
    pub limits: Limits,
    /// What all processes may use together.
    pub quota: Quota,
    /// What processes may reach at most.
    pub allow: Allow,
    /// Whether logs are kept from the terminal while a process runs; terminal hosts only.
    pub hide_logs: bool,
    /// When it starts and stops.
    pub lifecycle: Lifecycle,
}

impl ProcessHost {
    /// Sees an entry as a process host.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        let form = match entry.kind.as_str() {
            "process.host" => HostForm::Pool,
            "terminal.host" => HostForm::Terminal,
            _ => return Err(reader.wrong_kind("a process host")),
        };
        Ok(Self {
            id: entry.id.clone(),
            form,
            workers: reader
                .get("host")
                .and_then(|host| host.get("workers"))
                .or_else(|| reader.get("workers"))
                .and_then(Value::as_u64)
                .filter(|workers| *workers > 0),
            limits: Limits::read(reader.get("limits")),
            quota: Quota::read(reader.get("quota")),
            allow: Allow::read(reader.get("allow")),
            hide_logs: fields::bool(reader.get("hide_logs"), false),
            lifecycle: Lifecycle::read(entry),
        })
    }
}

const WORKERS: Type = Type::Int(0, 1024);
const QUEUE_SIZE: Type = Type::Int(0, i64::MAX);

pub(super) static POOL_HOST: Object = Object {
    fields: &[
        Field::new("host", Type::Object(&HOST_FIELDS)),
        Field::new("workers", WORKERS),
        Field::new("queue_size", QUEUE_SIZE),
        Field::new("local_queue_size", QUEUE_SIZE),
        Field::new("limits", Type::Object(&LIMITS)),
        Field::new("quota", Type::Object(&QUOTA)),
        Field::new("allow", Type::Object(&ALLOW)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static HOST_FIELDS: Object = Object {
    fields: &[Field::new("workers", WORKERS), Field::new("queue_size", QUEUE_SIZE), Field::new("local_queue_size", QUEUE_SIZE)],
    unknown: Unknown::Warned,
};

pub(super) static TERMINAL_HOST: Object = Object {
    fields: &[
        Field::new("hide_logs", Type::Bool),
        Field::new("limits", Type::Object(&LIMITS)),
        Field::new("quota", Type::Object(&QUOTA)),
        Field::new("allow", Type::Object(&ALLOW)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
