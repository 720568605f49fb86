//! Supervision trees as entries: what happens to the siblings of a child that ends.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, HOST, LIFECYCLE, PROCESS, Reader};
use super::service::Lifecycle;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};

/// An entry that supervises several processes.
#[derive(Debug, Clone, PartialEq)]
pub struct Supervisor {
    /// Who it is.
    pub id: EntryId,
    /// Which children are started again when one ends.
    pub strategy: Strategy,
    /// How many restarts it bears before it gives up and fails itself.
    pub intensity: Intensity,
    /// The children, in the order in which they start.
    pub children: Vec<Child>,
    /// When it starts and stops itself.
    pub lifecycle: Lifecycle,
}

/// Which children are started again when one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// That child.
    #[default]
    OneForOne,
    /// All children.
    OneForAll,
    /// That child and those that started after it.
    RestForOne,
}

/// How many restarts within which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// The most restarts.
    pub restarts: u64,
    /// The time in which they are counted.
    pub window: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Self { restarts: 3, window: Duration::from_secs(5) }
    }
}

/// A child of a supervisor.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its name, unique among its siblings: the name of its entry unless given.
    pub name: String,
    /// What runs.
    pub target: ChildTarget,
    /// When it is started again.
    pub restart: ChildRestart,
    /// How long it may take to stop by itself before it is ended.
    pub shutdown: Duration,
}

/// What runs as a child.
#[derive(Debug, Clone, PartialEq)]
pub enum ChildTarget {
    /// A process.
    Process {
        /// What runs.
        process: EntryId,
        /// Where it runs.
        host: EntryId,
        /// The arguments of its main function.
        input: Vec<Value>,
    },
    /// Another supervisor.
    Supervisor(EntryId),
}

/// When a child is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChildRestart {
    /// Whenever it ends.
    #[default]
    Permanent,
    /// When it ends with an error.
    Transient,
    /// Never.
    Temporary,
}

/// How long a child may take to stop unless it says otherwise.
const DEFAULT_SHUTDOWN: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Sees an entry as a supervisor.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and has a child without process or host.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "process.supervisor" {
            return Err(reader.wrong_kind("a supervisor"));
        }
        let strategy = match reader.get("strategy").and_then(Value::as_str) {
            Some("one_for_all") => Strategy::OneForAll,
            Some("rest_for_one") => Strategy::RestForOne,
            _ => Strategy::OneForOne,
        };
        let intensity = Intensity::default();
        let field = |name: &str| reader.get("intensity").and_then(|intensity| intensity.get(name));
        let intensity = Intensity {
            restarts: field("restarts").and_then(Value::as_u64).unwrap_or(intensity.restarts),
            window: fields::duration(field("window"), intensity.window),
        };
        let host = reader.id("host").ok();
        let children = fields::many(reader.get("children"));
        let children: Option<Vec<Child>> = children.iter().map(|value| Child::read(value, entry, host.as_ref())).collect();
        Ok(Self {
            id: entry.id.clone(),
            strategy,
            intensity,
            children: children.ok_or_else(|| reader.missing("children"))?,
            lifecycle: Lifecycle::read(entry),
        })
    }
}

impl Child {
    fn read(value: &Value, entry: &Entry, default_host: Option<&EntryId>) -> Option<Self> {
        let id = |name: &str| value.get(name).and_then(|value| fields::id(value, entry));
        let target = match (id("supervisor"), id("process")) {
            (Some(supervisor), _) => ChildTarget::Supervisor(supervisor),
            (None, process) => ChildTarget::Process {
                process: process?,
                host: id("host").or_else(|| default_host.cloned())?,
                input: fields::many(value.get("input")).to_vec(),
            },
        };
        let name = match (&target, value.get("name").and_then(Value::as_str)) {
            (_, Some(name)) => name.to_owned(),
            (ChildTarget::Supervisor(id) | ChildTarget::Process { process: id, .. }, None) => id.name().to_owned(),
        };
        Some(Self {
            name,
            target,
            restart: match value.get("restart").and_then(Value::as_str) {
                Some("transient") => ChildRestart::Transient,
                Some("temporary") => ChildRestart::Temporary,
                _ => ChildRestart::Permanent,
            },
            shutdown: fields::duration(value.get("shutdown"), DEFAULT_SHUTDOWN),
        })
    }
}

static SUPERVISOR_TARGET: Target = Target { what: "a supervisor", kinds: &["process.supervisor"] };

pub(super) static SUPERVISOR: Object = Object {
    fields: &[
        Field::new("strategy", Type::Choice(&["one_for_one", "one_for_all", "rest_for_one"])),
        Field::new("intensity", Type::Object(&INTENSITY)),
        Field::new("host", Type::Ref(&HOST)),
        Field::required("children", Type::List(&Type::Object(&CHILD)), "write `children:` and below it `- process: name`"),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    // The reference has no supervisors, so that no application of it can break here.
    unknown: Unknown::Refused,
};

static INTENSITY: Object = Object {
    fields: &[Field::new("restarts", Type::Int(0, 1_000_000)), Field::new("window", Type::Period)],
    unknown: Unknown::Refused,
};

static CHILD: Object = Object {
    fields: &[
        Field::new("name", Type::Text),
        Field::new("process", Type::Ref(&PROCESS)),
        Field::new("supervisor", Type::Ref(&SUPERVISOR_TARGET)),
        Field::new("host", Type::Ref(&HOST)),
        Field::new("input", Type::Any),
        Field::new("restart", Type::Choice(&["permanent", "transient", "temporary"])),
        Field::new("shutdown", Type::Duration),
    ],
    unknown: Unknown::Refused,
};
