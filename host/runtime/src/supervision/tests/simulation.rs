//! Random services and trees whose processes start slowly, fail, hang and refuse to stop, under an operator who starts and
//! stops at random: what must hold at every moment, and that all is well once the failures end.
//!
//! A failure names its seed; `MOONLET_SEED=<seed>` runs that one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;

use super::SECOND;
use crate::supervision::config::Parts;
use crate::supervision::effect::ServiceState;
use crate::supervision::intensity::Intensity;
use crate::supervision::{
    ChildConfig, ChildRestart, Effect, Exit, Report, RestartPolicy, RunId, ServiceConfig, Shutdown, Strategy, Supervision,
    SupervisorConfig, Timer, UnitConfig,
};

#[test]
fn services_keep_their_promises_whatever_fails() {
    if let Ok(seed) = std::env::var("MOONLET_SEED") {
        return World::new(seed.parse().expect("a seed is a number")).live();
    }
    for seed in 0..400 {
        let outcome = catch_unwind(AssertUnwindSafe(|| World::new(seed).live()));
        assert!(outcome.is_ok(), "the simulation failed with MOONLET_SEED={seed}");
    }
}

/// A generator that gives the same numbers everywhere.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[derive(Debug, Clone)]
enum Happening {
    Starts(RunId),
    Exits(RunId, Exit),
    Expires(Timer),
    Operator,
}

/// A unit as its author wrote it.
struct Plan {
    service: String,
    parent: Option<(String, usize)>,
    children: Vec<String>,
    strategy: Option<Strategy>,
    restart: Option<ChildRestart>,
    max_restarts: u32,
    window: u64,
    /// Number of processes spawned, or of restarts made by a supervisor.
    count: usize,
    restarts_at: Vec<u64>,
}

struct World {
    random: Random,
    now: u64,
    supervision: Supervision<String>,
    plans: BTreeMap<String, Plan>,
    services: BTreeMap<String, ServiceConfig<String>>,
    agenda: BTreeMap<(u64, u64), Happening>,
    next: u64,
    /// Living processes: unit, and whether it came up.
    alive: BTreeMap<RunId, (String, bool)>,
    ready: BTreeSet<String>,
    starts: BTreeMap<String, usize>,
    /// When each failed service may start again.
    not_before: BTreeMap<String, u64>,
    /// No failures any more.
    calm: bool,
    /// The node goes down.
    closing: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut jitter = Random(!seed);
        let supervision = Supervision::new(Box::new(move || jitter.below(1_000) as f64 / 1_000.0));
        let mut world = Self {
            random: Random(seed),
            now: 0,
            supervision,
            plans: BTreeMap::new(),
            services: BTreeMap::new(),
            agenda: BTreeMap::new(),
            next: 0,
            alive: BTreeMap::new(),
            ready: BTreeSet::new(),
            starts: BTreeMap::new(),
            not_before: BTreeMap::new(),
            calm: false,
            closing: false,
        };
        for number in 0..1 + world.random.below(6) {
            let key = format!("s{number}");
            let earlier: Vec<String> = world.services.keys().cloned().collect();
            let unit = world.unit(&key, &key, None, None, 0);
            let mut config = ServiceConfig::new(unit);
            config.auto_start = world.random.chance(60);
            config.depends_on = earlier.into_iter().filter(|_| world.random.chance(30)).collect();
            config.stable_threshold = world.random.below(20) * SECOND;
            config.restart = RestartPolicy {
                initial_delay: world.random.below(3) * SECOND,
                max_delay: 20 * SECOND,
                backoff_factor: 2.0,
                jitter: 0.2,
                max_attempts: world.random.pick(&[0, 0, 3]),
            };
            world.services.insert(key, config);
        }
        let services = world.services.clone().into_iter().collect();
        world.supervision.add(services).expect("only earlier services are depended on");
        world
    }

    fn unit(
        &mut self,
        key: &str,
        service: &str,
        parent: Option<(String, usize)>,
        restart: Option<ChildRestart>,
        depth: usize,
    ) -> UnitConfig<String> {
        let supervises = depth < 3 && self.random.chance(45);
        let mut plan = Plan {
            service: service.to_owned(),
            parent,
            children: Vec::new(),
            strategy: None,
            restart,
            max_restarts: self.random.below(4) as u32,
            window: (1 + self.random.below(30)) * SECOND,
            count: 0,
            restarts_at: Vec::new(),
        };
        let mut unit = UnitConfig::process(key.to_owned());
        unit.shutdown = self.random.pick(&[Shutdown::Within(3 * SECOND), Shutdown::Within(10 * SECOND), Shutdown::AtOnce]);
        if supervises {
            let strategy = self.random.pick(&[Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne]);
            let mut children = Vec::new();
            for number in 0..self.random.below(5) as usize {
                let name = format!("{key}/{number}");
                let restart = self.random.pick(&[
                    ChildRestart::Permanent,
                    ChildRestart::Permanent,
                    ChildRestart::Transient,
                    ChildRestart::Temporary,
                ]);
                let unit = self.unit(&name, service, Some((key.to_owned(), number)), Some(restart), depth + 1);
                children.push(ChildConfig { restart, unit });
                plan.children.push(name);
            }
            plan.strategy = Some(strategy);
            unit.start_timeout = None;
            unit.shutdown = self.random.pick(&[Shutdown::Patient, Shutdown::Patient, Shutdown::Within(5 * SECOND)]);
            unit.parts =
                Parts::Supervisor(SupervisorConfig { strategy, max_restarts: plan.max_restarts, window: plan.window, children });
        }
        self.plans.insert(key.to_owned(), plan);
        unit
    }

    /// Failures, then calm, then the end.
    fn live(mut self) {
        self.act(|supervision, now, effects| supervision.start_auto(now, effects));
        for _ in 0..12 {
            let at = self.random.below(300) * SECOND;
            self.plan_at(at, Happening::Operator);
        }
        self.go_on_until(400 * SECOND);
        self.calm = true;
        self.go_on_until(2_000 * SECOND);
        self.check_calm();
        self.closing = true;
        self.act(|supervision, now, effects| supervision.stop_all(now, effects));
        self.go_on_until(4_000 * SECOND);
        assert!(self.alive.is_empty(), "left over: {:?}", self.alive);
        assert!(self.supervision.is_quiet());
        self.check_counts();
    }

    fn go_on_until(&mut self, end: u64) {
        while let Some((&(at, serial), _)) = self.agenda.first_key_value() {
            if at > end {
                break;
            }
            let happening = self.agenda.remove(&(at, serial)).expect("it was there");
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Starts(run) => {
                if let Some((_, up)) = self.alive.get_mut(&run) {
                    *up = true;
                    self.act(|supervision, now, effects| supervision.started(run, now, effects));
                }
            }
            Happening::Exits(run, exit) => {
                // In calm times nothing ends unasked.
                if self.alive.remove(&run).is_some() {
                    self.act(|supervision, now, effects| supervision.exited(run, exit, now, effects));
                }
            }
            Happening::Expires(timer) => {
                self.act(|supervision, now, effects| supervision.expired(timer, now, effects));
            }
            Happening::Operator => {
                let keys: Vec<String> = self.services.keys().cloned().collect();
                let key = keys[self.random.below(keys.len() as u64) as usize].clone();
                if self.random.chance(50) {
                    self.act(|supervision, now, effects| assert!(supervision.start(&key, now, effects)));
                } else {
                    self.act(|supervision, now, effects| assert!(supervision.stop(&key, now, effects)));
                }
            }
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Supervision<String>, u64, &mut Vec<Effect<String>>)) {
        let mut effects = Vec::new();
        act(&mut self.supervision, self.now, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<String>) {
        match effect {
            Effect::Spawn { run, service, unit } => {
                assert!(!self.closing, "{unit} was started while the node goes down");
                assert!(!self.lives(&unit), "{unit} runs twice");
                self.check_start(&unit);
                assert_eq!(self.plans[&unit].service, service);
                self.plans.get_mut(&unit).expect("known").count += 1;
                self.alive.insert(run, (unit, false));
                self.plan_life(run);
            }
            Effect::Cancel { run } => {
                let unit = self.alive[&run].0.clone();
                self.check_stop(&unit);
                if self.random.chance(80) {
                    let at = self.now + self.random.below(6) * SECOND;
                    self.plan_at(at, Happening::Exits(run, Exit::Done));
                }
            }
            Effect::Terminate { run } => {
                assert!(self.alive.contains_key(&run));
                let at = self.now + self.random.below(1_000);
                self.plan_at(at, Happening::Exits(run, failure("terminated", false)));
            }
            Effect::SetTimer { timer, at } => {
                assert!(at >= self.now);
                self.plan_at(at, Happening::Expires(timer));
            }
            Effect::StopNode { .. } => panic!("no service is required"),
            Effect::Report(report) => self.hear(report),
        }
    }

    fn plan_life(&mut self, run: RunId) {
        if self.calm {
            return self.plan_at(self.now, Happening::Starts(run));
        }
        // Sometimes too late, sometimes never.
        if self.random.chance(95) {
            let at = self.now + self.random.pick(&[0, 0, 0, SECOND, 12 * SECOND]);
            self.plan_at(at, Happening::Starts(run));
        }
        if self.random.chance(75) {
            let at = self.now + self.random.pick(&[0, 0, SECOND / 10, SECOND, 7 * SECOND, 60 * SECOND]);
            let exit = match self.random.below(10) {
                0 | 1 => Exit::Done,
                2 if self.random.chance(30) => failure("broken for good", false),
                _ => failure("boom", true),
            };
            self.plan_at(at, Happening::Exits(run, exit));
        }
    }

    fn plan_at(&mut self, at: u64, happening: Happening) {
        self.next += 1;
        // Chance decides what comes first among equals.
        let serial = self.random.below(1 << 20) << 32 | self.next;
        self.agenda.insert((at, serial), happening);
    }

    fn hear(&mut self, report: Report<String>) {
        match report {
            Report::Starting { service, attempt } => {
                *self.starts.entry(service.clone()).or_default() += 1;
                if attempt > 0 {
                    assert!(self.now >= self.not_before[&service], "{service} restarts too soon");
                } else {
                    for dependency in &self.services[&service].depends_on {
                        assert!(self.ready.contains(dependency), "{service} starts before {dependency} is up");
                    }
                }
            }
            Report::Running { service } => {
                assert!(self.is_up(&service) || self.recovers(&service), "{service} is not up");
                self.ready.insert(service);
            }
            Report::Finished { service } => {
                self.ready.insert(service);
            }
            Report::Failed { service, attempt, delay, .. } => {
                assert!(!self.lives(&service), "{service} failed, but lives");
                let policy = &self.services[&service].restart;
                let base = (policy.initial_delay << (attempt - 1).min(20)).min(policy.max_delay) as f64;
                let allowed = base * 0.799..=(base * 1.201).max(10_000_000.0);
                assert!(allowed.contains(&(delay as f64)), "attempt {attempt} of {service} after {delay}");
                assert!(policy.max_attempts == 0 || attempt <= policy.max_attempts);
                self.not_before.insert(service, self.now + delay);
            }
            Report::Stopping { service } => {
                for (other, config) in &self.services {
                    let depends = config.depends_on.contains(&service);
                    assert!(!depends || !self.lives(other), "{service} stops before {other} is down");
                }
            }
            Report::Stopped { service } | Report::GaveUp { service, .. } => {
                assert!(!self.lives(&service), "{service} is down, but lives");
                self.ready.remove(&service);
            }
            Report::ChildRestarts { supervisor, child, restarts, .. } => {
                let now = self.now;
                let plan = self.plans.get_mut(&supervisor).expect("known");
                plan.count += 1;
                plan.restarts_at.push(now);
                let recent = plan.restarts_at.iter().filter(|at| now - **at < plan.window).count();
                assert!(restarts <= plan.max_restarts, "{supervisor} restarts {child} too often");
                assert!(restarts as usize <= recent);
            }
            Report::SupervisorGaveUp { supervisor, reason, .. } => {
                let plan = &self.plans[&supervisor];
                if reason.contains("once more") && !reason.contains("cannot be restarted") {
                    let recent = plan.restarts_at.iter().filter(|at| self.now - **at < plan.window).count();
                    assert!(recent >= plan.max_restarts as usize, "{supervisor} gave up too early");
                }
            }
            Report::Waiting { .. } | Report::ChildEnded { .. } => {}
        }
    }

    /// Tells whether a unit has a living process.
    fn lives(&self, unit: &str) -> bool {
        let below = format!("{unit}/");
        self.alive.values().any(|(alive, _)| alive == unit || alive.starts_with(&below))
    }

    /// Tells whether a unit is up, children included, those aside that may be down for good.
    fn is_up(&self, unit: &str) -> bool {
        let plan = &self.plans[unit];
        if plan.strategy.is_some() {
            return plan.children.iter().all(|child| {
                self.plans[child].restart != Some(ChildRestart::Permanent) && !self.lives(child) || self.is_up(child)
            });
        }
        self.alive.values().any(|(alive, up)| alive == unit && *up)
    }

    /// A process starts after its elder siblings are up, and, where all go together, after its younger ones are down.
    fn check_start(&self, unit: &str) {
        let Some((parent, place)) = &self.plans[unit].parent else {
            return;
        };
        let plan = &self.plans[parent];
        let Some(Strategy::OneForAll | Strategy::RestForOne) = plan.strategy else {
            return;
        };
        for (number, sibling) in plan.children.iter().enumerate() {
            let permanent = self.plans[sibling].restart == Some(ChildRestart::Permanent);
            if number < *place && permanent {
                assert!(self.is_up(sibling) || self.recovers(sibling), "{unit} starts before {sibling} is up");
            }
            if number > *place {
                assert!(!self.lives(sibling), "{unit} starts before {sibling} is down");
            }
        }
    }

    /// Tells whether a unit is a supervisor, which may be up while its children are being restarted.
    fn recovers(&self, unit: &str) -> bool {
        self.plans[unit].strategy.is_some()
    }

    /// A child is asked to stop after its younger siblings are down.
    fn check_stop(&self, unit: &str) {
        let Some((parent, place)) = &self.plans[unit].parent else {
            return;
        };
        for sibling in self.plans[parent].children.iter().skip(place + 1) {
            assert!(!self.lives(sibling), "{unit} stops before {sibling} is down");
        }
    }

    /// Once nothing fails any more, everything is up that is not down for a reason.
    fn check_calm(&self) {
        for status in self.supervision.states() {
            match status.state {
                ServiceState::Running => assert!(self.is_up(&status.service), "{} is not up", status.service),
                ServiceState::Unknown | ServiceState::Stopped | ServiceState::Exited => {
                    assert!(!self.lives(&status.service), "{} lives", status.service);
                }
                // A process that came up late may hang about: it is asked to go when its time is over.
                other => panic!("{} is {other} for ever: {status:?}", status.service),
            }
        }
    }

    /// Every process is paid for by a start of its service or a restart of a supervisor above it.
    fn check_counts(&self) {
        for (unit, plan) in &self.plans {
            if plan.strategy.is_some() {
                continue;
            }
            let mut paid = self.starts.get(&plan.service).copied().unwrap_or(0);
            let mut above = plan.parent.as_ref();
            while let Some((parent, _)) = above {
                paid += self.plans[parent].count;
                above = self.plans[parent].parent.as_ref();
            }
            assert!(plan.count <= paid, "{unit} was started {} times, {paid} were decided", plan.count);
        }
    }
}

fn failure(reason: &str, retryable: bool) -> Exit {
    Exit::Failed { reason: reason.to_owned(), retryable }
}

proptest! {
    #[test]
    fn intensity_counts_exactly_the_restarts_of_the_window(
        max_restarts in 0..5_u32,
        window in 0..20_u64,
        steps in proptest::collection::vec(0..8_u64, 0..60),
    ) {
        let mut intensity = Intensity::new(max_restarts, window);
        let mut allowed: Vec<u64> = Vec::new();
        let mut now = 0;
        for step in steps {
            now += step;
            let recent = allowed.iter().filter(|at| now - **at < window).count() as u32;
            let expected = (recent < max_restarts).then_some(recent + 1);
            prop_assert_eq!(intensity.record(now), expected);
            if expected.is_some() {
                allowed.push(now);
            }
        }
    }
}
