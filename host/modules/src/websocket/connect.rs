//! Connecting: what policies and the network allow.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use moonlet_runtime::{Answer, Args, Error, Fault, Feed, ModuleCall};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::options::Options;
use super::{Client, WAITING, handshake, invalid, talk};
use crate::http_client::network::{Reach, failed};
use crate::http_client::tls::TlsOptions;
use crate::http_client::uri::Url;

/// A connection, with TLS or without.
/// Bytes of memory that a connection takes beside the message that is being read: buffers of both directions, and of TLS.
const CONNECTION: usize = 128 << 10;

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) type Socket = WebSocketStream<Box<dyn Stream>>;

pub(super) fn connect(call: &ModuleCall<'_>, args: &Args<'_>, feed: Feed) -> Result<Answer, Fault> {
    let url = Url::parse(args.text(1)?, ["ws", "wss"]).map_err(|problem| invalid(format!("invalid URL: {problem}")))?;
    let options = Options::read(args.opt_table(2)?)?;
    call.check("websocket.connect", "")?;
    call.check("websocket.connect.url", &url.text)?;
    let reach = Reach::of(call, None)?;
    let keeper = call.keeper();
    call.run_async(async move {
        let timeout = options.dial_timeout;
        let opened = tokio::time::timeout(timeout, open(&reach, &url, &options)).await;
        let socket = opened.map_err(|_| failed(format!("connection failed: no answer within {} ms", timeout.as_millis())))??;
        let (orders, given) = mpsc::channel(WAITING);
        let client = keeper.keep_heavy("Client", Arc::new(Client { orders }), CONNECTION.saturating_add(options.read_limit))?;
        tokio::spawn(talk::talk(socket, feed, given, options));
        Ok(vec![client])
    })
}

async fn open(reach: &Reach, url: &Url, options: &Options) -> Result<Socket, Error> {
    let (stream, _) = reach.connect(&url.host, url.port).await?;
    let stream: Box<dyn Stream> =
        if url.tls { Box::new(TlsOptions::default().connect(&url.host, stream).await?) } else { Box::new(stream) };
    let mut request = url.text.as_str().into_client_request().map_err(|error| invalid(format!("invalid URL: {error}")))?;
    request.headers_mut().extend(options.headers.clone());
    if !options.protocols.is_empty()
        && let Ok(value) = HeaderValue::from_str(&options.protocols.join(", "))
    {
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(options.read_limit))
        .max_frame_size(Some(options.read_limit))
        .max_write_buffer_size(options.read_limit.max(4 << 20));
    handshake::shake(stream, request, &options.protocols, config).await.map_err(|why| failed(format!("connection failed: {why}")))
}
