//! The databases of a node by their entries.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moonlet_registry::{Change, Entry, Size, parse_duration};
use moonlet_runtime::{Error, NodeHandle};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use tokio::runtime::Handle;

use super::database::{Database, Dialect, Terms};
use super::server::{Server, ServerSettings};
use super::sqlite::{self, Sqlite};
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
    /// What connections to servers run on; set when the node starts.
    tokio: OnceLock<Handle>,
    /// Guards the open databases; never held while one opens.
    open: Mutex<FxHashMap<String, Arc<Database>>>,
}

impl Databases {
    /// Sets the directory of the project. Every module that opens databases calls this when it starts.
    pub(crate) fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        let project = node.project()?;
        self.project.get_or_init(|| project);
        let tokio = node.tokio()?;
        self.tokio.get_or_init(|| tokio);
        Ok(())
    }

    /// Finds the database of an entry if it is open and as the entry says. Never waits.
    pub(crate) fn find(&self, entry: &Entry) -> Result<Option<Arc<Database>>, Error> {
        let Some(database) = self.open.lock().get(entry.id.as_str()).map(Arc::clone) else { return Ok(None) };
        // The values behind placeholders change without a word; files stay what they are until their entry changes.
        let same = matches!(*database, Database::Sqlite(_)) || self.settings(entry)?.is_of(&database);
        Ok(same.then_some(database))
    }

    /// Opens the database of an entry, or finds it open. May wait for the disk.
    pub(crate) fn open(&self, entry: &Entry) -> Result<Arc<Database>, Error> {
        let id = entry.id.as_str();
        let settings = self.settings(entry)?;
        let fits = |database: &Arc<Database>| settings.is_of(database);
        if let Some(database) = self.open.lock().get(id).map(Arc::clone).filter(fits) {
            return Ok(database);
        }
        let database = Arc::new(match &settings {
            Settings::Sqlite(settings) => Database::Sqlite(Sqlite::open(settings.clone())?),
            Settings::Server(settings) => {
                let tokio = self.tokio.get().ok_or_else(|| unsupported("the node is not running"))?;
                Database::Server(Server::new(settings.as_ref().clone(), tokio.clone()))
            }
        });
        let mut open = self.open.lock();
        // Two may have opened it at once: a database in memory must be the same for both.
        if let Some(winner) = open.get(id).filter(|database| fits(database)) {
            return Ok(Arc::clone(winner));
        }
        open.insert(id.to_owned(), Arc::clone(&database));
        Ok(database)
    }

    /// Forgets the database of an entry that changed; who has it keeps it.
    pub(crate) fn changed(&self, change: &Change) {
        let mut open = self.open.lock();
        if let Some(database) = open.get(change.id.as_str()) {
            let settings = change.after.as_ref().and_then(|entry| self.settings(entry).ok());
            if !settings.is_some_and(|settings| settings.is_of(database)) {
                open.remove(change.id.as_str());
            }
        }
    }

    fn settings(&self, entry: &Entry) -> Result<Settings, Error> {
        let dialect = match entry.kind.as_str() {
            "db.sql.sqlite" => Dialect::Sqlite,
            "db.sql.postgres" => Dialect::Postgres,
            "db.sql.mysql" => Dialect::Mysql,
            kind => {
                let other = "use `db.sql.sqlite`, `db.sql.postgres` or `db.sql.mysql`";
                return Err(unsupported(format!(
                    "`{}` is of kind `{kind}`, which this build does not support: {other}",
                    entry.id
                )));
            }
        };
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
        let terms = Terms {
            max_value: size("max_value", VALUE_SIZE).clamp(1024, 1 << 30),
            statement_timeout: span("statement_timeout", STATEMENT_TIMEOUT),
            wait_timeout: span("wait_timeout", WAIT_TIMEOUT),
        };
        if dialect != Dialect::Sqlite {
            let project = self.project.get().map(PathBuf::as_path);
            return ServerSettings::read(entry, dialect, terms, project).map(|settings| Settings::Server(Box::new(settings)));
        }
        let file = entry.data.get("file").and_then(Json::as_str).unwrap_or_default();
        if file.is_empty() {
            return Err(invalid(format!("`{}` has no `file`: write `file: data/app.db`, or `file: \":memory:\"`", entry.id)));
        }
        let file =
            (file != ":memory:").then(|| self.project.get().map_or_else(|| PathBuf::from(file), |project| project.join(file)));
        let max_size = size("max_size", if file.is_some() { FILE_SIZE } else { MEMORY_SIZE });
        Ok(Settings::Sqlite(sqlite::Settings { file, max_size, terms }))
    }
}

/// What an entry says about its database.
enum Settings {
    Sqlite(sqlite::Settings),
    Server(Box<ServerSettings>),
}

impl Settings {
    fn is_of(&self, database: &Database) -> bool {
        match (self, database) {
            (Self::Sqlite(settings), Database::Sqlite(sqlite)) => settings == sqlite.settings(),
            (Self::Server(settings), Database::Server(server)) => **settings == *server.settings(),
            _ => false,
        }
    }
}
