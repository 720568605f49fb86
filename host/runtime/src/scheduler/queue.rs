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

/// How long the turn of a lane lasts while it has brief steps, in its weighted time: two slices of an endless step, so that two
/// processes that talk to each other are hardly ever held up in the middle of a conversation. Brief steps of lanes that used less
/// come in between.
const TURN: u64 = 4_000_000;
/// How long a lane that has had more than its share waits for its next brief steps, in nanoseconds, and how long that turn lasts, in
/// its weighted time: what waits here must not pay with more than that for what other workers run of its lane.
const PATIENCE_BRIEF: u64 = 6_000_000;
const SHORT_TURN: u64 = 250_000;
/// How long it waits for its next other step.
const PATIENCE: u64 = 50_000_000;

pub(crate) struct RunQueue<P> {
    /// By index of the lane.
    lanes: Vec<Queue<P>>,
    /// The lane whose turn it is, and the pass at which the turn is over.
    turn: Option<(usize, u64)>,
    /// The lanes that have something queued.
    active: Vec<usize>,
    len: usize,
}

/// What is queued of one lane. The three kinds take turns.
struct Queue<P> {
    kinds: [VecDeque<Arc<P>>; 3],
    /// The kind that is next.
    next: usize,
    /// Since when the lane waits; none until somebody looks.
    since: Option<u64>,
}

/// The place of those whose last step was brief.
const BRIEF: usize = 0;
/// The place of those that are in the middle of a step. The third place is for the rest: those that have not run yet, and those
/// whose last step was long.
const PREEMPTED: usize = 1;

impl<P: Runnable> Queue<P> {
    fn new() -> Self {
        Self { kinds: [VecDeque::new(), VecDeque::new(), VecDeque::new()], next: 0, since: None }
    }

    fn is_empty(&self) -> bool {
        self.kinds.iter().all(VecDeque::is_empty)
    }

    fn has_long(&self) -> bool {
        self.kinds.iter().skip(1).any(|kind| !kind.is_empty())
    }

    fn has_brief(&self) -> bool {
        self.kinds.get(BRIEF).is_some_and(|brief| !brief.is_empty())
    }

    /// Puts brief steps first.
    fn prefer_brief(&mut self) {
        if self.has_brief() {
            self.next = BRIEF;
        }
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
        Self { lanes: Vec::new(), turn: None, active: Vec::new(), len: 0 }
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
    pub(crate) fn pop(&mut self, clock: &AtomicU64, now: u64) -> Option<Arc<P>> {
        let position = match self.active.as_slice() {
            [] => return None,
            [_] => 0,
            [..] => self.next(clock, now),
        };
        self.take(position)
    }

    /// Moves half of what is queued, rounded up, to another queue; the lanes served next go first.
    pub(crate) fn give_half(&mut self, to: &mut Vec<Arc<P>>, clock: &AtomicU64) {
        for _ in 0..self.len.div_ceil(2) {
            let position = self.least(clock);
            to.extend(self.take(position));
        }
    }

    fn take(&mut self, position: usize) -> Option<Arc<P>> {
        let share = (MAX_PREEMPTED / self.active.len().max(1)).max(1);
        let index = *self.active.get(position)?;
        let queue = self.lanes.get_mut(index)?;
        let process = queue.pop(share)?;
        queue.since = None;
        if queue.is_empty() {
            self.active.swap_remove(position);
        }
        self.len -= 1;
        Some(process)
    }

    /// Decides which of several active lanes is served: the one that has waited too long, the one whose turn it is, or the one with the
    /// least pass, whose turn begins.
    fn next(&mut self, clock: &AtomicU64, now: u64) -> usize {
        let mut turn: Option<(usize, u64)> = None;
        let mut brief: Option<(usize, u64)> = None;
        let mut longest: Option<(usize, u64)> = None;
        for (position, index) in self.active.iter().enumerate() {
            let Some(queue) = self.lanes.get_mut(*index) else { continue };
            let since = *queue.since.get_or_insert(now);
            let patience = if queue.has_brief() { PATIENCE_BRIEF } else { PATIENCE };
            if now.saturating_sub(since) > patience && longest.is_none_or(|(_, other)| since < other) {
                longest = Some((position, since));
            }
            if let Some(pass) = queue.any().filter(|_| queue.has_brief()).map(|process| process.lane().pass()) {
                if brief.is_none_or(|(_, least)| pass < least) {
                    brief = Some((position, pass));
                }
                if self.turn.is_some_and(|(lane, end)| lane == *index && pass < end) {
                    turn = Some((position, pass));
                }
            }
        }
        if let Some((position, _)) = longest {
            if let Some(queue) = self.active.get(position).and_then(|index| self.lanes.get_mut(*index)) {
                queue.prefer_brief();
            }
            self.begin_turn(position, SHORT_TURN);
            return position;
        }
        match (turn, brief) {
            (Some((_, pass)), Some((position, least))) if least < pass => position,
            (Some((position, _)), _) => position,
            (None, _) => {
                let position = self.least(clock);
                self.begin_turn(position, TURN);
                position
            }
        }
    }

    fn begin_turn(&mut self, position: usize, length: u64) {
        let index = self.active.get(position).copied();
        let first = index.and_then(|index| self.lanes.get(index)).and_then(Queue::any);
        self.turn = index.zip(first.map(|process| process.lane().pass().saturating_add(length)));
    }

    /// Returns the least pass of all active lanes; the largest number when there is none.
    pub(crate) fn level(&self) -> u64 {
        self.passes(|_| true).map(|(_, pass)| pass).min().unwrap_or(u64::MAX)
    }

    /// Returns the least pass of the lanes that have steps which are not brief.
    pub(crate) fn long_level(&self) -> u64 {
        self.passes(Queue::has_long).map(|(_, pass)| pass).min().unwrap_or(u64::MAX)
    }

    /// Takes a process whose steps are not brief, of the lane with the least pass among those that have one.
    pub(crate) fn pop_long(&mut self) -> Option<Arc<P>> {
        let (position, _) = self.passes(Queue::has_long).min_by_key(|(_, pass)| *pass)?;
        let queue = self.active.get(position).and_then(|index| self.lanes.get_mut(*index))?;
        queue.next = PREEMPTED;
        self.take(position)
    }

    /// Lists the active lanes that have what is asked for, by their place among the active, with their pass.
    fn passes(&self, has: impl Fn(&Queue<P>) -> bool) -> impl Iterator<Item = (usize, u64)> {
        let queues = self.active.iter().map(|index| self.lanes.get(*index)).enumerate();
        queues.filter_map(move |(position, queue)| {
            let queue = queue.filter(|queue| has(queue))?;
            Some((position, queue.any()?.lane().pass()))
        })
    }

    /// Finds the active lane with the least pass.
    fn least(&self, clock: &AtomicU64) -> usize {
        let (position, pass) = self.passes(|_| true).min_by_key(|(_, pass)| *pass).unwrap_or((0, 0));
        if pass > clock.load(Ordering::Relaxed).saturating_add(CLOCK_STEP) {
            clock.fetch_max(pass, Ordering::Relaxed);
        }
        position
    }
}
