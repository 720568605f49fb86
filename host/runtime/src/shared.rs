//! What all processes of a node share, and how anything reaches a process.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use moonlet_registry::Registry;
use moonlet_sandbox::Sandbox;
use moonlet_sandbox::wit::{Error, Outcome, Payload, Signal, SignalKind};
use parking_lot::{Mutex, RwLock};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::arrival::Envelope;
use crate::channels::Channels;
use crate::document;
use crate::environment::Environment;
use crate::errors;
use crate::events::Events;
use crate::foreign::CompiledCache;
use crate::handles::Handles;
use crate::life;
use crate::module::{HostModule, Jobs, is_in_image};
use crate::names::Names;
use crate::process::{CHANNELS, Process, Refused};
use crate::program::ChunkCache;
use crate::relations::Relations;
use crate::scheduler::{Driver, Scheduler, Verdict};
use crate::security::Policies;
use crate::services::Services;
use crate::table::Table;
use crate::terms_cache::TermsCache;
use crate::timers::{AlarmKey, Timers};
use crate::trace::Tracing;

/// Alarms fired in one go before processes get their turn again.
const ALARMS_PER_LOOK: usize = 1_000;

/// One node, as its processes and workers see it.
///
/// Lock order: `relations` or `channels` first, then the `inner` of one process, then `timers` and the scheduler's locks. `names` and
/// the table's slots are leaves.
pub(crate) struct Shared {
    pub(crate) sandbox: Sandbox,
    pub(crate) registry: Registry,
    pub(crate) table: Table<Process>,
    pub(crate) scheduler: Scheduler<Process>,
    pub(crate) timers: Timers<Alarm>,
    pub(crate) names: RwLock<Names<u64>>,
    pub(crate) relations: Mutex<Relations<u64>>,
    pub(crate) channels: Mutex<Channels<u64, Vec<u8>>>,
    pub(crate) terms: TermsCache,
    pub(crate) chunks: ChunkCache,
    pub(crate) compiled: CompiledCache,
    pub(crate) modules: FxHashMap<String, Module>,
    /// What processes hold of host modules.
    pub(crate) handles: Handles,
    /// Jobs that run for calls of modules.
    pub(crate) jobs: Jobs,
    /// Numbers of topics that host modules feed.
    pub(crate) feeds: AtomicU64,
    pub(crate) events: Events,
    /// Processes that want to hear when their code changes. A leaf.
    pub(crate) upgradable: Mutex<FxHashSet<u64>>,
    /// Whether a process without actor or scope may do nothing that policies guard.
    pub(crate) strict: bool,
    /// The network that connections go through where nothing else was chosen.
    pub(crate) network: Option<String>,
    /// How spans come into being; none: they do not.
    pub(crate) tracing: Option<Tracing>,
    /// Whether the fields of what processes log are JSON.
    pub(crate) json_log: bool,
    /// The policies that the registry holds.
    pub(crate) policies: RwLock<Policies>,
    /// Variables, and the storages of their values.
    pub(crate) environment: Arc<Environment>,
    /// Where relative paths in entries start.
    pub(crate) project: std::path::PathBuf,
    pub(crate) services: Services,
    pub(crate) tokio: Tokio,
    /// Set once the node stops: nothing new is spawned.
    pub(crate) stopping: AtomicBool,
    pub(crate) start: Instant,
    pub(crate) counters: Counters,
    /// A key that no guest learns, so that none can tell the seed of another.
    pub(crate) seeds: RandomState,
    /// Bytes of memory that a Lua process starts with; zero before the first one.
    pub(crate) image_memory: AtomicU64,
}

/// A host module with its description, made once.
pub(crate) struct Module {
    description: OnceLock<Result<Vec<u8>, Error>>,
    in_image: OnceLock<bool>,
    /// Guards the compiled parts of its Lua by name.
    parts: Mutex<FxHashMap<String, Vec<u8>>>,
    pub(crate) host: Arc<dyn HostModule>,
}

impl Module {
    pub(crate) fn new(host: Arc<dyn HostModule>) -> Self {
        Self { description: OnceLock::new(), in_image: OnceLock::new(), parts: Mutex::default(), host }
    }

    /// Gives what a guest makes its table from: the manifest, and the compiled glue.
    pub(crate) fn description(&self, sandbox: &Sandbox) -> Result<Vec<u8>, Error> {
        let make = || {
            let mut manifest = self.host.manifest();
            if let Some(glue) = self.host.glue()
                && let rmpv::Value::Map(fields) = &mut manifest
            {
                let code = sandbox.compile(glue.as_bytes(), self.host.name())?;
                fields.push(("glue".into(), rmpv::Value::Binary(code)));
            }
            Ok(document::encode(&manifest))
        };
        self.description.get_or_init(make).clone()
    }

    /// Tells whether the guest's image has its table, so that none asks for the description.
    pub(crate) fn is_in_image(&self) -> bool {
        *self.in_image.get_or_init(|| is_in_image(self.host.as_ref()))
    }

    /// Gives a part of the module's Lua, compiled.
    pub(crate) fn part(&self, sandbox: &Sandbox, name: &str) -> Result<Vec<u8>, Error> {
        if let Some(code) = self.parts.lock().get(name) {
            return Ok(code.clone());
        }
        let missing =
            || crate::errors::not_found(format!("module `{}` has no part `{}`", self.host.name(), crate::errors::shown(name)));
        let source = self.host.part(name).ok_or_else(missing)?;
        let code = document::encode(&rmpv::Value::Binary(sandbox.compile(source.as_bytes(), self.host.name())?));
        self.parts.lock().insert(name.to_owned(), code.clone());
        Ok(code)
    }
}

/// What happened since the node started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) spawned: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Acts that policies did not allow.
    pub(crate) denied: AtomicU64,
}

/// Code of the host that a timer runs.
pub(crate) type Act = Box<dyn FnOnce(&Arc<Shared>) + Send>;

/// What a timer leads to.
pub(crate) enum Alarm {
    /// A ticket completes.
    Ticket(Arc<Process>, u64),
    /// A call has lasted too long.
    Timeout(Arc<Process>, u64, u64),
    /// A failed call is repeated.
    Retry(Arc<Process>, u64),
    /// A process has lived too long.
    WallTime(Arc<Process>),
    /// Code of the host.
    Host(Act),
}

impl Shared {
    /// Returns the time in nanoseconds since the node was made.
    pub(crate) fn clock(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Returns the wall clock in nanoseconds since the Unix epoch.
    pub(crate) fn wall_clock() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Returns random bits of cryptographic quality.
    pub(crate) fn random(&self) -> u64 {
        getrandom::u64().unwrap_or_else(|_| self.clock())
    }

    /// Returns what the pseudo-random generator of a process starts from: a keyed hash of its number, which saves a system call at
    /// each start.
    pub(crate) fn seed(&self, process: u64) -> u64 {
        self.seeds.hash_one(process)
    }

    /// Adds an alarm and lets the workers know.
    pub(crate) fn alarm(&self, after: u64, alarm: Alarm) -> AlarmKey {
        let deadline = self.clock().saturating_add(after);
        let key = self.timers.add(deadline, alarm);
        self.scheduler.watch(deadline);
        key
    }

    /// Finds a living process by pid or name.
    pub(crate) fn find(&self, to: &str) -> Result<Arc<Process>, Error> {
        let found = if to.starts_with('{') {
            self.table.get(to)
        } else {
            let number = self.names.read().lookup(to).ok();
            number.and_then(|number| self.table.numbered(number))
        };
        found.ok_or_else(|| errors::no_process(to))
    }

    /// Queues a process when it is due.
    pub(crate) fn schedule(&self, process: &Arc<Process>, due: bool) {
        if due {
            self.scheduler.push(Arc::clone(process));
        }
    }

    /// Puts a message into a mailbox; its channels are handles of the receiver already.
    pub(crate) fn deliver(&self, to: &str, target: &Arc<Process>, envelope: Envelope) -> Result<(), Error> {
        // A message that is refused is dropped with the lock still held, hence its handles are noted before.
        let handles = if envelope.body.channels.is_empty() { Vec::new() } else { envelope.body.channels.clone() };
        let (taken, warning) = {
            let mut inner = target.inner();
            (inner.message(envelope), inner.mailbox.warning())
        };
        if let Some(full) = warning {
            warn_of_mailbox(target, full);
            let due = target.warn(full.limit, full.allowed as u64, full.used as u64);
            self.schedule(target, due);
        }
        match taken {
            Ok(due) => {
                self.schedule(target, due);
                Ok(())
            }
            Err(refused) => {
                self.release(target, &handles);
                if let Refused::Full(full) = refused {
                    target.hit(full.limit);
                }
                Err(match refused {
                    Refused::Ended => errors::no_process(to),
                    Refused::Full(full) => errors::mailbox_full(to, full),
                })
            }
        }
    }

    /// Asks a process to stop; an empty sender stands for the host.
    pub(crate) fn cancel(&self, target: &Arc<Process>, sender: &str, reason: String) -> Result<(), Refused> {
        let signal = Signal {
            kind: SignalKind::Cancel,
            sender: sender.to_owned(),
            at: Self::wall_clock(),
            value: Payload::empty(),
            error: None,
            reason,
            sources: Vec::new(),
        };
        let due = target.inner().request(signal)?;
        self.schedule(target, due);
        Ok(())
    }

    /// Ends a process from outside.
    pub(crate) fn kill(&self, process: &Arc<Process>, reason: Error) {
        let due = process.kill(reason);
        self.schedule(process, due);
    }

    /// Completes a ticket that waits for nothing but this.
    ///
    /// False: what there was to give does not arrive, because nobody waits for it or there is no room for it.
    pub(crate) fn complete(&self, process: &Arc<Process>, ticket: u64, outcome: Outcome) -> bool {
        let outcome = match outcome {
            Outcome::Done(payload) if payload.channels.is_empty() => crate::arrival::outcome(Self::fit(process, Ok(payload))),
            outcome => outcome,
        };
        let gives = matches!(outcome, Outcome::Done(_));
        let completed = process.inner().complete(ticket, outcome);
        match completed {
            Ok((_, due)) => {
                self.schedule(process, due);
                return gives;
            }
            Err(Outcome::Done(payload)) => self.release(process, &payload.channels),
            Err(_) => {}
        }
        false
    }

    /// Gives channels in a payload of one process to another.
    pub(crate) fn transfer(&self, from: &Process, mut payload: Payload, to: &Process) -> Result<Payload, Error> {
        if payload.channels.is_empty() {
            return Ok(payload);
        }
        let mut channels = self.channels.lock();
        if !to.tie(CHANNELS) {
            return Err(errors::no_process(&to.pid));
        }
        let given = channels.transfer(from.seat.number(), &payload.channels, to.seat.number());
        payload.channels = given.map_err(|error| errors::of_channel(&error))?;
        Ok(payload)
    }

    /// Gives handles back that a process was given in vain.
    pub(crate) fn release(&self, process: &Process, handles: &[u32]) {
        if handles.is_empty() {
            return;
        }
        let mut channels = self.channels.lock();
        for handle in handles {
            channels.release(process.seat.number(), *handle);
        }
    }

    fn fire_alarm(self: &Arc<Self>, alarm: Alarm) {
        match alarm {
            Alarm::Ticket(process, ticket) => drop(self.complete(&process, ticket, Outcome::Done(Payload::empty()))),
            Alarm::Timeout(caller, ticket, after) => self.call_timed_out(&caller, ticket, after),
            Alarm::Retry(caller, ticket) => self.call_again(&caller, ticket),
            Alarm::WallTime(process) => {
                let allowed = process.terms.bounds.wall.unwrap_or(u64::MAX);
                let error = errors::limit("wall_time", allowed, allowed);
                self.kill(&process, Error { retryable: None, ..error });
            }
            Alarm::Host(act) => act(self),
        }
    }
}

/// Tells the operator, once for each process, that it may soon refuse messages.
fn warn_of_mailbox(process: &Process, full: crate::mailbox::Full) {
    let (pid, entry) = (&*process.pid, &*process.terms.program.entry);
    let crate::mailbox::Full { limit, allowed, used } = full;
    tracing::warn!(
        target: "moonlet", pid, entry, limit, allowed, used,
        "the mailbox is 80 percent full: the process reads slower than others send to it"
    );
}

impl Shared {
    /// Does what is due while a long step keeps this worker.
    pub(crate) fn look_at_deadlines(self: &Arc<Self>, now: u64) {
        if now >= self.timers.next_deadline() {
            self.fire(now);
        }
    }
}

impl Driver for Shared {
    type Process = Process;

    fn run(self: &Arc<Self>, process: &Arc<Process>, now: u64) -> (Verdict, u64) {
        life::turn(self, process, now)
    }

    fn now(&self) -> u64 {
        self.clock()
    }

    fn next_deadline(&self) -> u64 {
        self.timers.next_deadline()
    }

    fn fire(self: &Arc<Self>, now: u64) {
        let mut due = Vec::new();
        self.timers.take_due(now, ALARMS_PER_LOOK, &mut due);
        for alarm in due {
            self.fire_alarm(alarm);
        }
    }

    fn tick(&self) {
        self.sandbox.tick();
    }
}

/// The tokio runtime that host modules and the WASI clocks of components need; made when the first of them runs.
#[derive(Default)]
pub(crate) struct Tokio(OnceLock<Option<tokio::runtime::Runtime>>);

/// Threads of that runtime; blocking work has others.
const TOKIO_THREADS: usize = 2;

impl Tokio {
    /// Makes it the current one; none when the system refuses its threads, which WASI then reports as a trap.
    pub(crate) fn enter(&self) -> Option<tokio::runtime::EnterGuard<'_>> {
        self.runtime().map(tokio::runtime::Runtime::enter)
    }

    /// Gives a handle for work that waits.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the system refuses its threads.
    pub(crate) fn handle(&self) -> Result<tokio::runtime::Handle, Error> {
        let runtime = self.runtime().ok_or_else(|| errors::unavailable("the system has no threads left"))?;
        Ok(runtime.handle().clone())
    }

    fn runtime(&self) -> Option<&tokio::runtime::Runtime> {
        let make = || {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(TOKIO_THREADS).thread_name("moonlet-io").enable_all().build().ok()
        };
        self.0.get_or_init(make).as_ref()
    }
}
