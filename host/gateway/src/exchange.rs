//! One request and its answer, shared between the connection and the process that works on it.
//!
//! The process reads the body when it asks for it and writes the answer here. A small answer is kept until the function has returned, so
//! that one that fails after all can still be told from success; a long or flushed one goes out as it comes, no faster than the client
//! reads.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use moonlet_runtime::{ByteSource, Error, Freight, NextBytes};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use crate::query;
use crate::routes::Params;

/// Bytes of an answer that are kept until the function returns.
const KEPT: usize = 1 << 20;
/// Pieces of an answer that wait for the client.
const PIECES: usize = 8;
/// Headers that one answer may have.
const MAX_HEADERS: usize = 100;
/// How long reading a body may take unless the program says otherwise.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// One request, and the answer to it.
pub(crate) struct Exchange {
    pub(crate) parts: std::sync::Arc<Parts>,
    pub(crate) params: Params,
    /// Where the request came from.
    pub(crate) remote: String,
    query: std::sync::OnceLock<Vec<(String, String)>>,
    length: Length,
    bounds: Mutex<Bounds>,
    body: AsyncMutex<RequestBody>,
    reply: Mutex<Reply>,
}

/// What the request says about the size of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    None,
    Known(u64),
    Unknown,
}

/// What reading the body may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    timeout: Duration,
    /// When the time is over that the server gives a client to send a request.
    until: Option<Instant>,
    most: u64,
}

impl Bounds {
    /// Waits for a part of the body, or for all of it.
    async fn within<T>(&self, reading: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(self.timeout, |left| left.min(self.timeout));
        tokio::time::timeout(timeout, reading).await.map_err(|_| timed_out())?
    }
}

enum RequestBody {
    /// Nothing was read.
    Fresh(Incoming),
    /// All was read, and is charged for as long as it is kept.
    Read(Bytes, Freight),
    /// A stream, or the parts of a form, have taken it.
    Taken,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfer {
    Plain,
    Chunked,
    Events,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    kept: BytesMut,
    transfer: Transfer,
    /// Something was written: what comes before the body is fixed.
    fixed: bool,
    /// Takes what comes before the body, once; gone when it is out.
    head: Option<oneshot::Sender<Head>>,
    pieces: Option<mpsc::Sender<Bytes>>,
    over: bool,
}

/// What comes before a body that goes out as it comes.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) pieces: mpsc::Receiver<Bytes>,
}

/// What writing came to.
pub(crate) enum Written {
    /// It is kept, or on its way.
    Done,
    /// The client is slow: the piece must wait.
    Wait(mpsc::Sender<Bytes>, Bytes),
}

impl Exchange {
    pub(crate) fn new(
        parts: std::sync::Arc<Parts>,
        body: Incoming,
        params: Params,
        remote: String,
        max_body: u64,
        read_timeout: Option<Duration>,
    ) -> (Self, oneshot::Receiver<Head>) {
        let length = length(&parts.headers, &body);
        let (head, receiver) = oneshot::channel();
        let reply = Reply {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            kept: BytesMut::new(),
            transfer: Transfer::Plain,
            fixed: false,
            head: Some(head),
            pieces: None,
            over: false,
        };
        let exchange = Self {
            parts,
            params,
            remote,
            query: std::sync::OnceLock::new(),
            length,
            bounds: Mutex::new(Bounds {
                timeout: READ_TIMEOUT,
                until: read_timeout.map(|timeout| Instant::now() + timeout),
                most: max_body,
            }),
            body: AsyncMutex::new(RequestBody::Fresh(body)),
            reply: Mutex::new(reply),
        };
        (exchange, receiver)
    }

    pub(crate) fn length(&self) -> Length {
        self.length
    }

    pub(crate) fn query(&self) -> &[(String, String)] {
        self.query.get_or_init(|| query::fields(self.parts.uri.query().unwrap_or_default()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.parts.headers.get(name)
    }

    /// Narrows what reading the body may take.
    pub(crate) fn bound(&self, timeout: Option<Duration>, most: Option<u64>) {
        let mut bounds = self.bounds.lock();
        bounds.timeout = timeout.unwrap_or(bounds.timeout);
        bounds.most = most.map_or(bounds.most, |most| most.min(bounds.most));
    }

    /// Reads the whole body, which is kept for the next time. `most` is what one value may have.
    pub(crate) async fn read_all(&self, most: usize, freight: Freight) -> Result<Bytes, Error> {
        let bounds = *self.bounds.lock();
        let mut body = self.body.lock().await;
        let incoming = match &mut *body {
            RequestBody::Read(bytes, _) => return Ok(bytes.clone()),
            RequestBody::Taken => return Err(taken()),
            RequestBody::Fresh(_) => match std::mem::replace(&mut *body, RequestBody::Taken) {
                RequestBody::Fresh(incoming) => incoming,
                _ => return Err(taken()),
            },
        };
        if let Length::Known(length) = self.length
            && length > bounds.most
        {
            return Err(too_large(bounds.most));
        }
        let mut source = BodySource { incoming, bounds, read: 0 };
        let reading = async {
            let mut all = BytesMut::new();
            while let Some(piece) = source.piece().await? {
                freight.add(piece.len())?;
                all.extend_from_slice(&piece);
                if all.len() > most {
                    let message = format!(
                        "body too large: a value may have {most} bytes (limit `message_size`); read it with req:stream()"
                    );
                    return Err(typed("Invalid", message, "stream_error"));
                }
            }
            Ok(all.freeze())
        };
        let read = bounds.within(reading).await?;
        *body = RequestBody::Read(read.clone(), freight);
        Ok(read)
    }

    /// Gives the body as a source, once.
    pub(crate) async fn source(&self) -> Result<Box<dyn ByteSource>, Error> {
        let bounds = *self.bounds.lock();
        let mut body = self.body.lock().await;
        match std::mem::replace(&mut *body, RequestBody::Taken) {
            RequestBody::Fresh(incoming) => Ok(Box::new(BodySource { incoming, bounds, read: 0 })),
            RequestBody::Read(bytes, freight) => Ok(Box::new(Kept { bytes, _freight: freight })),
            RequestBody::Taken => Err(taken()),
        }
    }

    pub(crate) fn set_status(&self, status: StatusCode) -> Result<(), Error> {
        self.open(|reply| reply.status = status)
    }

    pub(crate) fn set_header(&self, name: HeaderName, value: HeaderValue) -> Result<(), Error> {
        let mut full = false;
        self.open(|reply| {
            full = reply.headers.keys_len() >= MAX_HEADERS && !reply.headers.contains_key(&name);
            // How the body is framed is for the server to say: two opinions would let a client see an answer that nobody gave.
            if !full && !is_framing(&name) {
                reply.headers.insert(name, value);
            }
        })?;
        if full {
            return Err(typed("Invalid", format!("an answer can have at most {MAX_HEADERS} headers"), "invalid_state"));
        }
        Ok(())
    }

    pub(crate) fn set_transfer(&self, transfer: Transfer) -> Result<(), Error> {
        self.open(|reply| {
            reply.transfer = transfer;
            if transfer == Transfer::Events {
                reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
                reply.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            }
        })
    }

    pub(crate) fn transfer(&self) -> Transfer {
        self.reply.lock().transfer
    }

    /// Writes a part of the body. With `of_type`, that is its type unless the program has set one.
    pub(crate) fn write(&self, bytes: &[u8], of_type: Option<&'static str>) -> Result<Written, Error> {
        let mut reply = self.reply.lock();
        if reply.over {
            return Err(gone());
        }
        if !reply.fixed {
            reply.fixed = true;
            if !reply.headers.contains_key(header::CONTENT_TYPE) {
                let value = HeaderValue::from_static(of_type.unwrap_or_else(|| sniff(bytes)));
                reply.headers.insert(header::CONTENT_TYPE, value);
            }
        }
        reply.kept.extend_from_slice(bytes);
        if reply.kept.len() < KEPT {
            return Ok(Written::Done);
        }
        reply.send()
    }

    /// Sends what was kept.
    pub(crate) fn flush(&self) -> Result<Written, Error> {
        let mut reply = self.reply.lock();
        if reply.over {
            return Err(gone());
        }
        reply.fixed = true;
        reply.send()
    }

    /// Ends the answer: what is left of a body that went out already, or all of it.
    pub(crate) fn finish(&self) -> (StatusCode, HeaderMap, Bytes) {
        let mut reply = self.reply.lock();
        reply.over = true;
        reply.pieces = None;
        reply.head = None;
        (reply.status, std::mem::take(&mut reply.headers), std::mem::take(&mut reply.kept).freeze())
    }

    fn open(&self, change: impl FnOnce(&mut Reply)) -> Result<(), Error> {
        let mut reply = self.reply.lock();
        if reply.fixed || reply.over {
            let message = "headers already sent: set status and headers before the first write";
            return Err(typed("Invalid", message, "invalid_state"));
        }
        change(&mut reply);
        Ok(())
    }
}

impl Reply {
    fn send(&mut self) -> Result<Written, Error> {
        if let Some(head) = self.head.take() {
            let (sender, pieces) = mpsc::channel(PIECES);
            self.pieces = Some(sender);
            head.send(Head { status: self.status, headers: std::mem::take(&mut self.headers), pieces }).map_err(|_| gone())?;
        }
        let Some(pieces) = &self.pieces else { return Err(gone()) };
        if self.kept.is_empty() {
            return if pieces.is_closed() { Err(gone()) } else { Ok(Written::Done) };
        }
        let bytes = std::mem::take(&mut self.kept).freeze();
        match pieces.try_send(bytes) {
            Ok(()) => Ok(Written::Done),
            Err(mpsc::error::TrySendError::Full(bytes)) => Ok(Written::Wait(pieces.clone(), bytes)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
        }
    }
}

/// The body of a request as a source of bytes.
struct BodySource {
    incoming: Incoming,
    bounds: Bounds,
    read: u64,
}

impl BodySource {
    async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let incoming = &mut self.incoming;
            let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *incoming).poll_frame(cx)).await;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| typed("Internal", format!("the body cannot be read: {error}"), "stream_error"))?;
            // Trailers mean nothing to Lua.
            let Ok(data) = frame.into_data() else { continue };
            self.read += data.len() as u64;
            if self.read > self.bounds.most {
                return Err(too_large(self.bounds.most));
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }
}

/// A body that was read, which is charged for as long as it is kept.
struct Kept {
    bytes: Bytes,
    _freight: Freight,
}

impl ByteSource for Kept {
    fn next(&mut self) -> NextBytes<'_> {
        let all = std::mem::take(&mut self.bytes);
        Box::pin(async move { Ok(Some(all.to_vec()).filter(|bytes| !bytes.is_empty())) })
    }

    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}

impl ByteSource for BodySource {
    fn next(&mut self) -> NextBytes<'_> {
        Box::pin(async move {
            let bounds = self.bounds;
            let piece = bounds.within(self.piece()).await?;
            Ok(piece.map(|piece| piece.to_vec()))
        })
    }
}

/// Turns a source into the stream that the parser of forms reads.
pub(crate) fn pieces(source: Box<dyn ByteSource>) -> futures_util::stream::BoxStream<'static, Result<Bytes, Error>> {
    let pieces = futures_util::stream::unfold(source, |mut source| async move {
        let next = source.next().await.transpose()?;
        Some((next.map(Bytes::from), source))
    });
    pieces.boxed()
}

fn length(headers: &HeaderMap, body: &Incoming) -> Length {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Length::Unknown;
    }
    match body.size_hint().exact() {
        Some(0) => Length::None,
        Some(length) => Length::Known(length),
        None => Length::Unknown,
    }
}

fn is_framing(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 5] =
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TRAILER];
    NAMES.contains(name)
}

/// Guesses the type of a body whose program has set none.
fn sniff(bytes: &[u8]) -> &'static str {
    let start = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let text = start.trim_ascii_start().to_ascii_lowercase();
    if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") || text.starts_with(b"<body") || text.starts_with(b"<h1")
    {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let binary = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    if start.iter().any(binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

/// An error with one of the types that `http.ERROR` names.
pub(crate) fn typed(kind: &str, message: impl Into<String>, name: &str) -> Error {
    let mut error = Error::new(kind, message).with_retryable(false);
    error.details = moonlet_runtime::document::map(&[("type", name.into())]);
    error
}

fn gone() -> Error {
    typed("Internal", "write failed: the answer is over, or the client has gone", "write_failed")
}

fn taken() -> Error {
    typed("Internal", "the body was taken already, by a stream or a failed read", "stream_error")
}

fn too_large(most: u64) -> Error {
    typed("Invalid", format!("body too large: at most {most} bytes are allowed"), "stream_error")
}

fn timed_out() -> Error {
    let message = "read timeout: the body did not come within the time of `http.request`, or of `timeouts.read` of the server";
    typed("Internal", message, "stream_error")
}
