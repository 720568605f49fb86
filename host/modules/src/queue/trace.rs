//! The trace of a message in a queue: it stands in headers of the message, so that a durable queue keeps it, too.

use std::sync::Arc;

use moonlet_runtime::{Error, ModuleCall, NodeHandle, Span, SpanKind, SpanSource, TraceContext, Value};

use super::line::Message;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// Begins a span, where there are spans, and writes the headers unless the program has its own.
pub(super) fn publish(call: &ModuleCall<'_>, queue: &str, headers: &mut Vec<(String, Value)>) -> Option<Span> {
    let trace = call.trace();
    let span = call.node().span(trace.as_deref(), SpanSource::Queue, SpanKind::Producer, || format!("send {queue}"));
    let span = span.map(|span| described(span, queue, "send"));
    let context = span.as_ref().map(Span::context).or(trace);
    if let Some(context) = context.filter(|_| !headers.iter().any(|(name, _)| name == PARENT)) {
        headers.retain(|(name, _)| name != STATE);
        headers.push((PARENT.to_owned(), context.parent().into()));
        headers.extend(context.state().map(|state| (STATE.to_owned(), state.into())));
    }
    span
}

/// Reads the trace of a message, and begins a span for the work on it, where there are spans.
pub(super) fn consume(node: &NodeHandle, queue: &str, message: &Message) -> (Option<Arc<TraceContext>>, Option<Span>) {
    let header = |wanted: &str| message.headers.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| value.as_str());
    let trace = header(PARENT).and_then(|parent| TraceContext::parse(parent, header(STATE))).map(Arc::new);
    let span = node.span(trace.as_deref(), SpanSource::Queue, SpanKind::Consumer, || format!("process {queue}"));
    let span = span.map(|span| {
        let mut span = described(span, queue, "process");
        span.set("messaging.message.id", message.id.as_str());
        span
    });
    (span.as_ref().map(Span::context).or(trace), span)
}

fn described(mut span: Span, queue: &str, operation: &str) -> Span {
    span.set("messaging.system", "moonlet");
    span.set("messaging.destination.name", queue);
    span.set("messaging.operation.name", operation);
    span.set("messaging.operation.type", operation);
    span
}

/// Ends a span.
pub(super) fn end(span: Option<Span>, error: Option<&Error>) {
    let Some(mut span) = span else { return };
    if let Some(error) = error {
        span.fail(&error.kind, &error.message);
    }
    span.end();
}
