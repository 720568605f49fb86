//! CPU time that threads of the host spend for a process.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moonlet_sandbox::wit::Error;
use rustix::time::{ClockId, clock_gettime};

use crate::host::Host;
use crate::process::Process;
use crate::shared::Shared;

/// Whom to charge for work that a module does for a process beside the workers: without it, who lets others compute would get
/// around its limits of CPU time.
#[derive(Debug, Clone)]
pub struct Bill {
    node: Weak<Shared>,
    process: Weak<Process>,
    host: Arc<Host>,
}

impl Bill {
    pub(super) fn new(node: &Arc<Shared>, process: &Arc<Process>) -> Self {
        Self { node: Arc::downgrade(node), process: Arc::downgrade(process), host: Arc::clone(&process.terms.host) }
    }

    /// Does work on this thread, and charges the CPU time that it takes to the process and the share of its host.
    ///
    /// A process that has used more than `cpu_total` then is ended. Waiting costs nothing.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let start = thread_time();
        let result = work();
        self.charge(thread_time().saturating_sub(start));
        result
    }

    /// Does work that waits in between, and charges the CPU time of its steps as [`Bill::run`] does.
    ///
    /// # Cancel safety
    ///
    /// That of the work.
    pub async fn watch<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| self.run(|| work.as_mut().poll(context))).await
    }

    /// Waits until the host of the process is within the cap of its CPU share.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn turn(&self) {
        while let Some(node) = self.node.upgrade() {
            let now = node.clock();
            let Some(until) = self.host.lane.throttled(now) else { return };
            drop(node);
            tokio::time::sleep(Duration::from_nanos(until.saturating_sub(now))).await;
        }
    }

    fn charge(&self, used: u64) {
        let Some(node) = self.node.upgrade() else { return };
        self.host.lane.charge(used, node.clock());
        let Some(process) = self.process.upgrade() else {
            self.host.totals.cpu.fetch_add(used, Ordering::Relaxed);
            return;
        };
        let total = process.cpu.fetch_add(used, Ordering::Relaxed).saturating_add(used);
        // A turn is a matter of the worker.
        if let Some(error) = process.terms.bounds.exceeded(0, total) {
            node.kill(&process, Error { retryable: None, ..error });
        }
    }
}

/// The CPU time of this thread so far, in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
