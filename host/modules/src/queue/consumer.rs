//! Consumers: each takes messages of a queue and calls a function with them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moonlet_registry::{Entry, EntryId, parse_duration};
use moonlet_runtime::{CallOptions, Error, NodeHandle, Value, document};
use serde_json::Value as Json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::delivery::Delivery;
use super::queues::{Queue, Queues};
use super::trace;

/// How long a function may take for one message unless the entry says otherwise.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long to wait when the node has no room for another call.
const PAUSE: Duration = Duration::from_millis(100);

/// What an entry says about a consumer.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub(super) id: String,
    pub(super) queue: String,
    function: String,
    concurrency: usize,
    auto_ack: bool,
    timeout: Duration,
    entry: Arc<Entry>,
}

impl Consumer {
    /// Reads an entry; none when it does not start by itself.
    pub(super) fn read(entry: &Arc<Entry>) -> Option<Self> {
        let field = |name: &str| entry.data.get(name);
        if field("lifecycle").and_then(|lifecycle| lifecycle.get("auto_start")).and_then(Json::as_bool) == Some(false) {
            return None;
        }
        let namespace = entry.id.to_namespace();
        let id = |name: &str| EntryId::resolve(field(name)?.as_str()?, &namespace).ok().map(|id| id.to_string());
        let count = |name: &str, default: usize, most: usize| {
            let count = field(name).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok());
            count.filter(|count| *count > 0).unwrap_or(default).min(most)
        };
        // What was taken from the queue and waits for a function would only be kept from other consumers: `prefetch` bounds how many
        // functions run, and nothing waits.
        let concurrency = count("concurrency", 1, 1_000).min(count("prefetch", 10, 10_000).max(1));
        Some(Self {
            id: entry.id.to_string(),
            queue: id("queue")?,
            function: id("func")?,
            concurrency,
            auto_ack: field("auto_ack").and_then(Json::as_bool).unwrap_or(false),
            timeout: field("timeout").and_then(Json::as_str).and_then(|text| parse_duration(text).ok()).unwrap_or(TIMEOUT),
            entry: Arc::clone(entry),
        })
    }

    /// Runs until it is aborted.
    pub(super) fn start(self, queues: Arc<Queues>, queue: Queue, node: NodeHandle) -> Result<JoinHandle<()>, Error> {
        let tokio = node.tokio()?;
        Ok(tokio.spawn(self.run(queues, queue, node)))
    }

    async fn run(self, queues: Arc<Queues>, queue: Queue, node: NodeHandle) {
        let places = Arc::new(Semaphore::new(self.concurrency));
        let _counted = Counted::new(&queue);
        let consumer = Arc::new(self);
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let taken = queue.line.next().await;
            let delivery = Arc::new(Delivery::new(taken, queue.clone(), Arc::clone(&queues), node.clone()));
            let (consumer, node) = (Arc::clone(&consumer), node.clone());
            // Owned by the node's runtime: a message that is being worked on is finished also when the consumer stops.
            tokio::spawn(async move {
                consumer.handle(&delivery, &node).await;
                drop(place);
            });
        }
    }

    async fn handle(&self, delivery: &Arc<Delivery>, node: &NodeHandle) {
        if self.auto_ack {
            // Nobody has settled it before.
            let _ = delivery.ack();
        }
        let attachment: Arc<dyn std::any::Any + Send + Sync> = Arc::<Delivery>::clone(delivery);
        // On whose behalf: what the consumer's entry says, as policies are now.
        let authority = node.authority_of(&self.entry).ok();
        let (trace, span) = trace::consume(node, &self.queue, &delivery.message);
        let timeout = Some(self.timeout);
        let options = CallOptions { attachment: Some(attachment), authority, timeout, trace, ..CallOptions::default() };
        let result = match document::decode(&delivery.message.body) {
            Ok(body) => node.call_owned(&self.function, vec![body], options).await,
            Err(error) => Err(error),
        };
        trace::end(span, result.as_ref().err());
        let reason = match result {
            Ok(values) if values.first() == Some(&Value::Boolean(false)) => "the function returned false".to_owned(),
            Ok(_) => {
                // The function may have settled it itself.
                let _ = delivery.ack();
                return;
            }
            Err(error) => {
                tracing::warn!(
                    target: "queue", consumer = self.id, message = delivery.message.id, attempt = delivery.message.attempts,
                    "`{}` failed: {}", self.function, error.message
                );
                if error.kind == "Unavailable" || error.kind == "LimitExceeded" {
                    // The node may be short of something: do not take the next message at once.
                    tokio::time::sleep(PAUSE).await;
                }
                error.message
            }
        };
        // As above.
        let _ = delivery.nack(&reason);
    }
}

/// Counts a consumer of a queue while it runs.
struct Counted(Queue);

impl Counted {
    fn new(queue: &Queue) -> Self {
        queue.line.consumers.fetch_add(1, Ordering::Relaxed);
        Self(queue.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.line.consumers.fetch_sub(1, Ordering::Relaxed);
    }
}
