//! Worker threads, run queues and parking.
//!
//! Knows of processes only that each belongs to a [`Lane`] and can be run for a turn; what a turn is, what time it is and what
//! is due are the [`Driver`]'s matter. Hence it is tested without any Wasm.
//!
//! What keeps the hot path cheap: a process that becomes ready while a worker runs goes to that worker's own queue, and a
//! sleeping worker is only woken when there is more than the running one will take next. Two processes that talk to each
//! other stay on one worker and never touch a futex. What waits too long behind a long turn is found by the ticker.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

mod crew;
mod lane;
mod queue;
mod ticker;
mod worker;

use crew::Crew;
pub(crate) use crew::Halted;
pub(crate) use lane::{DEFAULT_WEIGHT, Lane};
use queue::RunQueue;
use ticker::Ticker;

/// Something that is run in turns.
pub(crate) trait Runnable: Send + Sync + 'static {
    /// Returns the lane of its process host.
    fn lane(&self) -> &Lane;

    /// Tells whether its last step ended within its slice.
    fn is_brief(&self) -> bool;

    /// Returns the place of the thread that is in the middle of its step.
    fn halted(&self) -> &Halted;
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes to the back of its queue.
    Again,
    /// It waits; whoever has something for it schedules it again.
    Idle,
}

/// How a process goes on after a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preempted {
    /// It goes on.
    GoOn,
    /// It goes on, although others wait: no thread is left that could serve them.
    NoThread,
    /// The scheduler stops.
    Stopped,
}

/// What the scheduler drives.
pub(crate) trait Driver: Send + Sync + 'static {
    /// What it runs.
    type Process: Runnable;

    /// Runs one turn, which started at `now`, and says when it ended.
    fn run(self: &Arc<Self>, process: &Arc<Self::Process>, now: u64) -> (Verdict, u64);

    /// Returns the time in nanoseconds since some fixed point.
    fn now(&self) -> u64;

    /// Returns when something is due next; `u64::MAX`: never.
    fn next_deadline(&self) -> u64;

    /// Does what is due.
    fn fire(self: &Arc<Self>, now: u64);

    /// Hears that a slice has passed.
    fn tick(&self);
}

/// The workers and their queues. The driver belongs to the threads only, so that it can own the scheduler.
pub(crate) struct Scheduler<P> {
    shared: Arc<Shared<P>>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared<P> {
    stations: Box<[Station<P>]>,
    /// The pass that lanes have reached; see [`Lane`].
    clock: AtomicU64,
    /// Parked workers that no wake is on the way to. Written under the lock of `entrance`.
    sleepers: AtomicUsize,
    /// What comes from threads that are no workers, and everything about parking.
    entrance: Mutex<Entrance<P>>,
    arrivals: Condvar,
    /// Processes of lanes that have used what their cap allows.
    held: Mutex<Vec<Arc<P>>>,
    /// When the first of them may go on; `u64::MAX`: there is none.
    held_until: AtomicU64,
    /// Set while `entrance` holds processes, for a look without the lock.
    waiting_outside: AtomicBool,
    ticker: Ticker,
    /// The threads that take turns at the stations. No other lock is taken under this one.
    crew: Mutex<Crew>,
    stopping: AtomicBool,
}

/// What one worker has for itself, on cache lines of its own.
#[repr(align(128))]
struct Station<P> {
    queue: Mutex<RunQueue<P>>,
    /// The length of `queue`, for a look without the lock.
    len: AtomicUsize,
    /// The least pass in `queue`, and the least among steps that are not brief; for a look without the lock.
    level: AtomicU64,
    long_level: AtomicU64,
    /// Turns begun; when it stands still over a tick, a turn is long.
    turns: AtomicU64,
    /// Whether what is queued waits behind a long turn, as the ticker found.
    stuck: AtomicBool,
}

struct Entrance<P> {
    queue: RunQueue<P>,
    /// Wakes that no parked worker has taken yet.
    wakes: usize,
    /// The earliest deadline that a parked worker waits for.
    watched: u64,
}

/// Native stack of a worker thread: what a step in the sandbox may use, and the host's functions on top of it.
const THREAD_STACK: usize = 2 << 20;

thread_local! {
    /// When the slice began that this thread runs.
    static SLICE_START: Cell<u64> = const { Cell::new(0) };
    /// The scheduler, by address, and the station of the worker that this thread is.
    static HERE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Notes that a slice begins on this thread, and returns when the one before it began.
pub(crate) fn begin_slice(now: u64) -> u64 {
    SLICE_START.replace(now)
}

impl<P: Runnable> Scheduler<P> {
    /// Makes the queues; nothing runs before `start`.
    pub(crate) fn new(workers: usize) -> Self {
        let shared = Shared {
            stations: (0..workers.max(1)).map(|_| Station::new()).collect(),
            clock: AtomicU64::new(0),
            sleepers: AtomicUsize::new(0),
            entrance: Mutex::new(Entrance { queue: RunQueue::new(), wakes: 0, watched: u64::MAX }),
            arrivals: Condvar::new(),
            held: Mutex::new(Vec::new()),
            held_until: AtomicU64::new(u64::MAX),
            waiting_outside: AtomicBool::new(false),
            ticker: Ticker::new(),
            crew: Mutex::new(Crew::default()),
            stopping: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), ticker: Mutex::new(None) }
    }

    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(crate) fn start<D: Driver<Process = P>>(&self, driver: &Arc<D>) -> std::io::Result<()> {
        let (shared, crew_driver) = (Arc::downgrade(&self.shared), Arc::clone(driver));
        let mut crew = self.shared.crew.lock();
        crew.set_recruit(Box::new(move |chair| {
            let (shared, driver) = (shared.upgrade().ok_or(std::io::ErrorKind::NotFound)?, Arc::clone(&crew_driver));
            let builder = std::thread::Builder::new().name("moonlet-worker".to_owned()).stack_size(THREAD_STACK);
            builder.spawn(move || worker::work(&shared, &driver, &chair))
        }));
        for index in 0..self.shared.stations.len() {
            crew.hire(index)?;
        }
        drop(crew);
        let (shared, driver) = (Arc::clone(&self.shared), Arc::clone(driver));
        let builder = std::thread::Builder::new().name("moonlet-ticker".to_owned());
        *self.ticker.lock() = Some(builder.spawn(move || ticker::tick(&shared, &*driver))?);
        Ok(())
    }

    /// Lets others run in the middle of a step of `process`, if any wait, or if its lane has used what its cap allows, and returns when
    /// it is its turn again.
    pub(crate) fn preempt(&self, process: &Arc<P>, now: u64) -> Preempted {
        let shared = &self.shared;
        if shared.stopping.load(Ordering::SeqCst) {
            return Preempted::Stopped;
        }
        let (Some(index), Some(chair)) = (shared.here(), crew::own_chair()) else { return Preempted::GoOn };
        let Some(station) = shared.stations.get(index) else { return Preempted::GoOn };
        shared.enter(station);
        shared.balance(index, station, process.lane().pass());
        let throttled = process.lane().throttled(now);
        if throttled.is_none() && station.len.load(Ordering::Relaxed) == 0 {
            return Preempted::GoOn;
        }
        let Some(substitute) = shared.crew.lock().substitute(shared.stations.len()) else { return Preempted::NoThread };
        process.halted().set(Arc::clone(&chair));
        if let Some(until) = throttled {
            shared.hold(Arc::clone(process), until);
        } else if station.push(Arc::clone(process), &shared.clock) > 1 {
            shared.offer();
        }
        station.turns.fetch_add(1, Ordering::Relaxed);
        substitute.give(index);
        let Some(index) = chair.wait(&shared.stopping) else { return Preempted::Stopped };
        shared.sit_at(index);
        Preempted::GoOn
    }

    /// Queues a process that has something to do. Must not be called twice before it ran.
    pub(crate) fn push(&self, process: Arc<P>) {
        self.shared.push(process);
    }

    /// Hears that something is due at `deadline` from now on.
    pub(crate) fn watch(&self, deadline: u64) {
        // A worker looks at the deadlines itself when its turn is over.
        if self.shared.here().is_some() {
            return;
        }
        let mut entrance = self.shared.entrance.lock();
        if deadline < entrance.watched {
            self.shared.wake_one(&mut entrance);
        }
    }

    /// Ends the threads; what is queued stays undone.
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        {
            let mut entrance = self.shared.entrance.lock();
            entrance.wakes += self.shared.stations.len();
            self.shared.arrivals.notify_all();
        }
        self.shared.ticker.wake();
        let threads = self.shared.crew.lock().dismiss();
        join(threads);
        // Last: a step without end is only left when its slice is over.
        self.shared.ticker.finish();
        join(self.ticker.lock().take());
    }
}

/// Waits until threads have ended, but for the calling one.
fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    let own = std::thread::current().id();
    for thread in threads {
        if thread.thread().id() != own {
            // A worker that panicked has nothing left to say here.
            let _ = thread.join();
        }
    }
}

impl<P: Runnable> Shared<P> {
    fn here(&self) -> Option<usize> {
        let (scheduler, index) = HERE.get();
        (scheduler == std::ptr::from_ref(self).addr()).then_some(index)
    }

    /// Makes a station the one of this thread.
    fn sit_at(&self, index: usize) {
        HERE.set((std::ptr::from_ref(self).addr(), index));
    }

    fn push(&self, process: Arc<P>) {
        match self.here().and_then(|index| self.stations.get(index)) {
            Some(station) => {
                let len = station.push(process, &self.clock);
                // One is what this worker takes next itself.
                if len > 1 {
                    self.offer();
                }
            }
            None => {
                let mut entrance = self.entrance.lock();
                entrance.queue.push(process, &self.clock);
                self.waiting_outside.store(true, Ordering::Relaxed);
                self.wake_one(&mut entrance);
            }
        }
    }

    /// Keeps a process until its lane may go on.
    fn hold(&self, process: Arc<P>, until: u64) {
        let mut held = self.held.lock();
        held.push(process);
        self.held_until.fetch_min(until, Ordering::Relaxed);
    }

    /// Queues the processes whose lanes may go on.
    fn let_go(&self, now: u64) {
        let mut due = Vec::new();
        {
            let mut held = self.held.lock();
            let mut next = u64::MAX;
            for process in std::mem::take(&mut *held) {
                match process.lane().throttled(now) {
                    Some(until) => {
                        next = next.min(until);
                        held.push(process);
                    }
                    None => due.push(process),
                }
            }
            self.held_until.store(next, Ordering::Relaxed);
        }
        for process in due {
            self.push(process);
        }
    }

    /// Wakes a parked worker, if there is one, to take its part.
    fn offer(&self) {
        // Pairs with the fence of a worker that parks: either it sees what was queued, or this sees it parked.
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.wake_one(&mut self.entrance.lock());
        }
    }

    fn wake_one(&self, entrance: &mut Entrance<P>) {
        let sleepers = self.sleepers.load(Ordering::Relaxed);
        if sleepers > 0 {
            self.sleepers.store(sleepers - 1, Ordering::Relaxed);
            entrance.wakes += 1;
            self.arrivals.notify_one();
        }
    }
}

impl<P: Runnable> Station<P> {
    fn new() -> Self {
        Self {
            queue: Mutex::new(RunQueue::new()),
            len: AtomicUsize::new(0),
            level: AtomicU64::new(u64::MAX),
            long_level: AtomicU64::new(u64::MAX),
            turns: AtomicU64::new(0),
            stuck: AtomicBool::new(false),
        }
    }

    /// Queues and returns the new length.
    fn push(&self, process: Arc<P>, clock: &AtomicU64) -> usize {
        let mut queue = self.queue.lock();
        queue.push(process, clock);
        self.publish(&queue);
        queue.len()
    }

    fn pop(&self, clock: &AtomicU64, now: u64) -> Option<Arc<P>> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut queue = self.queue.lock();
        let process = queue.pop(clock, now);
        self.publish(&queue);
        process
    }

    /// Makes the state of the queue known to those who look without the lock.
    fn publish(&self, queue: &RunQueue<P>) {
        self.len.store(queue.len(), Ordering::Relaxed);
        self.level.store(queue.level(), Ordering::Relaxed);
        self.long_level.store(queue.long_level(), Ordering::Relaxed);
    }
}

/// Turns a time of the driver's clock into an instant to wait for.
fn instant(now: u64, deadline: u64) -> Instant {
    Instant::now() + Duration::from_nanos(deadline.saturating_sub(now))
}

#[cfg(test)]
mod tests;
