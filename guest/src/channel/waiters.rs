//! The queue of coroutines that wait on one side of a channel.

use std::collections::VecDeque;

use crate::scheduler::{self, Parked};

/// A coroutine that waits, and for which case of its select (0: it does not select).
#[derive(Clone, Copy)]
pub(super) struct Waiter {
    pub(super) parked: Parked,
    pub(super) case: u32,
}

/// Waiters in order of arrival. Those whose wait ended elsewhere (another case of a select) stay until the queue is cleaned.
pub(super) struct Waiters {
    queue: VecDeque<Waiter>,
    /// The length at which the next push cleans up first: twice what was alive at the last time.
    clean_at: usize,
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), clean_at: 2 }
    }

    pub(super) fn push(&mut self, waiter: Waiter) {
        if self.queue.len() >= self.clean_at {
            self.queue.retain(|waiter| scheduler::is_waiting(waiter.parked));
            self.clean_at = (self.queue.len() * 2).max(2);
        }
        self.queue.push_back(waiter);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        self.queue.pop_front()
    }
}
