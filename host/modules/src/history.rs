//! The history of the registry in one SQLite file, so that a node goes on at the version at which it stopped.
//!
//! A version is written before it becomes visible, in one transaction that reaches the disk: whatever ends the node, the next start finds
//! the old version or the new one, whole. All versions are kept in memory, too, because the registry walks through them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use moonlet_registry::{Change, Entry, EntryId, History, HistoryError, Kept, Version, VersionRecord};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use serde_json::{Value, json};

/// The layout of the file.
const FORMAT: &str = "1";
/// How long somebody else may hold the file.
const BUSY: Duration = Duration::from_secs(5);
/// How many versions a file may hold: a program that changes the registry in a loop must not fill the disk.
const MAX_VERSIONS: usize = 100_000;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY, parent INTEGER, at INTEGER NOT NULL, changes TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS base (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
";

/// A history in a file.
#[derive(Debug)]
pub struct SqliteHistory {
    connection: Connection,
    records: VecDeque<VersionRecord>,
    /// Nothing was kept before, so that the first entries are the base.
    fresh: bool,
}

/// What a file holds, to look at.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// The versions but the first, oldest first, each with when it was made, in seconds since the Unix epoch.
    pub versions: Vec<(VersionRecord, u64)>,
    /// The entries of the first version, and which version is current.
    pub kept: Kept,
}

impl SqliteHistory {
    /// Opens a file or makes it, and gives what was kept in it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is something else.
    pub fn open(path: &Path) -> Result<(Self, Option<Kept>), HistoryError> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(|error| HistoryError(format!("its directory cannot be made: {error}")))?;
        }
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        // One file: the journal is gone when nothing is written.
        connection.pragma_update(None, "journal_mode", "DELETE").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.execute_batch(TABLES).map_err(failed)?;
        let Chronicle { versions, kept } = read(&connection)?;
        let fresh = kept.current == 0;
        let records = versions.into_iter().map(|(record, _)| record).collect();
        Ok((Self { connection, records, fresh }, (!fresh).then_some(kept)))
    }

    fn write(&mut self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), HistoryError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        write(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

impl Chronicle {
    /// Reads a file that a node may be using.
    ///
    /// # Errors
    ///
    /// When the file is missing or something else.
    pub fn read(path: &Path) -> Result<Self, HistoryError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        read(&connection)
    }
}

impl History for SqliteHistory {
    fn append(&mut self, record: VersionRecord) -> Result<(), HistoryError> {
        if self.records.len() >= MAX_VERSIONS {
            return Err(HistoryError(format!("it holds {MAX_VERSIONS} versions already: put its file aside and start again")));
        }
        let changes: Vec<Value> = record.changes.iter().map(of_change).collect();
        let changes = Value::Array(changes).to_string();
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let Version { id, parent } = record.version;
        self.write(|transaction| {
            let row = params![signed(id), parent.map(signed), signed(at), changes];
            transaction.execute("INSERT INTO versions (id, parent, at, changes) VALUES (?, ?, ?, ?)", row)?;
            set(transaction, "current", &id.to_string())
        })?;
        self.records.push_back(record);
        Ok(())
    }

    fn select(&mut self, version: Version) -> Result<(), HistoryError> {
        self.write(|transaction| set(transaction, "current", &version.id.to_string()))
    }

    fn records(&self) -> &VecDeque<VersionRecord> {
        &self.records
    }

    fn remember(&mut self, files: &[Arc<Entry>]) -> Result<(), HistoryError> {
        let fresh = self.fresh;
        self.write(|transaction| {
            transaction.execute("DELETE FROM files", [])?;
            for entry in files {
                let row = params![entry.id.as_str(), of_entry(entry).to_string()];
                transaction.execute("INSERT INTO files (id, entry) VALUES (?, ?)", row)?;
            }
            if fresh {
                transaction.execute("INSERT INTO base SELECT id, entry FROM files", [])?;
                set(transaction, "current", &Version::FIRST.id.to_string())?;
            }
            set(transaction, "format", FORMAT)
        })?;
        self.fresh = false;
        Ok(())
    }
}

fn set(transaction: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<()> {
    transaction
        .execute("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", [key, value])?;
    Ok(())
}

fn read(connection: &Connection) -> Result<Chronicle, HistoryError> {
    let meta = |key: &str| -> Result<Option<String>, HistoryError> {
        let found = connection.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0));
        match found {
            Ok(value) => Ok(Some(value)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    };
    if let Some(format) = meta("format")?.filter(|format| format != FORMAT) {
        return Err(HistoryError(format!("it has the format {format}, and this build knows {FORMAT}")));
    }
    let current = meta("current")?.and_then(|current| current.parse().ok()).unwrap_or(0);
    let kept = Kept { base: entries(connection, "base")?, files: entries(connection, "files")?, current };
    let mut statement = connection.prepare("SELECT id, parent, at, changes FROM versions ORDER BY id").map_err(failed)?;
    let rows = statement.query_map([], |row| {
        let (id, parent, at): (i64, Option<i64>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((id, parent, at, row.get::<_, String>(3)?))
    });
    let mut versions = Vec::new();
    for row in rows.map_err(failed)? {
        let (id, parent, at, changes) = row.map_err(failed)?;
        let broken = || HistoryError(format!("version {id} cannot be read"));
        let changes: Vec<Value> = serde_json::from_str(&changes).map_err(|_| broken())?;
        let changes: Option<Vec<Change>> = changes.iter().map(to_change).collect();
        let version = Version { id: id.unsigned_abs(), parent: parent.map(i64::unsigned_abs) };
        versions.push((VersionRecord { version, changes: changes.ok_or_else(broken)?.into() }, at.unsigned_abs()));
    }
    Ok(Chronicle { versions, kept })
}

fn entries(connection: &Connection, table: &str) -> Result<Vec<Entry>, HistoryError> {
    let mut statement = connection.prepare(&format!("SELECT id, entry FROM {table} ORDER BY id")).map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).map_err(failed)?;
    let mut entries = Vec::new();
    for row in rows {
        let (id, entry) = row.map_err(failed)?;
        let broken = || HistoryError(format!("the entry `{id}` cannot be read"));
        let value: Value = serde_json::from_str(&entry).map_err(|_| broken())?;
        entries.push(EntryId::parse(&id).ok().and_then(|id| to_entry(id, &value)).ok_or_else(broken)?);
    }
    Ok(entries)
}

fn of_entry(entry: &Entry) -> Value {
    json!({"kind": entry.kind, "meta": entry.meta, "data": entry.data})
}

fn to_entry(id: EntryId, value: &Value) -> Option<Entry> {
    let kind = value.get("kind")?.as_str()?;
    Some(Entry::new(id, kind, value.get("meta")?.clone(), value.get("data")?.clone()))
}

fn of_change(change: &Change) -> Value {
    let entry = |entry: &Option<Arc<Entry>>| entry.as_ref().map_or(Value::Null, |entry| of_entry(entry));
    json!({"id": change.id.as_str(), "before": entry(&change.before), "after": entry(&change.after)})
}

fn to_change(value: &Value) -> Option<Change> {
    let id = EntryId::parse(value.get("id")?.as_str()?).ok()?;
    let entry = |name: &str| -> Option<Option<Arc<Entry>>> {
        match value.get(name)? {
            Value::Null => Some(None),
            value => Some(Some(Arc::new(to_entry(id.clone(), value)?))),
        }
    };
    Some(Change { before: entry("before")?, after: entry("after")?, id })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> HistoryError {
    HistoryError(error.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use moonlet_registry::{ChangeSet, Operation, Registry};

    use super::*;

    fn entry(name: &str, value: i64) -> Entry {
        let id = EntryId::parse(&format!("app:{name}")).unwrap();
        Entry::new(id, "registry.entry", json!({"note": [1, 2.5, null]}), json!({"value": value}))
    }

    fn files(entries: Vec<Entry>) -> Registry {
        // A registry that was loaded from files is at its first version.
        let registry = Registry::from_entries(Vec::new(), None).unwrap();
        registry.start_with(entries).unwrap();
        registry
    }

    fn start(path: &Path, entries: Vec<Entry>) -> Registry {
        let registry = files(entries);
        let (history, kept) = SqliteHistory::open(path).unwrap();
        registry.resume(Box::new(history), kept).unwrap();
        registry
    }

    fn apply(registry: &Registry, operations: Vec<Operation>) -> u64 {
        registry.apply(&ChangeSet { operations }).unwrap().version.id
    }

    fn shown(registry: &Registry) -> Vec<String> {
        let snapshot = registry.snapshot();
        snapshot.entries().map(|entry| format!("{}={}", entry.id.name(), entry.data["value"])).collect()
    }

    #[test]
    fn a_node_goes_on_where_it_stopped_and_takes_over_what_changed_in_the_files() {
        let directory = std::env::temp_dir().join(format!("moonlet-history-{}", std::process::id()));
        let path = directory.join("deep/registry.db");
        let first = start(&path, vec![entry("a", 1), entry("b", 1)]);
        assert_eq!(apply(&first, vec![Operation::Create(entry("made", 5)), Operation::Update(entry("b", 2))]), 2);
        assert_eq!(apply(&first, vec![Operation::Delete(EntryId::parse("app:a").unwrap())]), 3);
        drop(first);
        let second = start(&path, vec![entry("a", 1), entry("b", 1)]);
        assert_eq!((second.snapshot().version().id, shown(&second)), (3, vec!["b=2".to_owned(), "made=5".to_owned()]));
        assert_eq!(second.versions().len(), 3);
        second.apply_version(2, &|_, _| Vec::new()).unwrap();
        drop(second);
        // A file changed: that wins, and everything else stays.
        let third = start(&path, vec![entry("a", 7), entry("b", 1), entry("new", 1)]);
        assert_eq!(shown(&third), ["a=7", "b=2", "made=5", "new=1"]);
        assert_eq!(third.snapshot().version(), Version { id: 4, parent: Some(2) });
        assert_eq!(apply(&third, vec![Operation::Update(entry("a", 8))]), 5);
        drop(third);
        let fourth = start(&path, vec![entry("a", 7), entry("b", 1), entry("new", 1)]);
        assert_eq!(shown(&fourth), ["a=8", "b=2", "made=5", "new=1"]);
        drop(fourth);
        let chronicle = Chronicle::read(&path).unwrap();
        assert_eq!((chronicle.versions.len(), chronicle.kept.current), (4, 5));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "all is in one file");
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_is_no_history_is_refused() {
        let path = std::env::temp_dir().join(format!("moonlet-no-history-{}", std::process::id()));
        std::fs::write(&path, "this is a text, and long enough to be looked at as a database file by its first bytes").unwrap();
        assert!(SqliteHistory::open(&path).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
