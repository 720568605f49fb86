//! SQL databases.

use super::fields::LIFECYCLE;
use crate::schema::{Field, Object, Type, Unknown};

pub(super) static SQLITE: Object = Object {
    fields: &[
        Field::required("file", Type::Text, "write `file: data/app.db`, or `file: \":memory:\"`"),
        Field::new("pool", Type::Object(&POOL)),
        Field::new("options", Type::Map(&Type::Any)),
        Field::new("limits", Type::Object(&DATABASE_LIMITS)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static SQL_SERVER: Object = Object {
    fields: &[
        Field::required("host", Type::Text, "write `host: localhost`, where the server is"),
        Field::new("port", Type::Int(1, 65_535)),
        Field::required("database", Type::Scalar, "write `database: app`, the name of the database on the server"),
        Field::required("username", Type::Scalar, "write `username: app`, whom the server knows"),
        Field::new("password", Type::Scalar),
        Field::new("host_env", Type::Text),
        Field::new("port_env", Type::Text),
        Field::new("database_env", Type::Text),
        Field::new("username_env", Type::Text),
        Field::new("password_env", Type::Text),
        Field::new("pool", Type::Object(&POOL)),
        Field::new("options", Type::Map(&Type::Scalar)),
        Field::new("limits", Type::Object(&SERVER_LIMITS)),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};

static POOL: Object = Object {
    fields: &[
        Field::new("max_open", Type::Int(0, 100_000)),
        Field::new("max_idle", Type::Int(0, 100_000)),
        Field::new("max_lifetime", Type::Duration),
    ],
    unknown: Unknown::Warned,
};

static DATABASE_LIMITS: Object = Object {
    fields: &[
        Field::new("max_size", Type::Size),
        Field::new("max_value", Type::Size),
        Field::new("statement_timeout", Type::Period),
        Field::new("wait_timeout", Type::Period),
    ],
    unknown: Unknown::Refused,
};

static SERVER_LIMITS: Object = Object {
    fields: &[
        Field::new("max_value", Type::Size),
        Field::new("statement_timeout", Type::Period),
        Field::new("wait_timeout", Type::Period),
    ],
    unknown: Unknown::Refused,
};
