//! Process hosts: pools that run processes under one set of limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_registry::{Allow, Limits, Quota};

use tokio::sync::Semaphore;

use crate::mailbox::Pool;
use crate::meter::{Bucket, Excess, Hits};
use crate::scheduler::Lane;

/// The host on which functions run when their entry names none.
pub(crate) const FUNCTIONS: &str = "moonlet:functions";

/// One process host.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its id, which pids carry.
    pub(crate) id: Arc<str>,
    /// Its share of CPU time.
    pub(crate) lane: Lane,
    /// The ceiling of its processes' limits.
    pub(crate) limits: Limits,
    /// What its processes may use together.
    pub(crate) quota: Quota,
    /// The ceiling of its processes' capabilities.
    pub(crate) allow: Allow,
    /// Whether its processes have the terminal.
    pub(crate) terminal: bool,
    live: AtomicU64,
    /// Bytes of memory of its living processes, with what the node holds for them, and the most so far.
    memory: AtomicU64,
    memory_peak: AtomicU64,
    /// Messages that its processes send, each second.
    messages: Bucket,
    /// What waits in all mailboxes; none: not bounded.
    pub(crate) pool: Option<Arc<Pool>>,
    /// Places for work of its processes that may block: each takes a thread of the node, of which there are some hundred.
    pub(crate) blocking: Arc<Semaphore>,
    /// What its processes did, those that live left out where they count themselves.
    pub(crate) totals: Totals,
}

/// How many calls of one process host may block threads at the same time.
const BLOCKING: usize = 64;

/// Memory of the node that is charged to a process host, until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    host: Arc<Host>,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.host.shrink(self.bytes);
    }
}

/// What the processes of a host did so far.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) spawned: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) denials: AtomicU64,
    /// CPU time of those that ended, in nanoseconds.
    pub(crate) cpu: AtomicU64,
    /// Messages that those sent and were given that ended.
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Limits that were hit.
    pub(crate) hits: Hits,
    /// Limits that ended a process.
    pub(crate) ended: Hits,
}

impl Host {
    pub(crate) fn new(id: Arc<str>, lane: Lane, limits: Limits, quota: Quota, allow: Allow, terminal: bool) -> Self {
        let pool = quota.mailbox_bytes.map(|bytes| Arc::new(Pool::new(usize::try_from(bytes.as_bytes()).unwrap_or(usize::MAX))));
        Self {
            id,
            lane,
            limits,
            quota,
            allow,
            terminal,
            live: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            messages: Bucket::default(),
            pool,
            blocking: Arc::new(Semaphore::new(BLOCKING)),
            totals: Totals::default(),
        }
    }

    /// Counts a process in, unless the quota is reached; then says which number is allowed.
    pub(crate) fn enter(&self) -> Result<(), u64> {
        let live = self.live.fetch_add(1, Ordering::Relaxed);
        match self.quota.processes {
            Some(allowed) if live >= allowed => {
                self.leave();
                Err(allowed)
            }
            _ => Ok(()),
        }
    }

    /// Counts a process out.
    pub(crate) fn leave(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }

    /// Charges memory of a process, unless the quota is reached; then says what is allowed, and what there would be.
    pub(crate) fn grow(&self, bytes: u64) -> Result<(), (u64, u64)> {
        let now = self.memory.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if let Some(allowed) = self.quota.memory
            && now > allowed.as_bytes()
        {
            self.shrink(bytes);
            return Err((allowed.as_bytes(), now));
        }
        self.memory_peak.fetch_max(now, Ordering::Relaxed);
        Ok(())
    }

    /// Charges memory that the node itself holds for a process, as [`Host::grow`] does.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Result<Charge, (u64, u64)> {
        let bytes = bytes as u64;
        self.grow(bytes)?;
        Ok(Charge { host: Arc::clone(self), bytes })
    }

    /// Gives memory of a process back.
    pub(crate) fn shrink(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Tells whether a process of this size fits into the quota; else what is allowed, and what there would be.
    pub(crate) fn has_room(&self, bytes: u64) -> Result<(), (u64, u64)> {
        let Some(allowed) = self.quota.memory else { return Ok(()) };
        let (allowed, used) = (allowed.as_bytes(), self.memory().saturating_add(bytes));
        if used > allowed { Err((allowed, used)) } else { Ok(()) }
    }

    /// Returns the bytes of memory of the living processes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Returns the most that [`Host::memory`] ever was.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// Takes a message from what its processes may send each second.
    pub(crate) fn send(&self, now: u64) -> Result<(), (u64, Excess)> {
        let Some(allowed) = self.quota.messages_per_second else { return Ok(()) };
        self.messages.take(now, allowed, 1).map_err(|excess| (allowed, excess))
    }

    /// Counts the living processes.
    pub(crate) fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }
}
