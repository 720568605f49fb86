//! Bodies of answers: whole ones, and those that come piece by piece.

use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

/// A body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it; none once it was given.
    Full(Option<Bytes>),
    /// Piece by piece.
    Live(Box<Live>),
    /// Packed on its way.
    Gzip(Box<Gzip>),
}

/// What goes on beside the pieces and decides about the end: the rest of the body, or an error that cuts it off.
pub(crate) type Companion = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// Pieces from a channel.
pub(crate) struct Live {
    pieces: mpsc::Receiver<Bytes>,
    companion: Option<Companion>,
    tail: Option<Bytes>,
    /// What breaks it off next.
    failed: Option<io::Error>,
    /// Bytes in all, where they are known.
    length: Option<u64>,
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Full(None)
    }

    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::Full(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    pub(crate) fn live(pieces: mpsc::Receiver<Bytes>, companion: Option<Companion>, length: Option<u64>) -> Self {
        Self::Live(Box::new(Live { pieces, companion, tail: None, failed: None, length }))
    }

    /// Packs a body on its way.
    pub(crate) fn gzip(inner: Self, level: Compression) -> Self {
        let Self::Full(Some(bytes)) = inner else {
            return Self::Gzip(Box::new(Gzip { inner, encoder: Some(GzEncoder::new(Vec::new(), level)) }));
        };
        let mut encoder = GzEncoder::new(Vec::new(), level);
        // Writing to a vector cannot fail.
        match encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
            Ok(packed) => Self::full(packed),
            Err(_) => Self::full(bytes),
        }
    }

    /// Returns the number of bytes, if it is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Full(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Live(live) => live.length,
            Self::Gzip(_) => None,
        }
    }
}

impl Live {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            let drained = match self.pieces.poll_recv(cx) {
                Poll::Ready(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Poll::Ready(None) => true,
                Poll::Pending => false,
            };
            let Some(companion) = &mut self.companion else {
                if !drained {
                    return Poll::Pending;
                }
                return Poll::Ready(self.tail.take().filter(|tail| !tail.is_empty()).map(Ok));
            };
            match companion.as_mut().poll(cx) {
                Poll::Ready(Ok(tail)) => {
                    self.companion = None;
                    self.tail = Some(tail);
                }
                Poll::Ready(Err(error)) => {
                    self.companion = None;
                    // What was given so far must be on its way before the connection breaks.
                    self.failed = Some(error);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Live(live) => live.poll(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
            Self::Gzip(gzip) => gzip.poll(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A body that is packed on its way.
pub(crate) struct Gzip {
    inner: Body,
    /// None once the end was written.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Gzip {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(encoder) = &mut self.encoder else { return Poll::Ready(None) };
            let piece = match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(piece) => piece,
                Poll::Pending => return Poll::Pending,
            };
            match piece {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    // What was flushed must reach the client now.
                    let written = encoder.write_all(&data).and_then(|()| encoder.flush());
                    if let Err(error) = written {
                        return Poll::Ready(Some(Err(error)));
                    }
                    let packed = std::mem::take(encoder.get_mut());
                    if !packed.is_empty() {
                        return Poll::Ready(Some(Ok(packed.into())));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let Some(encoder) = self.encoder.take() else { return Poll::Ready(None) };
                    return Poll::Ready(Some(encoder.finish().map(Bytes::from)));
                }
            }
        }
    }
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gzip").field("inner", &self.inner).finish_non_exhaustive()
    }
}
