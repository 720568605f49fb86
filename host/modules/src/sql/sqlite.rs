//! A SQLite database: its file, its connection, and who has it.
//!
//! There is one connection, as the reference promises: whoever runs a statement has it for that long, and a transaction has it until its
//! end. Short questions run on the thread that asks, everything else on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moonlet_runtime::Error;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustc_hash::FxHashMap;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database::{Stats, Terms};
use super::job::{End, Job};
use super::work::{Command, Parameter, Task, Wish, Work, unavailable};
use crate::fail::unsupported;

mod fault;
mod functions;
mod guard;
mod meter;
mod run;

use fault::Failure;
use guard::Flags;
use meter::{INSTRUCTIONS, Meter};

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 256;
/// Statements that a connection knows to be quick or not.
const KNOWN: usize = 4096;
/// Bytes of all parameters of a short question, and of each value in it: one instruction can go through a whole value, or many times.
const QUICK_PARAMETERS: usize = 4096;
const QUICK_VALUE: i32 = 16 * 1024;
/// Pages of temporary tables, 16 MiB: they are in memory, which all databases share.
const TEMPORARY: u64 = 4096;
/// How often a statement may turn out to be long before it gets a thread of its own at once.
const STRIKES: u8 = 3;
/// How long to wait for another program that has the file.
const BUSY: Duration = Duration::from_secs(5);
/// How long a quick question waits on its thread for one that has the connection: some times what such a question takes.
const BRIEF_WAIT: Duration = Duration::from_micros(50);
/// Memory that all databases of this program may use together: stops a query that sorts more than the machine has.
const MEMORY: u64 = 1 << 30;

/// What the entry says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    /// The file; none: in memory.
    pub(super) file: Option<PathBuf>,
    /// The most bytes of the database.
    pub(super) max_size: u64,
    /// What holds for all databases.
    pub(super) terms: Terms,
}

/// One SQLite database.
pub(crate) struct Sqlite {
    settings: Settings,
    link: Arc<Mutex<Link>>,
    /// Whether a quick question has the connection, so that it will be free in a moment.
    brief: AtomicBool,
    waits: AtomicU64,
    waited: AtomicU64,
}

/// A connection and what is known about it.
struct Link {
    connection: Connection,
    flags: Arc<Flags>,
    meter: Arc<Meter>,
    /// How often a statement may still try to be a quick question.
    known: FxHashMap<Arc<str>, u8>,
    memory: bool,
    read_only: bool,
    /// The most bytes of one value.
    max_value: i32,
}

/// The connection, for as long as somebody has it. What is left open at the end is rolled back.
pub(super) struct Lease {
    link: OwnedMutexGuard<Link>,
}

impl Sqlite {
    /// Opens or makes it. May wait for the disk.
    pub(super) fn open(settings: Settings) -> Result<Self, Error> {
        let link = Link::open(&settings).map_err(|failure| fault::explain(failure, End::None, Duration::ZERO))?;
        let (brief, waits, waited) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { settings, link: Arc::new(Mutex::new(link)), brief, waits, waited })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn stats(&self) -> Stats {
        let in_use = u64::from(self.link.try_lock().is_err());
        Stats {
            max_open: 1,
            in_use,
            idle: 1 - in_use,
            waits: self.waits.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.waited.load(Ordering::Relaxed)),
            ..Stats::default()
        }
    }

    /// Takes the connection if nobody has it.
    fn try_lease(&self) -> Option<Lease> {
        Arc::clone(&self.link).try_lock_owned().ok().map(|link| Lease { link })
    }

    /// Runs a statement at once if it is known to be a short question, and the connection is free or a short question has it; none: it
    /// needs a thread of its own, or has to wait.
    pub(super) fn quickly(&self, work: &Work) -> Option<Result<Vec<moonlet_runtime::Value>, Error>> {
        let mut lease = self.try_lease().or_else(|| self.wait_briefly())?;
        self.brief.store(true, Ordering::Relaxed);
        let result = lease.quickly(work);
        self.brief.store(false, Ordering::Relaxed);
        result
    }

    /// Takes the connection from a short question on another thread. To wait for it is cheaper than to tell whoever waits later, and keeps
    /// many processes that ask at once from queueing up behind each other.
    fn wait_briefly(&self) -> Option<Lease> {
        if !self.brief.load(Ordering::Relaxed) {
            return None;
        }
        let start = Instant::now();
        while start.elapsed() < BRIEF_WAIT {
            // The other thread may need this core.
            std::thread::yield_now();
            let lease = self.try_lease();
            if lease.is_some() {
                return lease;
            }
        }
        None
    }

    /// Runs a statement of the host where it may wait: gives its rows, or what it changed.
    pub(super) fn run_blocking(&self, work: &Work) -> Result<Vec<moonlet_runtime::Value>, Error> {
        let give_up = Instant::now() + self.settings.terms.wait_timeout;
        let mut lease = loop {
            match self.try_lease() {
                Some(lease) => break lease,
                None if Instant::now() >= give_up => return Err(unavailable("the database is busy")),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let timeout = self.settings.terms.statement_timeout;
        lease.patiently(work, &Arc::new(Job::patient(timeout)), timeout)
    }

    /// Waits for the connection.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        if let Some(lease) = self.try_lease() {
            return Ok(lease);
        }
        let start = Instant::now();
        let link = tokio::time::timeout(self.settings.terms.wait_timeout, Arc::clone(&self.link).lock_owned()).await;
        self.waits.fetch_add(1, Ordering::Relaxed);
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(waited, Ordering::Relaxed);
        link.map(|link| Lease { link }).map_err(|_| {
            let seconds = self.settings.terms.wait_timeout.as_secs();
            let why =
                "a transaction is open or a statement runs: in a transaction write `tx:query` and `tx:execute`, and end it soon";
            unavailable(format!("the database was busy for {seconds} s: {why}"))
        })
    }
}

impl Link {
    fn open(settings: &Settings) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = match &settings.file {
            None => Connection::open_in_memory_with_flags(flags)?,
            Some(file) => {
                make_directory(file)?;
                Connection::open_with_flags(file, flags)?
            }
        };
        connection.busy_timeout(BUSY)?;
        let pages = (settings.max_size / 4096).max(16);
        connection.execute_batch(&format!(
            "PRAGMA hard_heap_limit = {MEMORY}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;
             PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA max_page_count = {pages}; PRAGMA temp.max_page_count = {TEMPORARY};
             PRAGMA journal_size_limit = 4194304;"
        ))?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let meter = Arc::new(Meter::default());
        let asked = Arc::clone(&meter);
        connection.progress_handler(INSTRUCTIONS, Some(move || asked.over()))?;
        let flags = Arc::new(Flags::default());
        let max_value = i32::try_from(settings.terms.max_value).unwrap_or(i32::MAX);
        functions::replace(&connection, usize::try_from(max_value).unwrap_or(usize::MAX))?;
        guard::confine(&mut connection, &flags, max_value)?;
        let memory = settings.file.is_none();
        Ok(Self { connection, flags, meter, known: FxHashMap::default(), memory, read_only: false, max_value })
    }
}

fn make_directory(file: &Path) -> Result<(), Error> {
    let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) else { return Ok(()) };
    let made = std::fs::create_dir_all(directory);
    made.map_err(|error| unsupported(format!("the directory of the database file cannot be made: {}", error.kind())))
}

impl Lease {
    /// Runs a statement if it is known to be a short question; none: it needs a thread of its own.
    pub(super) fn quickly(&mut self, work: &Work) -> Option<Result<Vec<moonlet_runtime::Value>, Error>> {
        if work.wish == Wish::Check || self.link.known.get(&work.sql).is_none_or(|tries| *tries == 0) {
            return None;
        }
        if work.parameters.iter().map(Parameter::size).sum::<usize>() > QUICK_PARAMETERS {
            return None;
        }
        let job = Arc::new(Job::quick());
        self.link.meter.set(Some(Arc::clone(&job)));
        // Neither limit is one that cannot be set.
        let _ = self.link.connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, self.link.max_value.min(QUICK_VALUE));
        let result = run::perform(&self.link.connection, work);
        let _ = self.link.connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, self.link.max_value);
        self.link.meter.set(None);
        match result {
            Err(_) if job.end() == End::Slow => {
                if let Some(tries) = self.link.known.get_mut(&work.sql) {
                    *tries -= 1;
                }
                None
            }
            // Another program has the file, for which only a thread of its own may wait.
            Err(Failure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => None,
            // A value is too large for this thread, though perhaps not for the database.
            Err(Failure::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
                self.link.known.insert(Arc::clone(&work.sql), 0);
                None
            }
            Err(failure) => Some(Err(fault::explain(failure, job.end(), Duration::ZERO))),
            Ok(values) => Some(Ok(values)),
        }
    }

    /// Does what is asked on a thread that may wait.
    pub(super) fn perform(&mut self, task: &Task, job: &Arc<Job>, span: Duration) -> Result<Vec<moonlet_runtime::Value>, Error> {
        match task {
            Task::Run(work) => self.patiently(work, job, span),
            Task::Step(command) => self.step(command).map(|()| vec![true.into()]),
        }
    }

    fn step(&mut self, command: &Command) -> Result<(), Error> {
        if let Command::Begin { read_only: true, .. } = command {
            self.command("PRAGMA query_only = ON")?;
            self.link.read_only = true;
        }
        self.command(&command.sql('"'))
    }

    /// Runs a statement on a thread that may wait.
    fn patiently(&mut self, work: &Work, job: &Arc<Job>, span: Duration) -> Result<Vec<moonlet_runtime::Value>, Error> {
        let Link { connection, flags, meter, known, memory, .. } = &mut *self.link;
        if !*memory {
            // Another program may have the file; setting this cannot fail.
            let _ = connection.busy_timeout(BUSY);
        }
        meter.set(Some(Arc::clone(job)));
        flags.heavy.store(false, Ordering::Relaxed);
        flags.vacuum.store(is_vacuum(&work.sql), Ordering::Relaxed);
        let result = run::perform(connection, work);
        flags.vacuum.store(false, Ordering::Relaxed);
        meter.set(None);
        if !known.contains_key(&work.sql) && result.is_ok() {
            if known.len() >= KNOWN {
                known.clear();
            }
            let quick = !flags.heavy.load(Ordering::Relaxed) && run::is_question(connection, &work.sql);
            known.insert(Arc::clone(&work.sql), if quick { STRIKES } else { 0 });
        }
        if !*memory {
            let _ = connection.busy_timeout(Duration::ZERO);
        }
        result.map_err(|failure| {
            if matches!(&failure, Failure::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
                && fills_temporary(connection, flags, &work.sql)
            {
                return fault::temporary(TEMPORARY * 4096);
            }
            fault::explain(failure, job.end(), span)
        })
    }

    /// Removes what is temporary: it would stay in memory for everybody who has the database later, and be seen by them.
    fn drop_temporary(&mut self) {
        let names =
            "SELECT 'DROP ' || type || ' IF EXISTS temp.\"' || replace(name, '\"', '\"\"') || '\"' FROM temp.sqlite_schema
             WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite_%'";
        let flags = Arc::clone(&self.link.flags);
        flags.internal.store(true, Ordering::Relaxed);
        let connection = &self.link.connection;
        let drops = connection.prepare(names).and_then(|mut statement| {
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        for sql in drops.unwrap_or_default() {
            if let Err(error) = connection.execute_batch(&sql) {
                tracing::warn!(target: "sql", "failed to remove a temporary table: {error}");
            }
        }
        flags.internal.store(false, Ordering::Relaxed);
    }

    /// Runs a statement of the host itself.
    fn command(&mut self, sql: &str) -> Result<(), Error> {
        self.link.flags.internal.store(true, Ordering::Relaxed);
        let result = self.link.connection.execute_batch(sql);
        self.link.flags.internal.store(false, Ordering::Relaxed);
        result.map_err(|error| fault::explain(error.into(), End::None, Duration::ZERO))
    }

    /// Tells whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        !self.link.connection.is_autocommit()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.link.meter.set(None);
        // A rollback fails only when SQLite has rolled back already, and the setting cannot fail.
        if self.in_transaction() {
            let _ = self.command("ROLLBACK");
        }
        if self.link.read_only {
            self.link.read_only = false;
            let _ = self.command("PRAGMA query_only = OFF");
        }
        if self.link.flags.temporary.swap(false, Ordering::Relaxed) {
            self.drop_temporary();
        }
    }
}

/// Tells whether a statement writes what is temporary: reading it again says so.
fn fills_temporary(connection: &Connection, flags: &Flags, sql: &str) -> bool {
    let was = flags.temporary.swap(false, Ordering::Relaxed);
    // Where the whole transaction was rolled back, its tables are gone and cannot be asked.
    let fills = if connection.prepare(sql).is_ok() { flags.temporary.load(Ordering::Relaxed) } else { was };
    flags.temporary.store(was || fills, Ordering::Relaxed);
    fills
}

fn is_vacuum(sql: &str) -> bool {
    sql.trim().trim_end_matches(';').trim().eq_ignore_ascii_case("vacuum")
}
