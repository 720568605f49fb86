//! Templates and the sets that they belong to.

use crate::schema::{Field, Object, Target, Type, Unknown};

pub(super) static TEMPLATE_SET: Object =
    Object { fields: &[Field::new("engine", Type::Object(&ENGINE))], unknown: Unknown::Warned };

static ENGINE: Object = Object {
    fields: &[
        Field::new("development_mode", Type::Bool),
        Field::new("delimiters", Type::Object(&DELIMITERS)),
        Field::new("extensions", Type::List(&Type::Text)),
        Field::new("globals", Type::Map(&Type::Any)),
    ],
    unknown: Unknown::Warned,
};

static DELIMITERS: Object = Object {
    fields: &[
        Field::new("left", Type::Text),
        Field::new("right", Type::Text),
        Field::new("comment_left", Type::Text),
        Field::new("comment_right", Type::Text),
    ],
    unknown: Unknown::Warned,
};

pub(super) static TEMPLATE: Object = Object {
    fields: &[
        Field::required("set", Type::Ref(&SET), "write `set: NAME` of an entry of kind `template.set`"),
        Field::required("source", Type::Text, "write `source: |` and the template below it, or `source: file://NAME.jet`"),
        // For the modules that show pages, which read them from the entry.
        Field::new("data_func", Type::Text),
        Field::new("resources", Type::Any),
    ],
    unknown: Unknown::Warned,
};

static SET: Target = Target { what: "a set of templates", kinds: &["template.set"] };
