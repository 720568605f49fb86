//! Work that takes long without waiting for anything: it runs beside the workers, so that it makes nobody's step long.
//!
//! A process has one such job running at a time and the node a few, so that a process that asks for a thousand delays itself most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;

use moonlet_runtime::{Answer, Error, Fault, ModuleCall, Value};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use tokio::sync::Semaphore;

use crate::fail::internal;

/// Tells a job that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canceled(Arc<AtomicBool>);

impl Canceled {
    /// Tells whether to give up. Long jobs ask now and then.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
    let running = call.job();
    call.run_async(async move {
        let _guard = guard;
        let closed = |_| internal("the node stops");
        let _turn = own.acquire().await.map_err(closed)?;
        bill.turn().await;
        let _place = places().acquire().await.map_err(closed)?;
        let job = tokio::task::spawn_blocking(move || {
            // It goes on for a while when nobody waits any more.
            let _running = running;
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

fn places() -> &'static Semaphore {
    static PLACES: OnceLock<Semaphore> = OnceLock::new();
    PLACES.get_or_init(|| Semaphore::new(thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2)))
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
