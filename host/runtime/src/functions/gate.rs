//! How many calls of one function run at once: the pool of its entry as admission. Every call has an image of its own whatever the pool;
//! what waits here is born and has no instance yet.

use std::collections::VecDeque;
use std::sync::Arc;

use moonlet_registry::{Pool, PoolType};
use moonlet_sandbox::wit::Error;
use parking_lot::Mutex;

use crate::process::{ADMITTED, Process};

/// The gate of one function.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Calls that run at once.
    size: u64,
    /// Calls that wait.
    buffer: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: u64,
    waiting: VecDeque<Arc<Process>>,
}

/// What becomes of a call at the gate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It runs.
    Now,
    /// It runs when others have ended.
    Later,
    /// It is refused.
    Full,
}

impl Gate {
    /// Makes the gate of a pool; none when it bounds nothing.
    pub(crate) fn new(pool: &Pool) -> Option<Self> {
        let bounded = pool.pool_type != PoolType::Inline && pool.declared;
        bounded.then(|| Self { size: pool.max_size, buffer: pool.buffer, state: Mutex::default() })
    }

    /// Lets a call in that was born and not launched. `recursive` says that it would wait for a call which waits for it.
    pub(crate) fn enter(&self, process: &Arc<Process>, recursive: impl FnOnce() -> bool) -> Entry {
        let mut state = self.state.lock();
        if state.running < self.size {
            state.running += 1;
            process.tie(ADMITTED);
            return Entry::Now;
        }
        if recursive() {
            return Entry::Full;
        }
        if state.waiting.len() as u64 >= self.buffer {
            // Who gave up while it waited takes no room.
            state.waiting.retain(|process| !process.is_killed() && !process.inner().is_ended());
        }
        if state.waiting.len() as u64 >= self.buffer {
            return Entry::Full;
        }
        process.rest();
        state.waiting.push_back(Arc::clone(process));
        Entry::Later
    }

    /// Hears that a call that ran has ended; returns the one that runs now.
    pub(crate) fn leave(&self) -> Option<Arc<Process>> {
        let mut state = self.state.lock();
        while let Some(process) = state.waiting.pop_front() {
            // It takes the place; one that was given up meanwhile does not.
            if process.tie(ADMITTED) {
                return Some(process);
            }
        }
        state.running = state.running.saturating_sub(1);
        None
    }

    /// The error of a call that is refused.
    pub(crate) fn full(&self, entry: &str) -> Error {
        let (size, buffer) = (self.size, self.buffer);
        let message = format!(
            "the pool of `{entry}` is full: {size} calls run and {buffer} wait at most; try again later, or raise `pool` in its entry"
        );
        Error::new("RateLimited", message).with_retryable(true)
    }
}
