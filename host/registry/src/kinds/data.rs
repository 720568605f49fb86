//! Queues, stores in files and databases, and executors of commands.

use super::fields::LIFECYCLE;
use crate::schema::{Field, Object, Target, Type, Unknown};

static DRIVER: Target = Target { what: "a queue driver", kinds: &["queue.driver.*"] };
static QUEUE_TARGET: Target = Target { what: "a queue", kinds: &["queue.queue"] };
static DATABASE: Target = Target { what: "a database", kinds: &["db.sql.*"] };
static FUNCTION: Target = Target { what: "a function", kinds: &["function.*", "process.lua*"] };

pub(super) static MEMORY_DRIVER: Object =
    Object { fields: &[Field::new("lifecycle", Type::Object(&LIFECYCLE))], unknown: Unknown::Warned };

pub(super) static FILE_DRIVER: Object = Object {
    fields: &[
        Field::required("file", Type::Text, "write `file: data/queues.redb`, where the messages are kept"),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static QUEUE: Object = Object {
    fields: &[
        Field::required("driver", Type::Ref(&DRIVER), "write `driver: name`, a `queue.driver.memory` for example"),
        Field::new("codec", Type::Choice(&["json", "json/plain", "application/json", "application/msgpack", "msgpack"])),
        Field::new("queue_name", Type::Text),
        Field::new("driver_options", Type::Map(&Type::Any)),
        Field::new("dead_letter", Type::Object(&DEAD_LETTER)),
        Field::new("retry", Type::Object(&QUEUE_RETRY)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static DEAD_LETTER: Object = Object {
    fields: &[Field::new("queue", Type::Ref(&QUEUE_TARGET)), Field::new("max_attempts", Type::Int(0, 1_000_000))],
    unknown: Unknown::Warned,
};

static QUEUE_RETRY: Object = Object {
    fields: &[
        Field::new("initial_delay", Type::Millis),
        Field::new("max_delay", Type::Millis),
        Field::new("backoff_factor", Type::Float(1.0, 1000.0)),
    ],
    unknown: Unknown::Refused,
};

pub(super) static CONSUMER: Object = Object {
    fields: &[
        Field::required("queue", Type::Ref(&QUEUE_TARGET), "write `queue: name`, the queue to take messages from"),
        Field::required("func", Type::Ref(&FUNCTION), "write `func: name`, the function that gets each message"),
        Field::new("concurrency", Type::Int(0, 1000)),
        Field::new("prefetch", Type::Int(0, 10_000)),
        Field::new("auto_ack", Type::Bool),
        Field::new("timeout", Type::Period),
        Field::new("driver_options", Type::Map(&Type::Any)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static COMMANDS: Object = Object {
    fields: &[
        Field::new("default_work_dir", Type::Text),
        Field::new("default_env", Type::Map(&Type::Scalar)),
        Field::new("command_whitelist", Type::List(&Type::Text)),
        Field::new("env_whitelist", Type::List(&Type::Text)),
        Field::new("limits", Type::Object(&COMMAND_LIMITS)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static COMMAND_LIMITS: Object = Object {
    fields: &[
        Field::new("timeout", Type::Period),
        Field::new("max_output", Type::Size),
        Field::new("max_processes", Type::Count),
    ],
    unknown: Unknown::Refused,
};

pub(super) static SQL_STORE: Object = Object {
    fields: &[
        Field::required("database", Type::Ref(&DATABASE), "write `database: name`, a `db.sql.sqlite` for example"),
        Field::required("table_name", Type::Text, "write `table_name: kv_store`, a table that exists"),
        Field::new("table", Type::Text),
        Field::new("id_column_name", Type::Text),
        Field::new("payload_column_name", Type::Text),
        Field::new("expire_column_name", Type::Text),
        Field::new("cleanup_interval", Type::Duration),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static FILE_STORE: Object = Object {
    fields: &[
        Field::required("file", Type::Text, "write `file: data/store.redb`, where the items are kept"),
        Field::new("max_size", Type::Int(0, 1_000_000_000)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
