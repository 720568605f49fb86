//! A node: what the command line starts, asks and stops.

use std::hash::RandomState;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use moonlet_language::diagnostic::Diagnostic;
use moonlet_registry::{Entry, EntryId, Registry};
use moonlet_sandbox::wit::{Error, Payload};
use moonlet_sandbox::{Failure, Sandbox, SandboxConfig};
use parking_lot::{Mutex, RwLock};
use rmpv::Value;

use crate::channels::{ChannelLimits, Channels};
use crate::document;
use crate::environment::Environment;
use crate::errors;
use crate::events::{EventStats, Events};
use crate::foreign::CompiledCache;
use crate::handle::NodeHandle;
use crate::handles::Handles;
use crate::module::{HostModule, Jobs};
use crate::names::{NameLimits, Names};
use crate::process::Waiter;
use crate::program::ChunkCache;
use crate::relations::{RelationLimits, Relations};
use crate::scheduler::Scheduler;
use crate::security::check_policies;
use crate::services::Services;
use crate::shared::{Alarm, Counters, Module, Shared, Tokio};
use crate::spawn::Birth;
use crate::table::Table;
use crate::terms_cache::TermsCache;
use crate::timers::Timers;
use crate::trace::Tracing;

/// How long all services together may take to stop; each has a limit of its own below this.
const MAX_STOP: Duration = Duration::from_secs(600);
/// How often a stopping node looks whether the last process has ended.
const POLL: Duration = Duration::from_millis(2);

/// Settings of a node.
#[derive(Debug, Default)]
pub struct NodeConfig {
    /// Threads that run processes; none: one for each core.
    pub workers: Option<usize>,
    /// Sizes of the instance pool.
    pub sandbox: SandboxConfig,
    /// Whether a process without actor or scope may do nothing that policies guard.
    pub strict: bool,
    /// The directory of the project, where relative paths in entries start.
    pub project: std::path::PathBuf,
    /// Whether the fields of what processes log are JSON in the records, and not text.
    pub json_log: bool,
    /// The entry of the network that connections of processes go through, where nothing else was chosen; none: they are made from here.
    pub network: Option<String>,
    /// How spans of traces come into being; none: they do not, and contexts that come with requests are only passed on.
    pub tracing: Option<Tracing>,
}

/// Why a node could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The sandbox could not be set up.
    #[error(transparent)]
    Sandbox(#[from] Failure),
    /// A thread could not be started.
    #[error("failed to start a worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Numbers about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStats {
    /// Living processes.
    pub processes: usize,
    /// Processes started so far.
    pub spawned: u64,
    /// Processes that ended with an error so far.
    pub failed: u64,
    /// Acts that policies did not allow so far.
    pub denied: u64,
    /// Living processes of each process host that was used.
    pub hosts: Vec<(String, u64)>,
}

/// A service and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Its entry.
    pub id: String,
    /// `unknown`, `waiting`, `starting`, `running`, `failed`, `stopping`, `stopped` or `exited`.
    pub state: String,
    /// How often it was started again.
    pub restarts: u64,
    /// How often it was started again since it last ran for long.
    pub attempts: u64,
    /// Since when it is up, in nanoseconds since the Unix epoch.
    pub up_since: Option<u64>,
    /// Why it failed the last time.
    pub failure: Option<String>,
}

/// How a process ended, for who started it from outside.
pub type ProcessExit = Result<Vec<Value>, Error>;

/// A running node.
pub struct Node {
    shared: Arc<Shared>,
}

/// A process that was started from outside.
pub struct Started {
    /// Its pid.
    pub pid: String,
    exit: mpsc::Receiver<ProcessExit>,
}

impl Started {
    /// Waits until the process has ended.
    ///
    /// # Errors
    ///
    /// What ended it.
    pub fn wait(self) -> ProcessExit {
        self.exit.recv().unwrap_or_else(|_| Err(errors::canceled("the node stopped")))
    }

    /// Waits that long at most; none when the process still runs.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<ProcessExit> {
        match self.exit.recv_timeout(timeout) {
            Ok(exit) => Some(exit),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Err(errors::canceled("the node stopped"))),
        }
    }
}

impl Node {
    /// Makes a node and starts its workers. No process runs yet.
    ///
    /// # Errors
    ///
    /// When the system refuses address space or threads.
    pub fn new(config: NodeConfig, registry: Registry, modules: Vec<Arc<dyn HostModule>>) -> Result<Self, NodeError> {
        let sandbox = Sandbox::new(&config.sandbox)?;
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = config.workers.unwrap_or_else(cores);
        let modules = modules.into_iter().map(|host| (host.name().to_owned(), Module::new(host)));
        let shared = Arc::new(Shared {
            sandbox,
            registry,
            table: Table::new(),
            scheduler: Scheduler::new(workers),
            timers: Timers::new(),
            names: RwLock::new(Names::new(NameLimits::default())),
            relations: Mutex::new(Relations::new(RelationLimits::default())),
            channels: Mutex::new(Channels::new(ChannelLimits::default())),
            terms: TermsCache::new(),
            chunks: ChunkCache::new(),
            compiled: CompiledCache::default(),
            modules: modules.collect(),
            handles: Handles::default(),
            jobs: Jobs::default(),
            feeds: AtomicU64::new(0),
            events: Events::new(),
            upgradable: Mutex::default(),
            strict: config.strict,
            network: config.network,
            json_log: config.json_log,
            tracing: config.tracing,
            policies: RwLock::default(),
            environment: Arc::new(Environment::new(config.project.clone())),
            project: config.project.clone(),
            services: Services::new(),
            tokio: Tokio::default(),
            stopping: AtomicBool::new(false),
            start: Instant::now(),
            counters: Counters::default(),
            seeds: RandomState::new(),
            image_memory: AtomicU64::new(0),
        });
        let watching = Arc::downgrade(&shared);
        shared.registry.watch(Box::new(move |applied| {
            if let Some(shared) = watching.upgrade() {
                shared.terms.clear();
                shared.publish_applied(applied);
                for change in &applied.changes {
                    shared.policy_changed(&change.id, change.after.as_ref());
                    for module in shared.modules.values() {
                        module.host.changed(change);
                    }
                }
                let supervised = |entry: &Option<Arc<Entry>>| {
                    entry.as_ref().is_some_and(|entry| matches!(entry.kind.as_str(), "process.service" | "process.supervisor"))
                };
                let concerned = applied.changes.iter().filter(|change| supervised(&change.before) || supervised(&change.after));
                let concerned: Vec<EntryId> = concerned.map(|change| change.id.clone()).collect();
                if !concerned.is_empty() {
                    shared.services_changed(&concerned);
                }
                shared.report_outdated(&applied.changes);
            }
        }));
        shared.load_policies();
        shared.scheduler.start(&shared)?;
        Ok(Self { shared })
    }

    /// Compiles every Lua entry, reads every policy, and says what is wrong with any of them.
    #[must_use]
    pub fn prepare(&self) -> Vec<Diagnostic> {
        let snapshot = self.shared.registry.snapshot();
        let code =
            snapshot.entries().filter(|entry| matches!(entry.kind.as_str(), "function.lua" | "process.lua" | "library.lua"));
        let code = code.flat_map(|entry| self.shared.chunks.prepare(&self.shared.sandbox, entry));
        code.chain(check_policies(&snapshot)).collect()
    }

    /// Starts a process on a host.
    ///
    /// # Errors
    ///
    /// Without such an entry or host, or when a limit keeps it out.
    pub fn start(&self, entry: &str, host: &str, args: &[Value]) -> Result<Started, Error> {
        let terms = self.shared.terms.terms(&self.shared.registry, entry, host)?;
        let args = Payload { data: document::values(args), channels: Vec::new() };
        let (sender, exit) = mpsc::sync_channel(1);
        let mut birth = Birth::new(terms, None, args, Arc::from([].as_slice()));
        birth.authority = self.shared.authority_of_command(entry).unwrap_or_else(|| self.shared.nobody());
        birth.waiter = Some(Waiter::Host(Box::new(move |_, exit| {
            // Channels in the result mean nothing outside.
            let values = exit.and_then(|value| document::decode_few(&value.data));
            // Nobody may wait any more.
            let _ = sender.send(values);
        })));
        let process = self.shared.bear(birth)?;
        self.shared.launch(&process);
        Ok(Started { pid: process.pid.as_ref().to_owned(), exit })
    }

    /// Runs a process to its end.
    ///
    /// # Errors
    ///
    /// What kept it from starting, or ended it.
    pub fn run_process(&self, entry: &str, host: &str, args: &[Value]) -> ProcessExit {
        self.start(entry, host, args)?.wait()
    }

    /// Starts the services that start with the node, in the order of their dependencies, and keeps them running from now on.
    /// `on_stop` is called when one fails without which the node must not run, with its id and the reason.
    ///
    /// # Errors
    ///
    /// Every problem of their dependencies; nothing starts then.
    pub fn start_services(&self, on_stop: impl FnOnce(String, String) + Send + 'static) -> Result<(), Vec<String>> {
        let handle = NodeHandle::new(&self.shared);
        let started = self.shared.modules.values().map(|module| module.host.start(&handle));
        let problems: Vec<String> = started.filter_map(|started| started.err().map(|error| error.message)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        self.shared.start_services(Box::new(on_stop))?;
        for module in self.shared.modules.values() {
            module.host.serve(&handle);
        }
        Ok(())
    }

    /// Lists the services and how they do.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceInfo> {
        self.shared.service_infos()
    }

    /// Asks a process to stop, and ends it when it still runs after this time. False: there is no such process.
    pub fn stop_process(&self, pid: &str, reason: &str, within: Duration) -> bool {
        let Some(process) = self.shared.table.get(pid) else { return false };
        // A full mailbox only means that the process hears of it by being terminated.
        let _ = self.shared.cancel(&process, "", reason.to_owned());
        let end =
            move |node: &Arc<Shared>| node.kill(&process, errors::canceled("process terminated: it did not stop when asked"));
        self.shared.alarm(u64::try_from(within.as_nanos()).unwrap_or(u64::MAX), Alarm::Host(Box::new(end)));
        true
    }

    /// Ends a process at once. False: there is no such process.
    pub fn terminate(&self, pid: &str) -> bool {
        let Some(process) = self.shared.table.get(pid) else { return false };
        self.shared.kill(&process, errors::canceled("process terminated"));
        true
    }

    /// Stops everything: services in the order of their dependencies, each with its own time to stop, then all other
    /// processes, which have `grace` for it. Whatever still runs afterwards is ended. Blocks until all is done; call
    /// [`Node::halt`] from another thread to cut it short.
    pub fn shutdown(&self, grace: Duration) {
        for module in self.shared.modules.values() {
            module.host.stop();
        }
        self.shared.stop_services(MAX_STOP);
        for process in self.shared.table.all() {
            // Whoever does not hear of it is terminated below.
            let _ = self.shared.cancel(&process, "", "the node stops".to_owned());
        }
        self.wait_empty(grace);
        self.halt();
        self.wait_empty(grace);
    }

    /// Ends every process at once and starts no new one.
    pub fn halt(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for process in self.shared.table.all() {
            self.shared.kill(&process, errors::canceled("the node stopped"));
        }
    }

    /// Waits until no process lives, and that long at most.
    fn wait_empty(&self, within: Duration) {
        let deadline = Instant::now() + within;
        while self.shared.table.len() > 0 && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }

    /// Returns numbers about events.
    #[must_use]
    pub fn event_stats(&self) -> EventStats {
        self.shared.event_stats()
    }

    /// Returns a handle, for what runs beside the node.
    #[must_use]
    pub fn handle(&self) -> NodeHandle {
        NodeHandle::new(&self.shared)
    }

    /// Returns numbers about the node.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        let hosts = self.shared.terms.hosts();
        NodeStats {
            processes: self.shared.table.len(),
            spawned: self.shared.counters.spawned.load(Ordering::Relaxed),
            failed: self.shared.counters.failed.load(Ordering::Relaxed),
            denied: self.shared.counters.denied.load(Ordering::Relaxed),
            hosts: hosts.iter().map(|host| (host.id.as_ref().to_owned(), host.live())).collect(),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.scheduler.stop();
        // Instances hold the node: without this, neither would ever be dropped.
        for process in self.shared.table.all() {
            drop(std::mem::replace(&mut *process.life.lock(), crate::life::Life::Over));
            self.shared.exit(&process, Err(errors::canceled("the node stopped")));
        }
    }
}
