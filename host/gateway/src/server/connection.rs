//! One connection of HTTP/1.1: its requests one after the other, within the time and sizes that a client has.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;

use super::stall::Stalls;
use super::{HANDSHAKE_TIMEOUT, HEADER_TIMEOUT, MAX_HEADERS, MIN_HEADER, STALL_TIMEOUT, Server, multiplex, request};

/// Serves a connection to its end. `_place` is its place among the connections of the server.
pub(super) async fn serve(
    server: Arc<Server>,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    _place: OwnedSemaphorePermit,
) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let stream = Stalls::new(stream, STALL_TIMEOUT);
    match acceptor {
        None => speak(server, stream, peer).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(multiplex::PROTOCOL) => {
                multiplex::speak(server, stream, peer).await;
            }
            Ok(Ok(stream)) => speak(server, stream, peer).await,
            Ok(Err(error)) => tracing::debug!(target: "moonlet", %peer, "no TLS: {error}"),
            Err(_) => tracing::debug!(target: "moonlet", %peer, "the TLS handshake took too long"),
        },
    }
}

async fn speak(server: Arc<Server>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
    let header_timeout = server.view.read_timeout.unwrap_or(HEADER_TIMEOUT).min(HEADER_TIMEOUT);
    let header_size = usize::try_from(server.view.max_header).unwrap_or(usize::MAX).max(MIN_HEADER);
    let stop = server.stop.clone();
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(request::answer(&server, request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(header_size)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "moonlet", %peer, "a connection broke: {error}");
    }
}
