//! The handshake, by which an HTTP connection becomes a WebSocket.
//!
//! It is not that of tungstenite, which gives up on a server that chooses none of the protocols that it was offered; that is usual.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connect::{Socket, Stream};
use crate::fail::shown;

/// The connection under a type of its own: hyper's futures are not known to be `Send` with a trait object in them.
struct Wire(Box<dyn Stream>);

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Asks for the upgrade and checks the answer; the error says why there is none.
pub(super) async fn shake(
    stream: Box<dyn Stream>,
    request: Request<()>,
    protocols: &[String],
    config: WebSocketConfig,
) -> Result<Socket, String> {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes())).unwrap_or_default();
    let (mut parts, ()) = request.into_parts();
    parts.uri = parts.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(Wire(stream)))
        .await
        .map_err(|error| error.to_string())?;
    let mut connection = Box::pin(connection.with_upgrades());
    let answer = sender.send_request(Request::from_parts(parts, Empty::<Bytes>::new()));
    let mut answer = std::pin::pin!(answer);
    let mut over = false;
    // Cancel-safe: the answer is waited for to its end in either case.
    let answer = tokio::select! {
        answer = &mut answer => answer,
        _ = &mut connection => {
            over = true;
            answer.await
        }
    };
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("HTTP error: {}", answer.status()));
    }
    check(answer.headers(), &key, protocols)?;
    let upgrade = hyper::upgrade::on(answer);
    let upgraded = if over { upgrade.await } else { tokio::join!(upgrade, connection).0 };
    let upgraded = upgraded.map_err(|error| error.to_string())?;
    let inner = upgraded.downcast::<TokioIo<Wire>>().map_err(|_| "the connection is gone".to_owned())?;
    let read = inner.read_buf.to_vec();
    Ok(WebSocketStream::from_partially_read(inner.io.into_inner().0, read, Role::Client, Some(config)).await)
}

fn check(headers: &HeaderMap, key: &str, protocols: &[String]) -> Result<(), String> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if !text(header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err("the server upgrades to something else than a WebSocket".to_owned());
    }
    let names = text(header::CONNECTION).unwrap_or_default().split(',');
    if !names.map(str::trim).any(|name| name.eq_ignore_ascii_case("upgrade")) {
        return Err("the server does not upgrade the connection".to_owned());
    }
    if text(header::SEC_WEBSOCKET_ACCEPT) != Some(key) {
        return Err("the server answered another handshake: `Sec-WebSocket-Accept` is wrong".to_owned());
    }
    match text(header::SEC_WEBSOCKET_PROTOCOL) {
        Some(chosen) if !protocols.iter().any(|known| known == chosen) => {
            Err(format!("the server chose the protocol `{}`, which it was not offered", shown(chosen)))
        }
        _ => Ok(()),
    }
}
