//! Services: dependencies, and restarts with exponential delay.

use std::collections::BTreeSet;
use std::fmt;

use super::Supervision;
use super::config::{ServiceConfig, Startup};
use super::effect::{Effect, Report, ServiceState, ServiceStatus, Timer, TimerOf};
use super::tree::{Ended, News, UnitId};

/// One service.
#[derive(Debug)]
pub(super) struct Service<K> {
    pub(super) config: ServiceConfig<K>,
    root: UnitId,
    phase: Phase,
    /// It is to be up.
    wanted: bool,
    /// It is to go down, once nothing that is up depends on it.
    leaving: bool,
    /// It has been up, or ended well, since it was started: what depends on it may start.
    ready: bool,
    /// It has been up, or ended well, since it was added.
    ever_up: bool,
    /// Restarts since the last stable run.
    attempts: u32,
    restarts: u64,
    running_since: Option<u64>,
    failure: Option<String>,
    /// The delay that counts.
    timer: u64,
    /// Who depends on it.
    dependents: BTreeSet<K>,
    /// It is forgotten once it is down.
    pub(super) removed: bool,
    /// What it becomes once it is down.
    pub(super) replacement: Option<ServiceConfig<K>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Never started.
    Unknown,
    /// For what it depends on; true when that was reported.
    Waiting(bool),
    Starting,
    Running,
    /// Failed; the restart comes after a delay.
    Delayed,
    Stopping,
    Stopped,
    /// Ended well.
    Finished,
    /// Failed for good.
    GaveUp,
}

impl<K: Clone + Ord> Service<K> {
    pub(super) fn new(config: ServiceConfig<K>, root: UnitId) -> Self {
        Self {
            config,
            root,
            phase: Phase::Unknown,
            wanted: false,
            leaving: false,
            ready: false,
            ever_up: false,
            attempts: 0,
            restarts: 0,
            running_since: None,
            failure: None,
            timer: 0,
            dependents: BTreeSet::new(),
            removed: false,
            replacement: None,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        match self.phase {
            Phase::Waiting(_) | Phase::Starting | Phase::Running | Phase::Delayed | Phase::Stopping => true,
            Phase::Unknown | Phase::Stopped | Phase::Finished | Phase::GaveUp => false,
        }
    }

    pub(super) fn status(&self, key: &K) -> ServiceStatus<K> {
        ServiceStatus {
            service: key.clone(),
            state: match self.phase {
                Phase::Unknown => ServiceState::Unknown,
                Phase::Waiting(_) => ServiceState::Waiting,
                Phase::Starting => ServiceState::Starting,
                Phase::Running => ServiceState::Running,
                Phase::Delayed => ServiceState::Failed,
                Phase::Stopping => ServiceState::Stopping,
                Phase::Stopped => ServiceState::Stopped,
                Phase::Finished | Phase::GaveUp => ServiceState::Exited,
            },
            attempts: self.attempts,
            restarts: self.restarts,
            running_since: self.running_since,
            failure: self.failure.clone(),
        }
    }

    /// Tells whether what depends on it may start. A service that was up and waits for its restart counts as up: its failures
    /// are its own matter.
    fn satisfies(&self) -> bool {
        match self.phase {
            Phase::Starting | Phase::Running | Phase::Delayed | Phase::Finished => self.ready,
            Phase::Unknown | Phase::Waiting(_) | Phase::Stopping | Phase::Stopped | Phase::GaveUp => false,
        }
    }

    /// Tells whether it goes down by somebody's wish.
    fn goes_down(&self) -> bool {
        self.leaving || self.replacement.is_some() || self.phase == Phase::Stopping
    }
}

impl<K: Clone + Ord + fmt::Display> Supervision<K> {
    /// Notes who depends on a service that was added.
    pub(super) fn note_dependent(&mut self, key: &K) {
        for dependency in self.dependencies(key) {
            if let Some(dependency) = self.services.get_mut(&dependency) {
                dependency.dependents.insert(key.clone());
            }
        }
    }

    /// Wants a service up, and what it depends on.
    pub(super) fn want(&mut self, key: &K) {
        if self.closing {
            return;
        }
        let mut next = vec![(key.clone(), true)];
        let mut seen = BTreeSet::new();
        while let Some((key, asked_for)) = next.pop() {
            if !seen.insert(key.clone()) {
                continue;
            }
            let Some(service) = self.services.get_mut(&key) else {
                continue;
            };
            // What ended well has done its part, unless somebody asks for just this service.
            if service.removed || (service.phase == Phase::Finished && !asked_for) {
                continue;
            }
            service.wanted = true;
            if service.phase != Phase::Stopping {
                service.leaving = false;
            }
            next.extend(service.config.depends_on.iter().map(|key| (key.clone(), false)));
            self.queue.push_back(key);
        }
    }

    /// Wants a service down, and what depends on it.
    pub(super) fn unwant(&mut self, key: &K) {
        let mut next = vec![key.clone()];
        let mut seen = BTreeSet::new();
        while let Some(key) = next.pop() {
            if !seen.insert(key.clone()) {
                continue;
            }
            let Some(service) = self.services.get_mut(&key) else {
                continue;
            };
            service.wanted = false;
            if !service.leaving {
                service.leaving = service.is_active();
                next.extend(service.dependents.iter().cloned());
            }
            self.queue.push_back(key);
        }
    }

    /// The delay before a restart is over.
    pub(super) fn delay_over(&mut self, root: UnitId, timer: u64) {
        let Some(key) = self.roots.get(&root).cloned() else {
            return;
        };
        if let Some(service) = self.services.get_mut(&key)
            && service.phase == Phase::Delayed
            && service.timer == timer
        {
            service.timer = 0;
            self.queue.push_back(key);
        }
    }

    /// Makes the next step of a service.
    pub(super) fn review(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        if service.goes_down() || service.removed {
            return self.lower(key, now, effects);
        }
        match service.phase {
            Phase::Unknown | Phase::Stopped | Phase::Finished | Phase::GaveUp if service.wanted => {
                service.phase = Phase::Waiting(false);
                service.attempts = 0;
                service.failure = None;
                self.try_start(key, now, effects);
            }
            Phase::Waiting(_) => self.try_start(key, now, effects),
            Phase::Delayed if service.timer == 0 => {
                service.restarts += 1;
                self.launch(key, now, effects);
            }
            _ => {}
        }
    }

    /// Reacts to what became of the unit of a service.
    pub(super) fn hear(&mut self, key: &K, news: News, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        match news {
            News::Started => {
                service.running_since = Some(now);
                service.ready = true;
                service.ever_up = true;
                if service.phase == Phase::Starting {
                    service.phase = Phase::Running;
                    effects.push(Effect::Report(Report::Running { service: key.clone() }));
                }
                self.queue.extend(service.dependents.iter().cloned());
            }
            News::Ended(ended) => {
                let ran_for = service.running_since.take().map(|since| now.saturating_sub(since));
                match ended {
                    _ if service.goes_down() => self.went_down(key, effects),
                    Ended::Stopped => self.went_down(key, effects),
                    Ended::Done => self.finished(key, effects),
                    Ended::Failed { reason, retryable } => {
                        self.failed(key, reason, retryable, ran_for, now, effects);
                    }
                }
            }
        }
    }

    /// Brings a service down as far as others allow.
    fn lower(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get(key) else {
            return;
        };
        let root = service.root;
        match service.phase {
            Phase::Stopping => {}
            Phase::Starting | Phase::Running => {
                // A replacement does not concern those who depend on it; the end does.
                if service.leaving && self.is_needed(key) {
                    return;
                }
                if let Some(service) = self.services.get_mut(key) {
                    service.phase = Phase::Stopping;
                }
                effects.push(Effect::Report(Report::Stopping { service: key.clone() }));
                self.tree.stop(root, now, effects);
            }
            Phase::Unknown | Phase::Waiting(_) | Phase::Delayed | Phase::Stopped | Phase::Finished | Phase::GaveUp => {
                self.went_down(key, effects)
            }
        }
    }

    /// Tells whether something that depends on a service is up or about to be.
    fn is_needed(&self, key: &K) -> bool {
        self.services.get(key).is_some_and(|service| {
            let mut dependents = service.dependents.iter();
            dependents.any(|key| self.services.get(key).is_some_and(Service::is_active))
        })
    }

    fn try_start(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) {
        let mut missing = Vec::new();
        for dependency in self.dependencies(key) {
            match self.services.get(&dependency) {
                None => {
                    let reason = format!("it depends on {dependency}, which does not exist any more");
                    return self.give_up(key, reason, effects);
                }
                Some(service) if service.phase == Phase::GaveUp => {
                    let cause = service.failure.as_deref().unwrap_or("it failed");
                    let reason = format!("it depends on {dependency}, which is not up: {cause}");
                    return self.give_up(key, reason, effects);
                }
                Some(service) if service.satisfies() => {}
                Some(_) => missing.push(dependency),
            }
        }
        if missing.is_empty() {
            return self.launch(key, now, effects);
        }
        if let Some(service) = self.services.get_mut(key)
            && service.phase == Phase::Waiting(false)
        {
            service.phase = Phase::Waiting(true);
            effects.push(Effect::Report(Report::Waiting { service: key.clone(), missing }));
        }
    }

    fn launch(&mut self, key: &K, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.phase = Phase::Starting;
        effects.push(Effect::Report(Report::Starting { service: key.clone(), attempt: service.attempts }));
        self.tree.start(service.root, now, effects);
    }

    fn finished(&mut self, key: &K, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.phase = Phase::Finished;
        service.ready = true;
        service.ever_up = true;
        service.wanted = false;
        service.attempts = 0;
        effects.push(Effect::Report(Report::Finished { service: key.clone() }));
        self.queue.extend(service.dependents.iter().cloned());
    }

    fn failed(&mut self, key: &K, reason: String, retryable: bool, ran_for: Option<u64>, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        if ran_for.is_some_and(|time| time >= service.config.stable_threshold) {
            service.attempts = 0;
        }
        let attempt = service.attempts.saturating_add(1);
        if service.config.startup == Startup::Required && !service.ever_up {
            self.give_up(key, reason, effects);
            return;
        }
        if !retryable {
            let reason = format!("{reason} (the error is not retryable, so there is no restart)");
            return self.give_up(key, reason, effects);
        }
        if service.config.restart.exhausted(attempt) {
            let count = service.config.restart.max_attempts;
            let reason = format!("{reason} (after {count} restarts, as many as max_attempts allows)");
            return self.give_up(key, reason, effects);
        }
        let delay = service.config.restart.delay(attempt, (self.random)());
        self.serial += 1;
        service.attempts = attempt;
        service.phase = Phase::Delayed;
        service.failure = Some(reason.clone());
        service.timer = self.serial;
        effects.push(Effect::Report(Report::Failed { service: key.clone(), reason, attempt, delay }));
        effects
            .push(Effect::SetTimer { timer: Timer(TimerOf::Service(service.root, self.serial)), at: now.saturating_add(delay) });
    }

    fn give_up(&mut self, key: &K, reason: String, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        service.phase = Phase::GaveUp;
        service.wanted = false;
        service.ready = false;
        service.failure = Some(reason.clone());
        effects.push(Effect::Report(Report::GaveUp { service: key.clone(), reason: reason.clone() }));
        if service.config.startup == Startup::Required && !service.ever_up {
            effects.push(Effect::StopNode { service: key.clone(), reason });
        }
        // Those that wait for it have nothing to wait for.
        self.queue.extend(service.dependents.iter().cloned());
    }

    /// A service is down as somebody asked, or was so already.
    fn went_down(&mut self, key: &K, effects: &mut Vec<Effect<K>>) {
        let Some(service) = self.services.get_mut(key) else {
            return;
        };
        let was_active = service.is_active();
        if was_active {
            service.phase = Phase::Stopped;
            effects.push(Effect::Report(Report::Stopped { service: key.clone() }));
        }
        service.ready = false;
        service.leaving = false;
        service.attempts = 0;
        service.timer = 0;
        let dependencies = service.config.depends_on.clone();
        if service.removed {
            self.forget(key);
        } else if let Some(config) = service.replacement.take() {
            self.install(key, config);
            self.queue.push_back(key.clone());
        } else if service.wanted {
            self.queue.push_back(key.clone());
        }
        self.queue.extend(dependencies);
    }

    fn forget(&mut self, key: &K) {
        for dependency in self.dependencies(key) {
            if let Some(dependency) = self.services.get_mut(&dependency) {
                dependency.dependents.remove(key);
            }
        }
        if let Some(service) = self.services.remove(key) {
            self.roots.remove(&service.root);
            self.tree.discard(service.root);
        }
    }

    fn install(&mut self, key: &K, config: ServiceConfig<K>) {
        for dependency in self.dependencies(key) {
            if let Some(dependency) = self.services.get_mut(&dependency) {
                dependency.dependents.remove(key);
            }
        }
        let root = self.tree.build(key, &config.unit);
        if let Some(service) = self.services.get_mut(key) {
            self.roots.remove(&service.root);
            self.tree.discard(service.root);
            self.roots.insert(root, key.clone());
            service.root = root;
            service.config = config;
            // A mended configuration is worth another try.
            service.wanted = service.wanted || service.phase == Phase::GaveUp;
        }
        self.note_dependent(key);
        if self.services.get(key).is_some_and(|service| service.wanted) {
            self.want(key);
        }
    }

    fn dependencies(&self, key: &K) -> Vec<K> {
        self.services.get(key).map(|service| service.config.depends_on.clone()).unwrap_or_default()
    }
}
