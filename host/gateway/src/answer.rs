//! Answers that the gateway itself gives.

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use crate::body::Body;

/// An answer on its way to the client.
pub(crate) type Answer = Response<Body>;

/// Says in JSON what is wrong with a request. The text must not hold anything that the client may not know.
pub(crate) fn problem(status: StatusCode, message: &str) -> Answer {
    let body = json!({ "error": status.canonical_reason().unwrap_or("Error"), "message": message });
    let mut answer = Response::new(Body::full(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// No endpoint has this path.
pub(crate) fn not_found() -> Answer {
    problem(StatusCode::NOT_FOUND, "there is nothing at this path")
}

/// The path has endpoints, but none for the method.
pub(crate) fn method_not_allowed(allowed: &[String]) -> Answer {
    let list = allowed.join(", ");
    let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, &format!("this path answers {list} only"));
    if let Ok(value) = HeaderValue::from_str(&list) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

/// The function failed; what it said is in the log.
pub(crate) fn failed() -> Answer {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered")
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
