//! Clock, tickets, randomness and log.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::{self, Error, Level, Outcome};
use rmpv::Value;

use super::Calls;
use crate::document;
use crate::errors;
use crate::module::error_text;
use crate::process::{Pending, Process};
use crate::shared::{Alarm, Shared};
use crate::table::Tabled;

/// Random bytes of one call.
const MAX_RANDOM: u32 = 65_536;
/// Bytes of one log message; the rest is cut.
const MAX_LOG: usize = 64 << 10;
/// Bytes of the name of a logger, and of a place in code.
const MAX_LOG_NAME: usize = 255;

impl wit::clock::Host for Calls {
    fn now(&mut self) -> u64 {
        Shared::wall_clock()
    }

    fn monotonic(&mut self) -> u64 {
        self.node.clock()
    }

    fn timer(&mut self, after: u64) -> Result<u64, Error> {
        self.admitted()?;
        self.timer_ticket(after, true)
    }
}

impl wit::tickets::Host for Calls {
    fn cancel(&mut self, ticket: u64) -> bool {
        // Whether an operation on a channel has ended is known to the channels only.
        if matches!(self.process.inner().pending(ticket), Some(Pending::Channel)) {
            return self.node.cancel_channel(&self.process, ticket);
        }
        // Ticket zero is the wall time of the process and not its own.
        let withdrawn = if ticket == 0 { None } else { self.process.inner().withdraw(ticket) };
        match withdrawn {
            Some(pending) => {
                self.node.abandon(pending);
                true
            }
            None => {
                self.forget_results(ticket);
                false
            }
        }
    }
}

impl Calls {
    /// Forgets the handles in a result that is on its way to a process which gave the call up: it does not look at it.
    fn forget_results(&self, ticket: u64) {
        let data = match self.process.inner().mailbox.completion(ticket) {
            Some(Outcome::Done(payload)) => payload.data.clone(),
            _ => return,
        };
        if let Ok(values) = document::decode_few(&data) {
            self.node.handles.release_among(self.process.number(), &values);
        }
    }
}

impl wit::random::Host for Calls {
    fn number(&mut self) -> u64 {
        self.node.random()
    }

    fn bytes(&mut self, count: u32) -> Result<Vec<u8>, Error> {
        self.admitted()?;
        if count > MAX_RANDOM {
            return Err(errors::invalid(format!("{count} random bytes are too many: ask for at most {MAX_RANDOM} at once")));
        }
        let mut bytes = vec![0; count as usize];
        getrandom::fill(&mut bytes).map_err(|error| errors::internal(format!("the system has no randomness: {error}")))?;
        Ok(bytes)
    }
}

impl wit::log::Host for Calls {
    fn write(&mut self, level: Level, logger: String, message: String, fields: Vec<u8>, location: String) {
        let pid = &*self.process.pid;
        let entry = &*self.process.terms.program.entry;
        macro_rules! write {
            ($level:expr) => {
                if tracing::enabled!(target: "moonlet::process", $level) && self.node.may_log(&self.process, message.len() + fields.len()) {
                    let message = errors::plain(cut(&message));
                    let (logger, location) = (errors::plain(cut_name(&logger)), errors::plain(cut_name(&location)));
                    let fields = if self.node.json_log { json_fields(&fields) } else { shown_fields(&fields) };
                    let traced = self.process.trace.current();
                    let (trace_id, span_id) = (traced.as_ref().map(|of| of.trace_id()), traced.as_ref().map(|of| of.span_id()));
                    tracing::event!(
                        target: "moonlet::process", $level, pid, entry, logger, location, trace_id, span_id, fields, "{message}"
                    );
                }
            };
        }
        match level {
            Level::Debug => write!(tracing::Level::DEBUG),
            Level::Info => write!(tracing::Level::INFO),
            Level::Warn => write!(tracing::Level::WARN),
            Level::Error => write!(tracing::Level::ERROR),
        }
    }
}

/// When the log hears of lines that were suppressed, in nanoseconds after the first of them.
const REPORT_AFTER: u64 = 1_000_000_000;

impl Shared {
    /// Takes one record from what a process may have logged each second. The log hears how many there were more, a second later or at
    /// the end of the process.
    pub(crate) fn may_log(&self, process: &Arc<Process>, bytes: usize) -> bool {
        let (bounds, meter, now) = (&process.terms.bounds, process.meter(), self.clock());
        let bytes = bytes.min(MAX_LOG) as u64;
        let limit = if meter.log_lines.take(now, bounds.log_lines, 1).is_err() {
            "log_lines_per_second"
        } else if meter.log_bytes.take(now, bounds.log_bytes, bytes).is_err() {
            "log_bytes_per_second"
        } else {
            return true;
        };
        self.suppress(process, limit);
        false
    }

    /// Takes one line of the audit, of which there may be as many as lines in the log.
    pub(crate) fn may_audit(&self, process: &Arc<Process>) -> bool {
        let bounds = &process.terms.bounds;
        if process.meter().audit_lines.take(self.clock(), bounds.log_lines, 1).is_ok() {
            return true;
        }
        self.suppress(process, "log_lines_per_second");
        false
    }

    fn suppress(&self, process: &Arc<Process>, limit: &'static str) {
        if process.meter().suppressed.fetch_add(1, Ordering::Relaxed) == 0 {
            process.hit(limit);
            let weak = Arc::downgrade(process);
            let report = move |_: &Arc<Self>| {
                if let Some(process) = weak.upgrade() {
                    report_suppressed(&process);
                }
            };
            self.alarm(REPORT_AFTER, Alarm::Host(Box::new(report)));
        }
    }
}

/// Tells the log how many lines of a process it does not have.
pub(crate) fn report_suppressed(process: &Process) {
    let count = process.meter().suppressed.swap(0, Ordering::Relaxed);
    if count == 0 {
        return;
    }
    let (pid, entry) = (&*process.pid, &*process.terms.program.entry);
    let lines = if count == 1 { "line" } else { "lines" };
    tracing::warn!(
        target: "moonlet::process", pid, entry,
        "{count} {lines} suppressed: the process logs more than `log_lines_per_second` or `log_bytes_per_second` allow"
    );
}

fn cut(message: &str) -> &str {
    message.get(..message.floor_char_boundary(MAX_LOG)).unwrap_or_default()
}

fn cut_name(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_LOG_NAME)).unwrap_or_default()
}

/// Puts the text of an error in the place of it, and a word in the place of what else is no plain value.
fn readable(value: Value) -> Value {
    match value {
        Value::Ext(..) => error_text(&value).unwrap_or_else(|| "userdata".to_owned()).into(),
        Value::Array(items) => Value::Array(items.into_iter().map(readable).collect()),
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(name, value)| (name, readable(value))).collect()),
        value => value,
    }
}

/// Writes the fields of a record as a JSON object.
fn json_fields(fields: &[u8]) -> String {
    let mut object = serde_json::Map::new();
    if fields.len() > MAX_LOG {
        object.insert("unreadable_fields".to_owned(), format!("more than {MAX_LOG} bytes of fields").into());
    } else {
        for (name, value) in document::decode_map(fields).unwrap_or_default() {
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            // What JSON has no word for is text.
            let value = readable(value);
            let value = document::to_json(&value).unwrap_or_else(|_| value.to_string().into());
            object.insert(name, value);
        }
    }
    serde_json::Value::Object(object).to_string()
}

/// Writes the fields of a record as `name=value`, without control characters.
fn shown_fields(fields: &[u8]) -> String {
    if fields.len() > MAX_LOG {
        return format!("unreadable_fields=more than {MAX_LOG} bytes of fields");
    }
    let mut shown = String::new();
    for (name, value) in document::decode_map(fields).unwrap_or_default() {
        if shown.len() > MAX_LOG {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        let value = readable(value);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        shown.push_str(&errors::plain(cut(&format!("{name}={value}"))));
    }
    shown
}
