//! The run queue of one worker: a FIFO for each process host, the host that used the least first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Runnable;

/// How far the shared clock may lag behind before it is written, so that workers do not fight over it.
const CLOCK_STEP: u64 = 100_000;

pub(crate) struct RunQueue<P> {
    /// By index of the lane.
    lanes: Vec<VecDeque<Arc<P>>>,
    /// The lanes that have something queued.
    active: Vec<usize>,
    len: usize,
}

impl<P: Runnable> RunQueue<P> {
    pub(crate) fn new() -> Self {
        Self { lanes: Vec::new(), active: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds at the back of its lane.
    pub(crate) fn push(&mut self, process: Arc<P>, clock: &AtomicU64) {
        let lane = process.lane();
        let index = lane.index();
        if self.lanes.len() <= index {
            self.lanes.resize_with(index + 1, VecDeque::new);
        }
        let Some(queue) = self.lanes.get_mut(index) else { return };
        if queue.is_empty() {
            lane.wake(clock);
            self.active.push(index);
        }
        queue.push_back(process);
        self.len += 1;
    }

    /// Takes the first of the lane that is served next.
    pub(crate) fn pop(&mut self, clock: &AtomicU64) -> Option<Arc<P>> {
        let position = match self.active.as_slice() {
            [] => return None,
            [_] => 0,
            [..] => self.least(clock),
        };
        let index = *self.active.get(position)?;
        let queue = self.lanes.get_mut(index)?;
        let process = queue.pop_front();
        if queue.is_empty() {
            self.active.swap_remove(position);
        }
        self.len -= usize::from(process.is_some());
        process
    }

    /// Moves half of what is queued, rounded up, to another queue; the lanes served next go first.
    pub(crate) fn give_half(&mut self, to: &mut Vec<Arc<P>>, clock: &AtomicU64) {
        for _ in 0..self.len.div_ceil(2) {
            to.extend(self.pop(clock));
        }
    }

    /// Finds the active lane with the least pass.
    fn least(&self, clock: &AtomicU64) -> usize {
        let passes = self.active.iter().map(|index| {
            let first = self.lanes.get(*index).and_then(VecDeque::front);
            first.map_or(u64::MAX, |process| process.lane().pass())
        });
        let (position, pass) = passes.enumerate().min_by_key(|(_, pass)| *pass).unwrap_or((0, 0));
        if pass > clock.load(Ordering::Relaxed).saturating_add(CLOCK_STEP) {
            clock.fetch_max(pass, Ordering::Relaxed);
        }
        position
    }
}
