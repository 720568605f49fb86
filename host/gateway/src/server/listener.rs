//! Listening: where, and again when it failed.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Server, connection, tls};

/// Waits between two attempts to listen.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(10);
/// The wait after a connection could not be accepted, such as for want of files.
const BREATH: Duration = Duration::from_millis(50);
/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Listens at an address such as `:8080`, `localhost:0` or `[::1]:80`.
pub(crate) fn bind(addr: &str) -> io::Result<TcpListener> {
    let (host, port) = addr.rsplit_once(':').unwrap_or(("", addr));
    let port: u16 =
        port.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("`{addr}` has no valid port")))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        // One socket takes both kinds of addresses where the system has both.
        return listen(SocketAddr::from(([0_u16; 8], port))).or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
            _ => listen(SocketAddr::from(([0_u8; 4], port))),
        });
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{host}` has no address"));
    for address in (host, port).to_socket_addrs()? {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // The socket of the standard library has no say about reuse, without which a restart fails for a minute.
    let socket = if address.is_ipv6() { tokio::net::TcpSocket::new_v6() } else { tokio::net::TcpSocket::new_v4() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG.unsigned_abs())?.into_std()?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the server is stopped.
pub(super) async fn run(server: Arc<Server>, listener: Option<TcpListener>) {
    let Some(listener) = started(&server, listener).await else { return };
    let acceptor = match tls::acceptor(&server.view) {
        Ok(acceptor) => acceptor,
        Err(problem) => {
            tracing::error!(target: "moonlet", "the HTTP server `{}` cannot use its TLS settings: {problem}", server.id());
            return;
        }
    };
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(target: "moonlet", "the HTTP server `{}` cannot listen: {error}", server.id());
            return;
        }
    };
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    if let Some(address) = server.address() {
        tracing::info!(target: "moonlet", "the HTTP server `{}` listens on {scheme}://{address}", server.id());
    }
    let most = usize::try_from(server.view.max_connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(most));
    loop {
        // Who comes when all places are taken waits in the queue of the system.
        let accepted = tokio::select! {
            () = server.stop.cancelled() => return,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        match accepted {
            (Ok(place), Ok((stream, peer))) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                let task = connection::serve(Arc::clone(&server), stream, peer, acceptor.clone(), place);
                server.tracker.spawn(task);
            }
            (Ok(_), Err(error)) => {
                tracing::debug!(target: "moonlet", server = %server.id(), "a connection was not accepted: {error}");
                tokio::time::sleep(BREATH).await;
            }
            (Err(_), _) => return,
        }
    }
}

/// Gets a listener, with patience; none when the server is stopped.
async fn started(server: &Server, listener: Option<TcpListener>) -> Option<TcpListener> {
    if listener.is_some() {
        return listener;
    }
    let mut wait = FIRST_WAIT;
    loop {
        tokio::select! {
            () = server.stop.cancelled() => return None,
            () = tokio::time::sleep(wait) => {}
        }
        match bind(&server.view.addr) {
            Ok(listener) => {
                server.bound(&listener);
                return Some(listener);
            }
            Err(error) => {
                wait = (wait * 2).min(LAST_WAIT);
                let addr = &server.view.addr;
                tracing::debug!(target: "moonlet", "the HTTP server `{}` cannot listen on `{addr}`: {error}", server.id());
            }
        }
    }
}
