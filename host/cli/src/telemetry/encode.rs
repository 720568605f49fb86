//! Spans in the JSON of OTLP: ids in hexadecimal, 64-bit numbers as texts.

use moonlet_runtime::{Attribute, SpanData, SpanKind};
use serde_json::{Value, json};

use super::Otel;

/// Writes the request that exports spans.
pub(super) fn request(otel: &Otel, spans: &[SpanData]) -> String {
    let mut resource = vec![
        text("service.name", &otel.service_name),
        text("telemetry.sdk.name", "moonlet"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    resource.extend(otel.service_version.as_deref().map(|version| text("service.version", version)));
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let scope = json!({ "name": "moonlet", "version": env!("CARGO_PKG_VERSION") });
    let scoped = json!([{ "scope": scope, "spans": spans }]);
    json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": scoped }] }).to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn span(data: &SpanData) -> Value {
    let kind = match data.kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    };
    let attribute = |(key, value): &(&'static str, Attribute)| match value {
        Attribute::Text(value) => text(key, value),
        Attribute::Number(value) => json!({ "key": key, "value": { "intValue": value.to_string() } }),
    };
    let mut span = json!({
        "traceId": data.context.trace_id(),
        "spanId": data.context.span_id(),
        // Its trace is kept.
        "flags": 1,
        "name": data.name,
        "kind": kind,
        "startTimeUnixNano": data.start.to_string(),
        "endTimeUnixNano": data.end.to_string(),
        "attributes": data.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "status": data.error.as_ref().map_or_else(|| json!({}), |message| json!({ "code": 2, "message": message })),
    });
    if let Value::Object(fields) = &mut span {
        fields.extend(data.parent.as_deref().map(|parent| ("parentSpanId".to_owned(), parent.into())));
        fields.extend(data.context.state().map(|state| ("traceState".to_owned(), state.into())));
    }
    span
}
