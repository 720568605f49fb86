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
