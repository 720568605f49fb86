//! What all processes of one host may use together.

use serde_json::Value;

use super::Amount;
use crate::schema::{Field, Object, Type, Unknown};
use crate::units::Size;

/// What all processes of a process host may use together; an absent quota does not bound.
///
/// In a `process.host` entry they stand below `quota:`, under these names.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quota {
    /// Processes that are alive: stops a tenant that fills the process table.
    pub processes: Option<u64>,
    /// Linear memory of all processes, with the arguments and contexts that the node holds for them: stops a tenant that needs many small
    /// processes for one large theft. Each starts with about 0.9 MiB.
    pub memory: Option<Size>,
    /// The share of CPU time against other hosts that are busy: twice the weight is twice the time. 100 by default.
    pub cpu_weight: Option<u64>,
    /// The most CPU time each second, in cores: stops a tenant from using idle cores that somebody pays for.
    pub cpu_cores: Option<f64>,
    /// Messages sent each second: stops a flood between many processes.
    pub messages_per_second: Option<u64>,
    /// Bytes of messages, of results that were not taken, and of values in channels between processes, that wait for all processes: stops
    /// hoarding in many mailboxes.
    pub mailbox_bytes: Option<Size>,
}

impl Quota {
    /// The CPU weight of a host that names none.
    pub const DEFAULT_CPU_WEIGHT: u64 = 100;

    /// The names of all quotas, each with its unit and the attack that it stops.
    pub const DESCRIBED: &[(&str, &str, &str)] = &[
        ("processes", "count", "Processes that are alive: stops a tenant that fills the process table."),
        (
            "memory",
            "size",
            "Linear memory of all processes, of which each starts with about 0.9 MiB, with their arguments and contexts: stops a tenant that \
             needs many small processes for one large theft.",
        ),
        (
            "cpu_weight",
            "weight",
            "The share of CPU time against other hosts that are busy: stops a tenant that is busy from slowing the others.",
        ),
        (
            "cpu_cores",
            "cores",
            "The most CPU time each second, in cores: stops a tenant from using idle cores that somebody pays for.",
        ),
        ("messages_per_second", "count", "Messages sent each second: stops a flood between many processes."),
        (
            "mailbox_bytes",
            "size",
            "Bytes of messages, results and values of channels that wait for all processes: stops hoarding in many mailboxes.",
        ),
    ];

    pub(crate) fn read(value: Option<&Value>) -> Self {
        let field = |name: &str| value.and_then(|value| value.get(name));
        Self {
            processes: field("processes").and_then(u64::read),
            memory: field("memory").and_then(Size::read),
            cpu_weight: field("cpu_weight").and_then(u64::read),
            cpu_cores: field("cpu_cores").and_then(Value::as_f64),
            messages_per_second: field("messages_per_second").and_then(u64::read),
            mailbox_bytes: field("mailbox_bytes").and_then(Size::read),
        }
    }
}

/// The fields of a `quota` map.
pub(crate) static QUOTA: Object = Object {
    fields: &[
        Field::new("processes", Type::Count),
        Field::new("memory", Type::Size),
        Field::new("cpu_weight", Type::Int(1, 10_000)),
        Field::new("cpu_cores", Type::Float(0.001, 4096.0)),
        Field::new("messages_per_second", Type::Count),
        Field::new("mailbox_bytes", Type::Size),
    ],
    unknown: Unknown::Refused,
};
