//! Sends spans to a collector of OpenTelemetry, by OTLP over HTTP with JSON.
//!
//! Spans go into a queue of bounded length on whatever thread they end, and one thread sends what gathered there. When the collector is slow
//! or away, the queue fills, and spans are dropped and counted: nothing in the node ever waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use moonlet_runtime::{SpanData, SpanSink, Tracing};

use crate::failure::Failure;

mod config;
mod encode;
mod send;

pub(crate) use config::Otel;

/// Spans that wait to be sent; more are dropped.
const QUEUE: usize = 4_096;
/// Spans of one request.
const BATCH: usize = 512;
/// How long spans gather before they are sent.
const GATHER: Duration = Duration::from_secs(1);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests for the same spans, where the collector says that it may go better next time.
const ATTEMPTS: u32 = 3;
/// How long to wait before the second one; each further one waits twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the end of the node waits for the last spans.
const LAST: Duration = Duration::from_secs(3);

/// What sends spans.
pub(crate) struct Telemetry {
    queue: Arc<Queue>,
    done: Mutex<Receiver<()>>,
}

#[derive(Default)]
struct Queue {
    /// Guards the way in; none once the node ends. Held for one try.
    spans: Mutex<Option<SyncSender<SpanData>>>,
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl SpanSink for Queue {
    fn take(&self, span: SpanData) {
        let taken = match self.spans.lock() {
            Ok(spans) => spans.as_ref().is_some_and(|spans| spans.try_send(span).is_ok()),
            Err(_) => false,
        };
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Telemetry {
    /// Starts the thread that sends, and gives what makes spans.
    pub(crate) fn start(otel: Otel) -> Result<(Arc<Self>, Tracing), Failure> {
        let failed = |error: &std::io::Error| Failure::caused("failed to start what sends spans", error);
        let (spans, receiver) = mpsc::sync_channel(QUEUE);
        let queue = Arc::new(Queue { spans: Mutex::new(Some(spans)), ..Queue::default() });
        let sink: Arc<dyn SpanSink> = Arc::<Queue>::clone(&queue);
        let tracing =
            Tracing { sampler: otel.sampler, extract: otel.extract, inject: otel.inject, sources: otel.sources.clone(), sink };
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
        tracing::info!(target: "moonlet", "spans of `{}` go to {}", otel.service_name, otel.target);
        let (ended, done) = mpsc::channel();
        let counted = Arc::clone(&queue);
        let run = move || {
            run(&receiver, &counted, &otel, &tokio);
            // Nobody listens when the end came first.
            let _ = ended.send(());
        };
        thread::Builder::new().name("moonlet-otlp".to_owned()).spawn(run).map_err(|error| failed(&error))?;
        Ok((Arc::new(Self { queue, done: Mutex::new(done) }), tracing))
    }

    /// Sends what is left, and waits a little for it.
    pub(crate) fn finish(&self) {
        if let Ok(mut spans) = self.queue.spans.lock() {
            *spans = None;
        }
        if let Ok(done) = self.done.lock() {
            // Whoever does not take them in time does not get them.
            let _ = done.recv_timeout(LAST);
        }
    }

    /// Writes how many spans there were, in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let rows = [
            ("sent", "Spans that the collector took.", &self.queue.sent),
            ("dropped", "Spans for which there was no room in the queue.", &self.queue.dropped),
            ("failed", "Spans that the collector did not take.", &self.queue.failed),
        ];
        let row = |(name, help, count): (&str, &str, &AtomicU64)| {
            let (name, count) = (format!("moonlet_spans_{name}_total"), count.load(Ordering::Relaxed));
            format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {count}\n")
        };
        rows.map(row).concat()
    }
}

/// Sends what comes until the node ends.
fn run(receiver: &Receiver<SpanData>, queue: &Queue, otel: &Otel, tokio: &tokio::runtime::Runtime) {
    let mut healthy = true;
    while let Ok(first) = receiver.recv() {
        let batch = gather(receiver, first);
        let (body, count) = (encode::request(otel, &batch), batch.len() as u64);
        match attempt(tokio, otel, &body) {
            Ok(()) => {
                queue.sent.fetch_add(count, Ordering::Relaxed);
                healthy = true;
            }
            Err(problem) => {
                queue.failed.fetch_add(count, Ordering::Relaxed);
                // One record for each time that the collector goes away.
                if std::mem::replace(&mut healthy, false) {
                    tracing::warn!(target: "moonlet", "spans are lost: {} {problem}", otel.target);
                }
            }
        }
    }
}

/// Takes what comes within a while.
fn gather(receiver: &Receiver<SpanData>, first: SpanData) -> Vec<SpanData> {
    let deadline = Instant::now() + GATHER;
    let mut batch = vec![first];
    while batch.len() < BATCH {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(span) => batch.push(span),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    batch
}

/// Sends spans, more than once where that may help.
fn attempt(tokio: &tokio::runtime::Runtime, otel: &Otel, body: &str) -> Result<(), String> {
    let mut pause = PAUSE;
    let mut attempts = 1;
    loop {
        let sent = tokio.block_on(async {
            let sent = tokio::time::timeout(TIMEOUT, send::post(otel, body)).await;
            sent.unwrap_or_else(|_| Err(send::Refused { message: "does not answer".to_owned(), retryable: true }))
        });
        match sent {
            Ok(()) => return Ok(()),
            Err(refused) if refused.retryable && attempts < ATTEMPTS => {
                attempts += 1;
                thread::sleep(pause);
                pause *= 2;
            }
            Err(refused) => return Err(refused.message),
        }
    }
}
