//! Connections that are kept for the next request to the same server, each for one process host only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;

/// Connections that are kept to one server.
const MAX_EACH: usize = 16;
/// Connections that are kept in all.
const MAX_ALL: usize = 512;
/// How long one is kept.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// To which server, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The process host whose processes use it.
    pub(super) tenant: String,
    /// The network that it goes through.
    pub(super) overlay: Option<String>,
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

/// A connection, and where it leads.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// None for a Unix socket, and through an overlay.
    pub(super) address: Option<IpAddr>,
}

#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<HashMap<Key, Vec<(Connection, Instant)>>>,
}

impl Pool {
    /// Takes a connection that is still good.
    pub(super) fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let list = idle.get_mut(key)?;
        let found = loop {
            match list.pop() {
                Some((connection, since)) if since.elapsed() < MAX_IDLE && connection.sender.is_ready() => {
                    break Some(connection);
                }
                Some(_) => {}
                None => break None,
            }
        };
        if list.is_empty() {
            idle.remove(key);
        }
        found
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn put(&self, key: Key, connection: Connection) {
        let mut idle = self.idle.lock();
        let count: usize = idle.values().map(Vec::len).sum();
        if count >= MAX_ALL {
            idle.retain(|_, list| {
                list.retain(|(connection, since)| since.elapsed() < MAX_IDLE && !connection.sender.is_closed());
                !list.is_empty()
            });
            if idle.values().map(Vec::len).sum::<usize>() >= MAX_ALL {
                return;
            }
        }
        let list = idle.entry(key).or_default();
        if list.len() < MAX_EACH {
            list.push((connection, Instant::now()));
        }
    }

    pub(super) fn clear(&self) {
        self.idle.lock().clear();
    }
}
