//! Sending a request, and following where the answers lead.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use moonlet_runtime::{ByteStream, Error, Freight, ModuleCall, NodeHandle, TraceContext};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{Head, Packed};
use super::invalid;
use super::multipart::Content;
use super::network::{Reach, failed};
use super::options::Plan;
use super::pool::{Connection, Key, Pool};
use super::trace;
use super::uri::Url;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// Bytes of the headers of one answer.
const MAX_HEADER: usize = 256 << 10;
/// Bytes of memory that a connection takes beside what is gathered of a body: buffers of both directions, and of TLS.
pub(super) const CONNECTION: usize = 64 << 10;
/// Bytes of an answer whose end is only read so that its connection can be used again.
const MAX_SKIPPED: usize = 64 << 10;

/// Sends the requests of one process.
pub(super) struct Sender {
    reach: Reach,
    pool: Arc<Pool>,
    node: NodeHandle,
    trace: Option<Arc<TraceContext>>,
    /// What connections and bodies are charged to.
    freight: Freight,
}

/// An answer: with a body, or with a stream of it.
pub(super) struct Answered {
    pub(super) head: Head,
    pub(super) body: Option<Vec<u8>>,
    pub(super) stream: Option<ByteStream>,
}

impl Sender {
    /// Makes one whose requests go through the network with this id, or else the one that the process inherited.
    pub(super) fn new(call: &ModuleCall<'_>, pool: Arc<Pool>, network: Option<&str>) -> Result<Self, Error> {
        let reach = Reach::of(call, network)?;
        Ok(Self { reach, pool, node: call.node(), trace: call.trace(), freight: call.freight() })
    }

    /// Sends a request. `most` is how many bytes of an answer one value may have.
    pub(super) async fn send(&self, mut plan: Plan, most: usize) -> Result<Answered, Error> {
        let span = trace::begin(&self.node, &mut plan, self.trace.as_ref());
        let answered = self.send_within(plan, most).await;
        trace::end(span, &answered);
        answered
    }

    async fn send_within(&self, plan: Plan, most: usize) -> Result<Answered, Error> {
        let timeout = plan.timeout;
        let sent = tokio::time::timeout(timeout, self.follow(plan, most)).await;
        sent.map_err(|_| failed(format!("timeout: there was no answer within {} ms", timeout.as_millis())))?
    }

    async fn follow(&self, mut plan: Plan, most: usize) -> Result<Answered, Error> {
        self.freight.add(CONNECTION)?;
        let mut body = std::mem::replace(&mut plan.body, Content::Bytes(Bytes::new())).into_bytes(&self.freight).await?;
        let unpack = !plan.headers.contains_key(header::ACCEPT_ENCODING) && !plan.headers.contains_key(header::RANGE);
        for _ in 0..=MAX_REDIRECTS {
            let (response, connection, key) = self.exchange(&plan, body.clone(), unpack).await?;
            let Some(next) = redirect(&plan, &response)? else {
                return self.finish(plan, response, connection, key, unpack, most).await;
            };
            self.skip(response, connection, key, plan.timeout).await;
            if !self.reach.can("http_client.request", &next.url.text) {
                let message = format!("not allowed: the redirect to {} is denied by policy", next.url.text);
                return Err(Error::new("PermissionDenied", message).with_retryable(false));
            }
            if plan.tls.insecure && !self.reach.can("http_client.insecure_tls", &next.url.text) {
                let message = format!(
                    "not allowed: TLS without verification to {}, where a redirect leads, is denied by policy",
                    next.url.text
                );
                return Err(Error::new("PermissionDenied", message).with_retryable(false));
            }
            if next.drops_body {
                body = Bytes::new();
                plan.headers.remove(header::CONTENT_TYPE);
            }
            if !plan.url.same_server(&next.url) {
                // They were meant for the first server.
                for name in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
                    plan.headers.remove(name);
                }
            }
            (plan.method, plan.url) = (next.method, next.url);
        }
        Err(failed(format!("stopped after {MAX_REDIRECTS} redirects")).with_retryable(false))
    }

    /// Sends one request and waits for what comes before the body of its answer.
    async fn exchange(
        &self,
        plan: &Plan,
        body: Bytes,
        unpack: bool,
    ) -> Result<(Response<Incoming>, Connection, Option<Key>), Error> {
        let isolates = self.reach.overlay.as_ref().is_some_and(|overlay| overlay.isolates);
        let key = (plan.unix_socket.is_none() && plan.tls.is_usual() && !isolates).then(|| Key {
            tenant: self.reach.host.clone(),
            overlay: self.reach.overlay.as_ref().map(|overlay| overlay.id.clone()),
            tls: plan.url.tls,
            host: plan.url.host.clone(),
            port: plan.url.port,
        });
        // A kept connection may have been closed by the other side just now: then the request goes out once more on a new one.
        if let Some(key) = &key
            && let Some(mut kept) = self.pool.take(key)
        {
            self.reach.check_target(&key.host, key.port)?;
            if let Some(address) = kept.address {
                self.reach.check_address(&key.host, key.port, address)?;
            }
            match kept.sender.try_send_request(request(plan, body.clone(), unpack)?).await {
                Ok(response) => return Ok((response, kept, Some(key.clone()))),
                Err(error) if error.message().is_none() && !is_repeatable(&plan.method) => {
                    return Err(failed(format!("the connection broke: {}", error.error())));
                }
                Err(_) => {}
            }
        }
        let mut connection = self.open(plan).await?;
        let sent = connection.sender.send_request(request(plan, body, unpack)?).await;
        let response = sent.map_err(|error| failed(format!("no answer from {}: {error}", plan.url.authority())))?;
        Ok((response, connection, key))
    }

    async fn open(&self, plan: &Plan) -> Result<Connection, Error> {
        if let Some(path) = &plan.unix_socket {
            if let Some(overlay) = &self.reach.overlay {
                return Err(invalid(format!("a Unix socket is not reached through the network `{}`", overlay.id)));
            }
            let stream = tokio::net::UnixStream::connect(path).await;
            let stream = stream.map_err(|error| failed(format!("cannot connect to the socket `{path}`: {error}")))?;
            return Ok(Connection { sender: self.speak(plan, stream).await?, address: None });
        }
        let (stream, address) = self.reach.connect(&plan.url.host, plan.url.port).await?;
        Ok(Connection { sender: self.speak(plan, stream).await?, address: address.map(|address| address.ip()) })
    }

    async fn speak<S>(&self, plan: &Plan, stream: S) -> Result<http1::SendRequest<Full<Bytes>>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if plan.url.tls {
            let stream = plan.tls.connect(&plan.url.host, stream).await?;
            return shake(stream).await;
        }
        shake(stream).await
    }

    async fn finish(
        &self,
        plan: Plan,
        response: Response<Incoming>,
        connection: Connection,
        key: Option<Key>,
        unpack: bool,
        most: usize,
    ) -> Result<Answered, Error> {
        let (parts, incoming) = response.into_parts();
        let mut headers = parts.headers;
        let gzip = unpack && headers.get(header::CONTENT_ENCODING).is_some_and(|of| of.as_bytes().eq_ignore_ascii_case(b"gzip"));
        if gzip && plan.method != Method::HEAD {
            headers.remove(header::CONTENT_ENCODING);
            headers.remove(header::CONTENT_LENGTH);
        }
        let head = Head { status: parts.status, headers, url: plan.url.text };
        let mut packed = Packed::new(incoming, gzip && plan.method != Method::HEAD, plan.timeout);
        if plan.stream {
            // The connection lives as long as its body.
            return Ok(Answered { head, body: None, stream: Some(ByteStream::new(Box::new(packed))) });
        }
        let body = packed.read_all(plan.max_body.unwrap_or(usize::MAX).min(most), &self.freight).await?;
        if let Some(key) = key {
            self.keep(key, connection).await;
        }
        Ok(Answered { head, body: Some(body), stream: None })
    }

    /// Reads the body of a redirect, so that its connection can be used again.
    async fn skip(&self, response: Response<Incoming>, connection: Connection, key: Option<Key>, timeout: Duration) {
        let mut packed = Packed::new(response.into_body(), false, timeout);
        if packed.read_all(MAX_SKIPPED, &self.freight).await.is_ok()
            && let Some(key) = key
        {
            self.keep(key, connection).await;
        }
    }

    async fn keep(&self, key: Key, mut connection: Connection) {
        if connection.sender.ready().await.is_ok() {
            self.pool.put(key, connection);
        }
    }
}

async fn shake<S>(stream: S) -> Result<http1::SendRequest<Full<Bytes>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = http1::Builder::new().title_case_headers(true).max_buf_size(MAX_HEADER).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| failed(error.to_string()))?;
    // It ends when nobody sends and nobody reads any more.
    tokio::spawn(connection);
    Ok(sender)
}

fn request(plan: &Plan, body: Bytes, unpack: bool) -> Result<Request<Full<Bytes>>, Error> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::from_str(&plan.url.authority()).map_err(|_| invalid("the host cannot stand in a header"))?;
    headers.insert(header::HOST, host);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("moonlet/", env!("CARGO_PKG_VERSION"))));
    if unpack {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for name in plan.headers.keys() {
        headers.remove(name);
        for value in plan.headers.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = plan.method.clone();
    *request.uri_mut() = plan.url.path.parse().map_err(|error| invalid(format!("invalid URL: {error}")))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Tells whether a request may be sent twice without doing anything twice.
fn is_repeatable(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE)
}

struct Redirect {
    method: Method,
    url: Url,
    drops_body: bool,
}

fn redirect(plan: &Plan, response: &Response<Incoming>) -> Result<Option<Redirect>, Error> {
    let keeps = match response.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => return Ok(None),
    };
    let Some(location) = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok()) else {
        return Ok(None);
    };
    let url = plan.url.join(location).map_err(|problem| failed(format!("the redirect leads nowhere: {problem}")))?;
    let same = keeps || plan.method == Method::GET || plan.method == Method::HEAD;
    let method = if same { plan.method.clone() } else { Method::GET };
    Ok(Some(Redirect { method, url, drops_body: !same }))
}
