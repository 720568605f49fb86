//! What a program asks of a database, whichever it is.

use std::sync::Arc;
use std::time::Duration;

use moonlet_runtime::{Error, Freight, Value};

use crate::fail::{invalid, limit};

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    /// No value.
    Null,
    /// True or false; a number where the database knows only those.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Parameter {
    /// Counts its bytes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
            _ => 8,
        }
    }
}

/// What a program wants to know about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Its rows.
    Rows,
    /// What it changed.
    Changes,
    /// Only whether it is right.
    Check,
}

/// One statement with its parameters, or several.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) sql: Arc<str>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) wish: Wish,
    /// Whether there must be as many parameters as placeholders, as prepared statements ask for.
    pub(super) exact: bool,
    /// The most bytes of a result.
    pub(super) max_bytes: usize,
    /// What the rows are charged to while they come; none for statements of the node itself.
    pub(super) freight: Option<Freight>,
}

impl Work {
    /// Gives the parameters of a statement with so many placeholders; more than those are left out unless the statement is exact.
    pub(super) fn fitting(&self, placeholders: usize) -> Result<&[Parameter], Error> {
        let given = self.parameters.len();
        match self.parameters.get(..placeholders) {
            Some(fitting) if !self.exact || given == placeholders => Ok(fitting),
            _ => Err(wrong_count(placeholders, given)),
        }
    }
}

/// How much transactions see of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    /// What the database does by itself.
    Default,
    ReadUncommitted,
    ReadCommitted,
    WriteCommitted,
    RepeatableRead,
    Serializable,
}

impl Isolation {
    /// The levels by the names that programs use.
    const NAMES: [(&str, Self); 6] = [
        ("default", Self::Default),
        ("read_uncommitted", Self::ReadUncommitted),
        ("read_committed", Self::ReadCommitted),
        ("write_committed", Self::WriteCommitted),
        ("repeatable_read", Self::RepeatableRead),
        ("serializable", Self::Serializable),
    ];

    /// Finds a level by its name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// Writes the level as the standard does; none: nothing needs to be said.
    pub(super) fn standard(self) -> Result<Option<&'static str>, Error> {
        match self {
            Self::Default => Ok(None),
            Self::ReadUncommitted => Ok(Some("READ UNCOMMITTED")),
            Self::ReadCommitted => Ok(Some("READ COMMITTED")),
            Self::RepeatableRead => Ok(Some("REPEATABLE READ")),
            Self::Serializable => Ok(Some("SERIALIZABLE")),
            Self::WriteCommitted => Err(invalid("this database has no isolation level `write_committed`")),
        }
    }
}

/// A step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Begin {
        isolation: Isolation,
        read_only: bool,
    },
    Commit,
    Rollback,
    /// Sets a savepoint of this name, which has only letters, digits and underscores.
    Savepoint(String),
    RollbackTo(String),
    Release(String),
}

impl Command {
    /// Writes it in SQL, with names in these quotes, because a name may begin with a digit. How to begin differs too much: see the databases.
    pub(super) fn sql(&self, quote: char) -> String {
        match self {
            Self::Begin { .. } => "BEGIN".to_owned(),
            Self::Commit => "COMMIT".to_owned(),
            Self::Rollback => "ROLLBACK".to_owned(),
            Self::Savepoint(name) => format!("SAVEPOINT {quote}{name}{quote}"),
            Self::RollbackTo(name) => format!("ROLLBACK TO SAVEPOINT {quote}{name}{quote}"),
            Self::Release(name) => format!("RELEASE SAVEPOINT {quote}{name}{quote}"),
        }
    }
}

/// What is done with a connection.
pub(super) enum Task {
    /// Runs a statement.
    Run(Work),
    /// Runs a command of the host.
    Step(Command),
}

/// Says what a statement changed.
pub(super) fn changes(last_insert_id: Value, rows_affected: u64) -> Value {
    Value::Map(vec![("last_insert_id".into(), last_insert_id), ("rows_affected".into(), rows_affected.into())])
}

/// Bytes that a value counts beside its content when the size of a result is added up.
pub(super) const OVERHEAD: usize = 8;

/// Bytes that a field takes in memory beside its content: its name and its value.
const FIELD: usize = 96;
/// Memory is charged in blocks of so many bytes, and from this size on.
const BLOCK: usize = 64 << 10;
const SMALL: usize = 4 << 10;

/// The rows of a result while they come, no more than fit.
pub(super) struct Rows {
    names: Vec<Value>,
    head: usize,
    size: usize,
    max_bytes: usize,
    /// What they take in memory, what that is charged to, and how much was.
    memory: usize,
    freight: Option<Freight>,
    charged: usize,
    found: Vec<Value>,
}

impl Rows {
    /// Begins a result with these columns.
    pub(super) fn new(names: Vec<Value>, work: &Work) -> Self {
        let (max_bytes, freight) = (work.max_bytes, work.freight.clone());
        let head = names.iter().map(|name| name.as_str().map_or(0, str::len) + 1).sum();
        Self { names, head, size: 0, max_bytes, memory: 0, freight, charged: SMALL, found: Vec::new() }
    }

    /// Counts bytes before they are copied.
    pub(super) fn check(&self, bytes: usize) -> Result<(), Error> {
        let size = self.size.saturating_add(bytes);
        if size > self.max_bytes { Err(too_large(self.max_bytes, size)) } else { Ok(()) }
    }

    /// Adds a row of as many values as there are columns; what is nil is left out.
    pub(super) fn push(&mut self, values: impl Iterator<Item = Result<Value, Error>>) -> Result<(), Error> {
        let mut fields = Vec::with_capacity(self.names.len());
        // A row counts by itself, too: it may have no columns at all.
        let mut size = self.size + self.head + OVERHEAD;
        let mut memory = FIELD + self.head;
        for (name, value) in self.names.iter().zip(values) {
            let value = value?;
            size += OVERHEAD + weight(&value);
            memory += FIELD + weight(&value);
            if size > self.max_bytes {
                return Err(too_large(self.max_bytes, size));
            }
            if !value.is_nil() {
                fields.push((name.clone(), value));
            }
        }
        self.size = size;
        self.check(0)?;
        self.memory += memory;
        if self.memory > self.charged
            && let Some(freight) = &self.freight
        {
            let more = (self.memory - self.charged).next_multiple_of(BLOCK);
            freight.add(more)?;
            self.charged += more;
        }
        self.found.push(Value::Map(fields));
        Ok(())
    }

    /// Gives all rows.
    pub(super) fn finish(self) -> Value {
        Value::Array(self.found)
    }
}

/// Tells about how many bytes a value has beside its overhead.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_bytes().len(),
        Value::Binary(bytes) => bytes.len(),
        Value::Array(items) => items.iter().map(|item| weight(item) + OVERHEAD).sum(),
        _ => 0,
    }
}

/// A result or a value that is larger than its reader takes.
pub(super) fn too_large(allowed: usize, used: usize) -> Error {
    let mut error = limit("message_size", allowed as u64, used as u64);
    error.message = format!("the result is larger than {allowed} bytes: select fewer columns, or page with LIMIT and OFFSET");
    error
}

pub(super) fn wrong_count(expected: usize, got: usize) -> Error {
    invalid(format!("the statement has {expected} placeholders, and {got} parameters were given"))
}

pub(super) fn canceled() -> Error {
    Error::new("Canceled", "nobody waits for the statement any more").with_retryable(false)
}

/// A statement that was stopped because of its time limit.
pub(super) fn timed_out(span: Duration) -> Error {
    Error::new("Timeout", format!("the statement ran longer than {span:?}, and was stopped")).with_retryable(true)
}

/// Something that may be there when it is asked for again.
pub(super) fn unavailable(message: impl Into<String>) -> Error {
    Error::new("Unavailable", message).with_retryable(true)
}

/// The most of what a server says about a failure.
const WORDS: usize = 4096;

/// Cuts what a server says about a failure, in which a program may have its hand.
pub(super) fn worded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(WORDS));
    text
}
