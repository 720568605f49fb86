//! One queue: its messages in order, those that wait for their time, and how many are being worked on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moonlet_runtime::{Error, Value};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::ledger::Ledger;
use crate::fail::limit;

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) id: String,
    /// A document: as values it can take 32 times as much.
    pub(super) body: Arc<[u8]>,
    pub(super) headers: Vec<(String, Value)>,
    /// How often it was given to a consumer.
    pub(super) attempts: u64,
    /// About how many bytes it has.
    pub(super) size: usize,
}

/// Bounds of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) length: usize,
    pub(super) bytes: usize,
}

/// One queue.
pub(super) struct Line {
    name: String,
    /// Where its messages are kept; none: in memory only.
    ledger: Option<Arc<Ledger>>,
    /// Guards the messages; never held while a disk works.
    inner: Mutex<Inner>,
    changed: Notify,
    pub(super) consumers: AtomicUsize,
}

#[derive(Default)]
struct Inner {
    ready: VecDeque<(u64, Message)>,
    /// By the time they are due, and then in order.
    later: BTreeMap<(Instant, u64), Message>,
    in_flight: usize,
    bytes: usize,
    last: u64,
}

/// What is told when a message is safe.
pub(super) type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A message that somebody works on. It goes back to the queue when nobody says what became of it.
pub(super) struct Taken {
    line: Arc<Line>,
    number: u64,
    pub(super) message: Message,
    settled: bool,
}

impl Line {
    /// Makes a queue with the messages that its ledger has kept.
    pub(super) fn new(name: &str, ledger: Option<Arc<Ledger>>) -> Arc<Self> {
        let mut inner = Inner::default();
        let kept = ledger.as_ref().map(|ledger| ledger.take_kept(name)).unwrap_or_default();
        for (number, message) in kept {
            inner.last = inner.last.max(number);
            inner.bytes += message.size;
            inner.ready.push_back((number, message));
        }
        Arc::new(Self {
            name: name.to_owned(),
            ledger,
            inner: Mutex::new(inner),
            changed: Notify::new(),
            consumers: AtomicUsize::new(0),
        })
    }

    /// Takes a message in; `done` hears when it is safe. Until then no consumer sees it.
    pub(super) fn publish(self: &Arc<Self>, message: Message, bounds: Bounds, delay: Duration, done: Done) {
        let number = {
            let mut inner = self.inner.lock();
            let length = inner.length() + 1;
            if length > bounds.length || inner.bytes + message.size > bounds.bytes {
                let (name, allowed, used) = match length > bounds.length {
                    true => ("max_length", bounds.length, length),
                    false => ("max_bytes", bounds.bytes, inner.bytes + message.size),
                };
                drop(inner);
                let mut error = limit(name, allowed as u64, used as u64);
                error.kind = "RateLimited".to_owned();
                error.message = format!("the queue is full: `{name}` allows {allowed}; try again when messages were taken");
                return done(Err(error.with_retryable(true)));
            }
            inner.bytes += message.size;
            inner.in_flight += 1;
            inner.last += 1;
            inner.last
        };
        let Some(ledger) = &self.ledger else {
            self.put_in(number, message, delay);
            return done(Ok(()));
        };
        let line = Arc::clone(self);
        let record = message.clone();
        ledger.keep(
            &self.name,
            number,
            &record,
            Some(Box::new(move |result| {
                match &result {
                    Ok(()) => line.put_in(number, message, delay),
                    Err(_) => line.forget(message.size),
                }
                done(result);
            })),
        );
    }

    fn put_in(&self, number: u64, message: Message, delay: Duration) {
        let mut inner = self.inner.lock();
        inner.in_flight -= 1;
        if delay.is_zero() {
            inner.ready.push_back((number, message));
        } else {
            inner.later.insert((Instant::now() + delay, number), message);
        }
        drop(inner);
        self.changed.notify_one();
    }

    fn forget(&self, size: usize) {
        let mut inner = self.inner.lock();
        inner.in_flight -= 1;
        inner.bytes -= size;
    }

    /// Waits for the next message.
    pub(super) async fn next(self: &Arc<Self>) -> Taken {
        loop {
            let changed = self.changed.notified();
            let due = match self.inner.lock().take() {
                Ok((number, message)) => {
                    // Another consumer may wait for the next one.
                    self.changed.notify_one();
                    return Taken { line: Arc::clone(self), number, message, settled: false };
                }
                Err(due) => due,
            };
            match due {
                Some(due) => {
                    // Whichever comes first; neither loses anything when it is dropped.
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Tells whether messages are kept in a file, which takes time.
    pub(super) fn is_durable(&self) -> bool {
        self.ledger.is_some()
    }

    /// Counts the messages that wait, and all.
    pub(super) fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.ready.len() + inner.later.len(), inner.length())
    }

    pub(super) fn consumers(&self) -> usize {
        self.consumers.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn length(&self) -> usize {
        self.ready.len() + self.later.len() + self.in_flight
    }

    /// Takes the next message, or tells when there may be one.
    fn take(&mut self) -> Result<(u64, Message), Option<Instant>> {
        let now = Instant::now();
        while let Some(first) = self.later.first_entry() {
            if first.key().0 > now {
                break;
            }
            let ((_, number), message) = first.remove_entry();
            self.ready.push_back((number, message));
        }
        match self.ready.pop_front() {
            Some((number, mut message)) => {
                self.in_flight += 1;
                message.attempts += 1;
                Ok((number, message))
            }
            None => Err(self.later.first_key_value().map(|((due, _), _)| *due)),
        }
    }
}

impl Taken {
    /// Ends the message: it is done.
    pub(super) fn ack(mut self) {
        self.settled = true;
        self.line.forget(self.message.size);
        if let Some(ledger) = &self.line.ledger {
            ledger.remove(&self.line.name, self.number);
        }
    }

    /// Gives the message back, to come again after a while.
    pub(super) fn nack(mut self, delay: Duration) {
        self.settled = true;
        self.give_back(delay);
    }

    fn give_back(&self, delay: Duration) {
        if let Some(ledger) = &self.line.ledger {
            // Only the count of attempts changes, for which nobody waits.
            ledger.keep(&self.line.name, self.number, &self.message, None);
        }
        self.line.put_in(self.number, self.message.clone(), delay);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.settled {
            self.give_back(Duration::ZERO);
        }
    }
}
