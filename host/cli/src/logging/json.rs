//! Records of the log as JSON, one object on a line.
//!
//! `time`, `level`, `target` and `message` come first, then the fields of the record. What concerns a process has its `pid`, `entry` and
//! `host`, and the `trace_id` and `span_id` of the trace that it takes part in. The fields that Lua code gave are the object `fields`.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes records as JSON.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let mut record = Map::new();
        record.insert("time".to_owned(), time.into());
        record.insert("level".to_owned(), metadata.level().as_str().to_ascii_lowercase().into());
        record.insert("target".to_owned(), metadata.target().into());
        record.insert("message".to_owned(), fields.shift_remove("message").unwrap_or_default());
        record.append(&mut fields);
        let host = record.get("pid").and_then(Value::as_str).and_then(host_of).map(str::to_owned);
        if let Some(host) = host.filter(|_| !record.contains_key("host")) {
            record.insert("host".to_owned(), host.into());
        }
        writeln!(writer, "{}", Value::Object(record))
    }
}

/// Finds the process host in a pid, `{HOST|NUMBER}`.
fn host_of(pid: &str) -> Option<&str> {
    Some(pid.strip_prefix('{')?.split_once('|')?.0)
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            // Not everything has all of them.
            "fields" if value == "{}" => {}
            "fields" => {
                let object = serde_json::from_str(value).ok().filter(Value::is_object);
                self.put(field, object.unwrap_or_else(|| value.into()));
            }
            "logger" | "location" | "trace" | "topics" if value.is_empty() => {}
            _ => self.put(field, value.into()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
