//! The trace of a request: what its headers say, and its span.

use std::sync::Arc;

use http::request::Parts;
use moonlet_runtime::{Span, SpanKind, SpanSource, TraceContext};

use super::{Context, Server};
use crate::answer::Answer;
use crate::counters;
use crate::routes::Target;

/// Bytes of an attribute that a client chose.
const MAX_TEXT: usize = 256;

/// Reads where the request comes from. Headers that are there twice, or are not what the specification says, are none.
pub(super) fn incoming(server: &Server, parts: &Parts) -> Option<Arc<TraceContext>> {
    let mut parents = parts.headers.get_all("traceparent").into_iter();
    let parent = parents.next()?.to_str().ok()?;
    if parents.next().is_some() {
        return None;
    }
    // A list may be cut into several headers.
    let states: Vec<&str> = parts.headers.get_all("tracestate").into_iter().filter_map(|state| state.to_str().ok()).collect();
    let state = states.join(",");
    server.node.incoming_trace(parent, Some(&state).filter(|state| !state.is_empty()).map(String::as_str))
}

/// Begins the span of a request, where there are spans.
pub(super) fn begin(server: &Server, parts: &Parts, target: &Target, parent: Option<&TraceContext>) -> Option<Span> {
    let method = counters::word(&parts.method);
    let name = || match target {
        Target::Route(route, _) => format!("{method} {}", route.pattern),
        Target::Files(mount, _) => format!("{method} {}", mount.pattern),
        Target::NotAllowed(..) | Target::Nowhere(_) => method.to_owned(),
    };
    server.node.span(parent, SpanSource::Http, SpanKind::Server, name)
}

/// Ends it with the answer.
pub(super) fn end(span: Option<Span>, context: &Context, answer: &Answer) {
    let Some(mut span) = span else { return };
    let parts = &context.parts;
    span.set("http.request.method", counters::word(&parts.method));
    span.set("url.path", cut(parts.uri.path()));
    span.set("url.scheme", if context.server.view.tls.is_some() { "https" } else { "http" });
    if let Some(route) = &context.pattern {
        span.set("http.route", &**route);
    }
    if let Some(host) = context.header(http::header::HOST) {
        span.set("server.address", cut(host));
    }
    if let Some(agent) = context.header(http::header::USER_AGENT) {
        span.set("user_agent.original", cut(agent));
    }
    span.set("client.address", cut(&context.remote));
    span.set("moonlet.server", context.server.id().as_str());
    let status = answer.status();
    span.set("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.fail(status.as_str(), status.canonical_reason().unwrap_or_default());
    }
    span.end();
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default()
}
