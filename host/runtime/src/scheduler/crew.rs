//! Threads that come and go with the stations.
//!
//! A process is preempted in the middle of a step by keeping its thread: the thread waits with the step on its native stack, and
//! another one takes its station over. When the process is next, its thread gets the station of the worker that found it, and
//! that worker rests. So there are as many running threads as stations, however many steps are half done.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

/// Threads for each station: above, a step goes on without being preempted.
const MAX_THREADS: usize = 2_048;

/// Where a thread waits until it is given a station.
#[derive(Default)]
pub(super) struct Chair {
    station: Mutex<Option<usize>>,
    given: Condvar,
}

impl Chair {
    pub(super) fn give(&self, station: usize) {
        *self.station.lock() = Some(station);
        self.given.notify_one();
    }

    /// Waits for a station; none when everything stops.
    pub(super) fn wait(&self, stopping: &AtomicBool) -> Option<usize> {
        let mut station = self.station.lock();
        loop {
            if let Some(station) = station.take() {
                return Some(station);
            }
            if stopping.load(Ordering::SeqCst) {
                return None;
            }
            self.given.wait(&mut station);
        }
    }

    fn rouse(&self) {
        let _station = self.station.lock();
        self.given.notify_all();
    }
}

/// The thread that is in the middle of the step of a process and waits, if there is one.
#[derive(Default)]
pub(crate) struct Halted {
    chair: Mutex<Option<Arc<Chair>>>,
    /// Whether there is one, for a look without the lock.
    taken: AtomicBool,
}

impl Halted {
    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, chair: Arc<Chair>) {
        *self.chair.lock() = Some(chair);
        self.taken.store(true, Ordering::Relaxed);
    }

    pub(super) fn release(&self) -> Option<Arc<Chair>> {
        if !self.is_taken() {
            return None;
        }
        self.taken.store(false, Ordering::Relaxed);
        self.chair.lock().take()
    }
}

thread_local! {
    static CHAIR: RefCell<Option<Arc<Chair>>> = const { RefCell::new(None) };
}

/// Returns the chair of this thread, if it is one of a crew.
pub(super) fn own_chair() -> Option<Arc<Chair>> {
    CHAIR.with_borrow(Clone::clone)
}

type Recruit = Box<dyn Fn(Arc<Chair>) -> io::Result<JoinHandle<()>> + Send>;

/// All threads that can hold a station.
#[derive(Default)]
pub(super) struct Crew {
    recruit: Option<Recruit>,
    chairs: Vec<Arc<Chair>>,
    resting: Vec<Arc<Chair>>,
    pub(super) threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Sets how a thread is started that waits on a chair for its first station.
    pub(super) fn set_recruit(&mut self, recruit: Recruit) {
        self.recruit = Some(recruit);
    }

    /// Notes that a thread has nothing to do until it is given a station.
    pub(super) fn rest(&mut self, chair: Arc<Chair>) {
        self.resting.push(chair);
    }

    /// Finds a thread without a station, or starts one. None when there are too many already or the system refuses.
    pub(super) fn substitute(&mut self, stations: usize) -> Option<Arc<Chair>> {
        if let Some(chair) = self.resting.pop() {
            return Some(chair);
        }
        // The queues stop starting steps before, so that this is hardly ever reached.
        if self.chairs.len() >= stations.saturating_mul(MAX_THREADS) {
            return None;
        }
        let chair = Arc::new(Chair::default());
        let thread = self.recruit.as_ref()?(Arc::clone(&chair)).ok()?;
        self.threads.push(thread);
        self.chairs.push(Arc::clone(&chair));
        Some(chair)
    }

    /// Starts a thread for a station.
    pub(super) fn hire(&mut self, station: usize) -> io::Result<()> {
        let chair = Arc::new(Chair::default());
        let Some(recruit) = &self.recruit else { return Ok(()) };
        self.threads.push(recruit(Arc::clone(&chair))?);
        self.chairs.push(Arc::clone(&chair));
        chair.give(station);
        Ok(())
    }

    /// Wakes all that wait, so that they see that everything stops.
    pub(super) fn dismiss(&mut self) -> Vec<JoinHandle<()>> {
        for chair in &self.chairs {
            chair.rouse();
        }
        // The way to start threads holds the driver.
        self.recruit = None;
        std::mem::take(&mut self.threads)
    }
}

/// Makes this thread one of the crew.
pub(super) fn sit(chair: &Arc<Chair>) {
    CHAIR.set(Some(Arc::clone(chair)));
}
