//! Networks that traffic of programs goes through.

use super::fields::LIFECYCLE;
use crate::schema::{Field, Object, Type, Unknown};

pub(super) static SOCKS5: Object = Object {
    fields: &[
        Field::required("host", Type::Text, "write `host: 127.0.0.1`, where the proxy is"),
        Field::required("port", Type::Int(1, 65_535), "write `port: 1080`, where the proxy listens"),
        Field::new("username", Type::Scalar),
        Field::new("password", Type::Scalar),
        Field::new("isolate_streams", Type::Bool),
        Field::new("host_env", Type::Text),
        Field::new("port_env", Type::Text),
        Field::new("username_env", Type::Text),
        Field::new("password_env", Type::Text),
        Field::new("lifecycle", Type::Object(&LIFECYCLE)),
    ],
    unknown: Unknown::Warned,
};
