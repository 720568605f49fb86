//! Module `queue`: messages that wait until a function has worked on them.
//!
//! Queues belong to drivers: one in memory, and one that keeps every message in a file until it is done. Delivery is at least once: a
//! message whose function did not return comes again.

use std::sync::Arc;
use std::time::Duration;

use moonlet_registry::{Change, parse_duration};
use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, NodeHandle, Value, document};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::task::JoinHandle;

mod consumer;
mod delivery;
mod ledger;
mod line;
mod queues;
mod trace;

use consumer::Consumer;
use delivery::Delivery;
use line::Message;
use queues::Queues;

use crate::fail::{self, field, invalid};

const MESSAGE: &str = "Message";
/// Headers of one message.
const HEADERS: usize = 100;
/// The longest time that a message may be put off.
const LONGEST_DELAY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The queues of this node.
#[derive(Default)]
pub(crate) struct QueueModule {
    queues: Arc<Queues>,
    /// Guards the consumers that run, by entry, and the node that they run on.
    consumers: Arc<Mutex<Consumers>>,
}

#[derive(Default)]
struct Consumers {
    node: Option<NodeHandle>,
    running: FxHashMap<String, JoinHandle<()>>,
}

impl QueueModule {
    fn publish(&self, call: &ModuleCall<'_>, args: &mut Args<'_>) -> Result<Answer, Fault> {
        call.check("queue.publish", "")?;
        let id = queue_id(call, args)?;
        call.check("queue.publish.queue", &id)?;
        call.check_namespace(&id)?;
        let mut headers = headers(args)?;
        let delay = delay(args)?;
        let body = args.take(2);
        match &body {
            Value::Nil => return Err(invalid("message data required").into()),
            Value::Array(items) if items.is_empty() => return Err(invalid("message data cannot be empty").into()),
            Value::Map(fields) if fields.is_empty() => return Err(invalid("message data cannot be empty").into()),
            Value::Ext(..) => return Err(invalid("an object cannot be a message").into()),
            _ => {}
        }
        let span = trace::publish(call, &id, &mut headers);
        let body: Arc<[u8]> = document::encode(&body).into();
        let texts = headers.iter().map(|(name, value)| name.len() + document::encode(value).len() + 96).sum::<usize>();
        let size = body.len() + texts + 256;
        let message = Message { id: new_id()?, body, headers, attempts: 0, size };
        let (registry, node, queues) = (call.registry(), call.node(), Arc::clone(&self.queues));
        let open = if queues.is_open(&registry, &id) { Some(queues.get(&registry, &node, &id)?) } else { None };
        if let Some(queue) = open.as_ref().filter(|queue| !queue.line.is_durable()) {
            let (sender, result) = std::sync::mpsc::sync_channel(1);
            // A queue in memory answers at once, into a channel that has room.
            queue.line.publish(message, queue.bounds, delay, Box::new(move |result| drop(sender.send(result))));
            let result = result.recv().map_err(|_| fail::internal("the queue gave no answer"))?;
            trace::end(span, result.as_ref().err());
            result?;
            return Answer::one(true);
        }
        let (ticket, completer) = call.later(|| {})?;
        let done: line::Done = Box::new(move |result| {
            trace::end(span, result.as_ref().err());
            completer.complete(result.map(|()| vec![true.into()]));
        });
        match open {
            Some(queue) => queue.line.publish(message, queue.bounds, delay, done),
            None => {
                let publish = move || match queues.get(&registry, &node, &id) {
                    Ok(queue) => queue.line.publish(message, queue.bounds, delay, done),
                    Err(error) => done(Err(error)),
                };
                let bill = call.bill();
                call.node().tokio()?.spawn_blocking(move || bill.run(publish));
            }
        }
        Ok(Answer::Pending(ticket))
    }

    fn info(&self, call: &ModuleCall<'_>, args: &Args<'_>) -> Result<Answer, Fault> {
        let id = queue_id(call, args)?;
        call.check_namespace(&id)?;
        let (registry, node, queues) = (call.registry(), call.node(), Arc::clone(&self.queues));
        call.run_blocking(move || {
            let queue = queues.get(&registry, &node, &id)?;
            let (ready, all) = queue.line.counts();
            Ok(vec![Value::Map(vec![
                ("message_count".into(), all.into()),
                ("ready".into(), ready.into()),
                ("in_flight".into(), (all - ready).into()),
                ("consumer_count".into(), queue.line.consumers().into()),
            ])])
        })
    }
}

impl Consumers {
    /// Starts the consumer of an entry, if it is one that starts by itself.
    fn start(&mut self, entry: &Arc<moonlet_registry::Entry>, queues: &Arc<Queues>) {
        let Some(node) = self.node.clone() else { return };
        let Some(consumer) = Consumer::read(entry) else { return };
        let id = consumer.id.clone();
        let started = node.registry().and_then(|registry| {
            let queue = queues.get(&registry.snapshot(), &node, &consumer.queue)?;
            consumer.start(Arc::clone(queues), queue, node)
        });
        match started {
            Ok(handle) => drop(self.running.insert(id, handle)),
            Err(error) => tracing::error!(target: "queue", consumer = id, "the consumer cannot start: {}", error.message),
        }
    }
}

fn queue_id(call: &ModuleCall<'_>, args: &Args<'_>) -> Result<String, Fault> {
    let id = args.text(1)?;
    if id.is_empty() { Err(invalid("queue ID required").into()) } else { Ok(call.resolve(id)) }
}

fn headers(args: &Args<'_>) -> Result<Vec<(String, Value)>, Fault> {
    if matches!(args.get(3), Value::Array(items) if !items.is_empty()) {
        return Err(invalid("the names of headers are strings").into());
    }
    let given = args.opt_table(3)?;
    if given.len() > HEADERS {
        return Err(invalid(format!("a message has at most {HEADERS} headers")).into());
    }
    let read = |(name, value): &(Value, Value)| {
        let name = name.as_str().ok_or_else(|| invalid("the names of headers are strings"))?;
        match value {
            Value::Boolean(_) | Value::Integer(_) | Value::F64(_) | Value::String(_) | Value::Binary(_) => {
                Ok((name.to_owned(), value.clone()))
            }
            _ => Err(invalid(format!("the header `{}` must be a string, a number or a boolean", fail::shown(name)))),
        }
    };
    Ok(given.iter().map(read).collect::<Result<_, Error>>()?)
}

fn delay(args: &Args<'_>) -> Result<Duration, Fault> {
    let delay = match field(args.opt_table(4)?, "delay") {
        Value::Nil => Some(Duration::ZERO),
        Value::String(text) => text.as_str().and_then(|text| parse_duration(text).ok()),
        number => number.as_u64().map(Duration::from_millis),
    };
    let delay = delay.filter(|delay| *delay <= LONGEST_DELAY);
    Ok(delay.ok_or_else(|| invalid("`delay` must be a duration such as \"5s\", or milliseconds, of 30 days at most"))?)
}

/// Makes a random UUID.
fn new_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| fail::internal("the system has no random numbers"))?;
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let text = format!("{number:032x}");
    let parts: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|range| text.get(range)).collect();
    Ok(parts.join("-"))
}

fn on_message(call: &ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
    let (delivery, args) = call.method::<Delivery>(MESSAGE, function, args)?;
    let message = &delivery.message;
    match function.trim_start_matches("Message:") {
        "id" => Answer::one(message.id.as_str()),
        "attempts" => Answer::one(message.attempts),
        "header" => {
            let name = args.text(1)?;
            let found = message.headers.iter().find(|(header, _)| header == name);
            Answer::one(found.map_or(Value::Nil, |(_, value)| value.clone()))
        }
        "headers" => {
            let headers = message.headers.iter().map(|(name, value)| (name.as_str().into(), value.clone()));
            Answer::one(Value::Map(headers.collect()))
        }
        "ack" => {
            delivery.ack()?;
            Answer::one(true)
        }
        "nack" => call.run_blocking(move || {
            delivery.nack("the function gave it back")?;
            Ok(vec![true.into()])
        }),
        other => Err(fail::not_found(format!("module `queue` has no method `{other}`")).into()),
    }
}

impl HostModule for QueueModule {
    fn name(&self) -> &str {
        "queue"
    }

    fn manifest(&self) -> Value {
        Manifest::new()
            .functions(&["publish", "message", "info", "stats"])
            .resource(MESSAGE, &["id", "header", "headers", "attempts", "ack", "nack"])
            .build()
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        match function {
            "publish" => self.publish(call, &mut Args::new(function, args)),
            "message" => {
                let delivery = call.attachment::<Delivery>();
                let delivery = delivery.ok_or_else(|| {
                    invalid("no delivery found in context: only a function that a `queue.consumer` calls has a message")
                })?;
                let size = delivery.size();
                Answer::one(call.keep_heavy(MESSAGE, delivery, size)?)
            }
            "info" | "stats" => self.info(call, &Args::new(function, args)),
            _ if function.starts_with("Message:") => on_message(call, function, args),
            other => Err(fail::not_found(format!("module `queue` has no function `{other}`")).into()),
        }
    }

    fn serve(&self, node: &NodeHandle) {
        let Ok(registry) = node.registry() else { return };
        let mut consumers = self.consumers.lock();
        consumers.node = Some(node.clone());
        let snapshot = registry.snapshot();
        for entry in snapshot.of_kind("queue.consumer") {
            consumers.start(entry, &self.queues);
        }
    }

    fn changed(&self, change: &Change) {
        self.queues.changed(change);
        let is_consumer = |entry: &Arc<moonlet_registry::Entry>| entry.kind == "queue.consumer";
        if !change.before.iter().chain(&change.after).any(is_consumer) {
            return;
        }
        let mut consumers = self.consumers.lock();
        if let Some(running) = consumers.running.remove(change.id.as_str()) {
            running.abort();
        }
        let entry = change.after.as_ref().filter(|entry| is_consumer(entry)).map(Arc::clone);
        let tokio = consumers.node.as_ref().and_then(|node| node.tokio().ok());
        if let (Some(entry), Some(tokio)) = (entry, tokio) {
            // Later: the change is not in the registry yet, and a file may have to be opened.
            let (consumers, queues) = (Arc::clone(&self.consumers), Arc::clone(&self.queues));
            tokio.spawn_blocking(move || consumers.lock().start(&entry, &queues));
        }
    }

    fn stop(&self) {
        let running = {
            let mut consumers = self.consumers.lock();
            consumers.node = None;
            std::mem::take(&mut consumers.running)
        };
        for consumer in running.into_values() {
            consumer.abort();
        }
        self.queues.close();
    }
}
