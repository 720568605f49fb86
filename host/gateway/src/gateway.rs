//! Module `http`, and the servers behind it: started with the node, rebuilt when the registry changes, drained at the end.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use moonlet_registry::{Change, EntryId, HttpService, Snapshot};
use moonlet_runtime::{Answer, Error, Fault, HostModule, ModuleCall, NodeHandle, Value};
use parking_lot::Mutex;

use crate::counters::Counters;
use crate::middleware::Kit;
use crate::module;
use crate::server::{Server, bind};

/// The HTTP servers of a node, and what Lua sees of requests.
#[derive(Default)]
pub struct Gateway {
    state: Mutex<State>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct State {
    node: Option<NodeHandle>,
    kit: Option<Arc<Kit>>,
    servers: BTreeMap<EntryId, Arc<Server>>,
    /// Those that listen already, until they serve.
    listeners: BTreeMap<EntryId, TcpListener>,
    serving: bool,
    version: Option<u64>,
}

impl Gateway {
    /// Makes the servers of a node, which it starts and stops itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns where a server listens.
    fn address(&self, id: &str) -> Option<String> {
        let state = self.state.lock();
        let server = state.servers.iter().find(|(own, _)| own.as_str() == id)?.1;
        server.address().map(|address| address.to_string())
    }
}

impl State {
    /// Makes servers and routes what a version of the registry says.
    fn follow(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let (Some(node), Some(kit)) = (self.node.clone(), self.kit.clone()) else { return Ok(()) };
        let views = snapshot.of_kind("http.service").filter_map(|entry| {
            let filled = node.environment().and_then(|environment| environment.filled(snapshot, entry));
            match filled {
                Ok(entry) => {
                    let view = HttpService::new(&entry);
                    view.inspect_err(
                        |error| tracing::error!(target: "moonlet", server = %entry.id, "the server cannot start: {error}"),
                    )
                    .ok()
                }
                Err(error) => {
                    tracing::error!(target: "moonlet", server = %entry.id, "the server cannot start: {}", error.message);
                    None
                }
            }
        });
        let views: BTreeMap<EntryId, HttpService> =
            views.filter(|view| view.lifecycle.auto_start).map(|view| (view.id.clone(), view)).collect();
        let gone: Vec<EntryId> =
            self.servers.iter().filter(|(id, server)| views.get(*id) != Some(&server.view)).map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.listeners.remove(&id);
            if let (Some(server), Ok(tokio)) = (self.servers.remove(&id), node.tokio()) {
                server.stop.cancel();
                tokio.spawn(async move { server.drain().await });
            }
        }
        for (id, view) in views {
            if !self.servers.contains_key(&id) {
                self.add(&node, view)?;
            }
        }
        for server in self.servers.values() {
            server.rebuild(snapshot, &kit);
        }
        self.version = Some(snapshot.version().id);
        Ok(())
    }

    fn add(&mut self, node: &NodeHandle, view: HttpService) -> Result<(), Error> {
        let tokio = node.tokio()?;
        let _inside = tokio.enter();
        let server = Arc::new(Server::new(view, node.clone()));
        let listener = match bind(&server.view.addr) {
            Ok(listener) => {
                server.bound(&listener);
                Some(listener)
            }
            Err(error) => {
                let (id, addr) = (server.id(), &server.view.addr);
                let message = format!("the HTTP server `{id}` cannot listen on `{addr}`: {error}");
                if server.view.lifecycle.startup == moonlet_registry::Startup::Required {
                    return Err(Error::new("Unavailable", message));
                }
                tracing::error!(target: "moonlet", "{message}; it is tried again until it works");
                None
            }
        };
        let id = server.id().clone();
        if self.serving {
            server.run(listener);
        } else if let Some(listener) = listener {
            self.listeners.insert(id.clone(), listener);
        }
        self.servers.insert(id, server);
        Ok(())
    }
}

impl HostModule for Gateway {
    fn name(&self) -> &str {
        "http"
    }

    fn manifest(&self) -> Value {
        module::manifest()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(module::GLUE)
    }

    fn part(&self, name: &str) -> Option<&'static str> {
        module::part(name)
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, mut args: Vec<Value>) -> Result<Answer, Fault> {
        let named = if function == "call" && !args.is_empty() { Some(args.remove(0)) } else { None };
        let function = named.as_ref().and_then(Value::as_str).unwrap_or(function);
        if function == "address" {
            let args = moonlet_runtime::Args::new(function, args);
            let id = call.resolve(args.text(1)?);
            call.check_readable(&id)?;
            let Some(address) = self.address(&id) else {
                return Err(Error::new("NotFound", format!("there is no HTTP server `{id}` that listens")).into());
            };
            return Answer::one(address);
        }
        module::invoke(call, function, args)
    }

    fn start(&self, node: &NodeHandle) -> Result<(), Error> {
        let snapshot = node.registry()?.snapshot();
        let mut state = self.state.lock();
        state.node = Some(node.clone());
        state.kit = Some(Arc::new(Kit::new(node.clone(), Arc::clone(&self.counters))?));
        state.follow(&snapshot)
    }

    fn serve(&self, _node: &NodeHandle) {
        let mut state = self.state.lock();
        state.serving = true;
        let mut listeners = std::mem::take(&mut state.listeners);
        for (id, server) in &state.servers {
            server.run(listeners.remove(id));
        }
    }

    fn changed(&self, change: &Change) {
        let concerned = [&change.before, &change.after]
            .into_iter()
            .flatten()
            .any(|entry| ["http.", "fs.", "security."].iter().any(|prefix| entry.kind.starts_with(prefix)));
        if !concerned {
            return;
        }
        let mut state = self.state.lock();
        let Some(node) = state.node.clone() else { return };
        let Ok(registry) = node.registry() else { return };
        let snapshot = registry.snapshot();
        // One change set changes many entries, and all of them are in the snapshot.
        if state.version == Some(snapshot.version().id) {
            return;
        }
        if let Err(error) = state.follow(&snapshot) {
            tracing::error!(target: "moonlet", "{}", error.message);
        }
    }

    fn metrics(&self) -> String {
        self.counters.render()
    }

    fn stop(&self) {
        let (servers, node) = {
            let mut state = self.state.lock();
            state.listeners.clear();
            (std::mem::take(&mut state.servers), state.node.take())
        };
        if let Some(Ok(tokio)) = node.filter(|_| !servers.is_empty()).map(|node| node.tokio()) {
            tokio.block_on(async {
                let all = servers.values().map(|server| server.drain());
                futures_util::future::join_all(all).await;
            });
        }
    }
}
