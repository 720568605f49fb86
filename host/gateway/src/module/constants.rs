//! The constants of module `http`.

use moonlet_runtime::Value;

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"];

const STATUS: &[(&str, u16)] = &[
    ("OK", 200),
    ("CREATED", 201),
    ("ACCEPTED", 202),
    ("NO_CONTENT", 204),
    ("PARTIAL_CONTENT", 206),
    ("MOVED_PERMANENTLY", 301),
    ("FOUND", 302),
    ("SEE_OTHER", 303),
    ("NOT_MODIFIED", 304),
    ("TEMPORARY_REDIRECT", 307),
    ("PERMANENT_REDIRECT", 308),
    ("BAD_REQUEST", 400),
    ("UNAUTHORIZED", 401),
    ("PAYMENT_REQUIRED", 402),
    ("FORBIDDEN", 403),
    ("NOT_FOUND", 404),
    ("METHOD_NOT_ALLOWED", 405),
    ("NOT_ACCEPTABLE", 406),
    ("CONFLICT", 409),
    ("GONE", 410),
    ("UNPROCESSABLE", 422),
    ("TOO_MANY_REQUESTS", 429),
    ("INTERNAL_ERROR", 500),
    ("INTERNAL_SERVER_ERROR", 500),
    ("NOT_IMPLEMENTED", 501),
    ("BAD_GATEWAY", 502),
    ("SERVICE_UNAVAILABLE", 503),
    ("GATEWAY_TIMEOUT", 504),
    ("VERSION_NOT_SUPPORTED", 505),
];

const CONTENT: &[(&str, &str)] = &[
    ("JSON", "application/json"),
    ("FORM", "application/x-www-form-urlencoded"),
    ("MULTIPART", "multipart/form-data"),
    ("TEXT", "text/plain"),
    ("HTML", "text/html"),
    ("STREAM", "application/octet-stream"),
];

const TRANSFER: &[(&str, &str)] = &[("CHUNKED", "chunked"), ("SSE", "sse")];

const ERRORS: &[(&str, &str)] = &[
    ("PARSE_FAILED", "parse_failed"),
    ("INVALID_STATE", "invalid_state"),
    ("WRITE_FAILED", "write_failed"),
    ("STREAM_ERROR", "stream_error"),
];

/// Gives one of the tables; nil when there is none of that name.
pub(super) fn table(name: &str) -> Value {
    let texts = |list: &[(&str, &str)]| Value::Map(list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
    match name {
        "METHOD" => Value::Map(METHODS.iter().map(|name| ((*name).into(), (*name).into())).collect()),
        "STATUS" => Value::Map(STATUS.iter().map(|(name, code)| ((*name).into(), (*code).into())).collect()),
        "CONTENT" => texts(CONTENT),
        "TRANSFER" => texts(TRANSFER),
        "ERROR" => texts(ERRORS),
        _ => Value::Nil,
    }
}
