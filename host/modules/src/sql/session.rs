//! What a program holds of a database: a handle, a transaction, a prepared statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moonlet_runtime::{Answer, Error, Fault, ModuleCall, Value};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database::{Database, Lease};
use super::meter::Job;
use super::run::Work;
use crate::fail::invalid;

/// A handle on a database, or a transaction in it.
pub(super) struct Session {
    database: Arc<Database>,
    /// The connection, while a transaction is open. Taken before the connection itself.
    slot: Arc<Mutex<Option<Lease>>>,
    is_transaction: bool,
    open: AtomicBool,
}

/// A prepared statement: SQLite keeps its program with the connection.
pub(super) struct Prepared {
    pub(super) session: Arc<Session>,
    pub(super) sql: Arc<str>,
    pub(super) open: AtomicBool,
}

/// What happens with the connection besides a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// It ends the transaction by this.
    End(&'static str),
    /// Nothing else.
    Stay,
}

impl Session {
    pub(super) fn handle(database: Arc<Database>) -> Self {
        Self { database, slot: Arc::default(), is_transaction: false, open: AtomicBool::new(true) }
    }

    fn transaction(database: Arc<Database>, lease: Lease) -> Self {
        let slot = Arc::new(Mutex::new(Some(lease)));
        Self { database, slot, is_transaction: true, open: AtomicBool::new(true) }
    }

    pub(super) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Refuses what was released or has ended.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(invalid(if self.is_transaction { "transaction is not active" } else { "database is released: call `sql.get` again" }))
    }

    /// Ends it; what is open in it is rolled back.
    pub(super) fn close(&self) {
        self.open.store(false, Ordering::Release);
        // A statement that runs now ends first, see `settle`.
        if let Ok(mut slot) = self.slot.try_lock() {
            slot.take();
        }
    }

    /// Runs a statement and answers with what it gives.
    pub(super) fn run(self: &Arc<Self>, call: &ModuleCall<'_>, work: Work) -> Result<Answer, Fault> {
        self.check()?;
        if let Some(answer) = self.quickly(&work) {
            return Ok(Answer::Done(answer?));
        }
        self.run_with(call, work, Ok)
    }

    /// Runs a statement on a thread and answers with what is made of what it gives.
    pub(super) fn run_with(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        work: Work,
        make: impl FnOnce(Vec<Value>) -> Result<Vec<Value>, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        self.check()?;
        self.patiently(call, move |lease, job, seconds| lease.patiently(&work, job, seconds).and_then(make), Step::Stay)
    }

    /// Runs commands of the host and answers with true.
    pub(super) fn command(self: &Arc<Self>, call: &ModuleCall<'_>, sql: String, step: Step) -> Result<Answer, Fault> {
        self.check()?;
        self.patiently(call, move |lease, _, _| lease.command(&sql).map(|()| vec![true.into()]), step)
    }

    fn quickly(&self, work: &Work) -> Option<Result<Vec<Value>, Error>> {
        let mut slot = Arc::clone(&self.slot).try_lock_owned().ok()?;
        if let Some(lease) = slot.as_mut() {
            return lease.quickly(work);
        }
        if self.is_transaction {
            return Some(Err(invalid("transaction is not active")));
        }
        self.database.try_lease()?.quickly(work)
    }

    fn patiently(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        work: impl FnOnce(&mut Lease, &Arc<Job>, u64) -> Result<Vec<Value>, Error> + Send + 'static,
        step: Step,
    ) -> Result<Answer, Fault> {
        let tokio = call.node().tokio()?;
        let timeout = self.database.settings().statement_timeout;
        // The time that counts starts with the statement, not with the wait for the connection.
        let job = Arc::new(Job::patient(timeout + self.database.settings().wait_timeout));
        let canceled = Arc::clone(&job);
        let (ticket, completer) = call.later(move || canceled.cancel())?;
        let session = Arc::clone(self);
        tokio.clone().spawn(async move {
            let slot = match session.enter().await {
                Ok(slot) => slot,
                Err(error) => return completer.complete(Err(error)),
            };
            tokio.spawn_blocking(move || {
                let result = session.work(slot, &job, timeout.as_secs(), work, step);
                // Whoever hears the answer finds everything given back.
                drop(session);
                completer.complete(result);
            });
        });
        Ok(Answer::Pending(ticket))
    }

    /// Waits for its turn and for the connection.
    async fn enter(&self) -> Result<OwnedMutexGuard<Option<Lease>>, Error> {
        let wait = self.database.settings().wait_timeout;
        let mut slot = tokio::time::timeout(wait, Arc::clone(&self.slot).lock_owned())
            .await
            .map_err(|_| Error::new("Unavailable", "an earlier statement of the same handle still runs").with_retryable(true))?;
        if slot.is_none() {
            if self.is_transaction {
                return Err(invalid("transaction is not active"));
            }
            *slot = Some(self.database.lease().await?);
        }
        Ok(slot)
    }

    fn work(
        &self,
        mut slot: OwnedMutexGuard<Option<Lease>>,
        job: &Arc<Job>,
        seconds: u64,
        work: impl FnOnce(&mut Lease, &Arc<Job>, u64) -> Result<Vec<Value>, Error>,
        step: Step,
    ) -> Result<Vec<Value>, Error> {
        let Some(lease) = slot.as_mut() else { return Err(invalid("transaction is not active")) };
        let result = if job.is_canceled() {
            Err(Error::new("Canceled", "nobody waits for the statement any more").with_retryable(false))
        } else {
            match step {
                Step::End(command) => lease.command(command).map(|()| vec![true.into()]),
                Step::Stay => work(lease, job, seconds),
            }
        };
        if !lease.in_transaction() {
            // Ended by the program, or by SQLite itself after some errors. Nothing may run on as if it were open.
            slot.take();
            if self.is_transaction {
                self.open.store(false, Ordering::Release);
            }
        } else if !self.open.load(Ordering::Acquire) {
            slot.take();
        }
        result
    }

    /// Begins a transaction: `enter` gets the session of it and gives what stands for it in Lua.
    pub(super) fn begin(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        read_only: bool,
        deliver: impl FnOnce(Self) -> Result<Value, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        self.check()?;
        let tokio = call.node().tokio()?;
        let database = Arc::clone(&self.database);
        let (ticket, completer) = call.later(|| {})?;
        tokio.spawn(async move {
            let begun = async {
                let mut lease = database.lease().await?;
                if read_only {
                    lease.make_read_only()?;
                }
                lease.command("BEGIN")?;
                let session = Self::transaction(database, lease);
                Ok(vec![deliver(session)?])
            };
            completer.complete(begun.await);
        });
        Ok(Answer::Pending(ticket))
    }
}
