//! The access log: one line for each request that was answered.
//!
//! Its target is `moonlet::http`. It is off unless the operator asks for it: a line for each request is more than most want to keep.

use std::time::Duration;

use super::Context;
use crate::answer::Answer;

/// Bytes of a path that are written. The query is left out: it may hold what must not be kept.
const MAX_PATH: usize = 512;

pub(super) fn log(context: &Context, answer: &Answer) {
    if !tracing::enabled!(target: "moonlet::http", tracing::Level::INFO) {
        return;
    }
    let (method, status) = (context.parts.method.as_str(), answer.status().as_u16());
    let path = context.parts.uri.path();
    let path = path.get(..path.floor_char_boundary(MAX_PATH)).unwrap_or_default();
    let (server, remote) = (context.server.id(), context.remote.as_str());
    let (entry, route) = (context.route.as_ref().map(|route| route.id.as_str()), context.pattern.as_deref());
    let duration_ms = millis(context.start.elapsed());
    let trace = context.trace.as_ref();
    let (trace_id, span_id) = (trace.map(|of| of.trace_id()), trace.map(|of| of.span_id()));
    tracing::info!(
        target: "moonlet::http", method, path, status, duration_ms, route, entry, %server, remote, trace_id, span_id,
        "request"
    );
}

/// Milliseconds with three places.
fn millis(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}
