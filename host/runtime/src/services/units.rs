//! From entries to the words of supervision: which services there are, what each consists of, and what each of their processes runs.
//!
//! A service is a `process.service`, or a `process.supervisor` that is no child of another. Keys are texts: the id of the service, and
//! for what stands below it the names of the children after slashes, such as `app:tree/cache/worker`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use moonlet_registry::{
    Child, ChildRestart as Restarts, ChildTarget, EntryId, Lifecycle, Service, Snapshot, Strategy as Siblings, Supervisor,
};
use rmpv::Value;

use crate::document;
use crate::supervision::{
    ChildConfig, ChildRestart, RestartPolicy, ServiceConfig, Shutdown, Startup, Strategy, SupervisorConfig, UnitConfig,
};

/// Names a service, or a part of one.
pub(crate) type Key = Arc<str>;

/// How deep supervisors are followed; supervision itself refuses trees before that.
const MAX_DEPTH: usize = 64;

/// What a process of a service runs.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) process: EntryId,
    pub(super) host: EntryId,
    pub(super) input: Vec<Value>,
}

/// A service, planned.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) key: Key,
    pub(super) config: ServiceConfig<Key>,
    /// What each of its processes runs.
    pub(super) units: BTreeMap<Key, Unit>,
}

/// Plans every service of the registry.
pub(super) fn plans(snapshot: &Snapshot) -> Vec<Plan> {
    let known = services(snapshot);
    known.iter().filter_map(|id| plan(snapshot, id, &known)).collect()
}

/// Lists the services of the registry.
pub(super) fn services(snapshot: &Snapshot) -> BTreeSet<EntryId> {
    let supervisors = || snapshot.of_kind("process.supervisor").filter_map(|entry| Supervisor::new(entry).ok());
    let nested = supervisors().flat_map(|view| view.children).filter_map(|child| match child.target {
        ChildTarget::Supervisor(id) => Some(id),
        ChildTarget::Process { .. } => None,
    });
    let nested: BTreeSet<EntryId> = nested.collect();
    let mut known: BTreeSet<EntryId> = supervisors().map(|view| view.id).filter(|id| !nested.contains(id)).collect();
    known.extend(snapshot.of_kind("process.service").map(|entry| entry.id.clone()));
    known
}

/// Finds the services in whose trees entries stand: each itself, unless it is a supervisor that is the child of another.
pub(super) fn roots(snapshot: &Snapshot, ids: &[EntryId]) -> Vec<EntryId> {
    let mut above: BTreeMap<EntryId, EntryId> = BTreeMap::new();
    for view in snapshot.of_kind("process.supervisor").filter_map(|entry| Supervisor::new(entry).ok()) {
        for child in view.children {
            if let ChildTarget::Supervisor(below) = child.target {
                above.entry(below).or_insert_with(|| view.id.clone());
            }
        }
    }
    let root = |id: &EntryId| {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            match above.get(id) {
                Some(holder) => id = holder,
                None => break,
            }
        }
        id.clone()
    };
    ids.iter().map(root).collect()
}

/// Plans one service; none when there is no such entry.
pub(super) fn plan(snapshot: &Snapshot, id: &EntryId, known: &BTreeSet<EntryId>) -> Option<Plan> {
    let entry = snapshot.get(id)?;
    let key = Key::from(id.as_str());
    let mut units = BTreeMap::new();
    if let Ok(view) = Service::new(entry) {
        let mut unit = UnitConfig::process(Key::clone(&key));
        unit.start_timeout = Some(nanoseconds(view.lifecycle.start_timeout));
        unit.shutdown = shutdown(view.lifecycle.stop_timeout);
        let runs = Unit { process: view.process, host: view.host, input: view.input.iter().map(document::from_json).collect() };
        units.insert(Key::clone(&key), runs);
        let config = config(unit, &view.lifecycle, known);
        return Some(Plan { key, config, units });
    }
    let view = Supervisor::new(entry).ok()?;
    let parts = parts(snapshot, &view, &key, 0, &mut units);
    let config = config(UnitConfig::supervisor(Key::clone(&key), parts), &view.lifecycle, known);
    Some(Plan { key, config, units })
}

fn config(unit: UnitConfig<Key>, lifecycle: &Lifecycle, known: &BTreeSet<EntryId>) -> ServiceConfig<Key> {
    let mut config = ServiceConfig::new(unit);
    config.auto_start = lifecycle.auto_start;
    config.startup = match lifecycle.startup {
        moonlet_registry::Startup::Required => Startup::Required,
        moonlet_registry::Startup::Optional => Startup::Optional,
    };
    // What is no service, such as a host, is there from the start.
    let depends_on = lifecycle.depends_on.iter().filter(|id| known.contains(*id));
    config.depends_on = depends_on.map(|id| Key::from(id.as_str())).collect();
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

/// Puts the children of a supervisor into the words of supervision, and notes what each process below it runs.
fn parts(
    snapshot: &Snapshot,
    view: &Supervisor,
    key: &Key,
    depth: usize,
    units: &mut BTreeMap<Key, Unit>,
) -> SupervisorConfig<Key> {
    let strategy = match view.strategy {
        Siblings::OneForOne => Strategy::OneForOne,
        Siblings::OneForAll => Strategy::OneForAll,
        Siblings::RestForOne => Strategy::RestForOne,
    };
    let mut children = Vec::new();
    for child in &view.children {
        let below = Key::from(format!("{key}/{}", child.name));
        let unit = match &child.target {
            ChildTarget::Process { process, host, input } => {
                let mut unit = UnitConfig::process(Key::clone(&below));
                unit.shutdown = shutdown(child.shutdown);
                let input = input.iter().map(document::from_json).collect();
                let runs = Unit { process: process.clone(), host: host.clone(), input };
                units.insert(below, runs);
                unit
            }
            ChildTarget::Supervisor(id) => {
                let view = snapshot.get(id).and_then(|entry| Supervisor::new(entry).ok());
                let Some(view) = view.filter(|_| depth < MAX_DEPTH) else { continue };
                let parts = parts(snapshot, &view, &below, depth + 1, units);
                UnitConfig::supervisor(below, parts)
            }
        };
        children.push(ChildConfig { restart: restarts(child), unit });
    }
    let mut config = SupervisorConfig::new(strategy, children);
    config.max_restarts = u32::try_from(view.intensity.restarts).unwrap_or(u32::MAX);
    config.window = nanoseconds(view.intensity.window);
    config
}

fn restarts(child: &Child) -> ChildRestart {
    match child.restart {
        Restarts::Permanent => ChildRestart::Permanent,
        Restarts::Transient => ChildRestart::Transient,
        Restarts::Temporary => ChildRestart::Temporary,
    }
}

/// No time to stop means that it is not asked.
fn shutdown(time: Duration) -> Shutdown {
    if time.is_zero() { Shutdown::AtOnce } else { Shutdown::Within(nanoseconds(time)) }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
