//! Tables that several kinds share, and reading of accepted values.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};
use crate::units::{Size, parse_duration};

/// Anything that runs processes.
pub(super) static HOST: Target = Target { what: "a process host", kinds: &["process.host", "terminal.host"] };
/// Anything that can be spawned.
pub(super) static PROCESS: Target = Target { what: "a process", kinds: &["process.lua", "process.lua.bc", "process.wasm"] };
/// Lua code that other Lua code can import.
pub(super) static LUA_CODE: Target =
    Target { what: "Lua code", kinds: &["library.lua*", "module.lua", "function.lua*", "process.lua*"] };
/// Anything that can be called.
pub(super) static FUNCTION: Target =
    Target { what: "a function", kinds: &["function.lua*", "function.wasm", "function.wat", "process.lua*", "process.wasm"] };
/// Any entry.
pub(super) static ANY_ENTRY: Target = Target { what: "an entry", kinds: &[] };
/// Any policy.
pub(super) static POLICY: Target = Target { what: "a policy", kinds: &["security.policy*"] };

pub(super) static LIFECYCLE: Object = Object {
    fields: &[
        Field::new("auto_start", Type::Bool),
        Field::new("startup", Type::Choice(&["required", "optional"])),
        Field::new("start_timeout", Type::Duration),
        Field::new("stop_timeout", Type::Duration),
        Field::new("stable_threshold", Type::Duration),
        Field::new("depends_on", Type::OneOrMany(&Type::Ref(&ANY_ENTRY))),
        Field::new("requires", Type::OneOrMany(&Type::Ref(&ANY_ENTRY))),
        Field::new("restart", Type::Object(&RESTART)),
        Field::new("security", Type::Object(&SERVICE_SECURITY)),
    ],
    unknown: Unknown::Warned,
};

static RESTART: Object = Object {
    fields: &[
        Field::new("initial_delay", Type::Duration),
        Field::new("max_delay", Type::Duration),
        Field::new("backoff_factor", Type::Float(1.0, 1000.0)),
        Field::new("jitter", Type::Float(0.0, 1.0)),
        Field::new("max_attempts", Type::Int(0, i64::MAX)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static SERVICE_SECURITY: Object = Object {
    fields: &[
        Field::new("actor", Type::Object(&ACTOR)),
        Field::new("groups", Type::OneOrMany(&Type::Text)),
        Field::new("policies", Type::OneOrMany(&Type::Ref(&POLICY))),
    ],
    unknown: Unknown::Warned,
};

static ACTOR: Object = Object {
    fields: &[
        Field::required("id", Type::Scalar, "write `id: service:name`, who the service acts as"),
        Field::new("meta", Type::Map(&Type::Any)),
    ],
    unknown: Unknown::AnyCase,
};

/// The part of meta that calls, spawns and the command line look at.
pub(super) static RUN_META: Object = Object {
    fields: &[
        Field::new("default_host", Type::Ref(&HOST)),
        Field::new("command", Type::Object(&COMMAND)),
        Field::new("options", Type::Object(&OPTIONS)),
    ],
    unknown: Unknown::Allowed,
};

static COMMAND: Object = Object {
    fields: &[
        Field::required("name", Type::Text, "write `name: ...`, the word behind `moonlet run`"),
        Field::new("short", Type::Text),
        Field::new("main", Type::Bool),
        Field::new("use_case", Type::Text),
        Field::new("security", Type::Object(&SERVICE_SECURITY)),
    ],
    unknown: Unknown::Warned,
};

static OPTIONS: Object = Object { fields: &[Field::new("retry", Type::Object(&RETRY))], unknown: Unknown::Allowed };

static RETRY: Object = Object {
    fields: &[
        Field::new("max_attempts", Type::Int(0, 1_000_000)),
        Field::new("initial_delay", Type::Millis),
        Field::new("max_delay", Type::Millis),
        Field::new("backoff_factor", Type::Float(1.0, 1000.0)),
        Field::new("jitter", Type::Float(0.0, 1.0)),
    ],
    unknown: Unknown::Warned,
};

/// Reads fields of an entry whose data the tables have accepted.
pub(super) struct Reader<'a> {
    pub(super) entry: &'a Entry,
}

impl<'a> Reader<'a> {
    pub(super) fn new(entry: &'a Entry) -> Self {
        Self { entry }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.entry.data.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, ViewError> {
        self.get(name).and_then(Value::as_str).ok_or_else(|| self.missing(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(super) fn id(&self, name: &'static str) -> Result<EntryId, ViewError> {
        self.get(name).and_then(|value| id(value, self.entry)).ok_or_else(|| self.missing(name))
    }

    pub(super) fn missing(&self, field: &'static str) -> ViewError {
        ViewError::Field { id: self.entry.id.to_string(), field }
    }

    pub(super) fn wrong_kind(&self, expected: &'static str) -> ViewError {
        ViewError::Kind { id: self.entry.id.to_string(), kind: self.entry.kind.clone(), expected }
    }
}

/// Reads an id that stands in an entry.
pub(super) fn id(value: &Value, entry: &Entry) -> Option<EntryId> {
    EntryId::resolve(value.as_str()?, &entry.id.to_namespace()).ok()
}

/// Reads a list of ids, or a single one.
pub(super) fn ids(value: Option<&Value>, entry: &Entry) -> Vec<EntryId> {
    many(value).iter().filter_map(|value| id(value, entry)).collect()
}

/// Reads a list of texts, or a single one.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    many(value).iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Sees a single value as a list of one.
pub(super) fn many(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(values)) => values,
        Some(Value::Null) | None => &[],
        Some(value) => std::slice::from_ref(value),
    }
}

pub(super) fn bool(value: Option<&Value>, default: bool) -> bool {
    value.and_then(Value::as_bool).unwrap_or(default)
}

pub(super) fn duration(value: Option<&Value>, default: Duration) -> Duration {
    match value {
        Some(Value::String(text)) => parse_duration(text).unwrap_or(default),
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Duration::ZERO,
        _ => default,
    }
}

/// Reads a number of bytes.
pub(super) fn size(value: Option<&Value>, default: u64) -> u64 {
    match value {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(default),
        Some(Value::String(text)) => text.parse().map_or(default, |size: Size| size.as_bytes()),
        _ => default,
    }
}

/// Reads a duration, or a number of milliseconds.
pub(super) fn millis(value: Option<&Value>, default: Duration) -> Duration {
    match value {
        Some(Value::Number(number)) => {
            number.as_f64().and_then(|number| Duration::try_from_secs_f64(number / 1000.0).ok()).unwrap_or(default)
        }
        value => duration(value, default),
    }
}
