//! The thread that measures slices and finds work that waits behind a long turn. It runs only while workers do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Driver, Shared};

/// How long a tick is.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a running worker after which the ticker sleeps: longer than the pauses of a busy node, so that these cost no
/// wake.
const REST: u32 = 20;

pub(crate) struct Ticker {
    /// Set when the last worker is gone: until then, endless steps end by ticks.
    done: AtomicBool,
    resting: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Ticker {
    pub(crate) fn new() -> Self {
        Self { done: AtomicBool::new(false), resting: AtomicBool::new(false), thread: Mutex::new(None) }
    }

    /// Ends it.
    pub(crate) fn finish(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Makes it tick again.
    pub(crate) fn wake(&self) {
        if self.resting.load(Ordering::SeqCst)
            && self.resting.swap(false, Ordering::SeqCst)
            && let Some(thread) = &*self.thread.lock()
        {
            thread.unpark();
        }
    }
}

pub(super) fn tick<D: Driver>(shared: &Shared<D::Process>, driver: &D) {
    let ticker = &shared.ticker;
    *ticker.thread.lock() = Some(std::thread::current());
    let mut seen = vec![0; shared.stations.len()];
    let mut quiet = 0;
    while !ticker.done.load(Ordering::Relaxed) {
        if quiet > REST {
            ticker.resting.store(true, Ordering::SeqCst);
            // Looked at after `resting` is set: a worker that starts from here on sees it and wakes this thread.
            if shared.all_parked() && !shared.stopping.load(Ordering::SeqCst) {
                std::thread::park();
            }
            ticker.resting.store(false, Ordering::SeqCst);
            quiet = 0;
        }
        std::thread::sleep(TICK);
        driver.tick();
        if shared.all_parked() {
            quiet += 1;
            continue;
        }
        quiet = 0;
        rescue(shared, driver, &mut seen);
    }
}

/// Wakes a worker for what waits behind a long turn: a queued process, or something that is due.
fn rescue<D: Driver>(shared: &Shared<D::Process>, driver: &D, seen: &mut [u64]) {
    let mut late = driver.next_deadline().min(shared.held_until.load(Ordering::Relaxed)) <= driver.now();
    for (station, seen) in shared.stations.iter().zip(seen) {
        let turns = station.turns.load(Ordering::Relaxed);
        let stuck = turns == *seen && station.len.load(Ordering::Relaxed) > 0;
        *seen = turns;
        station.stuck.store(stuck, Ordering::Relaxed);
        late |= stuck;
    }
    if late {
        shared.offer();
    }
}
