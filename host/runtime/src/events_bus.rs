//! Events: news that anybody may publish and whoever subscribed hears of.
//!
//! Owns the subscriptions and the events that wait for their subscribers. For observation only: a subscriber that is too slow
//! loses events instead of holding up the publisher, and both it and the operator can see how many. Knows nothing of payloads,
//! and not whether a process is alive: the caller calls `exit` at the end of each process that ever subscribed.
//!
//! ```text
//! subscribe(process, system, kind)  -> a number; Invalid (pattern), LimitExceeded
//! next(process, number, ticket)     -> Event, Pending or Closed; Invalid, Conflict (another ticket waits)
//! cancel(process, ticket)           -> whether the ticket will not complete any more
//! unsubscribe(process, number, ..)  a ticket that waits completes as closed
//! publish(system, kind, path, ..)   -> how many subscribers got it, how many lost it; Invalid
//! exit(process)                     ends its subscriptions
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use self::pattern::Pattern;
pub(crate) use self::pattern::PatternError;
use crate::mailbox::Room;

mod pattern;
#[cfg(test)]
mod tests;

/// The longest system, kind or path in bytes, and the most parts of one.
const MAX_TEXT_BYTES: usize = 1_024;

/// What a place in the queue of a subscriber takes, about.
const PLACE: usize = 128;

/// How much of the host's memory events may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BusLimits {
    /// Subscriptions of one process.
    pub(crate) subscriptions: usize,
    /// Events that wait for one subscriber; further ones are lost to it.
    pub(crate) events: usize,
    /// Bytes of the events that wait for one subscriber, and of any event.
    pub(crate) bytes: usize,
}

impl Default for BusLimits {
    fn default() -> Self {
        Self { subscriptions: 64, events: 1_024, bytes: 1 << 20 }
    }
}

/// Why an act on the bus failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BusError {
    /// The text is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A part of the event is missing.
    #[error("the {0} of an event must not be empty")]
    Empty(&'static str),
    /// A part of the event is too long.
    #[error("the {0} of an event must have at most {MAX_TEXT_BYTES} bytes and 63 dots")]
    TooLong(&'static str),
    /// The event is too large.
    #[error("an event must have at most {0} bytes")]
    TooLarge(usize),
    /// The process has as many subscriptions as it may.
    #[error("a process can have at most {0} subscriptions: close one first")]
    LimitExceeded(usize),
    /// The process has no such subscription.
    #[error("the subscription is closed, or belongs to another process")]
    Unknown,
    /// One operation waits for the next event already.
    #[error("another coroutine waits for the next event of this subscription already")]
    Busy,
}

impl BusError {
    /// Gives the kind of the error as programs see it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Pattern(_) | Self::Empty(_) | Self::TooLong(_) | Self::Unknown => "Invalid",
            Self::LimitExceeded(_) | Self::TooLarge(_) => "LimitExceeded",
            Self::Busy => "Conflict",
        }
    }
}

/// One event. All its subscribers share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event<E> {
    /// What part of the system it comes from, such as `registry`.
    pub(crate) system: String,
    /// What happened, such as `entry.created`.
    pub(crate) kind: String,
    /// What it happened to.
    pub(crate) path: String,
    /// More about it.
    pub(crate) data: E,
}

/// Names one subscription on this node. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubscriptionId(pub(crate) u64);

/// What a subscriber found.
#[derive(Debug)]
pub(crate) enum Next<E> {
    /// An event, and how many were lost right before it.
    Event(Arc<Event<E>>, u64),
    /// None yet: the ticket completes with the next one, or as closed.
    Pending,
}

/// The end of an operation that waited.
#[derive(Debug)]
pub(crate) struct Delivery<P, E> {
    /// Who waited.
    pub(crate) process: P,
    /// Under which ticket.
    pub(crate) ticket: u64,
    /// The event, and how many were lost right before it; none when the subscription was closed.
    pub(crate) event: Option<(Arc<Event<E>>, u64)>,
}

/// What became of a published event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Published {
    /// Subscribers that have it, or will find it.
    pub(crate) delivered: usize,
    /// Subscribers that were too slow.
    pub(crate) lost: usize,
}

/// Numbers for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusStats {
    /// Subscriptions that exist.
    pub subscriptions: usize,
    /// Events that wait for their subscribers.
    pub waiting: usize,
    /// Events published since the start.
    pub published: u64,
    /// Deliveries that did not happen since the start, because the subscriber was too slow.
    pub lost: u64,
}

/// All subscriptions of a node.
#[derive(Debug)]
pub(crate) struct EventBus<P, E> {
    subscriptions: BTreeMap<SubscriptionId, Subscription<P, E>>,
    /// Subscriptions to one certain system. Keyed by what guests choose, hence the standard hasher.
    by_system: HashMap<String, BTreeSet<SubscriptionId>>,
    /// Subscriptions whose system is a pattern.
    by_pattern: BTreeSet<SubscriptionId>,
    processes: FxHashMap<P, Subscriber>,
    next: u64,
    published: u64,
    lost: u64,
    limits: BusLimits,
}

#[derive(Debug)]
struct Subscription<P, E> {
    process: P,
    system: Pattern,
    kind: Pattern,
    /// Events that wait, each with how many were lost right before it.
    queue: VecDeque<Waiting<E>>,
    /// Bytes in `queue`.
    bytes: usize,
    /// Events lost since the last one that was kept.
    missed: u64,
    ticket: Option<u64>,
}

#[derive(Debug)]
struct Waiting<E> {
    event: Arc<Event<E>>,
    size: usize,
    missed: u64,
    /// What it takes of what the subscriber may make wait.
    _room: Room,
}

/// What one process has to do with events.
#[derive(Debug, Default)]
struct Subscriber {
    subscriptions: BTreeSet<SubscriptionId>,
    /// Which subscription each ticket waits for.
    tickets: BTreeMap<u64, SubscriptionId>,
}

impl<P: Copy + Eq + Hash, E> EventBus<P, E> {
    /// Makes a bus without subscribers.
    pub(crate) fn new(limits: BusLimits) -> Self {
        Self {
            subscriptions: BTreeMap::new(),
            by_system: HashMap::new(),
            by_pattern: BTreeSet::new(),
            processes: FxHashMap::default(),
            next: 0,
            published: 0,
            lost: 0,
            limits,
        }
    }

    /// Subscribes to the events of the systems that match a pattern, and, when given, whose kind matches another.
    /// The kind `*` stands for all kinds, whatever their number of parts.
    ///
    /// # Errors
    /// `Invalid` when a text is no pattern, `LimitExceeded`.
    pub(crate) fn subscribe(&mut self, process: P, system: &str, kind: Option<&str>) -> Result<SubscriptionId, BusError> {
        let system = Pattern::new(system)?;
        let kind = match kind {
            None | Some("*") => Pattern::All,
            Some(kind) => Pattern::new(kind)?,
        };
        let subscriber = self.processes.entry(process).or_default();
        if subscriber.subscriptions.len() >= self.limits.subscriptions {
            return Err(BusError::LimitExceeded(self.limits.subscriptions));
        }
        self.next += 1;
        let id = SubscriptionId(self.next);
        subscriber.subscriptions.insert(id);
        match &system {
            Pattern::Exact(text) => self.by_system.entry(text.clone()).or_default().insert(id),
            Pattern::All | Pattern::Parts(_) => self.by_pattern.insert(id),
        };
        let subscription = Subscription { process, system, kind, queue: VecDeque::new(), bytes: 0, missed: 0, ticket: None };
        self.subscriptions.insert(id, subscription);
        Ok(id)
    }

    /// Takes the next event, or waits for it.
    ///
    /// # Errors
    /// `Invalid` when the process has no such subscription, `Conflict` when another ticket waits.
    pub(crate) fn next(&mut self, process: P, id: SubscriptionId, ticket: u64) -> Result<Next<E>, BusError> {
        let subscription = self.subscriptions.get_mut(&id).filter(|it| it.process == process).ok_or(BusError::Unknown)?;
        if let Some(waiting) = subscription.queue.pop_front() {
            subscription.bytes = subscription.bytes.saturating_sub(waiting.size);
            return Ok(Next::Event(waiting.event, waiting.missed));
        }
        if subscription.ticket.is_some() {
            return Err(BusError::Busy);
        }
        subscription.ticket = Some(ticket);
        self.processes.entry(process).or_default().tickets.insert(ticket, id);
        Ok(Next::Pending)
    }

    /// Gives up waiting. False: the ticket has completed already, and its event was or will be delivered.
    pub(crate) fn cancel(&mut self, process: P, ticket: u64) -> bool {
        let Some(id) = self.forget_ticket(process, ticket) else {
            return false;
        };
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.ticket = None;
        }
        true
    }

    /// Ends a subscription. False: the process has none of this number.
    pub(crate) fn unsubscribe(&mut self, process: P, id: SubscriptionId, deliveries: &mut Vec<Delivery<P, E>>) -> bool {
        if self.subscriptions.get(&id).is_none_or(|subscription| subscription.process != process) {
            return false;
        }
        if let Some(ticket) = self.remove(id).and_then(|subscription| subscription.ticket) {
            self.forget_ticket(process, ticket);
            deliveries.push(Delivery { process, ticket, event: None });
        }
        if let Some(subscriber) = self.processes.get_mut(&process) {
            subscriber.subscriptions.remove(&id);
            if subscriber.subscriptions.is_empty() {
                self.processes.remove(&process);
            }
        }
        true
    }

    /// Publishes an event to everybody who subscribed to it. `size` is what it takes in memory.
    ///
    /// # Errors
    /// `Invalid` when the system, kind or path is empty or too long, `LimitExceeded` when it is too large.
    #[cfg(test)]
    pub(crate) fn publish(
        &mut self,
        event: Event<E>,
        size: usize,
        deliveries: &mut Vec<Delivery<P, E>>,
    ) -> Result<Published, BusError> {
        self.publish_where(event, size, |_| true, |_, _| Some(Room::default()), deliveries)
    }

    /// Publishes an event to those subscribers that may hear of it; `room` takes room for one that waits, and who has none loses it.
    ///
    /// # Errors
    /// `Invalid` when the system, kind or path is empty or too long, `LimitExceeded` when it is too large.
    pub(crate) fn publish_where(
        &mut self,
        event: Event<E>,
        size: usize,
        admits: impl Fn(&P) -> bool,
        room: impl Fn(&P, usize) -> Option<Room>,
        deliveries: &mut Vec<Delivery<P, E>>,
    ) -> Result<Published, BusError> {
        for (what, text) in [("system", &event.system), ("kind", &event.kind), ("path", &event.path)] {
            if text.is_empty() {
                return Err(BusError::Empty(what));
            }
            // A path is not matched, so its parts do not matter.
            let parts = if what == "path" { 0 } else { text.split('.').count() };
            if text.len() > MAX_TEXT_BYTES || parts > pattern::MAX_PARTS {
                return Err(BusError::TooLong(what));
            }
        }
        let size = size.saturating_add(event.system.len() + event.kind.len() + event.path.len());
        if size > self.limits.bytes {
            return Err(BusError::TooLarge(self.limits.bytes));
        }
        self.published += 1;
        let event = Arc::new(event);
        let mut published = Published::default();
        let exact = self.by_system.get(&event.system).into_iter().flatten();
        for id in exact.chain(&self.by_pattern) {
            let Some(subscription) = self.subscriptions.get_mut(id) else {
                continue;
            };
            if !subscription.kind.matches(&event.kind) || !subscription.system.matches(&event.system) {
                continue;
            }
            if !admits(&subscription.process) {
                continue;
            }
            if let Some(ticket) = subscription.ticket.take() {
                let process = subscription.process;
                if let Some(subscriber) = self.processes.get_mut(&process) {
                    subscriber.tickets.remove(&ticket);
                }
                let missed = std::mem::take(&mut subscription.missed);
                deliveries.push(Delivery { process, ticket, event: Some((event.clone(), missed)) });
                published.delivered += 1;
            } else if subscription.keep(&event, size, &self.limits, &room) {
                published.delivered += 1;
            } else {
                published.lost += 1;
                self.lost += 1;
            }
        }
        Ok(published)
    }

    /// Ends all subscriptions of an ended process.
    pub(crate) fn exit(&mut self, process: P) {
        if let Some(subscriber) = self.processes.remove(&process) {
            for id in subscriber.subscriptions {
                self.remove(id);
            }
        }
    }

    /// Gives numbers for the operator.
    pub(crate) fn stats(&self) -> BusStats {
        BusStats {
            subscriptions: self.subscriptions.len(),
            waiting: self.subscriptions.values().map(|subscription| subscription.queue.len()).sum(),
            published: self.published,
            lost: self.lost,
        }
    }

    fn remove(&mut self, id: SubscriptionId) -> Option<Subscription<P, E>> {
        let subscription = self.subscriptions.remove(&id)?;
        self.by_pattern.remove(&id);
        if let Pattern::Exact(system) = &subscription.system
            && let Some(ids) = self.by_system.get_mut(system)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_system.remove(system);
            }
        }
        Some(subscription)
    }

    fn forget_ticket(&mut self, process: P, ticket: u64) -> Option<SubscriptionId> {
        self.processes.get_mut(&process)?.tickets.remove(&ticket)
    }
}

impl<P, E> Subscription<P, E> {
    /// Keeps an event until it is asked for, unless too many wait. Tells whether it was kept.
    fn keep(
        &mut self,
        event: &Arc<Event<E>>,
        size: usize,
        limits: &BusLimits,
        room: &impl Fn(&P, usize) -> Option<Room>,
    ) -> bool {
        let fits = self.bytes.saturating_add(size) <= limits.bytes && self.queue.len() < limits.events;
        let room = if fits { room(&self.process, size.saturating_add(PLACE)) } else { None };
        let Some(room) = room else {
            self.missed += 1;
            return false;
        };
        self.bytes += size;
        let missed = std::mem::take(&mut self.missed);
        self.queue.push_back(Waiting { event: event.clone(), size, missed, _room: room });
        true
    }
}
