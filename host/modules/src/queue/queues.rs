//! The queues of a node by their entries.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moonlet_registry::{Change, Entry, EntryId, Snapshot, parse_duration};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::ledger::Ledger;
use super::line::{Bounds, Line};
use crate::fail::{internal, invalid, not_found, shown, unsupported};

/// Messages that a queue in memory holds unless its entry says otherwise.
const MEMORY_LENGTH: usize = 1_000;
/// Messages that a durable queue holds unless its entry says otherwise.
const FILE_LENGTH: usize = 100_000;
/// Bytes that one queue holds unless its entry says otherwise.
const BYTES: usize = 256 << 20;
/// How often a message is tried before it goes to the dead letters, unless the entry says otherwise.
const ATTEMPTS: u64 = 5;

/// What an entry says about its queue, and the queue itself.
#[derive(Clone)]
pub(super) struct Queue {
    pub(super) id: String,
    pub(super) line: Arc<Line>,
    pub(super) bounds: Bounds,
    pub(super) dead_letter: Option<DeadLetter>,
    pub(super) retry: Retry,
}

/// Where messages go that fail too often.
#[derive(Debug, Clone)]
pub(super) struct DeadLetter {
    pub(super) queue: String,
    pub(super) max_attempts: u64,
}

/// How long a message waits before it comes again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    initial: Duration,
    max: Duration,
    factor: f64,
}

impl Retry {
    /// Gives the wait after so many attempts.
    pub(super) fn delay(&self, attempts: u64) -> Duration {
        let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max).min(self.max)
    }
}

/// The queues that are open.
#[derive(Default)]
pub(super) struct Queues {
    /// Guards the queues by driver and name. Held while a file is opened, so that it is opened once.
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    lines: FxHashMap<(String, String), Arc<Line>>,
    ledgers: FxHashMap<PathBuf, Arc<Ledger>>,
    closed: bool,
}

impl Queues {
    /// Finds a queue, and opens what it needs. May wait for the disk the first time.
    pub(super) fn get(&self, registry: &Snapshot, node: &NodeHandle, id: &str) -> Result<Queue, Error> {
        let entry = registry.find_id(id).ok_or_else(|| internal(format!("there is no queue `{}`", shown(id))))?;
        if entry.kind != "queue.queue" {
            return Err(invalid(format!("`{}` is of kind `{}` and no queue", shown(id), entry.kind)));
        }
        let namespace = entry.id.to_namespace();
        let reference = |value: Option<&Json>| {
            let text = value.and_then(Json::as_str)?;
            EntryId::resolve(text, &namespace).ok().map(|id| id.to_string())
        };
        let driver = reference(entry.data.get("driver")).unwrap_or_default();
        let driver = registry
            .find_id(&driver)
            .ok_or_else(|| not_found(format!("the driver `{}` of `{id}` is missing", shown(&driver))))?;
        let name = entry.data.get("queue_name").and_then(Json::as_str).unwrap_or(entry.id.name());
        let driver = &*node.environment()?.filled(registry, driver)?;
        let line = self.line(driver, node, name)?;
        let dead_letter = entry.data.get("dead_letter");
        let dead_letter = reference(dead_letter.and_then(|value| value.get("queue"))).map(|queue| DeadLetter {
            queue,
            max_attempts: dead_letter
                .and_then(|value| value.get("max_attempts"))
                .and_then(Json::as_u64)
                .filter(|attempts| *attempts > 0)
                .unwrap_or(ATTEMPTS),
        });
        Ok(Queue { id: id.to_owned(), line, bounds: bounds(entry, driver), dead_letter, retry: retry(entry) })
    }

    /// Tells whether finding a queue takes no time, because it is open already.
    pub(super) fn is_open(&self, registry: &Snapshot, id: &str) -> bool {
        let Some(entry) = registry.find_id(id) else { return true };
        let driver = entry.data.get("driver").and_then(Json::as_str).unwrap_or_default();
        let driver = EntryId::resolve(driver, &entry.id.to_namespace()).map(|id| id.to_string()).unwrap_or_default();
        let name = entry.data.get("queue_name").and_then(Json::as_str).unwrap_or(entry.id.name());
        self.open.lock().lines.contains_key(&(driver, name.to_owned()))
    }

    fn line(&self, driver: &Entry, node: &NodeHandle, name: &str) -> Result<Arc<Line>, Error> {
        let mut open = self.open.lock();
        let key = (driver.id.to_string(), name.to_owned());
        if let Some(line) = open.lines.get(&key) {
            return Ok(Arc::clone(line));
        }
        if open.closed {
            return Err(unsupported("the node stops"));
        }
        let ledger = match driver.kind.as_str() {
            "queue.driver.memory" => None,
            "queue.driver.redb" => {
                let file = driver.data.get("file").and_then(Json::as_str).unwrap_or_default();
                let file = node.project()?.join(file);
                let ledger = match open.ledgers.get(&file) {
                    Some(ledger) => Arc::clone(ledger),
                    None => Arc::new(Ledger::open(&file)?),
                };
                open.ledgers.insert(file, Arc::clone(&ledger));
                Some(ledger)
            }
            kind => {
                let message = format!(
                    "`{}` is of kind `{kind}`, which this build does not support: use `queue.driver.memory` or `queue.driver.redb`",
                    driver.id
                );
                return Err(unsupported(message));
            }
        };
        let line = Line::new(name, ledger);
        open.lines.insert(key, Arc::clone(&line));
        Ok(line)
    }

    /// Forgets the queues of a driver in memory that is gone.
    pub(super) fn changed(&self, change: &Change) {
        if change.after.is_none() {
            let id = change.id.as_str();
            self.open.lock().lines.retain(|(driver, _), _| driver != id);
        }
    }

    /// Writes what is left and closes the files.
    pub(super) fn close(&self) {
        let ledgers = {
            let mut open = self.open.lock();
            open.closed = true;
            std::mem::take(&mut open.ledgers)
        };
        for ledger in ledgers.into_values() {
            ledger.close();
        }
    }
}

fn bounds(entry: &Entry, driver: &Entry) -> Bounds {
    let options = entry.data.get("driver_options");
    let kind = driver.kind.rsplit('.').next().unwrap_or_default();
    let option = |name: &str| options.and_then(|options| options.get(kind)).and_then(|options| options.get(name));
    let default = if kind == "memory" { MEMORY_LENGTH } else { FILE_LENGTH };
    let number = |name: &str| option(name).and_then(Json::as_u64).and_then(|number| usize::try_from(number).ok());
    Bounds {
        length: number("max_length").filter(|length| *length > 0).unwrap_or(default),
        bytes: number("max_bytes").filter(|bytes| *bytes > 0).unwrap_or(BYTES),
    }
}

fn retry(entry: &Entry) -> Retry {
    let retry = entry.data.get("retry");
    let field = |name: &str| retry.and_then(|retry| retry.get(name));
    let span = |name: &str, default: Duration| match field(name) {
        Some(Json::Number(number)) => number.as_u64().map_or(default, Duration::from_millis),
        Some(Json::String(text)) => parse_duration(text).unwrap_or(default),
        _ => default,
    };
    Retry {
        initial: span("initial_delay", Duration::from_millis(50)),
        max: span("max_delay", Duration::from_secs(30)),
        factor: field("backoff_factor").and_then(Json::as_f64).unwrap_or(2.0),
    }
}
