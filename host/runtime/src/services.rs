//! Services, wired to the decisions of `supervision`: its effects are carried out here, and what happens is reported to it.
//!
//! Lock order: the lock here is taken before any other and never held while an effect is carried out. Effects of several
//! threads go through one queue, so that they are carried out in the order in which they were decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moonlet_registry::{Entry, EntryId, Service};
use moonlet_sandbox::wit::{Error, Payload};
use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use crate::arrival::Exit;
use crate::document;
use crate::errors;
use crate::process::{Process, SERVICE, Waiter};
use crate::shared::{Alarm, Shared};
use crate::spawn::Birth;
use crate::supervision::{
    Effect, Exit as RunExit, Report, RestartPolicy, RunId, ServiceConfig, ServiceStatus, Shutdown, Startup, Supervision,
    UnitConfig,
};
use crate::table::Tabled;

/// Called when the node must not go on, with the service and the reason.
pub(crate) type OnStop = Box<dyn FnOnce(String, String) + Send>;

type Effects = Vec<Effect<EntryId>>;

/// The services of a node.
pub(crate) struct Services {
    state: Mutex<State>,
    /// Effects were carried out.
    done: Condvar,
}

struct State {
    supervision: Supervision<EntryId>,
    /// What each service runs.
    services: BTreeMap<EntryId, Service>,
    /// The process of each run, and the run of each process.
    processes: FxHashMap<RunId, Arc<Process>>,
    runs: FxHashMap<u64, RunId>,
    /// Decided and not carried out yet.
    effects: VecDeque<Effect<EntryId>>,
    /// Somebody carries effects out.
    busy: bool,
    on_stop: Option<OnStop>,
}

impl Services {
    pub(crate) fn new() -> Self {
        let supervision = Supervision::new(Box::new(fraction));
        let state = State {
            supervision,
            services: BTreeMap::new(),
            processes: FxHashMap::default(),
            runs: FxHashMap::default(),
            effects: VecDeque::new(),
            busy: false,
            on_stop: None,
        };
        Self { state: Mutex::new(state), done: Condvar::new() }
    }
}

/// Returns a random number from 0 up to, but not including, 1.
fn fraction() -> f64 {
    let bits = getrandom::u64().unwrap_or_default() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

impl Shared {
    /// Takes the services of the registry over and starts those that start with the node.
    pub(crate) fn start_services(self: &Arc<Self>, on_stop: OnStop) -> Result<(), Vec<String>> {
        let snapshot = self.registry.snapshot();
        let views = snapshot.of_kind("process.service").filter_map(|entry| Service::new(entry).ok());
        let services: BTreeMap<EntryId, Service> = views.map(|view| (view.id.clone(), view)).collect();
        let configs = services.values().map(|view| (view.id.clone(), config(view, |id| services.contains_key(id))));
        let configs = configs.collect();
        {
            let mut state = self.services.state.lock();
            state.on_stop = Some(on_stop);
            if let Err(problems) = state.supervision.add(configs) {
                return Err(problems.iter().map(ToString::to_string).collect());
            }
            state.services = services;
        }
        self.supervise(|supervision, now, effects| supervision.start_auto(now, effects));
        Ok(())
    }

    /// Follows a change of an entry, if it is a service.
    pub(crate) fn service_changed(self: &Arc<Self>, id: &EntryId, after: Option<&Arc<Entry>>) {
        let view = after.and_then(|entry| Service::new(entry).ok());
        let mut problems = Vec::new();
        match view {
            Some(view) => {
                let auto_start = view.lifecycle.auto_start;
                let config = {
                    let mut state = self.services.state.lock();
                    let config = config(&view, |other| state.services.contains_key(other));
                    state.services.insert(id.clone(), view);
                    config
                };
                self.supervise(|supervision, now, effects| {
                    problems = supervision.replace(id, config, now, effects).err().unwrap_or_default();
                    if auto_start && problems.is_empty() {
                        supervision.start(id, now, effects);
                    }
                });
            }
            None => {
                let known = self.services.state.lock().services.remove(id).is_some();
                if known {
                    self.supervise(|supervision, now, effects| {
                        supervision.remove(id, now, effects);
                    });
                }
            }
        }
        for problem in problems {
            tracing::error!(target: "moonlet", service = %id, "the service cannot run: {problem}");
        }
    }

    /// Stops all services, each after those that depend on it, and waits at most that long. True: all are down.
    pub(crate) fn stop_services(self: &Arc<Self>, within: Duration) -> bool {
        self.supervise(|supervision, now, effects| supervision.stop_all(now, effects));
        let deadline = Instant::now() + within;
        let mut state = self.services.state.lock();
        while !state.supervision.is_quiet() || state.busy {
            if self.services.done.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    /// Lists all services and how they do.
    pub(crate) fn service_states(&self) -> Vec<ServiceStatus<EntryId>> {
        self.services.state.lock().supervision.states()
    }

    /// Hears that a process of a service blocked for the first time, so that it is up.
    pub(crate) fn service_up(self: &Arc<Self>, process: &Process) {
        let run = self.services.state.lock().runs.get(&process.number()).copied();
        if let Some(run) = run {
            self.supervise(|supervision, now, effects| supervision.started(run, now, effects));
        }
    }

    fn service_down(self: &Arc<Self>, run: RunId, process: Option<&Process>, exit: Result<(), Error>) {
        let exit = match exit {
            Ok(()) => RunExit::Done,
            Err(error) => {
                let retryable = error.retryable != Some(false);
                let message = errors::plain(&error.message);
                let reason = if error.trace.is_empty() { message } else { format!("{message}\n{}", error.trace) };
                RunExit::Failed { reason, retryable }
            }
        };
        {
            let mut state = self.services.state.lock();
            state.processes.remove(&run);
            if let Some(process) = process {
                state.runs.remove(&process.number());
            }
        }
        self.supervise(|supervision, now, effects| supervision.exited(run, exit, now, effects));
    }

    /// Lets supervision decide something, and carries out what it wants.
    fn supervise(self: &Arc<Self>, decide: impl FnOnce(&mut Supervision<EntryId>, u64, &mut Effects)) {
        let mut state = self.services.state.lock();
        let mut effects = Vec::new();
        decide(&mut state.supervision, self.clock(), &mut effects);
        state.effects.extend(effects);
        if state.busy {
            // Whoever is at it carries these out, too.
            return;
        }
        state.busy = true;
        while let Some(effect) = state.effects.pop_front() {
            drop(state);
            self.carry_out(effect);
            state = self.services.state.lock();
        }
        state.busy = false;
        drop(state);
        self.services.done.notify_all();
    }

    fn carry_out(self: &Arc<Self>, effect: Effect<EntryId>) {
        match effect {
            Effect::Spawn { run, unit, .. } => {
                if let Err(error) = self.spawn_service(run, &unit) {
                    self.service_down(run, None, Err(error));
                }
            }
            Effect::Cancel { run } => {
                if let Some(process) = self.process_of(run) {
                    // A full mailbox only means that the process hears of it by being terminated.
                    let _ = self.cancel(&process, "", "the service stops".to_owned());
                }
            }
            Effect::Terminate { run } => {
                if let Some(process) = self.process_of(run) {
                    self.kill(&process, errors::canceled("the service was terminated"));
                }
            }
            Effect::SetTimer { timer, at } => {
                let expire = move |node: &Arc<Self>| {
                    node.supervise(|supervision, now, effects| supervision.expired(timer, now, effects));
                };
                self.alarm(at.saturating_sub(self.clock()), Alarm::Host(Box::new(expire)));
            }
            Effect::Report(report) => tell(&report),
            Effect::StopNode { service, reason } => {
                let on_stop = self.services.state.lock().on_stop.take();
                if let Some(on_stop) = on_stop {
                    on_stop(service.to_string(), reason);
                }
            }
        }
    }

    fn process_of(&self, run: RunId) -> Option<Arc<Process>> {
        self.services.state.lock().processes.get(&run).map(Arc::clone)
    }

    fn spawn_service(self: &Arc<Self>, run: RunId, unit: &EntryId) -> Result<(), Error> {
        let Some(view) = self.services.state.lock().services.get(unit).cloned() else {
            return Err(errors::not_found(format!("there is no service `{unit}`")));
        };
        let terms = self.terms.terms(&self.registry, view.process.as_str(), view.host.as_str())?;
        let input: Vec<_> = view.input.iter().map(document::from_json).collect();
        let args = Payload { data: document::values(&input), channels: Vec::new() };
        let mut birth = Birth::new(terms, None, args, Arc::from([].as_slice()));
        birth.authority = self.nobody();
        let node = Arc::downgrade(self);
        birth.waiter = Some(Waiter::Host(Box::new(move |process: &Arc<Process>, exit: Exit| {
            if let Some(node) = node.upgrade() {
                node.service_down(run, Some(process), exit.map(|_| ()));
            }
        })));
        let process = self.bear(birth)?;
        process.tie(SERVICE);
        {
            let mut state = self.services.state.lock();
            state.runs.insert(process.number(), run);
            state.processes.insert(run, Arc::clone(&process));
        }
        self.launch(&process);
        Ok(())
    }
}

/// Puts a service into the words of supervision.
fn config(view: &Service, is_service: impl Fn(&EntryId) -> bool) -> ServiceConfig<EntryId> {
    let lifecycle = &view.lifecycle;
    let mut unit = UnitConfig::process(view.id.clone());
    unit.start_timeout = Some(nanoseconds(lifecycle.start_timeout));
    unit.shutdown = Shutdown::Within(nanoseconds(lifecycle.stop_timeout));
    let mut config = ServiceConfig::new(unit);
    config.auto_start = lifecycle.auto_start;
    config.startup = match lifecycle.startup {
        moonlet_registry::Startup::Required => Startup::Required,
        moonlet_registry::Startup::Optional => Startup::Optional,
    };
    // What is no service, such as a host, is there from the start.
    config.depends_on = lifecycle.depends_on.iter().filter(|id| is_service(id)).cloned().collect();
    config.stable_threshold = nanoseconds(lifecycle.stable_threshold);
    config.restart = RestartPolicy {
        initial_delay: nanoseconds(lifecycle.restart.initial_delay),
        max_delay: nanoseconds(lifecycle.restart.max_delay),
        backoff_factor: lifecycle.restart.backoff_factor,
        jitter: lifecycle.restart.jitter,
        max_attempts: u32::try_from(lifecycle.restart.max_attempts.unwrap_or(0)).unwrap_or(u32::MAX),
    };
    config
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes news about services to the log.
fn tell(report: &Report<EntryId>) {
    macro_rules! log {
        ($level:ident, $service:expr, $($text:tt)*) => {
            tracing::$level!(target: "moonlet", service = %$service, $($text)*)
        };
    }
    match report {
        Report::Waiting { service, missing } => {
            let missing: Vec<_> = missing.iter().map(EntryId::as_str).collect();
            log!(info, service, "the service waits for {}", missing.join(", "));
        }
        Report::Starting { service, attempt: 0 } => log!(debug, service, "the service starts"),
        Report::Starting { service, attempt } => log!(info, service, "the service starts again, attempt {attempt}"),
        Report::Running { service } => log!(info, service, "the service is up"),
        Report::Failed { service, reason, attempt, delay } => {
            let delay = delay / 1_000_000;
            log!(error, service, "the service failed; restart {attempt} follows in {delay} ms: {reason}");
        }
        Report::GaveUp { service, reason } => log!(error, service, "the service failed for good: {reason}"),
        Report::Finished { service } => log!(info, service, "the service ended"),
        Report::Stopping { service } => log!(debug, service, "the service stops"),
        Report::Stopped { service } => log!(info, service, "the service is down"),
        Report::ChildRestarts { service, supervisor, child, reason, restarts } => {
            log!(warn, service, "`{supervisor}` restarts `{child}`, restart {restarts} in its window: {reason}");
        }
        Report::ChildEnded { service, supervisor, child, reason } => {
            log!(warn, service, "`{child}` of `{supervisor}` ended and is not restarted: {reason}");
        }
        Report::SupervisorGaveUp { service, supervisor, reason } => log!(error, service, "`{supervisor}` gives up: {reason}"),
    }
}
