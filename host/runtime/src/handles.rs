//! Handles: what processes hold of host modules, such as a connection, by numbers of their own.
//!
//! A guest names a handle by an extension value of three parts: module, type, number. The number alone is looked up, in the table of
//! the calling process; module and type must then be the ones it was made with, so that no guest can pass one for another.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;
use rmpv::Value;
use rustc_hash::FxHashMap;

use crate::document;
use crate::host::Charge;

/// The extension type of resources in documents.
const RESOURCE: i8 = 3;

/// The handles of all processes, by the number of the process.
#[derive(Default)]
pub(crate) struct Handles {
    tables: Mutex<FxHashMap<u64, Table>>,
}

#[derive(Default)]
struct Table {
    last: u64,
    items: FxHashMap<u64, Item>,
}

struct Item {
    module: String,
    kind: String,
    value: Arc<dyn Any + Send + Sync>,
    /// Whether its process has used it, and so was given it.
    used: bool,
    /// What it holds is charged until it is released.
    _charge: Charge,
}

impl Handles {
    /// Enters a value for a process; gives back how many there would be when they are too many.
    pub(crate) fn insert(
        &self,
        process: u64,
        allowed: u64,
        module: &str,
        kind: &str,
        value: Arc<dyn Any + Send + Sync>,
        charge: Charge,
    ) -> Result<Value, u64> {
        let mut tables = self.tables.lock();
        let table = tables.entry(process).or_default();
        let count = table.items.len() as u64 + 1;
        if count > allowed {
            return Err(count);
        }
        table.last += 1;
        let number = table.last;
        table
            .items
            .insert(number, Item { module: module.to_owned(), kind: kind.to_owned(), value, used: false, _charge: charge });
        let name = Value::Array(vec![module.into(), kind.into(), number.into()]);
        Ok(Value::Ext(RESOURCE, document::encode(&name)))
    }

    /// Finds what a process calls by this value.
    pub(crate) fn get(&self, process: u64, module: &str, kind: &str, name: &Value) -> Option<Arc<dyn Any + Send + Sync>> {
        let number = number(name)?;
        let mut tables = self.tables.lock();
        let item = tables.get_mut(&process)?.items.get_mut(&number)?;
        item.used = true;
        (item.module == module && item.kind == kind).then(|| Arc::clone(&item.value))
    }

    /// Counts the handles of a process.
    pub(crate) fn count(&self, process: u64) -> u64 {
        self.tables.lock().get(&process).map_or(0, |table| table.items.len() as u64)
    }

    /// Counts the handles of all processes.
    pub(crate) fn total(&self) -> u64 {
        self.tables.lock().values().map(|table| table.items.len() as u64).sum()
    }

    /// Forgets one handle.
    pub(crate) fn release(&self, process: u64, name: &Value) -> bool {
        let Some(number) = number(name) else { return false };
        // Dropped without the lock: what it holds may be released slowly.
        let item = self.tables.lock().get_mut(&process).and_then(|table| table.items.remove(&number));
        item.is_some()
    }

    fn is_used(&self, process: u64, name: &Value) -> bool {
        let Some(number) = number(name) else { return true };
        self.tables.lock().get(&process).and_then(|table| table.items.get(&number)).is_none_or(|item| item.used)
    }

    /// Forgets the handles among values that their process is not given. Those that it has used stay: values may come from others, who
    /// write what they like.
    pub(crate) fn release_among(&self, process: u64, values: &[Value]) {
        for value in values {
            match value {
                Value::Ext(..) if !self.is_used(process, value) => drop(self.release(process, value)),
                Value::Array(items) => self.release_among(process, items),
                Value::Map(fields) => {
                    fields.iter().for_each(|(_, value)| self.release_among(process, std::slice::from_ref(value)))
                }
                _ => {}
            }
        }
    }

    /// Forgets all handles of a process.
    pub(crate) fn forget(&self, process: u64) {
        let table = self.tables.lock().remove(&process);
        drop(table);
    }
}

/// Tells the type of a resource in a document: module and type.
#[must_use]
pub fn kind_of(value: &Value) -> Option<(String, String)> {
    let parts = parts(value)?;
    let text = |index: usize| parts.get(index).and_then(Value::as_str).map(str::to_owned);
    Some((text(0)?, text(1)?))
}

fn number(value: &Value) -> Option<u64> {
    parts(value)?.get(2)?.as_u64()
}

fn parts(value: &Value) -> Option<Vec<Value>> {
    let Value::Ext(RESOURCE, data) = value else { return None };
    match document::decode(data).ok()? {
        Value::Array(parts) => Some(parts),
        _ => None,
    }
}
