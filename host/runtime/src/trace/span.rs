//! Spans: what happened when, as part of which trace. They are made where the host does something for a process, and given to a sink.

use std::sync::Arc;

use super::context::TraceContext;
use crate::shared::Shared;

/// Bytes of a text among the attributes.
const MAX_TEXT: usize = 1_024;

/// How spans come into being, and where they go.
pub struct Tracing {
    /// Which traces are kept.
    pub sampler: Sampler,
    /// Whether a context is taken from requests that come in.
    pub extract: bool,
    /// Whether the context is written into requests that go out.
    pub inject: bool,
    /// What becomes spans.
    pub sources: Vec<SpanSource>,
    /// Takes spans that have ended.
    pub sink: Arc<dyn SpanSink>,
}

/// Takes spans that have ended, on whatever thread; it must not wait.
pub trait SpanSink: Send + Sync {
    /// Takes one span.
    fn take(&self, span: SpanData);
}

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether a trace that began elsewhere is kept exactly when it is kept there.
    pub follows_parent: bool,
    /// Which part of the others is kept, from 0 to 1.
    pub ratio: f64,
}

impl Sampler {
    fn keeps(self, parent: Option<&TraceContext>, trace: u128) -> bool {
        match parent {
            Some(parent) if self.follows_parent => parent.sampled,
            _ => self.ratio >= 1.0 || self.keeps_id(trace),
        }
    }

    /// The low 56 bits decide, as those are random in ids of others, too.
    fn keeps_id(self, trace: u128) -> bool {
        const BITS: f64 = (1_u64 << 56) as f64;
        let low = u64::try_from(trace & ((1 << 56) - 1)).unwrap_or(u64::MAX);
        (low as f64) < self.ratio * BITS
    }
}

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanSource {
    /// Requests that come in or go out.
    Http,
    /// Calls of functions.
    Function,
    /// Lives of processes.
    Process,
    /// Messages that enter or leave a queue.
    Queue,
}

/// The role of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Inside the node.
    Internal,
    /// Answers a request.
    Server,
    /// Makes a request.
    Client,
    /// Puts a message somewhere.
    Producer,
    /// Works on a message.
    Consumer,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned())
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

/// A span as a sink gets it.
#[derive(Debug, Clone)]
pub struct SpanData {
    /// The trace, and the id of this span.
    pub context: Arc<TraceContext>,
    /// The id of the span around it, 16 hexadecimal digits.
    pub parent: Option<String>,
    /// Its role.
    pub kind: SpanKind,
    /// Its name: one of few.
    pub name: String,
    /// When it began, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// When it ended.
    pub end: u64,
    /// What is known about it.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// A span that goes on. One that is dropped was given up.
pub struct Span {
    context: Arc<TraceContext>,
    /// None when its trace is not kept, or it has ended.
    open: Option<Box<(SpanData, Arc<dyn SpanSink>)>>,
}

impl Span {
    /// Returns the context of what happens inside.
    #[must_use]
    pub fn context(&self) -> Arc<TraceContext> {
        Arc::clone(&self.context)
    }

    /// Adds what is known about it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Attribute>) {
        if let Some(open) = &mut self.open {
            open.0.attributes.push((name, value.into()));
        }
    }

    /// Notes that it failed.
    pub fn fail(&mut self, kind: &str, message: &str) {
        if let Some(open) = &mut self.open {
            let message = Attribute::from(message);
            open.0.attributes.push(("error.type", kind.into()));
            open.0.error = if let Attribute::Text(text) = message { Some(text) } else { None };
        }
    }

    /// Ends it.
    pub fn end(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        if let Some(open) = self.open.take() {
            let (mut data, sink) = *open;
            data.end = Shared::wall_clock().max(data.start);
            sink.take(data);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.open.is_some() {
            self.fail("canceled", "canceled");
            self.finish();
        }
    }
}

impl Tracing {
    /// Begins a span; `root` says whether it may begin a trace. None: there is no span, and what happens inside has the context of `parent`.
    pub(crate) fn begin(
        &self,
        parent: Option<&TraceContext>,
        source: SpanSource,
        kind: SpanKind,
        root: bool,
        name: impl FnOnce() -> String,
    ) -> Option<Span> {
        if !self.sources.contains(&source) || (parent.is_none() && !root) {
            return None;
        }
        if let Some(parent) = parent.filter(|parent| self.sampler.follows_parent && !parent.sampled) {
            return Some(Span { context: Arc::new(parent.clone()), open: None });
        }
        let mut random = [0; 24];
        // Without randomness there are no ids, and without ids no spans.
        getrandom::fill(&mut random).ok()?;
        let (span, trace) = random.split_first_chunk::<8>()?;
        // Zero means "none".
        let span = u64::from_be_bytes(*span).max(1);
        let trace = parent.map_or_else(
            || trace.first_chunk::<16>().map(|trace| u128::from_be_bytes(*trace).max(1)),
            |parent| Some(parent.trace),
        )?;
        let sampled = self.sampler.keeps(parent, trace);
        let state = parent.and_then(|parent| parent.state.clone());
        let context = Arc::new(TraceContext { trace, span, sampled, state });
        let open = sampled.then(|| {
            let (context, parent) = (Arc::clone(&context), parent.map(TraceContext::span_id));
            let start = Shared::wall_clock();
            let data = SpanData { context, parent, kind, name: name(), start, end: start, attributes: Vec::new(), error: None };
            Box::new((data, Arc::clone(&self.sink)))
        });
        Some(Span { context, open })
    }
}

impl std::fmt::Debug for Tracing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracing").field("sampler", &self.sampler).field("sources", &self.sources).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use parking_lot::Mutex;

    #[derive(Default)]
    struct Kept(Mutex<Vec<SpanData>>);

    impl SpanSink for Kept {
        fn take(&self, span: SpanData) {
            self.0.lock().push(span);
        }
    }

    fn tracing(ratio: f64) -> (Tracing, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        let sink: Arc<dyn SpanSink> = Arc::<Kept>::clone(&kept);
        let sampler = Sampler { follows_parent: true, ratio };
        (Tracing { sampler, extract: true, inject: true, sources: vec![SpanSource::Http], sink }, kept)
    }

    fn begin(tracing: &Tracing, parent: Option<&TraceContext>) -> Option<Span> {
        tracing.begin(parent, SpanSource::Http, SpanKind::Server, true, || "GET".to_owned())
    }

    #[test]
    fn a_span_goes_on_in_the_trace_of_its_parent() {
        let (tracing, kept) = tracing(0.0);
        let parent = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Some("a=1")).unwrap();
        let span = begin(&tracing, Some(&parent)).unwrap();
        let context = span.context();
        assert_eq!((context.trace_id(), context.state()), (parent.trace_id(), Some("a=1")));
        assert_ne!(context.span_id(), parent.span_id());
        span.end();
        let kept = kept.0.lock();
        let span = kept.first().unwrap();
        assert_eq!(span.parent.as_deref(), Some("b7ad6b7169203331"));
        assert!(span.end >= span.start && span.error.is_none());
    }

    #[test]
    fn what_is_not_kept_has_a_context_all_the_same() {
        let (tracing, kept) = tracing(0.0);
        let span = begin(&tracing, None).unwrap();
        assert!(span.context().parent().ends_with("-00"));
        drop(span);
        assert!(kept.0.lock().is_empty());
        assert!(tracing.begin(None, SpanSource::Queue, SpanKind::Producer, true, String::new).is_none());
        assert!(tracing.begin(None, SpanSource::Http, SpanKind::Client, false, String::new).is_none());
    }

    #[test]
    fn a_span_that_is_dropped_was_canceled() {
        let (tracing, kept) = tracing(1.0);
        drop(begin(&tracing, None));
        assert_eq!(kept.0.lock().first().unwrap().error.as_deref(), Some("canceled"));
    }

    #[test]
    fn the_ratio_decides_by_the_id() {
        let sampler = Sampler { follows_parent: false, ratio: 0.5 };
        assert!(sampler.keeps(None, 1) && !sampler.keeps(None, (1 << 56) - 1));
    }
}
