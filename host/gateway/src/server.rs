//! One server: its listener, its connections, and the way of a request through them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use moonlet_registry::{EntryId, HttpService, Snapshot};
use moonlet_runtime::{Authority, NodeHandle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::middleware::Kit;
use crate::routes::Table;

mod access;
mod call;
mod connection;
mod listener;
mod multiplex;
mod request;
mod stall;
mod tls;
mod trace;

pub(crate) use listener::bind;
pub(crate) use request::Context;

/// How long a client may take over the header of a request unless the server says otherwise: stops slow clients from keeping connections.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take no byte of an answer: stops those that never read.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The least room for a header, below which no request would fit.
const MIN_HEADER: usize = 8 << 10;
/// Headers that one request may have.
const MAX_HEADERS: usize = 100;

/// One server.
pub(crate) struct Server {
    pub(crate) view: HttpService,
    pub(crate) node: NodeHandle,
    /// As whom requests act that carry no token.
    authority: ArcSwapOption<Authority>,
    table: ArcSwap<Table>,
    address: OnceLock<SocketAddr>,
    /// Ends the listener, and asks connections to end.
    pub(crate) stop: CancellationToken,
    /// What goes on for clients.
    pub(crate) tracker: TaskTracker,
}

impl Server {
    pub(crate) fn new(view: HttpService, node: NodeHandle) -> Self {
        Self {
            view,
            node,
            authority: ArcSwapOption::default(),
            table: ArcSwap::default(),
            address: OnceLock::new(),
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    pub(crate) fn id(&self) -> &EntryId {
        &self.view.id
    }

    /// Returns where it listens, once it does.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Takes the routes of a version of the registry over.
    pub(crate) fn rebuild(&self, snapshot: &Snapshot, kit: &Kit) {
        let entry = snapshot.get(self.id()).filter(|_| self.view.lifecycle.security.is_some());
        self.authority.store(entry.and_then(|entry| self.node.authority_of(entry).ok()));
        self.table.store(Arc::new(Table::build(snapshot, self.id(), kit)));
    }

    /// Listens, and serves until it is stopped.
    pub(crate) fn run(self: &Arc<Self>, listener: Option<std::net::TcpListener>) {
        let server = Arc::clone(self);
        if let Ok(tokio) = self.node.tokio() {
            tokio.spawn(listener::run(server, listener));
        }
    }

    /// Notes the address of a listener, so that programs can ask for it before it serves.
    pub(crate) fn bound(&self, listener: &std::net::TcpListener) {
        if let Ok(address) = listener.local_addr() {
            let _ = self.address.set(address);
        }
    }

    /// Waits until everything that goes on has ended, and that long at most.
    pub(crate) async fn drain(&self) {
        self.stop.cancel();
        self.tracker.close();
        let within = self.view.lifecycle.stop_timeout;
        if tokio::time::timeout(within, self.tracker.wait()).await.is_err() {
            let open = self.tracker.len();
            tracing::warn!(target: "moonlet", server = %self.id(), open, "connections did not end in time and are cut off");
        }
    }
}
