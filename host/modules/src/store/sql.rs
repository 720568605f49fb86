//! Stores in a table of a SQL database.
//!
//! The table belongs to the application, which makes it. Values are MessagePack documents, times are seconds since the Unix epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use moonlet_registry::{Entry, EntryId, parse_duration};
use moonlet_runtime::{Error, NodeHandle, Value};
use serde_json::Value as Json;

use super::{Listing, Put, Ready, Store, StoreBackend, StoreInfo, StoreItem, StorePage, unconditional};
use crate::fail::{internal, invalid, not_found};
use crate::sql::{Database, Databases, Parameter};

/// The most bytes of one answer of the database.
const ANSWER: usize = 64 << 20;

/// Opens stores of the kind `store.sql`.
pub struct SqlStores {
    databases: Arc<Databases>,
}

impl SqlStores {
    /// Keeps stores in these databases.
    #[must_use]
    pub fn new(databases: Arc<Databases>) -> Self {
        Self { databases }
    }
}

impl StoreBackend for SqlStores {
    fn kinds(&self) -> &[&str] {
        &["store.sql"]
    }

    fn open(&self, entry: &Entry, node: &NodeHandle) -> Result<Arc<dyn Store>, Error> {
        self.databases.start(node)?;
        let text = |name: &str| entry.data.get(name).and_then(Json::as_str);
        let id = text("database").and_then(|id| EntryId::resolve(id, &entry.id.to_namespace()).ok());
        let id = id.ok_or_else(|| invalid(format!("`{}` has no `database`", entry.id)))?;
        let snapshot = node.registry()?.snapshot();
        let database = snapshot.get(&id).ok_or_else(|| not_found(format!("the database `{id}` of `{}` is missing", entry.id)))?;
        let database = self.databases.open(&*node.environment()?.filled(&snapshot, database)?)?;
        let quote = database.dialect().quote();
        let name = |field: &str, default: Option<&str>| {
            let name = text(field).or(default).unwrap_or_default();
            let mut bytes = name.bytes();
            let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            if first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Ok(format!("{quote}{name}{quote}"));
            }
            Err(invalid(format!("`{field}` of `{}` must be a name of letters, digits and underscores", entry.id)))
        };
        let interval = text("cleanup_interval").and_then(|text| parse_duration(text).ok()).unwrap_or_default();
        let (table, key, value, expires) = (
            name("table_name", text("table"))?,
            name("id_column_name", Some("key"))?,
            name("payload_column_name", Some("value"))?,
            name("expire_column_name", Some("expires_at"))?,
        );
        let fresh = format!("({expires} IS NULL OR {expires} > ?)");
        let sql = |sql: String| -> Arc<str> { database.dialect().placeholders(&sql).into() };
        Ok(Arc::new(SqlStore {
            interval,
            cleaned: AtomicU64::new(now()),
            read: sql(format!("SELECT {value} AS value FROM {table} WHERE {key} = ? AND {fresh}")),
            update: sql(format!("UPDATE {table} SET {value} = ?, {expires} = ? WHERE {key} = ?")),
            insert: sql(format!("INSERT INTO {table} ({value}, {expires}, {key}) VALUES (?, ?, ?)")),
            delete: sql(format!("DELETE FROM {table} WHERE {key} = ? AND {fresh}")),
            list: sql(format!(
                "SELECT {key} AS {quote}key{quote}, {value} AS value FROM {table}
                 WHERE {key} > ? AND {key} >= ? AND substr({key}, 1, length(?)) = ? AND {fresh} ORDER BY {key} LIMIT ?"
            )),
            clean: sql(format!("DELETE FROM {table} WHERE {expires} <= ?")),
            database,
        }))
    }
}

struct SqlStore {
    database: Arc<Database>,
    interval: Duration,
    /// When expired items were removed the last time.
    cleaned: AtomicU64,
    read: Arc<str>,
    update: Arc<str>,
    insert: Arc<str>,
    delete: Arc<str>,
    list: Arc<str>,
    clean: Arc<str>,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn seconds(time: u64) -> Parameter {
    Parameter::Integer(i64::try_from(time).unwrap_or(i64::MAX))
}

fn field<'a>(row: &'a Value, name: &str) -> &'a Value {
    let fields = row.as_map().map_or([].as_slice(), Vec::as_slice);
    crate::fail::field(fields, name)
}

fn bytes(value: &Value) -> Result<Vec<u8>, Error> {
    match value {
        Value::Binary(bytes) => Ok(bytes.clone()),
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        _ => Err(internal("the store's table holds a value that the store did not write")),
    }
}

impl SqlStore {
    /// Counts the rows that a statement changed.
    fn change(&self, sql: &Arc<str>, parameters: Vec<Parameter>) -> Result<u64, Error> {
        let result = self.database.run_blocking(sql, parameters, false, ANSWER)?;
        Ok(field(&result, "rows_affected").as_u64().unwrap_or(0))
    }

    fn clean_up(&self) {
        let (now, last) = (now(), self.cleaned.load(Ordering::Relaxed));
        if self.interval.is_zero() || now.saturating_sub(last) < self.interval.as_secs() {
            return;
        }
        self.cleaned.store(now, Ordering::Relaxed);
        if let Err(error) = self.change(&self.clean, vec![seconds(now)]) {
            tracing::warn!(target: "store", "failed to remove expired items: {}", error.message);
        }
    }
}

impl Store for SqlStore {
    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "sql",
            consistency: "linearizable",
            durable: true,
            list: true,
            versioned: false,
            conditional_put: false,
            ttl: true,
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn ready(self: Arc<Self>) -> Option<Ready> {
        Some(Box::pin(async move { self.database.ready().await }))
    }

    fn entry(&self, key: &str) -> Result<Option<StoreItem>, Error> {
        let rows = self.database.run_blocking(&self.read, vec![Parameter::Text(key.to_owned()), seconds(now())], true, ANSWER)?;
        let Some(row) = rows.as_array().and_then(|rows| rows.first()) else { return Ok(None) };
        Ok(Some(StoreItem { key: key.to_owned(), value: bytes(field(row, "value"))?, version: String::new() }))
    }

    fn put(&self, key: &str, value: Vec<u8>, put: &Put) -> Result<String, Error> {
        if put.is_conditional() {
            return Err(unconditional("sql"));
        }
        self.clean_up();
        // Rounded up: an item never goes before its time.
        let expires = put.ttl.map(|ttl| now().saturating_add(ttl.as_secs()).saturating_add(u64::from(ttl.subsec_nanos() > 0)));
        let expires = expires.map_or(Parameter::Null, seconds);
        let parameters = vec![Parameter::Blob(value), expires, Parameter::Text(key.to_owned())];
        if self.change(&self.update, parameters.clone())? == 0 {
            let inserted = self.change(&self.insert, parameters.clone());
            if inserted.as_ref().is_err_and(|error| error.kind == "AlreadyExists") {
                // Somebody was faster, so that there is one to change now.
                self.change(&self.update, parameters)?;
            } else {
                inserted?;
            }
        }
        Ok(String::new())
    }

    fn delete(&self, key: &str) -> Result<bool, Error> {
        Ok(self.change(&self.delete, vec![Parameter::Text(key.to_owned()), seconds(now())])? > 0)
    }

    fn list(&self, listing: &Listing) -> Result<StorePage, Error> {
        let prefix = || Parameter::Text(listing.prefix.clone());
        let after = Parameter::Text(listing.after.clone().unwrap_or_default());
        let limit = Parameter::Integer(i64::try_from(listing.limit.saturating_add(1)).unwrap_or(i64::MAX));
        let parameters = vec![after, prefix(), prefix(), prefix(), seconds(now()), limit];
        let rows = self.database.run_blocking(&self.list, parameters, true, ANSWER)?;
        let mut page = StorePage::default();
        let mut size = 0;
        for row in rows.as_array().into_iter().flatten() {
            let key = field(row, "key").as_str().unwrap_or_default().to_owned();
            let value = bytes(field(row, "value"))?;
            size += key.len() + value.len();
            if page.items.len() == listing.limit || (size > listing.bytes && !page.items.is_empty()) {
                page.has_more = true;
                break;
            }
            page.items.push(StoreItem { key, value, version: String::new() });
        }
        Ok(page)
    }
}
