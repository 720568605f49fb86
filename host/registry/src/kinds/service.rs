//! Services: processes that start with the node and are started again when they fail.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, HOST, LIFECYCLE, PROCESS, Reader};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Type, Unknown};

/// A supervised process.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Who it is.
    pub id: EntryId,
    /// What runs.
    pub process: EntryId,
    /// Where it runs.
    pub host: EntryId,
    /// The arguments of its main function.
    pub input: Vec<Value>,
    /// When it starts, stops and is started again.
    pub lifecycle: Lifecycle,
}

impl Service {
    /// Sees an entry as a service.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its process or host.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "process.service" {
            return Err(reader.wrong_kind("a service"));
        }
        Ok(Self {
            id: entry.id.clone(),
            process: reader.id("process")?,
            host: reader.id("host")?,
            input: fields::many(reader.get("input")).to_vec(),
            lifecycle: Lifecycle::read(entry),
        })
    }
}

/// When something starts, stops and is started again.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// Whether it starts with the node.
    pub auto_start: bool,
    /// What it means when it fails at start.
    pub startup: Startup,
    /// How long starting may take.
    pub start_timeout: Duration,
    /// How long it may take to stop by itself before it is ended.
    pub stop_timeout: Duration,
    /// How long it must run until its failures are forgotten.
    pub stable_threshold: Duration,
    /// What must run before it starts: `requires` and `depends_on` together.
    pub depends_on: Vec<EntryId>,
    /// How it is started again.
    pub restart: Restart,
    /// As whom it acts.
    pub security: Option<ServiceSecurity>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            auto_start: false,
            startup: Startup::Optional,
            start_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(10),
            stable_threshold: Duration::from_secs(5),
            depends_on: Vec::new(),
            restart: Restart::default(),
            security: None,
        }
    }
}

impl Lifecycle {
    /// Reads the `lifecycle` of an entry of any kind.
    #[must_use]
    pub fn read(entry: &Entry) -> Self {
        let defaults = Self::default();
        let Some(value) = entry.data.get("lifecycle") else { return defaults };
        let field = |name: &str| value.get(name);
        let mut depends_on = fields::ids(field("requires"), entry);
        depends_on.extend(fields::ids(field("depends_on"), entry));
        depends_on.sort();
        depends_on.dedup();
        Self {
            auto_start: fields::bool(field("auto_start"), false),
            startup: match field("startup").and_then(Value::as_str) {
                Some("required") => Startup::Required,
                _ => Startup::Optional,
            },
            start_timeout: fields::duration(field("start_timeout"), defaults.start_timeout),
            stop_timeout: fields::duration(field("stop_timeout"), defaults.stop_timeout),
            stable_threshold: fields::duration(field("stable_threshold"), defaults.stable_threshold),
            depends_on,
            restart: Restart::read(field("restart")),
            security: field("security").and_then(|value| ServiceSecurity::read(value, entry)),
        }
    }
}

/// What it means when a service fails at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startup {
    /// The node must not run without it.
    Required,
    /// It is started again like after any failure.
    Optional,
}

/// How a service is started again after an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// The wait before the first restart.
    pub initial_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// What each wait is multiplied with.
    pub backoff_factor: f64,
    /// The share by which each wait varies, so that services that failed together do not return together.
    pub jitter: f64,
    /// How often it is started again; absent: without end.
    pub max_attempts: Option<u64>,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(90),
            backoff_factor: 2.0,
            jitter: 0.1,
            max_attempts: None,
        }
    }
}

impl Restart {
    fn read(value: Option<&Value>) -> Self {
        let defaults = Self::default();
        let Some(value) = value else { return defaults };
        let number = |name: &str, default: f64| value.get(name).and_then(Value::as_f64).unwrap_or(default);
        Self {
            initial_delay: fields::duration(value.get("initial_delay"), defaults.initial_delay),
            max_delay: fields::duration(value.get("max_delay"), defaults.max_delay),
            backoff_factor: number("backoff_factor", defaults.backoff_factor),
            jitter: number("jitter", defaults.jitter),
            max_attempts: value.get("max_attempts").and_then(Value::as_u64).filter(|attempts| *attempts > 0),
        }
    }
}

/// As whom a service acts.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSecurity {
    /// The id of the actor.
    pub actor: Option<String>,
    /// Data about the actor that policies look at.
    pub actor_meta: Value,
    /// The groups whose policies hold.
    pub groups: Vec<String>,
    /// Single policies that hold.
    pub policies: Vec<EntryId>,
}

impl ServiceSecurity {
    /// Reads as whom the processes of an entry of any kind act: `lifecycle.security`, or else `security`.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let lifecycle = entry.data.get("lifecycle").and_then(|lifecycle| lifecycle.get("security"));
        Self::read(lifecycle.or_else(|| entry.data.get("security"))?, entry)
    }

    /// Reads as whom a command of the command line acts: `meta.command.security`.
    #[must_use]
    pub fn of_command(entry: &Entry) -> Option<Self> {
        Self::read(entry.meta.get("command")?.get("security")?, entry)
    }

    fn read(value: &Value, entry: &Entry) -> Option<Self> {
        value.as_object()?;
        let actor = value.get("actor").and_then(Value::as_object);
        let of_actor = |name: &str| {
            let found = actor?.iter().find(|(other, value)| other.eq_ignore_ascii_case(name) && !value.is_null());
            found.map(|(_, value)| value)
        };
        let actor_id = of_actor("id").and_then(|id| match id {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(id.to_string()),
            _ => None,
        });
        Some(Self {
            actor: actor_id,
            actor_meta: of_actor("meta").cloned().unwrap_or(Value::Null),
            groups: fields::texts(value.get("groups")),
            policies: fields::ids(value.get("policies"), entry),
        })
    }
}

pub(super) static SERVICE: Object = Object {
    fields: &[
        Field::required("process", Type::Ref(&PROCESS), "write `process: name`, the `process.lua` entry to run"),
        Field::required("host", Type::Ref(&HOST), "write `host: name`, the `process.host` entry to run on"),
        Field::new("input", Type::Any),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
