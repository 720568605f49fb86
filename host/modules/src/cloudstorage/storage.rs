//! A bucket as an entry describes it, and the connections to it.
//!
//! The operator wrote where it is: like those of databases, its address may be a private one, and no ceiling for programs bounds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use moonlet_registry::Entry;
use moonlet_runtime::{Error, ModuleCall};
use parking_lot::Mutex;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tokio::net::TcpStream;

use super::answer;
use super::body::{Outgoing, read_all};
use super::options::Headers;
use crate::fail::{self, invalid};
use crate::http_client::network::failed;
use crate::http_client::tls::TlsOptions;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin, and then a second more for each of so many bytes that are sent before it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const SLOWEST: u64 = 64 << 10;
/// Connections that are kept for the next request.
const KEPT: usize = 4;
/// Bytes of the headers of one answer.
const MAX_HEADER: usize = 64 << 10;
/// Bytes of an answer that says what went wrong, or nothing.
const MAX_WORDS: usize = 64 << 10;

/// A bucket.
pub(super) struct Storage {
    bucket: Bucket,
    credentials: Credentials,
    host: String,
    port: u16,
    tls: bool,
    idle: Mutex<Vec<SendRequest<Outgoing>>>,
    released: AtomicBool,
}

/// An answer, with the connection that it comes over.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    connection: SendRequest<Outgoing>,
}

impl Answered {
    pub(super) fn headers(&self) -> &http::HeaderMap {
        self.response.headers()
    }
}

impl Storage {
    /// Reads an entry and the one that it names for its keys.
    pub(super) fn read(call: &ModuleCall<'_>, entry: &Arc<Entry>) -> Result<Self, Error> {
        let id = entry.id.as_str();
        let config = text(entry, "config").ok_or_else(|| invalid(format!("`{id}` has no `config`: write `config: name`")))?;
        let config = if config.contains(':') { config } else { format!("{}:{config}", entry.id.namespace()) };
        let config = fail::entry(call, &config, "access to AWS (`kind: config.aws`)", |kind| kind == "config.aws")?;
        let needed = |entry: &Entry, name: &str| {
            text(entry, name).ok_or_else(|| invalid(format!("`{}` has no `{name}`, which this build needs", entry.id)))
        };
        let region = needed(&config, "region")?;
        let credentials = Credentials::new(needed(&config, "access_key_id")?, needed(&config, "secret_access_key")?);
        let name = needed(entry, "bucket")?;
        let given = text(entry, "endpoint");
        let endpoint = given.clone().unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        // A name with dots matches no certificate as the name of a host.
        let style = if given.is_some() || name.contains('.') { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let wrong = |what: String| invalid(format!("`{id}` names no bucket: {what}"));
        let address = endpoint.parse().map_err(|error| wrong(format!("`endpoint` is no address: {error}")))?;
        let bucket = Bucket::new(address, style, name, region).map_err(|error| wrong(error.to_string()))?;
        let base = bucket.base_url();
        let tls = base.scheme() == "https";
        let host = base.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = base.port().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { bucket, credentials, host, port, tls, idle: Mutex::default(), released: AtomicBool::new(false) })
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(super) fn release(&self) {
        self.released.store(true, Ordering::Release);
        self.idle.lock().clear();
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        if self.released.load(Ordering::Acquire) { Err(invalid("the storage was released")) } else { Ok(()) }
    }

    /// Sends a request to a signed address, and gives its answer when it is a good one.
    pub(super) async fn send(&self, method: Method, address: &str, headers: &Headers, body: Outgoing) -> Result<Answered, Error> {
        let patience = ANSWER_TIMEOUT + Duration::from_secs(body.length() / SLOWEST);
        let request = self.request(method, address, headers, body)?;
        let answered = tokio::time::timeout(patience, self.exchange(request)).await;
        let answered = answered.map_err(|_| failed(format!("the storage did not answer within {} s", patience.as_secs())))??;
        let status = answered.response.status();
        if status.is_success() {
            return Ok(answered);
        }
        // What went wrong stands in the body; an answer to `HEAD` has none.
        let words = tokio::time::timeout(ANSWER_TIMEOUT, read_all(answered.response.into_body(), MAX_WORDS, |_| Ok(()))).await;
        Err(answer::refused(status, words.ok().and_then(Result::ok).unwrap_or_default()))
    }

    /// Reads the rest of an answer that says nothing more, so that its connection can be used again.
    pub(super) async fn finish(&self, answered: Answered) -> Result<(), Error> {
        self.rest(answered, MAX_WORDS, |_| Ok(())).await.map(|_| ())
    }

    /// Reads the rest of an answer, at most so many bytes; `charge` hears of each piece.
    pub(super) async fn rest(
        &self,
        answered: Answered,
        most: usize,
        charge: impl Fn(usize) -> Result<(), Error>,
    ) -> Result<Vec<u8>, Error> {
        let Answered { response, mut connection } = answered;
        let read = tokio::time::timeout(ANSWER_TIMEOUT, read_all(response.into_body(), most, charge)).await;
        let bytes = read.map_err(|_| failed("the answer of the storage did not go on"))??;
        let ready = tokio::time::timeout(ANSWER_TIMEOUT, connection.ready()).await;
        if ready.is_ok_and(|ready| ready.is_ok()) && self.check_open().is_ok() {
            let mut idle = self.idle.lock();
            if idle.len() < KEPT {
                idle.push(connection);
            }
        }
        Ok(bytes)
    }

    fn request(&self, method: Method, address: &str, headers: &Headers, body: Outgoing) -> Result<Request<Outgoing>, Error> {
        let target = address.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or("/");
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().map_err(|_| invalid("the key of the object makes no address"))?;
        let authority = match self.bucket.base_url().port() {
            Some(port) => format!("{}:{port}", self.bucket.base_url().host_str().unwrap_or_default()),
            None => self.bucket.base_url().host_str().unwrap_or_default().to_owned(),
        };
        let host = HeaderValue::from_str(&authority).map_err(|_| invalid("the endpoint has no possible host"))?;
        let list = request.headers_mut();
        list.insert(header::HOST, host);
        list.insert(header::USER_AGENT, HeaderValue::from_static(concat!("moonlet/", env!("CARGO_PKG_VERSION"))));
        headers.add(list);
        Ok(request)
    }

    async fn exchange(&self, mut request: Request<Outgoing>) -> Result<Answered, Error> {
        loop {
            let kept = self.idle.lock().pop();
            let Some(mut connection) = kept else { break };
            // It may have been closed by the other side just now: what was not sent goes out on another one.
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(Answered { response, connection }),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(failed("the connection to the storage broke")),
                },
            }
        }
        let mut connection = self.connect().await?;
        let response = connection.send_request(request).await;
        let response = response.map_err(|error| failed(format!("the storage gave no answer: {error}")))?;
        Ok(Answered { response, connection })
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, Error> {
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = stream.map_err(|_| failed("connecting to the storage took too long"))?;
        let stream = stream.map_err(|error| failed(format!("cannot connect to the storage: {}", error.kind())))?;
        let _ = stream.set_nodelay(true);
        let shaken = http1::Builder::new().max_buf_size(MAX_HEADER).clone();
        if self.tls {
            let stream = TlsOptions::default().connect(&self.host, stream).await?;
            let made = shaken.handshake(TokioIo::new(stream)).await;
            let (sender, connection) = made.map_err(|error| failed(error.to_string()))?;
            tokio::spawn(connection);
            return Ok(sender);
        }
        let (sender, connection) = shaken.handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.to_string()))?;
        // It ends when nobody sends and nobody reads any more.
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn text(entry: &Entry, name: &str) -> Option<String> {
    entry.data.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
