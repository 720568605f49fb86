//! Which trace a process takes part in, in the words of W3C Trace Context.
//!
//! A context comes from a request, or begins here where spans are kept. It travels with messages, calls, spawns, queues and requests to
//! other servers; Lua code has no part in it. A process has one at a time: that of the message whose step it runs, or else the one it was
//! born with. Without tracing all of this is a null pointer that is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

mod context;
mod span;

pub use context::TraceContext;
pub use span::{Attribute, Sampler, Span, SpanData, SpanKind, SpanSink, SpanSource, Tracing};

/// The trace of one process.
#[derive(Default)]
pub(crate) struct Traced {
    /// Whether there is a current one, for a look without the lock.
    active: AtomicBool,
    /// Guards the current one; a leaf.
    current: Mutex<Option<Arc<TraceContext>>>,
    /// What it was born with.
    birth: Option<Arc<TraceContext>>,
    /// What it is as a whole, until it ends; a leaf.
    span: Mutex<Option<Span>>,
}

impl Traced {
    /// The trace of a process that is born with a context, and perhaps is a span itself.
    pub(crate) fn new(birth: Option<Arc<TraceContext>>, span: Option<Span>) -> Self {
        let active = AtomicBool::new(birth.is_some());
        Self { active, current: Mutex::new(birth.clone()), birth, span: Mutex::new(span) }
    }

    /// Returns the current context.
    pub(crate) fn current(&self) -> Option<Arc<TraceContext>> {
        if self.active.load(Ordering::Relaxed) { self.current.lock().clone() } else { None }
    }

    /// Goes over to the context of a message that the process is given now.
    pub(crate) fn enter(&self, context: Option<Arc<TraceContext>>) {
        if context.is_none() && !self.active.load(Ordering::Relaxed) {
            return;
        }
        let context = context.or_else(|| self.birth.clone());
        let mut current = self.current.lock();
        self.active.store(context.is_some(), Ordering::Relaxed);
        *current = context;
    }

    /// Takes the span that ends with the process.
    pub(crate) fn take_span(&self) -> Option<Span> {
        self.birth.as_ref().and_then(|_| self.span.lock().take())
    }
}
