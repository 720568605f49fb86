//! One connection of HTTP/2: many requests at the same time, within the time and sizes that a client has.
//!
//! Clients get it where they ask for it in the TLS handshake; without TLS there is HTTP/1.1 only.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::{HEADER_TIMEOUT, MIN_HEADER, STALL_TIMEOUT, Server, request};
use crate::body::Body;

/// Its name in the TLS handshake.
pub(super) const PROTOCOL: &[u8] = b"h2";

/// Requests of one connection at the same time; RFC 9113 advises against fewer.
const MAX_STREAMS: u32 = 100;
/// Bytes of bodies that a client may send before anybody has read them, for one request and for all.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;
/// Bytes of one answer that wait for a client which reads slowly.
const SEND_BUFFER: usize = 64 << 10;
/// How often a client is asked whether it is there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long an idle client may take to let go, when it is told to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves a connection to its end.
pub(super) async fn speak(server: Arc<Server>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
    let idle = server.view.idle_timeout.or(server.view.read_timeout).unwrap_or(HEADER_TIMEOUT).min(HEADER_TIMEOUT);
    let header_size = usize::try_from(server.view.max_header).unwrap_or(usize::MAX).max(MIN_HEADER);
    let stop = server.stop.clone();
    let open = Arc::new(watch::Sender::new(0));
    let mut count = open.subscribe();
    let tasks = Tracked(server.tracker.clone());
    let untaken = Untaken::default();
    let waiting = untaken.clone();
    let service = service_fn(move |request| {
        let (server, place, untaken) = (Arc::clone(&server), Place::take(&open), untaken.clone());
        async move {
            let head = request.method() == Method::HEAD;
            let answer = request::answer(&server, with_host(request), peer).await;
            // In HTTP/1.1 hyper sees to it, here nobody does: a byte of such a body would break the stream.
            let silent = head || answer.status() == StatusCode::NOT_MODIFIED;
            let empty = answer.status() == StatusCode::NO_CONTENT;
            let number = untaken.begin();
            let held = |body| Held { body: if empty { Body::empty() } else { body }, silent, number, untaken, _place: place };
            Ok::<_, Infallible>(Response::map(answer, held))
        }
    });
    let connection = http2::Builder::new(tasks)
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(header_size).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(STALL_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = silence(&mut count, idle) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
        }
        () = waiting.stalled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(target: "moonlet", %peer, "a connection broke: {error}");
    }
}

/// Waits until there was no request for a while.
async fn silence(open: &mut watch::Receiver<usize>, idle: Duration) {
    loop {
        if open.wait_for(|count| *count == 0).await.is_err() {
            return;
        }
        if !matches!(tokio::time::timeout(idle, open.changed()).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The answers of a connection that wait for the client to take them, and since when. A client that reads the connection and opens no
/// window for its answers is not slow, it keeps them.
#[derive(Clone, Default)]
struct Untaken(Arc<Mutex<Answers>>);

#[derive(Default)]
struct Answers {
    last: u64,
    since: BTreeMap<u64, Instant>,
}

impl Untaken {
    fn begin(&self) -> u64 {
        let mut answers = self.0.lock();
        answers.last += 1;
        let number = answers.last;
        answers.since.insert(number, Instant::now());
        number
    }

    /// Notes whether an answer has something for the client now, or waits for its function.
    fn note(&self, number: u64, has_some: bool) {
        let mut answers = self.0.lock();
        if has_some {
            answers.since.insert(number, Instant::now());
        } else {
            answers.since.remove(&number);
        }
    }

    /// Waits until the client took nothing of an answer for too long.
    async fn stalled(&self) {
        loop {
            tokio::time::sleep(STALL_TIMEOUT / 4).await;
            if self.0.lock().since.values().any(|since| since.elapsed() > STALL_TIMEOUT) {
                return;
            }
        }
    }
}

/// Gives a request the headers that clients of HTTP/1.1 send: the host, and all cookies in one (RFC 9113, 8.2.3).
fn with_host(mut request: Request<Incoming>) -> Request<Incoming> {
    let host = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host.filter(|_| !request.headers().contains_key(header::HOST)) {
        request.headers_mut().insert(header::HOST, host);
    }
    let cookies: Vec<&[u8]> = request.headers().get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(b"; ".as_slice()))
    {
        request.headers_mut().insert(header::COOKIE, joined);
    }
    request
}

/// Counts a request while it goes on.
struct Place(Arc<watch::Sender<usize>>);

impl Place {
    fn take(open: &Arc<watch::Sender<usize>>) -> Self {
        open.send_modify(|count| *count += 1);
        Self(Arc::clone(open))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A body whose request goes on until it was sent.
struct Held {
    body: Body,
    /// Whether only its length may be told.
    silent: bool,
    number: u64,
    untaken: Untaken,
    _place: Place,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.untaken.note(self.number, false);
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.silent {
            return Poll::Ready(None);
        }
        let held = self.get_mut();
        let polled = Pin::new(&mut held.body).poll_frame(cx);
        held.untaken.note(held.number, matches!(polled, Poll::Ready(Some(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.silent || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs the requests of a connection where the server counts them.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
