//! Process hosts: pools that run processes under one set of limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_registry::{Allow, Limits, Quota};

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
}

impl Host {
    pub(crate) fn new(id: Arc<str>, lane: Lane, limits: Limits, quota: Quota, allow: Allow, terminal: bool) -> Self {
        Self { id, lane, limits, quota, allow, terminal, live: AtomicU64::new(0) }
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

    /// Counts the living processes.
    pub(crate) fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }
}
