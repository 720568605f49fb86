//! The databases of a node by their entries.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moonlet_registry::{Change, Entry, Size, parse_duration};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::database::{Database, Settings};
use crate::fail::{invalid, unsupported};

/// How large a database in memory may get unless its entry says otherwise.
const MEMORY_SIZE: u64 = 64 << 20;
/// How large a database in a file may get unless its entry says otherwise.
const FILE_SIZE: u64 = 1 << 30;
/// How large one value may get unless the entry says otherwise.
const VALUE_SIZE: u64 = 4 << 20;
/// How long a statement may run unless the entry says otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a statement waits for the connection unless the entry says otherwise.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The databases that are open.
#[derive(Default)]
pub struct Databases {
    /// Where relative files start; set when the node starts.
    project: OnceLock<PathBuf>,
    /// Guards the open databases; never held while one opens.
    open: Mutex<FxHashMap<String, Arc<Database>>>,
}

impl Databases {
    /// Sets the directory of the project. Every module that opens databases calls this when it starts.
    pub(crate) fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        let project = node.project()?;
        self.project.get_or_init(|| project);
        Ok(())
    }

    /// Finds a database that is open.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Database>> {
        self.open.lock().get(id).map(Arc::clone)
    }

    /// Opens the database of an entry, or finds it open. May wait for the disk.
    pub(crate) fn open(&self, entry: &Entry) -> Result<Arc<Database>, Error> {
        let id = entry.id.as_str();
        let settings = self.settings(entry)?;
        if let Some(database) = self.find(id).filter(|database| *database.settings() == settings) {
            return Ok(database);
        }
        let database = Arc::new(Database::open(settings)?);
        let mut open = self.open.lock();
        // Two may have opened it at once: a database in memory must be the same for both.
        let winner = open.entry(id.to_owned()).or_insert(database);
        Ok(Arc::clone(winner))
    }

    /// Forgets the database of an entry that changed; who has it keeps it.
    pub(crate) fn changed(&self, change: &Change) {
        let mut open = self.open.lock();
        if let Some(database) = open.get(change.id.as_str()) {
            let settings = change.after.as_ref().and_then(|entry| self.settings(entry).ok());
            if settings.as_ref() != Some(database.settings()) {
                open.remove(change.id.as_str());
            }
        }
    }

    fn settings(&self, entry: &Entry) -> Result<Settings, Error> {
        if entry.kind != "db.sql.sqlite" {
            let message =
                format!("`{}` is of kind `{}`, which this build does not support: use `db.sql.sqlite`", entry.id, entry.kind);
            return Err(unsupported(message));
        }
        let file = entry.data.get("file").and_then(Json::as_str).unwrap_or_default();
        if file.is_empty() {
            return Err(invalid(format!("`{}` has no `file`: write `file: data/app.db`, or `file: \":memory:\"`", entry.id)));
        }
        let file =
            (file != ":memory:").then(|| self.project.get().map_or_else(|| PathBuf::from(file), |project| project.join(file)));
        let limits = entry.data.get("limits");
        let limit = |name: &str| limits.and_then(|limits| limits.get(name));
        let size = |name: &str, default: u64| match limit(name) {
            Some(Json::Number(number)) => number.as_u64().unwrap_or(default),
            Some(Json::String(text)) => text.parse::<Size>().map_or(default, Size::as_bytes),
            _ => default,
        };
        let span = |name: &str, default: Duration| {
            limit(name).and_then(Json::as_str).and_then(|text| parse_duration(text).ok()).unwrap_or(default)
        };
        Ok(Settings {
            max_size: size("max_size", if file.is_some() { FILE_SIZE } else { MEMORY_SIZE }),
            max_value: size("max_value", VALUE_SIZE).clamp(1024, 1 << 30),
            statement_timeout: span("statement_timeout", STATEMENT_TIMEOUT),
            wait_timeout: span("wait_timeout", WAIT_TIMEOUT),
            file,
        })
    }
}
