//! The event bus of a node: what happens to entries, processes and services, and what processes and modules publish.
//!
//! The bus itself is `events_bus`. Here it meets processes: a subscriber takes its events one by one under tickets, so that what it does
//! not take waits on the bus, bounded and counted there, and never fills its mailbox.
//!
//! The namespaces that a process host allows bound events, too: what runs there hears nothing of other namespaces, and is not heard there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moonlet_registry::{Allow, Applied, ChangeKind};
use moonlet_sandbox::wit::{Error, Outcome, Payload};
use parking_lot::Mutex;
use rmpv::Value;

use crate::arrival::Exit;
use crate::document;
use crate::errors;
use crate::events_bus::{BusError, BusLimits, Delivery, Event, EventBus, Next, SubscriptionId};
use crate::mailbox::Room;
use crate::module::{Answer, Fault, Ticket};
use crate::process::{MODULES, Pending, Process};
use crate::services::Key;
use crate::shared::Shared;
use crate::supervision::Report;
use crate::table::Tabled;

pub use crate::events_bus::BusStats as EventStats;

/// The data of an event as a document, which is shared by all subscribers; as values it can take 32 times as much.
type Encoded = Box<[u8]>;
type Deliveries = Vec<Delivery<u64, Encoded>>;

/// The bus, and whether anybody listens.
pub(crate) struct Events {
    /// A leaf: nothing else is locked while it is held.
    bus: Mutex<EventBus<u64, Encoded>>,
    /// Subscriptions, so that a node on which nobody listens publishes nothing.
    listeners: AtomicUsize,
}

/// Who publishes: the namespace it belongs to, and the ceiling of its host.
struct Publisher<'a> {
    namespace: Option<&'a str>,
    allow: Option<&'a Allow>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { bus: Mutex::new(EventBus::new(BusLimits::default())), listeners: AtomicUsize::new(0) }
    }

    fn recount(&self, bus: &EventBus<u64, Encoded>) {
        self.listeners.store(bus.stats().subscriptions, Ordering::Relaxed);
    }
}

impl Shared {
    /// Publishes an event of the node itself. `namespace` is the one of the entry that it is about.
    pub(crate) fn publish(&self, system: &str, kind: &str, path: &str, namespace: Option<&str>, data: impl FnOnce() -> Value) {
        if self.events.listeners.load(Ordering::Relaxed) == 0 {
            return;
        }
        let publisher = Publisher { namespace, allow: None };
        // Its texts are bounded where they come from.
        let _ = self.publish_from(&publisher, system, kind, path, data());
    }

    fn publish_from(&self, publisher: &Publisher<'_>, system: &str, kind: &str, path: &str, data: Value) -> Result<(), BusError> {
        let document = document::encode(&data);
        drop(data);
        let size = document.len();
        let data = document.into_boxed_slice();
        let event = Event { system: system.to_owned(), kind: kind.to_owned(), path: path.to_owned(), data };
        let mut deliveries = Vec::new();
        let admits = |subscriber: &u64| self.admits(publisher, *subscriber);
        let room = |subscriber: &u64, bytes: usize| {
            let process = self.table.numbered(*subscriber)?;
            Room::take(process.terms.host.pool.as_ref(), bytes)
        };
        let published = self.events.bus.lock().publish_where(event, size, admits, room, &mut deliveries)?;
        if published.lost > 0 {
            tracing::debug!(target: "moonlet", system, kind, lost = published.lost, "subscribers were too slow for an event");
        }
        self.hand_out(deliveries);
        Ok(())
    }

    /// Tells whether a subscriber may hear of this publisher.
    fn admits(&self, publisher: &Publisher<'_>, subscriber: u64) -> bool {
        let Some(process) = self.table.numbered(subscriber) else { return false };
        let terms = process.terms();
        let allow = &terms.ceiling.allow;
        let heard = allow.namespaces.is_none() || publisher.namespace.is_none_or(|namespace| allow.namespace(namespace));
        heard && publisher.allow.is_none_or(|allow| allow.namespace(namespace_of(&terms.program.entry)))
    }

    fn hand_out(&self, deliveries: Deliveries) {
        for Delivery { process, ticket, event } in deliveries {
            let Some(process) = self.table.numbered(process) else { continue };
            let data = event.map(|(event, lost)| written(&event, lost)).unwrap_or_default();
            self.complete(&process, ticket, Outcome::Done(Payload { data, channels: Vec::new() }));
        }
    }

    /// Ends the subscriptions of a process that ended or starts over.
    pub(crate) fn unsubscribe_all(&self, process: u64) {
        if self.events.listeners.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut bus = self.events.bus.lock();
        bus.exit(process);
        self.events.recount(&bus);
    }

    /// Publishes what a change of the registry did, entry by entry between a beginning and an end.
    pub(crate) fn publish_applied(&self, applied: &Applied) {
        if self.events.listeners.load(Ordering::Relaxed) == 0 {
            return;
        }
        let version = applied.version.id;
        let path = version.to_string();
        let about = || Value::Map(vec![("version".into(), version.into()), ("changes".into(), applied.changes.len().into())]);
        self.publish("registry", "registry.begin", &path, None, about);
        for change in &applied.changes {
            let entry = if change.kind() == ChangeKind::Delete { &change.before } else { &change.after };
            let Some(entry) = entry else { continue };
            // Data and meta are for whoever may read the entry.
            let data = || {
                Value::Map(vec![
                    ("id".into(), entry.id.as_str().into()),
                    ("kind".into(), entry.kind.as_str().into()),
                    ("version".into(), version.into()),
                ])
            };
            self.publish("registry", change.kind().as_str(), change.id.as_str(), Some(change.id.namespace()), data);
        }
        self.publish("registry", "registry.commit", &path, None, about);
    }

    /// Publishes that a process began.
    pub(crate) fn publish_spawn(&self, process: &Process) {
        let entry = &process.terms.program.entry;
        let data = || Value::Map(vec![("entry".into(), (&**entry).into()), ("host".into(), (&*process.terms.host.id).into())]);
        self.publish("process", "process.spawn", &process.pid, Some(namespace_of(entry)), data);
    }

    /// Publishes how a process ended.
    pub(crate) fn publish_exit(&self, process: &Process, exit: &Exit) {
        let terms = process.terms();
        let entry = &terms.program.entry;
        let data = || {
            let mut fields = vec![("entry".into(), (&**entry).into()), ("host".into(), (&*terms.host.id).into())];
            if let Err(error) = exit {
                fields.push(("error".into(), error.message.as_str().into()));
                fields.push(("error_kind".into(), error.kind.as_str().into()));
            }
            Value::Map(fields)
        };
        self.publish("process", "process.exit", &process.pid, Some(namespace_of(entry)), data);
    }

    /// Publishes news about a service.
    pub(crate) fn publish_report(&self, report: &Report<Key>) {
        let (kind, service, reason) = match report {
            Report::Starting { service, .. } => ("service.start", service, None),
            Report::Running { service } => ("service.running", service, None),
            Report::Failed { service, reason, .. } => ("service.failed", service, Some(reason)),
            Report::GaveUp { service, reason } => ("service.gave_up", service, Some(reason)),
            Report::Finished { service } => ("service.finished", service, None),
            Report::Stopping { service } => ("service.stop", service, None),
            Report::Stopped { service } => ("service.stopped", service, None),
            _ => return,
        };
        let data = || {
            let mut fields: Vec<(Value, Value)> = vec![("id".into(), (&**service).into())];
            fields.extend(reason.map(|reason| ("reason".into(), reason.as_str().into())));
            Value::Map(fields)
        };
        self.publish("supervisor", kind, service, Some(namespace_of(service)), data);
    }

    /// Returns numbers about events.
    pub(crate) fn event_stats(&self) -> EventStats {
        self.events.bus.lock().stats()
    }
}

/// What a process may do with events; `ModuleCall` has it for modules.
pub(crate) struct Subscriber<'a> {
    pub(crate) node: &'a Arc<Shared>,
    pub(crate) process: &'a Arc<Process>,
}

impl Subscriber<'_> {
    pub(crate) fn publish(&self, system: &str, kind: &str, path: &str, data: Value) -> Result<(), Error> {
        let terms = self.process.terms();
        let namespace = Some(namespace_of(&terms.program.entry));
        let bounded = terms.ceiling.allow.namespaces.is_some();
        let publisher = Publisher { namespace, allow: bounded.then_some(&terms.ceiling.allow) };
        self.node.publish_from(&publisher, system, kind, path, data).map_err(|error| of_bus(&error))
    }

    pub(crate) fn subscribe(&self, system: &str, kind: Option<&str>) -> Result<u64, Error> {
        // Without the tie, the subscription would outlive the process.
        if !self.process.tie(MODULES) {
            return Err(errors::canceled("the process has ended"));
        }
        let events = &self.node.events;
        let mut bus = events.bus.lock();
        let id = bus.subscribe(self.process.number(), system, kind).map_err(|error| of_bus(&error))?;
        events.recount(&bus);
        Ok(id.0)
    }

    pub(crate) fn unsubscribe(&self, id: u64) -> bool {
        let events = &self.node.events;
        let mut deliveries = Vec::new();
        let known = {
            let mut bus = events.bus.lock();
            let known = bus.unsubscribe(self.process.number(), SubscriptionId(id), &mut deliveries);
            events.recount(&bus);
            known
        };
        self.node.hand_out(deliveries);
        known
    }

    /// Takes the next event; its answer has no value when the subscription is closed.
    pub(crate) fn next(&self, id: u64) -> Result<Answer, Fault> {
        let number = self.process.number();
        let node = Arc::downgrade(self.node);
        let ticket = {
            let mut inner = self.process.inner();
            self.process.admit_pending(&inner, 1, self.process.terms.bounds.pending)?;
            inner.pend(|ticket| {
                Pending::Module(Box::new(move || {
                    if let Some(node) = node.upgrade() {
                        node.events.bus.lock().cancel(number, ticket);
                    }
                }))
            })
        };
        let next = self.node.events.bus.lock().next(number, SubscriptionId(id), ticket);
        if matches!(next, Ok(Next::Pending)) {
            return Ok(Answer::Pending(Ticket::new(ticket)));
        }
        self.process.inner().withdraw(ticket);
        match next {
            Ok(Next::Event(event, lost)) => Ok(Answer::Done(document::decode_values(&written(&event, lost))?)),
            // Closed while events were still taken from it: there are none any more.
            Err(BusError::Unknown) => Ok(Answer::Done(Vec::new())),
            Err(error) => Err(of_bus(&error).into()),
            Ok(Next::Pending) => Ok(Answer::Done(Vec::new())),
        }
    }
}

/// The payload of one value for an event: a list of the event as programs see it, and how many were lost right before it. Its data is
/// copied as it is.
fn written(event: &Event<Encoded>, lost: u64) -> Vec<u8> {
    const LIST_OF_ONE: u8 = 0x91;
    const LIST_OF_TWO: u8 = 0x92;
    const MAP: u8 = 0x80;
    let has_data = *event.data != *document::encode(&Value::Nil);
    let mut bytes = vec![LIST_OF_ONE, LIST_OF_TWO, MAP | (3 + u8::from(has_data))];
    for (name, text) in [("system", &event.system), ("kind", &event.kind), ("path", &event.path)] {
        bytes.extend(document::encode(&name.into()));
        bytes.extend(document::encode(&text.as_str().into()));
    }
    if has_data {
        bytes.extend(document::encode(&"data".into()));
        bytes.extend_from_slice(&event.data);
    }
    bytes.extend(document::encode(&lost.into()));
    bytes
}

fn namespace_of(entry: &str) -> &str {
    entry.split_once(':').map_or("", |(namespace, _)| namespace)
}

fn of_bus(error: &BusError) -> Error {
    Error::new(error.kind(), error.to_string()).with_retryable(false)
}
