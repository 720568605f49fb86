//! The run queue of one worker: the host that used the least first; inside a host, processes whose steps are brief, those that were
//! preempted in the middle of a step, and the others take turns, each kind in FIFO order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Runnable;

/// How far the shared clock may lag behind before it is written, so that workers do not fight over it.
const CLOCK_STEP: u64 = 100_000;

/// Preempted processes that one queue may hold before those of a lane that has more than its share of them are all that is started
/// of that lane: each keeps a thread, and a storm of endless steps would otherwise make as many threads. Other lanes do not notice.
const MAX_PREEMPTED: usize = 256;
/// The same for processes whose last step was brief: those of a lane that is full go on to be served, because they hardly ever need
/// a thread.
const MAX_PREEMPTED_BRIEF: usize = 4 * MAX_PREEMPTED;

pub(crate) struct RunQueue<P> {
    /// By index of the lane.
    lanes: Vec<Queue<P>>,
    /// The lanes that have something queued.
    active: Vec<usize>,
    len: usize,
}

/// What is queued of one lane. The three kinds take turns.
struct Queue<P> {
    kinds: [VecDeque<Arc<P>>; 3],
    /// The kind that is next.
    next: usize,
}

/// The place of those whose last step was brief.
const BRIEF: usize = 0;
/// The place of those that are in the middle of a step. The third place is for the rest: those that have not run yet, and those
/// whose last step was long.
const PREEMPTED: usize = 1;

impl<P: Runnable> Queue<P> {
    fn new() -> Self {
        Self { kinds: [VecDeque::new(), VecDeque::new(), VecDeque::new()], next: 0 }
    }

    fn is_empty(&self) -> bool {
        self.kinds.iter().all(VecDeque::is_empty)
    }

    fn any(&self) -> Option<&Arc<P>> {
        self.kinds.iter().find_map(VecDeque::front)
    }

    fn push(&mut self, process: Arc<P>) {
        let [brief, preempted, other] = &mut self.kinds;
        if process.halted().is_taken() {
            preempted.push_back(process);
        } else if process.is_brief() {
            brief.push_back(process);
        } else {
            other.push_back(process);
        }
    }

    /// Takes the next; `share` is how many preempted processes the lane may have before it starts nothing that may become one.
    fn pop(&mut self, share: usize) -> Option<Arc<P>> {
        let preempted = self.kinds.get(PREEMPTED).map_or(0, VecDeque::len);
        for offset in 0..self.kinds.len() {
            let kind = (self.next + offset) % self.kinds.len();
            let allowed = match kind {
                PREEMPTED => true,
                BRIEF => preempted < MAX_PREEMPTED_BRIEF,
                _ => preempted < share,
            };
            if allowed && let Some(process) = self.kinds.get_mut(kind).and_then(VecDeque::pop_front) {
                self.next = (kind + 1) % self.kinds.len();
                return Some(process);
            }
        }
        None
    }
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
            self.lanes.resize_with(index + 1, Queue::new);
        }
        let Some(queue) = self.lanes.get_mut(index) else { return };
        if queue.is_empty() {
            lane.wake(clock);
            self.active.push(index);
        }
        queue.push(process);
        self.len += 1;
    }

    /// Takes the first of the lane that is served next.
    pub(crate) fn pop(&mut self, clock: &AtomicU64) -> Option<Arc<P>> {
        let position = match self.active.as_slice() {
            [] => return None,
            [_] => 0,
            [..] => self.least(clock),
        };
        let share = (MAX_PREEMPTED / self.active.len()).max(1);
        let index = *self.active.get(position)?;
        let queue = self.lanes.get_mut(index)?;
        let process = queue.pop(share)?;
        if queue.is_empty() {
            self.active.swap_remove(position);
        }
        self.len -= 1;
        Some(process)
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
            let queue = self.lanes.get(*index);
            queue.and_then(Queue::any).map_or(u64::MAX, |process| process.lane().pass())
        });
        let (position, pass) = passes.enumerate().min_by_key(|(_, pass)| *pass).unwrap_or((0, 0));
        if pass > clock.load(Ordering::Relaxed).saturating_add(CLOCK_STEP) {
            clock.fetch_max(pass, Ordering::Relaxed);
        }
        position
    }
}
