//! The trace of a request that goes out: its span, and the headers that tell the other side.

use std::sync::Arc;

use http::HeaderValue;
use moonlet_runtime::{Error, NodeHandle, Span, SpanKind, SpanSource, TraceContext};

use super::options::Plan;
use super::send::Answered;

/// Begins a span, where there are spans, and writes the headers unless the program has its own.
pub(super) fn begin(node: &NodeHandle, plan: &mut Plan, trace: Option<&Arc<TraceContext>>) -> Option<Span> {
    let method = plan.method.as_str();
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let name = known.into_iter().find(|known| *known == method).unwrap_or("HTTP");
    let mut span = node.span(trace.map(|trace| &**trace), SpanSource::Http, SpanKind::Client, || name.to_owned());
    if let Some(span) = &mut span {
        span.set("http.request.method", method);
        span.set("server.address", plan.url.host.as_str());
        span.set("server.port", plan.url.port);
        // Neither the query nor a name and password: they may be secrets.
        let path = plan.url.path.split(['?', '#']).next().unwrap_or_default();
        let scheme = if plan.url.tls { "https" } else { "http" };
        span.set("url.full", format!("{scheme}://{}{path}", plan.url.authority()).as_str());
    }
    let context = node.outgoing_trace(span.as_ref().map(Span::context).or_else(|| trace.map(Arc::clone)));
    if let Some(context) = context.filter(|_| !plan.headers.contains_key("traceparent")) {
        // Both are made of characters that a header may have.
        if let Ok(parent) = HeaderValue::from_str(&context.parent()) {
            plan.headers.insert("traceparent", parent);
        }
        plan.headers.remove("tracestate");
        if let Some(Ok(state)) = context.state().map(HeaderValue::from_str) {
            plan.headers.insert("tracestate", state);
        }
    }
    span
}

/// Ends the span with the answer.
pub(super) fn end(span: Option<Span>, answered: &Result<Answered, Error>) {
    let Some(mut span) = span else { return };
    match answered {
        Ok(answered) => {
            let status = answered.head.status;
            span.set("http.response.status_code", status.as_u16());
            if status.is_client_error() || status.is_server_error() {
                span.fail(status.as_str(), status.canonical_reason().unwrap_or_default());
            }
        }
        Err(error) => span.fail(&error.kind, &error.message),
    }
    span.end();
}
