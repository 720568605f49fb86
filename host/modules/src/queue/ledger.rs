//! The file of a durable driver: every message that was taken in and is not done.
//!
//! One thread writes. It takes all that has gathered while the disk worked into one transaction, so that many publishers share one wait.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use moonlet_runtime::{Error, Value, document};
use parking_lot::Mutex;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::line::{Done, Message};
use crate::fail::{internal, unsupported};

/// Messages by queue and number.
const MESSAGES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("messages_v1");
/// Changes that one transaction takes at most.
const BATCH: usize = 1_000;

/// The file of a driver.
pub(super) struct Ledger {
    /// Guards the way to the thread that writes; none when the ledger is closed.
    sender: Mutex<Option<Sender<Change>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// What the file had when it was opened, until the queue is asked for.
    kept: Mutex<BTreeMap<String, Vec<(u64, Message)>>>,
}

struct Change {
    queue: Arc<str>,
    number: u64,
    /// The message; none: it is done.
    record: Option<Vec<u8>>,
    done: Option<Done>,
}

impl Ledger {
    /// Opens or makes the file. May wait for the disk.
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| unsupported(format!("the directory of the queue's file cannot be made: {}", error.kind())))?;
        }
        let database = Database::create(file)
            .map_err(|error| unsupported(format!("the queue's file cannot be opened: {}", plain(&error))))?;
        let kept = read(&database).map_err(|error| internal(format!("the queue's file cannot be read: {}", plain(&error))))?;
        let (sender, receiver) = channel();
        let writer = std::thread::Builder::new().name("moonlet-queue".to_owned()).spawn(move || write(&database, &receiver));
        let writer = writer.map_err(|error| unsupported(format!("failed to start a thread: {}", error.kind())))?;
        Ok(Self { sender: Mutex::new(Some(sender)), writer: Mutex::new(Some(writer)), kept: Mutex::new(kept) })
    }

    /// Gives the messages that the file had of a queue, once.
    pub(super) fn take_kept(&self, queue: &str) -> Vec<(u64, Message)> {
        self.kept.lock().remove(queue).unwrap_or_default()
    }

    /// Writes a message; `done` hears when it is safe.
    pub(super) fn keep(&self, queue: &str, number: u64, message: &Message, done: Option<Done>) {
        self.change(Change { queue: queue.into(), number, record: Some(encode(message)), done });
    }

    /// Forgets a message that is done.
    pub(super) fn remove(&self, queue: &str, number: u64) {
        self.change(Change { queue: queue.into(), number, record: None, done: None });
    }

    fn change(&self, change: Change) {
        let sender = self.sender.lock().clone();
        let refused = match sender {
            Some(sender) => sender.send(change).err().map(|refused| refused.0),
            None => Some(change),
        };
        if let Some(Change { done: Some(done), .. }) = refused {
            done(Err(unsupported("the queue is closed")));
        }
    }

    /// Writes what is left and closes the file.
    pub(super) fn close(&self) {
        self.sender.lock().take();
        if let Some(writer) = self.writer.lock().take() {
            // It ends when the last change is written; a panic there has been reported already.
            let _ = writer.join();
        }
    }
}

fn write(database: &Database, changes: &Receiver<Change>) {
    while let Ok(first) = changes.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(change) = changes.try_recv()
        {
            batch.push(change);
        }
        let result = commit(database, &batch).map_err(|error| {
            tracing::error!(target: "queue", "failed to write messages: {}", plain(&error));
            internal(format!("failed to write the message: {}", plain(&error)))
        });
        for change in batch {
            if let Some(done) = change.done {
                done(result.clone());
            }
        }
    }
}

fn commit(database: &Database, batch: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(MESSAGES)?;
        for change in batch {
            let key = (&*change.queue, change.number);
            match &change.record {
                Some(record) => drop(table.insert(key, record.as_slice())?),
                None => drop(table.remove(key)?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn read(database: &Database) -> Result<BTreeMap<String, Vec<(u64, Message)>>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(MESSAGES) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut kept: BTreeMap<String, Vec<(u64, Message)>> = BTreeMap::new();
    for item in table.iter()? {
        let (key, record) = item?;
        let (queue, number) = key.value();
        match decode(record.value()) {
            Some(message) => kept.entry(queue.to_owned()).or_default().push((number, message)),
            None => tracing::error!(target: "queue", "message {number} of queue `{queue}` cannot be read, and is left alone"),
        }
    }
    Ok(kept)
}

/// Writes a message as an array, whose first element is the version of this form.
fn encode(message: &Message) -> Vec<u8> {
    let headers = message.headers.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect();
    let parts = [1.into(), message.id.as_str().into(), message.attempts.into(), Value::Map(headers), Value::Nil];
    let mut record = document::values(&parts);
    // Nil is one byte.
    record.pop();
    record.extend_from_slice(&message.body);
    record
}

fn decode(record: &[u8]) -> Option<Message> {
    let mut parts = document::decode_values(record).ok()?.into_iter();
    if parts.next()?.as_u64() != Some(1) {
        return None;
    }
    let id = parts.next()?.as_str()?.to_owned();
    let attempts = parts.next()?.as_u64()?;
    let headers = match parts.next()? {
        Value::Map(headers) => headers.into_iter().filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value))).collect(),
        _ => Vec::new(),
    };
    Some(Message { id, attempts, headers, body: document::encode(&parts.next()?).into(), size: record.len() })
}

/// Says what is wrong without a path of the host.
fn plain(error: &impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_kept_as_they_are() {
        let message = Message {
            id: "a".to_owned(),
            body: document::encode(&Value::Map(vec![("n".into(), 1.into()), (1.into(), 1.5.into())])).into(),
            headers: vec![("h".to_owned(), true.into())],
            attempts: 3,
            size: 0,
        };
        let record = encode(&message);
        // The golden form: a file that is read tomorrow was written by the program of today.
        let golden = b"\x95\x01\xa1a\x03\x81\xa1h\xc3\x82\xa1n\x01\x01\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00";
        assert_eq!(record, golden);
        assert_eq!(decode(&record), Some(Message { size: record.len(), ..message }));
        assert_eq!(decode(b"\x91\x02"), None);
    }
}
