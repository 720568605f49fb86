//! Which services and supervised processes run, and what happens when one ends.
//!
//! Owns every decision about services (`process.service`) and supervision trees (`process.supervisor`): order of start and
//! stop, restarts, giving up. It starts and ends nothing itself, has no clock and no randomness of its own: the caller reports
//! what happened and carries out the effects, in order. Times are nanoseconds of one monotonic clock.
//!
//! ```text
//! add(services)            -> every unknown dependency, cycle and repeated key, or nothing is added
//! start_auto, start, stop, stop_all, remove, replace      what an operator or the registry asks for
//! started(run)             the process of a run blocked for the first time, so it came up
//! exited(run, exit)        the process of a run ended, or could not be spawned
//! expired(timer)           a timer of `Effect::SetTimer` is due; stale ones are ignored, so none has to be cancelled
//! states()                 every service and how it does
//! ```
//!
//! A **unit** is a process or a supervisor with children. A **service** is a unit with a lifecycle: dependencies, and restarts
//! with exponential delay (`service.rs`). Inside a supervisor, restarts are immediate and bounded by its intensity
//! (`tree.rs`); a supervisor that gives up fails like a process does, and whoever contains it decides in turn. A **run** is one
//! process of a unit; it never comes back, so late reports about an old process mean nothing.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use self::service::Service;
use self::tree::{Tree, UnitId};

mod config;
mod delay;
mod effect;
mod intensity;
mod plan;
mod service;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use config::{
    ChildConfig, ChildRestart, RestartPolicy, ServiceConfig, Shutdown, Startup, Strategy, SupervisorConfig, UnitConfig,
};
pub(crate) use effect::{Effect, Exit, Report, RunId, ServiceStatus, Timer};
pub(crate) use plan::PlanError;

/// The services of a node.
pub(crate) struct Supervision<K> {
    services: BTreeMap<K, Service<K>>,
    /// The service of each root unit.
    roots: BTreeMap<UnitId, K>,
    tree: Tree<K>,
    /// Services to look at again, because something that they wait for may have happened.
    queue: VecDeque<K>,
    random: Box<dyn FnMut() -> f64 + Send>,
    /// The number of the next timer of a service.
    serial: u64,
    /// Whether the node goes down: nothing is started any more.
    closing: bool,
}

impl<K> fmt::Debug for Supervision<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervision")
            .field("services", &self.services.len())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}

impl<K: Clone + Ord + fmt::Display> Supervision<K> {
    /// Makes a node without services. `random` gives numbers from 0 up to, but not including, 1.
    pub(crate) fn new(random: Box<dyn FnMut() -> f64 + Send>) -> Self {
        Self {
            services: BTreeMap::new(),
            roots: BTreeMap::new(),
            tree: Tree::new(),
            queue: VecDeque::new(),
            random,
            serial: 0,
            closing: false,
        }
    }

    /// Adds services, all or none. Nothing starts.
    ///
    /// # Errors
    /// Every problem of the services and their dependencies.
    pub(crate) fn add(&mut self, services: Vec<(K, ServiceConfig<K>)>) -> Result<(), Vec<PlanError<K>>> {
        let known: BTreeMap<&K, &[K]> =
            self.services.iter().map(|(key, service)| (key, service.config.depends_on.as_slice())).collect();
        plan::check(&known, &services)?;
        let keys: Vec<K> = services.iter().map(|(key, _)| key.clone()).collect();
        for (key, config) in services {
            let root = self.tree.build(&key, &config.unit);
            self.roots.insert(root, key.clone());
            self.services.insert(key, Service::new(config, root));
        }
        for key in &keys {
            self.note_dependent(key);
        }
        Ok(())
    }

    /// Starts every service with `auto_start`, and what they depend on.
    pub(crate) fn start_auto(&mut self, now: u64, effects: &mut Vec<Effect<K>>) {
        let wanted: Vec<K> =
            self.services.iter().filter(|(_, service)| service.config.auto_start).map(|(key, _)| key.clone()).collect();
        for key in wanted {
            self.want(&key);
        }
        self.settle(now, effects);
    }

    /// Starts a service, and what it depends on. A service that runs already is left alone. False: there is none, or the node
    /// goes down.
    pub(crate) fn start(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) -> bool {
        if self.closing || !self.services.contains_key(key) {
            return false;
        }
        self.want(key);
        self.settle(now, effects);
        true
    }

    /// Stops a service, after what depends on it. False: there is none.
    #[allow(dead_code, reason = "part of the state machine's interface; its tests use it")]
    pub(crate) fn stop(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) -> bool {
        if !self.services.contains_key(key) {
            return false;
        }
        self.unwant(key);
        self.settle(now, effects);
        true
    }

    /// Stops every service, each after those that depend on it, and starts nothing any more.
    pub(crate) fn stop_all(&mut self, now: u64, effects: &mut Vec<Effect<K>>) {
        self.closing = true;
        let all: Vec<K> = self.services.keys().cloned().collect();
        for key in all {
            self.unwant(&key);
        }
        self.settle(now, effects);
    }

    /// Stops a service, after what depends on it, and forgets it. False: there is none.
    pub(crate) fn remove(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) -> bool {
        let Some(service) = self.services.get_mut(key) else {
            return false;
        };
        service.removed = true;
        self.unwant(key);
        self.settle(now, effects);
        true
    }

    /// Gives a service a new configuration. When it runs, it is stopped and started again; what depends on it goes on.
    ///
    /// # Errors
    /// Every problem of the new configuration; the old one stays then.
    pub(crate) fn replace(
        &mut self,
        key: &K,
        config: ServiceConfig<K>,
        now: u64,
        effects: &mut Vec<Effect<K>>,
    ) -> Result<(), Vec<PlanError<K>>> {
        let known: BTreeMap<&K, &[K]> = self
            .services
            .iter()
            .filter(|(other, _)| *other != key)
            .map(|(key, service)| (key, service.config.depends_on.as_slice()))
            .collect();
        let addition = vec![(key.clone(), config)];
        plan::check(&known, &addition)?;
        match self.services.get_mut(key) {
            None => return self.add(addition),
            Some(service) => {
                service.replacement = addition.into_iter().next().map(|(_, config)| config);
                service.removed = false;
                self.queue.push_back(key.clone());
            }
        }
        self.settle(now, effects);
        Ok(())
    }

    /// Reports that the process of a run came up: it blocked for the first time.
    pub(crate) fn started(&mut self, run: RunId, now: u64, effects: &mut Vec<Effect<K>>) {
        self.tree.started(run);
        self.settle(now, effects);
    }

    /// Reports that the process of a run ended, or that it could not be spawned.
    pub(crate) fn exited(&mut self, run: RunId, exit: Exit, now: u64, effects: &mut Vec<Effect<K>>) {
        self.tree.exited(run, exit, now, effects);
        self.settle(now, effects);
    }

    /// Reports that a timer is due. One that nobody waits for any more changes nothing.
    pub(crate) fn expired(&mut self, timer: Timer, now: u64, effects: &mut Vec<Effect<K>>) {
        match timer.0 {
            effect::TimerOf::Unit(unit, serial) => self.tree.expired(unit, serial, effects),
            effect::TimerOf::Service(root, serial) => self.delay_over(root, serial),
        }
        self.settle(now, effects);
    }

    /// Gives every service and how it does.
    pub(crate) fn states(&self) -> Vec<ServiceStatus<K>> {
        self.services.iter().map(|(key, service)| service.status(key)).collect()
    }

    /// Tells how one service does.
    #[allow(dead_code, reason = "part of the state machine's interface; its tests use it")]
    pub(crate) fn state(&self, key: &K) -> Option<ServiceStatus<K>> {
        self.services.get(key).map(|service| service.status(key))
    }

    /// Tells whether no service has a process or waits for anything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.services.values().all(|service| !service.is_active())
    }

    /// Goes on until nothing more can be decided without news from outside.
    fn settle(&mut self, now: u64, effects: &mut Vec<Effect<K>>) {
        loop {
            self.tree.settle(now, effects);
            let news = self.tree.take_news();
            if news.is_empty() && self.queue.is_empty() {
                return;
            }
            for (root, news) in news {
                if let Some(key) = self.roots.get(&root).cloned() {
                    self.hear(&key, news, now, effects);
                }
            }
            while let Some(key) = self.queue.pop_front() {
                self.review(&key, now, effects);
            }
        }
    }
}
