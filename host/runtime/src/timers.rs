//! Alarms in the order of their deadlines.
//!
//! Owns nothing but the order: workers ask for what is due between two turns, and a worker that parks does so until the
//! next deadline, so that no thread of its own is needed. Cancelling removes at once, so that a process which starts and
//! drops long timers cannot fill the queue.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// No deadline at all.
pub(crate) const NEVER: u64 = u64::MAX;

/// Names one alarm; deadlines are nanoseconds of the node's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AlarmKey {
    deadline: u64,
    number: u64,
}

/// All pending alarms of a node.
pub(crate) struct Timers<A> {
    /// The earliest deadline, for a look without the lock.
    next: AtomicU64,
    queue: Mutex<Queue<A>>,
}

struct Queue<A> {
    alarms: BTreeMap<AlarmKey, A>,
    numbers: u64,
}

impl<A> Timers<A> {
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(NEVER), queue: Mutex::new(Queue { alarms: BTreeMap::new(), numbers: 0 }) }
    }

    /// Adds an alarm.
    pub(crate) fn add(&self, deadline: u64, alarm: A) -> AlarmKey {
        let mut queue = self.queue.lock();
        queue.numbers += 1;
        let key = AlarmKey { deadline, number: queue.numbers };
        queue.alarms.insert(key, alarm);
        if deadline < self.next.load(Ordering::Relaxed) {
            self.next.store(deadline, Ordering::Release);
        }
        key
    }

    /// Removes an alarm; none when it is due already.
    pub(crate) fn cancel(&self, key: AlarmKey) -> Option<A> {
        let mut queue = self.queue.lock();
        let alarm = queue.alarms.remove(&key);
        self.publish(&queue);
        alarm
    }

    /// Returns the earliest deadline, or [`NEVER`].
    pub(crate) fn next_deadline(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Moves alarms whose deadline has come to `due`, the earliest first and at most so many.
    pub(crate) fn take_due(&self, now: u64, most: usize, due: &mut Vec<A>) {
        if now < self.next_deadline() {
            return;
        }
        let mut queue = self.queue.lock();
        while let Some(first) = queue.alarms.first_entry() {
            if first.key().deadline > now || due.len() >= most {
                break;
            }
            due.push(first.remove());
        }
        self.publish(&queue);
    }

    fn publish(&self, queue: &Queue<A>) {
        let next = queue.alarms.first_key_value().map_or(NEVER, |(key, _)| key.deadline);
        self.next.store(next, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_come_in_the_order_of_their_deadlines_and_never_early() {
        let timers = Timers::new();
        timers.add(30, "c");
        timers.add(10, "a");
        timers.add(10, "b");
        assert_eq!(timers.next_deadline(), 10);
        let mut due = Vec::new();
        timers.take_due(9, 100, &mut due);
        assert!(due.is_empty());
        timers.take_due(29, 100, &mut due);
        assert_eq!(due, ["a", "b"]);
        assert_eq!(timers.next_deadline(), 30);
        timers.take_due(30, 100, &mut due);
        assert_eq!(due, ["a", "b", "c"]);
        assert_eq!(timers.next_deadline(), NEVER);
    }

    #[test]
    fn a_cancelled_alarm_never_comes() {
        let timers = Timers::new();
        let first = timers.add(10, 1);
        let second = timers.add(20, 2);
        assert_eq!(timers.cancel(first), Some(1));
        assert_eq!(timers.cancel(first), None);
        assert_eq!(timers.next_deadline(), 20);
        let mut due = Vec::new();
        timers.take_due(100, 100, &mut due);
        assert_eq!(due, [2]);
        assert_eq!(timers.cancel(second), None);
    }
}
