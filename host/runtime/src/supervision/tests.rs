//! Supervision against a node that only keeps lists: by example, and simulated with random failures.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot set up has failed")]

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, Exit, Report, RunId, ServiceConfig, Supervision, Timer};

mod services;
mod simulation;
mod trees;

type Key = &'static str;

const SECOND: u64 = 1_000_000_000;

/// Carries effects out by noting them.
struct Node {
    supervision: Supervision<Key>,
    now: u64,
    /// Processes that live, by unit.
    alive: BTreeMap<Key, RunId>,
    timers: BTreeSet<(u64, Timer)>,
    /// What happened since the last look, in words.
    log: Vec<String>,
    /// Why the node was told to stop.
    stopped: Option<String>,
}

impl Node {
    fn new(services: Vec<(Key, ServiceConfig<Key>)>) -> Self {
        // The middle of the range: no jitter.
        let mut supervision = Supervision::new(Box::new(|| 0.5));
        supervision.add(services).expect("the services make sense");
        Self { supervision, now: 0, alive: BTreeMap::new(), timers: BTreeSet::new(), log: Vec::new(), stopped: None }
    }

    fn run(&mut self, act: impl FnOnce(&mut Supervision<Key>, u64, &mut Vec<Effect<Key>>)) {
        let mut effects = Vec::new();
        act(&mut self.supervision, self.now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Spawn { run, unit, .. } => {
                    self.log.push(format!("spawn {unit}"));
                    let before = self.alive.insert(unit, run);
                    assert_eq!(before, None, "{unit} runs twice");
                }
                Effect::Cancel { run } => self.log.push(format!("cancel {}", self.unit(run))),
                Effect::Terminate { run } => self.log.push(format!("terminate {}", self.unit(run))),
                Effect::SetTimer { timer, at } => {
                    self.timers.insert((at, timer));
                }
                Effect::Report(report) => self.log.extend(words(&report)),
                Effect::StopNode { service, reason } => {
                    self.stopped = Some(format!("{service}: {reason}"));
                }
            }
        }
    }

    fn unit(&self, run: RunId) -> Key {
        let mut alive = self.alive.iter();
        alive.find(|(_, other)| **other == run).map(|(unit, _)| *unit).expect("only what lives is ended")
    }

    /// What happened since the last look.
    fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    fn start_auto(&mut self) {
        self.run(Supervision::start_auto);
    }

    fn start(&mut self, service: Key) {
        self.run(|supervision, now, effects| assert!(supervision.start(&service, now, effects)));
    }

    fn stop(&mut self, service: Key) {
        self.run(|supervision, now, effects| assert!(supervision.stop(&service, now, effects)));
    }

    fn up(&mut self, unit: Key) {
        let run = self.alive[unit];
        self.run(|supervision, now, effects| supervision.started(run, now, effects));
    }

    fn exit(&mut self, unit: Key, exit: Exit) {
        let run = self.alive.remove(unit).unwrap_or_else(|| panic!("{unit} does not run"));
        self.run(|supervision, now, effects| supervision.exited(run, exit, now, effects));
    }

    fn done(&mut self, unit: Key) {
        self.exit(unit, Exit::Done);
    }

    fn fail(&mut self, unit: Key) {
        self.exit(unit, failure(true));
    }

    /// Lets time pass, and timers expire.
    fn wait(&mut self, time: u64) {
        let until = self.now + time;
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= until) {
            self.timers.pop_first();
            self.now = at;
            self.run(|supervision, now, effects| supervision.expired(timer, now, effects));
        }
        self.now = until;
    }

    fn state(&self, service: Key) -> String {
        self.supervision.state(&service).unwrap().state.to_string()
    }
}

fn failure(retryable: bool) -> Exit {
    Exit::Failed { reason: "boom".to_owned(), retryable }
}

/// The reports that tests look at.
fn words(report: &Report<Key>) -> Option<String> {
    Some(match report {
        Report::Starting { .. } => return None,
        Report::Waiting { service, missing } => format!("{service} waits for {}", missing.join(", ")),
        Report::Running { service } => format!("{service} runs"),
        Report::Failed { service, delay, .. } => format!("{service} failed, again in {} ms", delay / 1_000_000),
        Report::GaveUp { service, reason } => format!("{service} gave up: {reason}"),
        Report::Finished { service } => format!("{service} finished"),
        Report::Stopping { service } => format!("{service} stops"),
        Report::Stopped { service } => format!("{service} stopped"),
        Report::ChildRestarts { child, restarts, .. } => format!("{child} restarts, {restarts}"),
        Report::ChildEnded { child, .. } => format!("{child} is not restarted"),
        Report::SupervisorGaveUp { supervisor, reason, .. } => format!("{supervisor} gave up: {reason}"),
    })
}
