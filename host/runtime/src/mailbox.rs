//! The mailbox of one process: what waits for it, and in which order it may see it.
//!
//! A synchronous state machine: it wakes nobody and takes no lock. A message whose topic is listened to, or any other once the
//! inbox is open, is deliverable at once; the rest is kept, charged like all that waits, until the process asks for it. Order
//! is kept within a topic.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moonlet_sandbox::wit::{Error, Event, Outcome, Payload, Signal, SignalKind};
use rustc_hash::FxHashSet;

use crate::arrival::{Arrival, Envelope};
use crate::trace::TraceContext;

#[cfg(test)]
mod tests;

/// What one message costs beyond its bytes, so that empty ones are not free: its place in a queue, whose memory doubles when it is full,
/// and what the allocator adds to its parts.
const OVERHEAD: usize = 2 * size_of::<Arrival>() + 64;
/// Queues that grew past this many elements give their memory back when they are empty.
const KEEP_CAPACITY: usize = 64;

/// Says that a module of the host feeds a topic no longer; the topic is the value.
pub(crate) const CLOSE_TOPIC: &str = "@close";

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailboxLimits {
    /// Messages and cancel signals.
    pub(crate) messages: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
}

/// Room in a pool that something takes which waits elsewhere than in a mailbox, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<(Arc<Pool>, usize)>);

impl Room {
    /// Takes it; none: there is not so much left. Without a pool there always is.
    pub(crate) fn take(pool: Option<&Arc<Pool>>, bytes: usize) -> Option<Self> {
        let Some(pool) = pool else { return Some(Self::default()) };
        pool.charge(bytes).ok().map(|()| Self(Some((Arc::clone(pool), bytes))))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some((pool, bytes)) = self.0.take() {
            pool.discharge(bytes);
        }
    }
}

/// What waits in several mailboxes together, in bytes, and how much may.
#[derive(Debug)]
pub(crate) struct Pool {
    allowed: usize,
    used: AtomicUsize,
}

impl Pool {
    pub(crate) fn new(allowed: usize) -> Self {
        Self { allowed, used: AtomicUsize::new(0) }
    }

    pub(crate) fn charge(&self, bytes: usize) -> Result<(), Full> {
        let used = self.add(bytes);
        if used > self.allowed {
            self.discharge(bytes);
            return Err(Full { limit: "quota.mailbox_bytes", allowed: self.allowed, used });
        }
        Ok(())
    }

    /// Tells whether so many bytes fit.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), Full> {
        let used = self.used.load(Ordering::Relaxed).saturating_add(bytes);
        if used > self.allowed {
            return Err(Full { limit: "quota.mailbox_bytes", allowed: self.allowed, used });
        }
        Ok(())
    }

    /// Charges what can be refused no more, and returns what is used then.
    pub(crate) fn add(&self, bytes: usize) -> usize {
        self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes)
    }

    pub(crate) fn discharge(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A message came to a full mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full {
    /// The limit that is reached.
    pub(crate) limit: &'static str,
    /// What it allows.
    pub(crate) allowed: usize,
    /// What there would be.
    pub(crate) used: usize,
}

/// What waits for one process.
#[derive(Debug)]
pub(crate) struct Mailbox {
    ready: VecDeque<Arrival>,
    kept: VecDeque<Envelope>,
    topics: FxHashSet<Box<str>>,
    paused: FxHashSet<Box<str>>,
    inbox: Inbox,
    messages: usize,
    bytes: usize,
    owed: Owed,
    limits: MailboxLimits,
    /// What it shares a bound with.
    pool: Option<Arc<Pool>>,
}

/// What the process asked for and has not taken yet: the ends of operations, and signals. It is not charged like messages, because
/// nobody could be told that there is no room; instead nothing more can be asked for while there is too much.
#[derive(Debug, Clone, Copy, Default)]
struct Owed {
    completions: usize,
    signals: usize,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inbox {
    open: bool,
    paused: bool,
    /// Whether somebody knows that the mailbox is nearly full.
    warned: bool,
}

impl Mailbox {
    pub(crate) fn new(limits: MailboxLimits) -> Self {
        Self {
            ready: VecDeque::new(),
            kept: VecDeque::new(),
            topics: FxHashSet::default(),
            paused: FxHashSet::default(),
            inbox: Inbox { open: false, paused: false, warned: false },
            messages: 0,
            bytes: 0,
            owed: Owed::default(),
            limits,
            pool: None,
        }
    }

    /// The same, with a bound that it shares.
    pub(crate) fn sharing(limits: MailboxLimits, pool: Option<Arc<Pool>>) -> Self {
        let mut mailbox = Self::new(limits);
        mailbox.pool = pool;
        mailbox
    }

    /// Returns the bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Tells once that the mailbox is nearly full: which limit, what it allows, and what is used.
    pub(crate) fn warning(&mut self) -> Option<Full> {
        if self.inbox.warned {
            return None;
        }
        let full = |limit, used: usize, allowed: usize| (used > allowed / 5 * 4).then_some(Full { limit, allowed, used });
        let warning = full("mailbox_messages", self.messages, self.limits.messages)
            .or_else(|| full("mailbox_bytes", self.bytes, self.limits.bytes));
        self.inbox.warned = warning.is_some();
        warning
    }

    /// A mailbox that nothing is put into: what an ended process has left.
    pub(crate) fn closed() -> Self {
        Self::new(MailboxLimits { messages: 0, bytes: 0 })
    }

    /// Takes a message in and tells whether it is deliverable now.
    pub(crate) fn message(&mut self, envelope: Envelope) -> Result<bool, Full> {
        self.charge(cost(&envelope))?;
        let deliverable = self.delivers(&envelope.topic);
        if deliverable {
            self.ready.push_back(Arrival::Message(envelope));
        } else {
            self.kept.push_back(envelope);
        }
        Ok(deliverable)
    }

    /// Takes a request to stop in; it is charged, because any process can send one.
    pub(crate) fn request(&mut self, signal: Signal) -> Result<(), Full> {
        self.charge(OVERHEAD + signal.reason.len())?;
        self.ready.push_back(Arrival::Signal(Box::new(signal)));
        Ok(())
    }

    /// Counts the ended operations that the process has not taken yet.
    pub(crate) fn owed(&self) -> usize {
        self.owed.completions
    }

    /// Tells whether a result of so many bytes fits beside those that the process has not taken yet. One always does, unless what waits
    /// for all processes of the host leaves no room.
    pub(crate) fn check_owed(&self, bytes: usize) -> Result<(), Full> {
        let (allowed, used) = (self.limits.bytes, self.owed.bytes.saturating_add(bytes));
        if self.owed.bytes > 0 && used > allowed {
            return Err(Full { limit: "mailbox_bytes", allowed, used });
        }
        match &self.pool {
            // What is as small as the error that would take its place is never refused.
            Some(pool) if bytes > OVERHEAD => pool.check(bytes),
            _ => Ok(()),
        }
    }

    /// Tells whether the process may ask for one more signal.
    pub(crate) fn check_signals(&self) -> Result<(), Full> {
        let (allowed, used) = (self.limits.messages, self.owed.signals + 1);
        if used > allowed {
            return Err(Full { limit: "mailbox_messages", allowed, used });
        }
        Ok(())
    }

    /// Takes a signal in that the process asked for.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.owed.signals += 1;
        self.owe(size_of_signal(&signal));
        self.ready.push_back(Arrival::Signal(Box::new(signal)));
    }

    /// Takes the end of a pending operation in.
    pub(crate) fn completed(&mut self, ticket: u64, outcome: Outcome) {
        self.owed.completions += 1;
        self.owe(size_of_outcome(&outcome));
        self.ready.push_back(Arrival::Completed(ticket, outcome));
    }

    /// Returns what an operation came to, of which the process has not heard yet.
    pub(crate) fn completion(&self, ticket: u64) -> Option<&Outcome> {
        self.ready.iter().rev().find_map(|arrival| match arrival {
            Arrival::Completed(other, outcome) if *other == ticket => Some(outcome),
            _ => None,
        })
    }

    /// Charges what the process is owed; whoever gives it has checked that there is room.
    fn owe(&mut self, bytes: usize) {
        self.owed.bytes = self.owed.bytes.saturating_add(bytes);
        if let Some(pool) = &self.pool {
            pool.add(bytes);
        }
    }

    fn pay(&mut self, bytes: usize) {
        let bytes = bytes.min(self.owed.bytes);
        self.owed.bytes -= bytes;
        if let Some(pool) = &self.pool {
            pool.discharge(bytes);
        }
    }

    /// Counts the messages that wait.
    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    /// Moves what is deliverable to `events`, at most so many, and stops behind the one with which the bytes exceed theirs, and before a
    /// message of another trace. Returns the trace of the messages, if there are any.
    pub(crate) fn take(&mut self, events: &mut Vec<Event>, most: usize, most_bytes: usize) -> Option<Option<Arc<TraceContext>>> {
        let mut bytes = 0;
        let mut trace: Option<Option<Arc<TraceContext>>> = None;
        for _ in 0..most {
            if let Some(Arrival::Message(next)) = self.ready.front() {
                match &trace {
                    None => trace = Some(next.trace.clone()),
                    Some(trace) if *trace != next.trace => break,
                    Some(_) => {}
                }
            }
            let Some(arrival) = self.ready.pop_front() else { break };
            bytes += self.discharge(&arrival);
            events.push(arrival.into());
            if bytes > most_bytes {
                break;
            }
        }
        self.relax();
        trace
    }

    /// Tells whether there is something to deliver.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the first message or signal.
    pub(crate) fn take_event(&mut self) -> Option<(Event, Option<Arc<TraceContext>>)> {
        let position = self.ready.iter().position(|arrival| !matches!(arrival, Arrival::Completed(..)))?;
        let arrival = self.ready.remove(position)?;
        self.discharge(&arrival);
        self.relax();
        let trace = if let Arrival::Message(message) = &arrival { message.trace.clone() } else { None };
        Some((arrival.into(), trace))
    }

    /// Takes the end of one operation.
    pub(crate) fn take_end(&mut self, ticket: u64) -> Option<Outcome> {
        let position =
            self.ready.iter().position(|arrival| matches!(arrival, Arrival::Completed(other, _) if *other == ticket))?;
        let arrival = self.ready.remove(position)?;
        self.discharge(&arrival);
        match arrival {
            Arrival::Completed(_, outcome) => Some(outcome),
            Arrival::Message(_) | Arrival::Signal(_) => None,
        }
    }

    /// Delivers a topic from now on, the kept messages first. Tells whether the topic is new.
    pub(crate) fn listen(&mut self, topic: String) -> bool {
        let new = self.topics.insert(topic.into_boxed_str());
        self.deliver_kept();
        new
    }

    /// Counts the topics that are listened to.
    pub(crate) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Leaves a topic to the inbox.
    pub(crate) fn unlisten(&mut self, topic: &str) {
        self.topics.remove(topic);
        self.paused.remove(topic);
        self.keep_undeliverable();
        self.deliver_kept();
    }

    /// Delivers what nobody listens to from now on, the kept messages first.
    pub(crate) fn open_inbox(&mut self) {
        self.inbox.open = true;
        self.deliver_kept();
    }

    /// Keeps messages of a topic, or of the inbox, until `resume`.
    pub(crate) fn pause(&mut self, topic: Option<String>) {
        match topic {
            Some(topic) if self.topics.contains(topic.as_str()) => {
                self.paused.insert(topic.into_boxed_str());
            }
            Some(_) => return,
            None => self.inbox.paused = true,
        }
        self.keep_undeliverable();
    }

    /// Ends a pause.
    pub(crate) fn resume(&mut self, topic: Option<&str>) {
        match topic {
            Some(topic) => {
                self.paused.remove(topic);
            }
            None => self.inbox.paused = false,
        }
        self.deliver_kept();
    }

    /// Starts over for new code of the same process: nothing is listened to, messages wait in the order in which they came, `unread` ones
    /// first. Returns how many of those did not fit, and the channels that come with what waits.
    pub(crate) fn renew(&mut self, unread: Vec<Arrival>) -> (usize, Vec<u32>) {
        let waiting: Vec<Arrival> = std::mem::take(&mut self.ready).into_iter().collect();
        let kept: Vec<Envelope> = std::mem::take(&mut self.kept).into_iter().collect();
        self.topics = FxHashSet::default();
        self.paused = FxHashSet::default();
        self.inbox = Inbox { open: false, paused: false, warned: false };
        let (mut lost, mut channels) = (0, Vec::new());
        for arrival in unread {
            if self.charge_again(&arrival) { self.take_back(arrival, &mut channels) } else { lost += 1 }
        }
        for arrival in kept.into_iter().map(Arrival::Message).chain(waiting) {
            let is_feed = matches!(&arrival, Arrival::Message(envelope) if envelope.topic.starts_with('@'));
            // Feeds and pending operations ended with the old code.
            if is_feed || matches!(arrival, Arrival::Completed(..)) {
                self.discharge(&arrival);
            } else {
                self.take_back(arrival, &mut channels);
            }
        }
        (lost, channels)
    }

    fn take_back(&mut self, arrival: Arrival, channels: &mut Vec<u32>) {
        match arrival {
            Arrival::Message(envelope) => {
                channels.extend(&envelope.body.channels);
                self.kept.push_back(envelope);
            }
            Arrival::Signal(signal) => {
                channels.extend(&signal.value.channels);
                self.ready.push_back(Arrival::Signal(signal));
            }
            Arrival::Completed(..) => {}
        }
    }

    /// Charges what was delivered before and comes back. Meanwhile others may have filled the mailbox, hence there is room for as much again.
    fn charge_again(&mut self, arrival: &Arrival) -> bool {
        let bytes = match arrival {
            Arrival::Message(envelope) if envelope.topic.starts_with('@') => return false,
            Arrival::Message(envelope) => cost(envelope),
            Arrival::Signal(signal) if signal.kind == SignalKind::Cancel => OVERHEAD + signal.reason.len(),
            Arrival::Signal(signal) => {
                self.owed.signals += 1;
                self.owe(size_of_signal(signal));
                return true;
            }
            Arrival::Completed(..) => return false,
        };
        let (messages, bytes) = (self.messages + 1, self.bytes.saturating_add(bytes));
        if messages > self.limits.messages.saturating_mul(2) || bytes > self.limits.bytes.saturating_mul(2) {
            return false;
        }
        if let Some(pool) = &self.pool
            && pool.charge(bytes - self.bytes).is_err()
        {
            return false;
        }
        (self.messages, self.bytes) = (messages, bytes);
        true
    }

    /// Takes in that entries changed; one signal waits at most, with all of them.
    pub(crate) fn outdated(&mut self, sources: Vec<String>, at: u64) {
        for arrival in &mut self.ready {
            if let Arrival::Signal(signal) = arrival
                && signal.kind == SignalKind::Outdated
            {
                signal.sources.extend(sources);
                signal.sources.sort();
                signal.sources.dedup();
                return;
            }
        }
        let signal = Signal {
            kind: SignalKind::Outdated,
            sender: String::new(),
            at,
            value: Payload::empty(),
            error: None,
            reason: String::new(),
            sources,
        };
        self.signal(signal);
    }

    /// Drops the news that entries changed.
    pub(crate) fn forget_outdated(&mut self) {
        let mut paid = 0;
        self.ready.retain(|arrival| match arrival {
            Arrival::Signal(signal) if signal.kind == SignalKind::Outdated => {
                paid += size_of_signal(signal);
                false
            }
            _ => true,
        });
        if paid > 0 {
            self.owed.signals = self.owed.signals.saturating_sub(1);
            self.pay(paid);
        }
    }

    fn delivers(&self, topic: &str) -> bool {
        if topic == CLOSE_TOPIC {
            return true;
        }
        if !self.topics.is_empty() && self.topics.contains(topic) {
            self.paused.is_empty() || !self.paused.contains(topic)
        } else {
            self.inbox.open && !self.inbox.paused
        }
    }

    /// Moves kept messages that have become deliverable behind what is.
    fn deliver_kept(&mut self) {
        if self.kept.is_empty() {
            return;
        }
        for envelope in std::mem::take(&mut self.kept) {
            if self.delivers(&envelope.topic) {
                self.ready.push_back(Arrival::Message(envelope));
            } else {
                self.kept.push_back(envelope);
            }
        }
    }

    /// Takes back messages that have ceased to be deliverable. None of their topics is among the kept ones, so order holds.
    fn keep_undeliverable(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        for arrival in std::mem::take(&mut self.ready) {
            match arrival {
                Arrival::Message(envelope) if !self.delivers(&envelope.topic) => self.kept.push_back(envelope),
                arrival => self.ready.push_back(arrival),
            }
        }
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Full> {
        let messages = self.messages + 1;
        if messages > self.limits.messages {
            return Err(Full { limit: "mailbox_messages", allowed: self.limits.messages, used: messages });
        }
        let bytes = self.bytes.saturating_add(bytes);
        if bytes > self.limits.bytes {
            return Err(Full { limit: "mailbox_bytes", allowed: self.limits.bytes, used: bytes });
        }
        if let Some(pool) = &self.pool {
            pool.charge(bytes - self.bytes)?;
        }
        self.messages = messages;
        self.bytes = bytes;
        Ok(())
    }

    /// Gives back what an arrival was charged, and returns its bytes.
    fn discharge(&mut self, arrival: &Arrival) -> usize {
        let bytes = match arrival {
            Arrival::Message(envelope) => cost(envelope),
            Arrival::Signal(signal) if signal.kind == SignalKind::Cancel => OVERHEAD + signal.reason.len(),
            Arrival::Signal(signal) => {
                let bytes = size_of_signal(signal);
                self.owed.signals = self.owed.signals.saturating_sub(1);
                self.pay(bytes);
                return bytes;
            }
            Arrival::Completed(_, outcome) => {
                let bytes = size_of_outcome(outcome);
                self.owed.completions = self.owed.completions.saturating_sub(1);
                self.pay(bytes);
                return bytes;
            }
        };
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(pool) = &self.pool {
            pool.discharge(bytes);
        }
        bytes
    }

    /// Gives memory back that a flood has left behind.
    fn relax(&mut self) {
        if self.ready.is_empty() && self.ready.capacity() > KEEP_CAPACITY {
            self.ready = VecDeque::new();
        }
        if self.kept.is_empty() && self.kept.capacity() > KEEP_CAPACITY {
            self.kept = VecDeque::new();
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.discharge(self.bytes.saturating_add(self.owed.bytes));
        }
    }
}

fn cost(envelope: &Envelope) -> usize {
    OVERHEAD + envelope.topic.len() + envelope.body.data.len() + envelope.body.channels.len() * size_of::<usize>()
}

fn size_of_outcome(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Done(payload) => payload.data.len(),
        Outcome::Failed(error) => size_of_error(error),
        Outcome::Closed => 0,
    }
}

fn size_of_signal(signal: &Signal) -> usize {
    OVERHEAD + signal.value.data.len() + signal.error.as_ref().map_or(0, size_of_error)
}

/// Bytes of an error that a guest chose.
pub(crate) fn size_of_error(error: &Error) -> usize {
    error.message.len() + error.details.len() + error.trace.len()
}
