//! Databases behind a server: connections, who has them, and how what runs on them is stopped.
//!
//! The operator says where the server is, so that the network policy of a program does not matter; who may use the database is asked
//! when it is got. A connection goes from one owner to another only after everything that the first has set on it is undone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use moonlet_runtime::{Error, Value};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

mod client;
mod mysql;
mod postgres;
mod settings;
mod tls;

use client::{Client, Failure};
pub(super) use settings::ServerSettings;

use super::database::{Dialect, Stats};
use super::job::Job;
use super::work::{Task, Work, canceled, timed_out, unavailable};

/// How long the server may take to stop a statement, to undo a transaction or to reset a connection; then the connection is closed.
const GRACE: Duration = Duration::from_secs(5);
/// A connection that waited longer than this may have been closed meanwhile, and is asked before it is used.
const STALE: Duration = Duration::from_secs(1);

/// A database behind a server.
pub(crate) struct Server {
    settings: Arc<ServerSettings>,
    tokio: Handle,
    /// One for each connection that is in use or about to be.
    seats: Arc<Semaphore>,
    /// Guards the connections that nobody uses; never held while anything is awaited.
    idle: Mutex<Vec<Idle>>,
    waits: AtomicU64,
    waited: AtomicU64,
    max_idle_closed: AtomicU64,
    max_lifetime_closed: AtomicU64,
}

struct Idle {
    client: Client,
    /// Whose settings it has; 0: nobody's.
    owner: u64,
    born: Instant,
    since: Instant,
}

/// Whose settings a connection may have: a handle and its transactions. When the last of them is gone, connections forget what it has set.
pub(crate) struct Owner {
    number: u64,
    server: Weak<Server>,
}

/// A connection, for as long as somebody has it. What is left open at the end is rolled back.
pub(super) struct Lease {
    server: Arc<Server>,
    client: Option<Client>,
    owner: u64,
    born: Instant,
    seat: Option<OwnedSemaphorePermit>,
    broken: bool,
}

impl Owner {
    pub(super) fn of(server: &Arc<Server>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self { number: NEXT.fetch_add(1, Ordering::Relaxed), server: Arc::downgrade(server) })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(server) = self.server.upgrade() {
            server.forget(self.number);
        }
    }
}

impl Server {
    /// Knows where the server is; connects when somebody needs it.
    pub(super) fn new(settings: ServerSettings, tokio: Handle) -> Arc<Self> {
        let seats = Arc::new(Semaphore::new(settings.max_open.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self {
            settings: Arc::new(settings),
            tokio,
            seats,
            idle: Mutex::default(),
            waits: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            max_idle_closed: AtomicU64::new(0),
            max_lifetime_closed: AtomicU64::new(0),
        })
    }

    pub(super) fn settings(&self) -> &ServerSettings {
        &self.settings
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.settings.dialect
    }

    pub(super) fn stats(&self) -> Stats {
        let in_use = self.settings.max_open.saturating_sub(self.seats.available_permits());
        Stats {
            max_open: self.settings.max_open as u64,
            in_use: in_use as u64,
            idle: self.idle.lock().len() as u64,
            waits: self.waits.load(Ordering::Relaxed),
            waited: Duration::from_micros(self.waited.load(Ordering::Relaxed)),
            max_idle_closed: self.max_idle_closed.load(Ordering::Relaxed),
            max_lifetime_closed: self.max_lifetime_closed.load(Ordering::Relaxed),
        }
    }

    /// Runs a statement of the host on a thread that may wait.
    pub(super) fn run_blocking(self: &Arc<Self>, work: Work) -> Result<Vec<Value>, Error> {
        let job = Job::patient(self.settings.terms.statement_timeout);
        let server = Arc::clone(self);
        self.tokio.block_on(async move { server.lease(0).await?.perform(&Task::Run(work), &job).await })
    }

    /// Waits for a connection.
    ///
    /// # Cancel safety
    ///
    /// A wait that is given up leaves nothing behind.
    pub(super) async fn lease(self: &Arc<Self>, owner: u64) -> Result<Lease, Error> {
        let seat = self.seat().await?;
        while let Some(idle) = self.take(owner) {
            if idle.born.elapsed() >= self.settings.max_lifetime {
                self.max_lifetime_closed.fetch_add(1, Ordering::Relaxed);
                self.close(idle.client);
                continue;
            }
            let mut lease = Lease {
                server: Arc::clone(self),
                client: Some(idle.client),
                owner,
                born: idle.born,
                seat: None,
                // Until it is known to be well.
                broken: true,
            };
            let is_well = match &mut lease.client {
                Some(client) if idle.owner != owner && idle.owner != 0 => {
                    timeout(GRACE, client.reset()).await.is_ok_and(|well| well)
                }
                Some(client) if idle.since.elapsed() > STALE => timeout(GRACE, client.ping()).await.is_ok_and(|well| well),
                Some(client) => !client.is_closed(),
                None => false,
            };
            if is_well {
                lease.broken = false;
                lease.seat = Some(seat);
                return Ok(lease);
            }
        }
        let client = timeout(self.settings.connect_timeout, Client::connect(&self.settings)).await;
        let client = client.unwrap_or_else(|_| Err(unavailable("the server does not answer"))).map_err(|mut error| {
            error.message = format!("the database `{}` cannot be reached: {}", self.settings.id, error.message);
            error
        })?;
        let (server, born) = (Arc::clone(self), Instant::now());
        Ok(Lease { server, client: Some(client), owner, born, seat: Some(seat), broken: false })
    }

    async fn seat(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() {
            return Ok(seat);
        }
        let start = Instant::now();
        let seat = timeout(self.settings.terms.wait_timeout, Arc::clone(&self.seats).acquire_owned()).await;
        self.waits.fetch_add(1, Ordering::Relaxed);
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(waited, Ordering::Relaxed);
        seat.ok().and_then(Result::ok).ok_or_else(|| {
            let (count, seconds) = (self.settings.max_open, self.settings.terms.wait_timeout.as_secs());
            unavailable(format!("all {count} connections of the database were in use for {seconds} s: end transactions soon"))
        })
    }

    /// Takes the connection that fits an owner best.
    fn take(&self, owner: u64) -> Option<Idle> {
        let mut idle = self.idle.lock();
        let of = |wanted: u64| idle.iter().rposition(|idle| idle.owner == wanted);
        let index = of(owner).or_else(|| of(0)).or_else(|| idle.len().checked_sub(1))?;
        Some(idle.swap_remove(index))
    }

    /// Keeps a connection for whoever is next, if it may stay.
    fn give_back(&self, client: Client, owner: u64, born: Instant) {
        let counter = if born.elapsed() >= self.settings.max_lifetime {
            &self.max_lifetime_closed
        } else {
            let mut idle = self.idle.lock();
            if idle.len() < self.settings.max_idle {
                idle.push(Idle { client, owner, born, since: Instant::now() });
                return;
            }
            &self.max_idle_closed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.close(client);
    }

    fn close(&self, client: Client) {
        self.tokio.spawn(async move {
            // A server that does not hear the farewell finds the connection closed.
            let _ = timeout(GRACE, client.close()).await;
        });
    }

    /// Undoes what an owner that is gone has set on connections.
    fn forget(self: &Arc<Self>, owner: u64) {
        let gone: Vec<Idle> = self.idle.lock().extract_if(.., |idle| idle.owner == owner).collect();
        for idle in gone {
            match Arc::clone(&self.seats).try_acquire_owned() {
                Ok(seat) => self.clean(idle.client, idle.born, seat),
                Err(_) => self.close(idle.client),
            }
        }
    }

    /// Undoes everything that was set on a connection, and keeps it.
    fn clean(self: &Arc<Self>, mut client: Client, born: Instant, seat: OwnedSemaphorePermit) {
        let server = Arc::clone(self);
        self.tokio.spawn(async move {
            if timeout(GRACE, client.reset()).await.is_ok_and(|well| well) {
                server.give_back(client, 0, born);
            } else {
                server.close(client);
            }
            drop(seat);
        });
    }
}

impl Lease {
    /// Does what is asked. The time that a statement may take starts now.
    pub(super) async fn perform(&mut self, task: &Task, job: &Job) -> Result<Vec<Value>, Error> {
        let span = self.server.settings.terms.statement_timeout;
        let Some(client) = &mut self.client else { return Err(unavailable("the connection is closed")) };
        let stopper = client.stopper(&self.server.settings);
        let error = {
            let mut running = std::pin::pin!(client.perform(task));
            let stopped = tokio::select! {
                result = &mut running => Ok(result),
                () = job.canceled() => Err(canceled()),
                () = tokio::time::sleep(span) => Err(timed_out(span)),
            };
            match stopped {
                Ok(Ok(values)) => return Ok(values),
                Ok(Err(Failure::Given(error))) => error,
                Ok(Err(Failure::TooMuch(error))) => {
                    // The rest of the result would come for as long as the server has some.
                    let _ = timeout(GRACE, stopper.stop()).await;
                    error
                }
                Err(error) => {
                    let _ = timeout(GRACE, stopper.stop()).await;
                    self.broken = timeout(GRACE, running).await.is_err();
                    error
                }
            }
        };
        // After a failure the server says anew what state the connection is in; what stops too late stops this.
        if self.broken || client.is_closed() || !timeout(GRACE, client.ping()).await.is_ok_and(|well| well) {
            self.broken = true;
        }
        Err(error)
    }

    /// Tells whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        !self.broken && self.client.as_ref().is_some_and(|client| !client.is_closed() && client.in_transaction())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let Some(seat) = self.seat.take().filter(|_| !self.broken && !client.is_closed()) else {
            return self.server.close(client);
        };
        if client.in_transaction() {
            self.server.clean(client, self.born, seat);
        } else {
            self.server.give_back(client, self.owner, self.born);
        }
    }
}
