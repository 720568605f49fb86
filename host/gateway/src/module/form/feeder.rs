//! Feeds the parser of forms no more than it needs.
//!
//! Left alone, it takes whatever has come into a buffer of its own, which nobody is charged for; a part whose headers have no end would
//! grow there up to the largest body that the server takes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use moonlet_runtime::Error;

use crate::exchange::typed;

/// Bytes of the headers of one part.
const MAX_HEADERS: usize = 64 << 10;

/// Tells the source when the parser may have one more piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    open: AtomicBool,
    /// Bytes that the parser was given since it made something of them.
    given: AtomicUsize,
}

impl Gate {
    /// Asks the parser, which gets more only when it can do nothing with what it has.
    pub(super) async fn ask<T>(&self, mut parser: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        std::future::poll_fn(|cx| {
            self.0.open.store(false, Ordering::Relaxed);
            loop {
                if let Poll::Ready(made) = parser(cx) {
                    self.0.given.store(0, Ordering::Relaxed);
                    return Poll::Ready(made);
                }
                // It took nothing although it could: the source has nothing yet.
                if self.0.open.swap(true, Ordering::Relaxed) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// The source behind a gate.
pub(super) struct Gated {
    source: BoxStream<'static, Result<Bytes, Error>>,
    gate: Gate,
}

impl Gated {
    pub(super) fn new(source: BoxStream<'static, Result<Bytes, Error>>, gate: Gate) -> Self {
        Self { source, gate }
    }
}

impl Stream for Gated {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.gate.0.open.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let Poll::Ready(next) = self.source.as_mut().poll_next(cx) else { return Poll::Pending };
        if let Some(Ok(piece)) = &next {
            self.gate.0.open.store(false, Ordering::Relaxed);
            let given = self.gate.0.given.fetch_add(piece.len(), Ordering::Relaxed);
            if given > MAX_HEADERS {
                let message = format!("the headers of a part have more than {MAX_HEADERS} bytes");
                return Poll::Ready(Some(Err(typed("Invalid", message, "parse_failed"))));
            }
        }
        Poll::Ready(next)
    }
}
