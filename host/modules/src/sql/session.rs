//! What a program holds of a database: a handle, a transaction, a prepared statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moonlet_runtime::{Answer, Bill, Error, Fault, ModuleCall, Value};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database::{Database, Lease};
use super::job::Job;
use super::server::Owner;
use super::work::{Command, Isolation, Task, Work, canceled, unavailable};
use crate::fail::invalid;

/// A handle on a database, or a transaction in it.
pub(super) struct Session {
    database: Arc<Database>,
    /// The connection, while a transaction is open. Taken before the connection itself, and given back before the owner.
    slot: Arc<Mutex<Option<Lease>>>,
    owner: Option<Arc<Owner>>,
    is_transaction: bool,
    open: AtomicBool,
}

/// A prepared statement: the database keeps its program with the connection.
pub(super) struct Prepared {
    pub(super) session: Arc<Session>,
    pub(super) sql: Arc<str>,
    pub(super) open: AtomicBool,
}

impl Session {
    pub(super) fn handle(database: Arc<Database>) -> Self {
        let owner = database.owner();
        Self { database, slot: Arc::default(), owner, is_transaction: false, open: AtomicBool::new(true) }
    }

    fn transaction(&self, lease: Lease) -> Self {
        let slot = Arc::new(Mutex::new(Some(lease)));
        let (database, owner) = (Arc::clone(&self.database), self.owner.clone());
        Self { database, slot, owner, is_transaction: true, open: AtomicBool::new(true) }
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

    /// Runs a statement where it may wait, and answers with what is made of what it gives.
    pub(super) fn run_with(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        work: Work,
        make: impl FnOnce(Vec<Value>) -> Result<Vec<Value>, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        self.patiently(call, Task::Run(work), make)
    }

    /// Runs a command of the host and answers with true.
    pub(super) fn command(self: &Arc<Self>, call: &ModuleCall<'_>, command: Command) -> Result<Answer, Fault> {
        self.patiently(call, Task::Step(command), Ok)
    }

    fn quickly(&self, work: &Work) -> Option<Result<Vec<Value>, Error>> {
        let Database::Sqlite(sqlite) = &*self.database else { return None };
        let mut slot = Arc::clone(&self.slot).try_lock_owned().ok()?;
        match slot.as_mut() {
            Some(Lease::Sqlite(lease)) => lease.quickly(work),
            Some(Lease::Server(_)) => None,
            None if self.is_transaction => Some(Err(invalid("transaction is not active"))),
            None => sqlite.quickly(work),
        }
    }

    fn patiently(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        task: Task,
        make: impl FnOnce(Vec<Value>) -> Result<Vec<Value>, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        self.check()?;
        let tokio = call.node().tokio()?;
        let job = self.job();
        let stopped = Arc::clone(&job);
        let (ticket, completer) = call.later(move || stopped.cancel())?;
        let (session, bill) = (Arc::clone(self), call.bill());
        tokio.spawn(async move {
            let entered = tokio::select! {
                entered = session.enter() => entered,
                () = job.canceled() => Err(canceled()),
            };
            let result = match entered {
                Ok(slot) => {
                    let own = bill.clone();
                    own.watch(session.work(slot, task, job, bill)).await
                }
                Err(error) => Err(error),
            };
            let result = result.and_then(make);
            // Whoever hears the answer finds everything given back.
            drop(session);
            completer.complete(result);
        });
        Ok(Answer::Pending(ticket))
    }

    fn job(&self) -> Arc<Job> {
        let terms = self.database.terms();
        // The time that counts starts with the statement, not with the wait for the connection.
        Arc::new(Job::patient(terms.statement_timeout + terms.wait_timeout))
    }

    /// Waits for its turn and for the connection.
    async fn enter(&self) -> Result<OwnedMutexGuard<Option<Lease>>, Error> {
        let wait = self.database.terms().wait_timeout;
        let mut slot = tokio::time::timeout(wait, Arc::clone(&self.slot).lock_owned())
            .await
            .map_err(|_| unavailable("an earlier statement of the same handle still runs"))?;
        if slot.is_none() {
            if self.is_transaction {
                return Err(invalid("transaction is not active"));
            }
            *slot = Some(self.database.lease(self.owner.as_ref()).await?);
        }
        Ok(slot)
    }

    async fn work(
        &self,
        mut slot: OwnedMutexGuard<Option<Lease>>,
        task: Task,
        job: Arc<Job>,
        bill: Bill,
    ) -> Result<Vec<Value>, Error> {
        let span = self.database.terms().statement_timeout;
        // A queue of short questions goes on from one to the next without a change of threads.
        if let (Some(Lease::Sqlite(lease)), Task::Run(work), false) = (slot.as_mut(), &task, job.is_canceled())
            && let Some(answer) = lease.quickly(work)
        {
            self.settle(&mut slot);
            return answer;
        }
        let result = match slot.as_mut() {
            None => Err(invalid("transaction is not active")),
            Some(_) if job.is_canceled() => Err(canceled()),
            Some(Lease::Server(lease)) => lease.perform(&task, &job).await,
            Some(Lease::Sqlite(_)) => {
                let work = tokio::task::spawn_blocking(move || {
                    let result = match slot.as_mut() {
                        Some(Lease::Sqlite(lease)) => bill.run(|| lease.perform(&task, &job, span)),
                        _ => Err(invalid("transaction is not active")),
                    };
                    (slot, result)
                });
                let (used, result) = work.await.map_err(|_| Error::new("Internal", "the statement broke off"))?;
                slot = used;
                result
            }
        };
        self.settle(&mut slot);
        result
    }

    /// Gives the connection back unless a transaction is open on it.
    fn settle(&self, slot: &mut Option<Lease>) {
        if !slot.as_ref().is_some_and(Lease::in_transaction) {
            // Ended by the program, or by the database itself after some errors. Nothing may run on as if it were open.
            slot.take();
            if self.is_transaction {
                self.open.store(false, Ordering::Release);
            }
        } else if !self.open.load(Ordering::Acquire) {
            slot.take();
        }
    }

    /// Begins a transaction: `deliver` gets the session of it and gives what stands for it in Lua.
    pub(super) fn begin(
        self: &Arc<Self>,
        call: &ModuleCall<'_>,
        isolation: Isolation,
        read_only: bool,
        deliver: impl FnOnce(Self) -> Result<Value, Error> + Send + 'static,
    ) -> Result<Answer, Fault> {
        self.check()?;
        let session = Arc::clone(self);
        let begin = Task::Step(Command::Begin { isolation, read_only });
        let job = self.job();
        let tokio = call.node().tokio()?;
        let stopped = Arc::clone(&job);
        let (ticket, completer) = call.later(move || stopped.cancel())?;
        tokio.spawn(async move {
            let begun = async {
                let mut lease = tokio::select! {
                    lease = session.database.lease(session.owner.as_ref()) => lease?,
                    () = job.canceled() => return Err(canceled()),
                };
                match &mut lease {
                    // Nothing of this takes time.
                    Lease::Sqlite(lease) => lease.perform(&begin, &job, Duration::ZERO)?,
                    Lease::Server(lease) => lease.perform(&begin, &job).await?,
                };
                Ok(vec![deliver(session.transaction(lease))?])
            };
            completer.complete(begun.await);
        });
        Ok(Answer::Pending(ticket))
    }
}
