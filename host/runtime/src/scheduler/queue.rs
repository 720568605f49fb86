//! The run queue of one worker: the host that used the least first; inside a host, processes that were preempted in the middle
//! of a step and the others take turns, each kind in FIFO order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Runnable;

/// How far the shared clock may lag behind before it is written, so that workers do not fight over it.
const CLOCK_STEP: u64 = 100_000;

/// Preempted processes that one queue may hold before it serves only them: each keeps a thread, and a storm
/// of new processes would otherwise make as many threads.
pub(super) const MAX_PREEMPTED: usize = 256;

pub(crate) struct RunQueue<P> {
    /// By index of the lane.
    lanes: Vec<Queue<P>>,
    /// Processes in the queues of the preempted.
    preempted: usize,
    /// The lanes that have something queued.
    active: Vec<usize>,
    len: usize,
}

/// What is queued of one lane.
struct Queue<P> {
    /// Processes between two steps.
    ready: VecDeque<Arc<P>>,
    /// Processes in the middle of a step.
    preempted: VecDeque<Arc<P>>,
    /// Whether the preempted are next.
    resume: bool,
}

impl<P> Queue<P> {
    fn new() -> Self {
        Self { ready: VecDeque::new(), preempted: VecDeque::new(), resume: false }
    }

    fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.preempted.is_empty()
    }

    fn first(&self) -> Option<&Arc<P>> {
        self.ready.front().or_else(|| self.preempted.front())
    }

    /// Takes the next, and says whether it was preempted.
    fn pop(&mut self, only_preempted: bool) -> Option<(Arc<P>, bool)> {
        if self.resume || only_preempted || self.ready.is_empty() {
            self.resume = false;
            if let Some(process) = self.preempted.pop_front() {
                return Some((process, true));
            }
        }
        self.resume = true;
        self.ready.pop_front().map(|process| (process, false))
    }
}

impl<P: Runnable> RunQueue<P> {
    pub(crate) fn new() -> Self {
        Self { lanes: Vec::new(), preempted: 0, active: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds at the back of its lane.
    pub(crate) fn push(&mut self, process: Arc<P>, clock: &AtomicU64) {
        let lane = process.lane();
        let index = lane.index();
        if self.lanes.len() <= index {
            self.lanes.resize_with(index + 1, Queue::new);
        }
        let Some(queue) = self.lanes.get_mut(index) else { return };
        if queue.is_empty() {
            lane.wake(clock);
            self.active.push(index);
        }
        if process.halted().is_taken() {
            queue.preempted.push_back(process);
            self.preempted += 1;
        } else {
            queue.ready.push_back(process);
        }
        self.len += 1;
    }

    /// Takes the first of the lane that is served next.
    pub(crate) fn pop(&mut self, clock: &AtomicU64) -> Option<Arc<P>> {
        let only_preempted = self.preempted >= MAX_PREEMPTED;
        let position = match self.active.as_slice() {
            [] => return None,
            [_] => 0,
            [..] => self.least(clock, only_preempted),
        };
        let index = *self.active.get(position)?;
        let queue = self.lanes.get_mut(index)?;
        let (process, preempted) = queue.pop(only_preempted)?;
        if queue.is_empty() {
            self.active.swap_remove(position);
        }
        self.len -= 1;
        self.preempted -= usize::from(preempted);
        Some(process)
    }

    /// Moves half of what is queued, rounded up, to another queue; the lanes served next go first.
    pub(crate) fn give_half(&mut self, to: &mut Vec<Arc<P>>, clock: &AtomicU64) {
        for _ in 0..self.len.div_ceil(2) {
            to.extend(self.pop(clock));
        }
    }

    /// Finds the active lane with the least pass, if need be among those with preempted processes.
    fn least(&self, clock: &AtomicU64, only_preempted: bool) -> usize {
        let passes = self.active.iter().map(|index| {
            let queue = self.lanes.get(*index).filter(|queue| !only_preempted || !queue.preempted.is_empty());
            queue.and_then(Queue::first).map_or(u64::MAX, |process| process.lane().pass())
        });
        let (position, pass) = passes.enumerate().min_by_key(|(_, pass)| *pass).unwrap_or((0, 0));
        if pass > clock.load(Ordering::Relaxed).saturating_add(CLOCK_STEP) {
            clock.fetch_max(pass, Ordering::Relaxed);
        }
        position
    }
}
