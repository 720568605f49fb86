//! Services, wired to the decisions of `supervision`: its effects are carried out here, and what happens is reported to it.
//!
//! Lock order: the lock here is taken before any other and never held while an effect is carried out. Effects of several
//! threads go through one queue, so that they are carried out in the order in which they were decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moonlet_registry::EntryId;
use moonlet_sandbox::wit::{Error, Payload};
use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use self::tell::tell;
pub(crate) use self::units::Key;
use self::units::{Plan, Unit};
use crate::arrival::Exit;
use crate::crash::Crash;
use crate::document;
use crate::errors;
use crate::node::ServiceInfo;
use crate::process::{Process, SERVICE, Waiter};
use crate::shared::{Alarm, Shared};
use crate::spawn::Birth;
use crate::supervision::{Effect, Exit as RunExit, Report, RunId, ServiceStatus, Supervision};
use crate::table::Tabled;

mod tell;
mod units;

/// Called when the node must not go on, with the service and the reason.
pub(crate) type OnStop = Box<dyn FnOnce(String, String) + Send>;

type Effects = Vec<Effect<Key>>;

/// The services of a node.
pub(crate) struct Services {
    state: Mutex<State>,
    /// Effects were carried out.
    done: Condvar,
}

struct State {
    supervision: Supervision<Key>,
    /// What each process of each service runs.
    units: BTreeMap<Key, BTreeMap<Key, Unit>>,
    /// What is known about the last process of a service that failed, until it is told.
    crashes: BTreeMap<Key, Crash>,
    /// The process of each run, and the run of each process.
    processes: FxHashMap<RunId, Arc<Process>>,
    runs: FxHashMap<u64, RunId>,
    /// Decided and not carried out yet.
    effects: VecDeque<Effect<Key>>,
    /// Somebody carries effects out.
    busy: bool,
    on_stop: Option<OnStop>,
}

impl Services {
    pub(crate) fn new() -> Self {
        let supervision = Supervision::new(Box::new(fraction));
        let state = State {
            supervision,
            units: BTreeMap::new(),
            crashes: BTreeMap::new(),
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
        let plans = units::plans(&self.registry.snapshot());
        {
            let mut state = self.services.state.lock();
            state.on_stop = Some(on_stop);
            let mut configs = Vec::new();
            for Plan { key, config, units } in plans {
                state.units.insert(Key::clone(&key), units);
                configs.push((key, config));
            }
            if let Err(problems) = state.supervision.add(configs) {
                return Err(problems.iter().map(ToString::to_string).collect());
            }
        }
        self.supervise(|supervision, now, effects| supervision.start_auto(now, effects));
        Ok(())
    }

    /// Follows changes of entries, as far as they concern services. `changed` are the entries that are or were services or supervisors.
    pub(crate) fn services_changed(self: &Arc<Self>, changed: &[EntryId]) {
        let snapshot = self.registry.snapshot();
        let known = units::services(&snapshot);
        let mut roots = units::roots(&snapshot, changed);
        // A supervisor that became a child is no service any more, and the other way round.
        roots.extend(changed.iter().cloned());
        roots.sort();
        roots.dedup();
        let mut added = Vec::new();
        for id in roots {
            let plan = if known.contains(&id) { units::plan(&snapshot, &id, &known) } else { None };
            match plan {
                Some(plan) if !self.services.state.lock().units.contains_key(&plan.key) => added.push((id, plan)),
                Some(plan) => self.service_changed(&id, plan),
                None => {
                    let key = Key::from(id.as_str());
                    let was = self.services.state.lock().units.remove(&key).is_some();
                    if was {
                        self.supervise(|supervision, now, effects| {
                            supervision.remove(&key, now, effects);
                        });
                    }
                }
            }
        }
        self.services_added(added);
    }

    /// Takes new services over, all at once: they may need each other, and each by itself would be compared with all others.
    fn services_added(self: &Arc<Self>, added: Vec<(EntryId, Plan)>) {
        let (mut configs, mut starting) = (Vec::new(), Vec::new());
        for (_, plan) in &added {
            configs.push((Key::clone(&plan.key), plan.config.clone()));
            if plan.config.auto_start {
                starting.push(Key::clone(&plan.key));
            }
            self.services.state.lock().units.insert(Key::clone(&plan.key), plan.units.clone());
        }
        let mut fits = true;
        self.supervise(|supervision, now, effects| {
            fits = supervision.add(configs).is_ok();
            if fits {
                for key in &starting {
                    supervision.start(key, now, effects);
                }
            }
        });
        if !fits {
            // One by one, so that those that can run do, and the others are named.
            for (id, plan) in added {
                self.service_changed(&id, plan);
            }
        }
    }

    fn service_changed(self: &Arc<Self>, id: &EntryId, plan: Plan) {
        let Plan { key, config, units } = plan;
        let auto_start = config.auto_start;
        self.services.state.lock().units.insert(Key::clone(&key), units);
        let mut problems = Vec::new();
        self.supervise(|supervision, now, effects| {
            problems = supervision.replace(&key, config, now, effects).err().unwrap_or_default();
            if auto_start && problems.is_empty() {
                supervision.start(&key, now, effects);
            }
        });
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
    pub(crate) fn service_states(&self) -> Vec<ServiceStatus<Key>> {
        self.services.state.lock().supervision.states()
    }

    /// Lists all services for operators.
    pub(crate) fn service_infos(&self) -> Vec<ServiceInfo> {
        let (clock, wall) = (self.clock(), Self::wall_clock());
        let info = |status: ServiceStatus<Key>| ServiceInfo {
            id: status.service.to_string(),
            state: status.state.to_string(),
            restarts: status.restarts,
            attempts: status.attempts.into(),
            up_since: status.running_since.map(|since| wall.saturating_sub(clock.saturating_sub(since))),
            failure: status.failure,
        };
        self.service_states().into_iter().map(info).collect()
    }

    /// Hears that a process of a service blocked for the first time, so that it is up.
    pub(crate) fn service_up(self: &Arc<Self>, process: &Process) {
        let run = self.services.state.lock().runs.get(&process.number()).copied();
        if let Some(run) = run {
            self.supervise(|supervision, now, effects| supervision.started(run, now, effects));
        }
    }

    fn service_down(self: &Arc<Self>, run: RunId, unit: &Key, process: Option<&Process>, exit: Result<(), Error>) {
        let exit = match exit {
            Ok(()) => RunExit::Done,
            Err(error) => {
                // A child that somebody terminated comes back; a service that somebody terminated was meant to end.
                let terminated_child = unit.contains('/') && error.kind == "Canceled";
                let retryable = terminated_child || error.retryable != Some(false);
                if let Some(process) = process {
                    let crash = Crash::new(process, &error);
                    self.services.state.lock().crashes.insert(Key::clone(unit), crash);
                }
                RunExit::Failed { reason: errors::plain(&error.message), retryable }
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
    fn supervise(self: &Arc<Self>, decide: impl FnOnce(&mut Supervision<Key>, u64, &mut Effects)) {
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

    fn carry_out(self: &Arc<Self>, effect: Effect<Key>) {
        match effect {
            Effect::Spawn { run, service, unit } => {
                if let Err(error) = self.spawn_service(run, &service, &unit) {
                    self.service_down(run, &unit, None, Err(error));
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
            Effect::Report(report) => {
                let crash = self.crash_of(&report);
                tell(&report, crash.as_ref());
                self.publish_report(&report);
            }
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

    /// Takes what is known about the process whose end a report tells of.
    fn crash_of(&self, report: &Report<Key>) -> Option<Crash> {
        let unit = match report {
            Report::Failed { service, .. } | Report::GaveUp { service, .. } => service,
            Report::ChildRestarts { child, .. } | Report::ChildEnded { child, .. } => child,
            Report::SupervisorGaveUp { supervisor, .. } => {
                let below = format!("{supervisor}/");
                let mut state = self.services.state.lock();
                let child = state.crashes.keys().find(|key| key.starts_with(&below)).cloned()?;
                return state.crashes.remove(&child);
            }
            Report::Waiting { .. }
            | Report::Starting { .. }
            | Report::Running { .. }
            | Report::Finished { .. }
            | Report::Stopping { .. }
            | Report::Stopped { .. } => return None,
        };
        self.services.state.lock().crashes.remove(unit)
    }

    fn spawn_service(self: &Arc<Self>, run: RunId, service: &Key, key: &Key) -> Result<(), Error> {
        let unit = self.services.state.lock().units.get(service).and_then(|units| units.get(key)).cloned();
        let Some(unit) = unit else {
            return Err(errors::not_found(format!("there is no service `{key}`")));
        };
        let terms = self.terms.terms(&self.registry, unit.process.as_str(), unit.host.as_str())?;
        let args = Payload { data: document::values(&unit.input), channels: Vec::new() };
        let mut birth = Birth::new(terms, None, args, Arc::from([].as_slice()));
        // A process of a supervisor acts as its service, and one that is none itself as its entry says.
        let root = service.split_once('/').map_or(&**service, |(root, _)| root);
        let authority = self.authority_of_id(root).or_else(|| self.authority_of_id(unit.process.as_str()));
        birth.authority = authority.unwrap_or_else(|| self.nobody());
        let node = Arc::downgrade(self);
        let key = Key::clone(key);
        birth.waiter = Some(Waiter::Host(Box::new(move |process: &Arc<Process>, exit: Exit| {
            if let Some(node) = node.upgrade() {
                node.service_down(run, &key, Some(process), exit.map(|_| ()));
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
