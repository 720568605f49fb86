//! Work that takes long without waiting for anything: it runs beside the workers, so that it makes nobody's step long.
//!
//! A process has one such job running at a time and the node a few, so that a process that asks for a thousand delays itself most.
//! A job has its place, and what it is charged for, until it is over, which is a while after nobody waits for it any more: jobs that
//! were left behind would pile up otherwise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use moonlet_runtime::{Answer, Error, Fault, ModuleCall, Value};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::fail::internal;

mod places;
mod watch;

use places::Places;
pub(crate) use watch::Watch;

/// Tells a job that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canceled(Arc<AtomicBool>);

impl Canceled {
    /// Tells whether to give up. Long jobs ask now and then, each millisecond at best.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The same as an error, which nobody sees.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_set() {
            return Err(Error::new("Canceled", "nobody waits for the work any more").with_retryable(false));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a job of the caller on a thread of its own, and answers with what it returns. The caller is charged for its CPU time.
pub(crate) fn run(
    call: &ModuleCall<'_>,
    job: impl FnOnce(&Canceled) -> Result<Vec<Value>, Error> + Send + 'static,
) -> Result<Answer, Fault> {
    let own = lane_of(call.pid());
    let bill = call.bill();
    let canceled = Canceled::default();
    let guard = SetOnDrop(canceled.clone());
    let (running, freight) = (call.job(), call.freight());
    let (host, weight) = (call.host().to_owned(), call.cpu_weight());
    call.run_async(async move {
        let _guard = guard;
        let turn = own.acquire_owned().await.map_err(|_| internal("the node stops"))?;
        bill.turn().await;
        let place = Places::of_the_node().take(&host, weight).await?;
        let job = tokio::task::spawn_blocking(move || {
            // It goes on for a while when nobody waits any more, and holds all this until then.
            let _held = (running, turn, place, freight);
            canceled.check()?;
            bill.run(|| job(&canceled))
        });
        job.await.map_err(|_| internal("the work was given up"))?
    })
}

/// Sets the flag when the future that holds it is dropped or done.
struct SetOnDrop(Canceled);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// What lets the jobs of one process run one after another; gone when none is left.
fn lane_of(pid: &str) -> Arc<Semaphore> {
    static LANES: Mutex<BTreeMap<String, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());
    let mut lanes = LANES.lock();
    if let Some(lane) = lanes.get(pid).and_then(Weak::upgrade) {
        return lane;
    }
    lanes.retain(|_, lane| lane.strong_count() > 0);
    let lane = Arc::new(Semaphore::new(1));
    lanes.insert(pid.to_owned(), Arc::downgrade(&lane));
    lane
}
