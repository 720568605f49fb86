//! Units: processes, and supervisors that keep their children up.
//!
//! A supervisor never remembers what it was about to do. Each time something changes, `advance` looks at its children and makes
//! the one next step towards what it wants: first it stops, from the last to the first, whatever has to go down; then it starts, from
//! the first to the last, whatever has to be up. So children never overlap in an order that their author did not write, whatever
//! happens meanwhile. Nothing here knows of services; the fate of root units is told as news.

use std::collections::VecDeque;
use std::fmt;

use rustc_hash::FxHashMap;

use super::config::{ChildRestart, Parts, Shutdown, Strategy, UnitConfig};
use super::effect::{Effect, Exit, Report, RunId, Timer, TimerOf};
use super::intensity::Intensity;

/// Names a unit. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UnitId(u64);

/// What became of a root unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It is up.
    Started,
    /// It is down.
    Ended(Ended),
}

/// How a unit went down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// As asked.
    Stopped,
    /// It ended well by itself.
    Done,
    /// It failed.
    Failed { reason: String, retryable: bool },
}

/// All units of all services.
#[derive(Debug)]
pub(super) struct Tree<K> {
    units: FxHashMap<UnitId, Unit<K>>,
    runs: FxHashMap<RunId, UnitId>,
    /// Supervisors whose children changed.
    queue: VecDeque<UnitId>,
    news: Vec<(UnitId, News)>,
    /// The number of the next unit, run or timer.
    next: u64,
}

#[derive(Debug)]
struct Unit<K> {
    key: K,
    service: K,
    parent: Option<UnitId>,
    restart: ChildRestart,
    start_timeout: Option<u64>,
    shutdown: Shutdown,
    state: State,
    /// The process, of a unit that is one and not down.
    run: Option<RunId>,
    /// The timer that counts; 0 when none does.
    timer: u64,
    /// Why it is being terminated, when nobody asked for its end.
    cause: Option<String>,
    /// It goes down together with a sibling that failed.
    marked: bool,
    /// It is down for good, as far as its supervisor is concerned.
    gone: bool,
    group: Option<Group>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Down,
    Starting,
    Running,
    Stopping,
}

/// What a supervisor has beyond a process.
#[derive(Debug)]
struct Group {
    strategy: Strategy,
    intensity: Intensity,
    children: Vec<UnitId>,
    /// All children go down, and then the supervisor ends like this.
    closing: Option<Ended>,
}

impl<K: Clone + fmt::Display> Tree<K> {
    pub(super) fn new() -> Self {
        Self { units: FxHashMap::default(), runs: FxHashMap::default(), queue: VecDeque::new(), news: Vec::new(), next: 0 }
    }

    /// Makes the units of a service, all of them down.
    pub(super) fn build(&mut self, service: &K, config: &UnitConfig<K>) -> UnitId {
        self.build_child(service, config, None, ChildRestart::Temporary)
    }

    fn build_child(&mut self, service: &K, config: &UnitConfig<K>, parent: Option<UnitId>, restart: ChildRestart) -> UnitId {
        let id = UnitId(self.number());
        let group = match &config.parts {
            Parts::Process => None,
            Parts::Supervisor(supervisor) => {
                let children = supervisor.children.iter();
                Some(Group {
                    strategy: supervisor.strategy,
                    intensity: Intensity::new(supervisor.max_restarts, supervisor.window),
                    children: children.map(|child| self.build_child(service, &child.unit, Some(id), child.restart)).collect(),
                    closing: None,
                })
            }
        };
        let unit = Unit {
            key: config.key.clone(),
            service: service.clone(),
            parent,
            restart,
            start_timeout: config.start_timeout,
            shutdown: config.shutdown,
            state: State::Down,
            run: None,
            timer: 0,
            cause: None,
            marked: false,
            gone: false,
            group,
        };
        self.units.insert(id, unit);
        id
    }

    /// Forgets the units of a service, which are down.
    pub(super) fn discard(&mut self, root: UnitId) {
        let mut next = vec![root];
        while let Some(id) = next.pop() {
            if let Some(unit) = self.units.remove(&id) {
                debug_assert_eq!(unit.state, State::Down, "only what is down is forgotten");
                next.extend(unit.group.into_iter().flat_map(|group| group.children));
            }
        }
    }

    /// Starts a unit that is down; one that is not is left alone. That it came up will be news, or concern its supervisor.
    pub(super) fn start(&mut self, id: UnitId, now: u64, effects: &mut Vec<Effect<K>>) {
        let run = RunId(self.number());
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        if unit.state != State::Down {
            return;
        }
        unit.state = State::Starting;
        unit.cause = None;
        unit.marked = false;
        unit.gone = false;
        let timeout = unit.start_timeout;
        match &mut unit.group {
            None => {
                unit.run = Some(run);
                self.runs.insert(run, id);
                effects.push(Effect::Spawn { run, service: unit.service.clone(), unit: unit.key.clone() });
            }
            Some(group) => {
                group.intensity.clear();
                group.closing = None;
                for child in group.children.clone() {
                    if let Some(child) = self.units.get_mut(&child) {
                        child.marked = false;
                        child.gone = false;
                    }
                }
                self.queue.push_back(id);
            }
        }
        self.set_timer(id, timeout, now, effects);
    }

    /// Asks a unit to go down.
    pub(super) fn stop(&mut self, id: UnitId, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        let goes_down = unit.state == State::Stopping;
        if unit.state == State::Down || (goes_down && (unit.group.is_none() || unit.timer != 0)) {
            return;
        }
        unit.state = State::Stopping;
        let deadline = match unit.shutdown {
            Shutdown::Within(time) => Some(time),
            Shutdown::Patient => None,
            Shutdown::AtOnce => return self.kill(id, effects),
        };
        match (&mut unit.group, unit.run) {
            (Some(group), _) => {
                group.closing.get_or_insert(Ended::Stopped);
                self.queue.push_back(id);
            }
            (None, Some(run)) => effects.push(Effect::Cancel { run }),
            (None, None) => {}
        }
        self.set_timer(id, deadline, now, effects);
    }

    /// The process of a run came up.
    pub(super) fn started(&mut self, run: RunId) {
        let Some(&id) = self.runs.get(&run) else {
            return;
        };
        if let Some(unit) = self.units.get_mut(&id)
            && unit.state == State::Starting
        {
            self.came_up(id);
        }
    }

    /// The process of a run ended.
    pub(super) fn exited(&mut self, run: RunId, exit: Exit, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(id) = self.runs.remove(&run) else {
            return;
        };
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        let ended = match (unit.state, unit.cause.take(), exit) {
            (_, Some(reason), _) => Ended::Failed { reason, retryable: true },
            (State::Stopping, None, _) => Ended::Stopped,
            (_, None, Exit::Done) => Ended::Done,
            (_, None, Exit::Failed { reason, retryable }) => Ended::Failed { reason, retryable },
        };
        self.went_down(id, ended, now, effects);
    }

    /// A timer of a unit is due.
    pub(super) fn expired(&mut self, id: UnitId, timer: u64, effects: &mut Vec<Effect<K>>) {
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        if timer == 0 || unit.timer != timer {
            return;
        }
        unit.timer = 0;
        if unit.state == State::Starting {
            let time = unit.start_timeout.unwrap_or(0);
            let reason = format!("it did not start within {}", Seconds(time));
            unit.state = State::Stopping;
            match (unit.run, unit.group.is_some()) {
                (_, true) => self.give_up(id, reason, true, effects),
                (Some(run), false) => {
                    unit.cause = Some(reason);
                    effects.push(Effect::Terminate { run });
                }
                (None, false) => {}
            }
        } else if unit.state == State::Stopping {
            self.kill(id, effects);
        }
    }

    /// Makes every step that is possible now.
    pub(super) fn settle(&mut self, now: u64, effects: &mut Vec<Effect<K>>) {
        while let Some(id) = self.queue.pop_front() {
            self.advance(id, now, effects);
        }
    }

    /// What became of root units since the last time.
    pub(super) fn take_news(&mut self) -> Vec<(UnitId, News)> {
        std::mem::take(&mut self.news)
    }

    /// Makes the next step of a supervisor.
    fn advance(&mut self, id: UnitId, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(unit) = self.units.get(&id) else {
            return;
        };
        let (Some(group), false) = (&unit.group, unit.state == State::Down) else {
            return;
        };
        let closing = group.closing.is_some();
        let starting = unit.state == State::Starting;
        let mut last_to_stop = None;
        let mut to_start = Vec::new();
        for child_id in &group.children {
            let Some(child) = self.units.get(child_id) else {
                continue;
            };
            if child.state != State::Down && (closing || child.marked) {
                last_to_stop = Some((*child_id, child.state));
            }
            if child.state != State::Running && !child.gone {
                to_start.push(*child_id);
            }
        }
        // Once all were up, children that do not depend on each other do not wait for each other either.
        let in_order = starting || group.strategy != Strategy::OneForOne;
        match (last_to_stop, to_start.first()) {
            (Some((_, State::Stopping)), _) => {}
            (Some((child, _)), _) => self.stop(child, now, effects),
            (None, _) if closing => {
                let group = self.units.get_mut(&id).and_then(|unit| unit.group.as_mut());
                if let Some(ended) = group.and_then(|group| group.closing.take()) {
                    self.went_down(id, ended, now, effects);
                }
            }
            (None, Some(child)) if in_order => self.start(*child, now, effects),
            (None, Some(_)) => {
                for child in to_start {
                    self.start(child, now, effects);
                }
            }
            (None, None) if starting => self.came_up(id),
            (None, None) => {}
        }
    }

    fn came_up(&mut self, id: UnitId) {
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        unit.state = State::Running;
        unit.timer = 0;
        match unit.parent {
            Some(parent) => self.queue.push_back(parent),
            None => self.news.push((id, News::Started)),
        }
    }

    fn went_down(&mut self, id: UnitId, ended: Ended, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        unit.state = State::Down;
        unit.timer = 0;
        unit.run = None;
        match unit.parent {
            Some(parent) => {
                self.child_ended(parent, id, ended, now, effects);
                self.queue.push_back(parent);
            }
            None => self.news.push((id, News::Ended(ended))),
        }
    }

    /// Decides what the end of a child means for its siblings and its supervisor.
    fn child_ended(&mut self, parent: UnitId, id: UnitId, ended: Ended, now: u64, effects: &mut Vec<Effect<K>>) {
        let Some(child) = self.units.get(&id) else {
            return;
        };
        let (marked, restart, key) = (child.marked, child.restart, child.key.clone());
        let Some(unit) = self.units.get_mut(&parent) else {
            return;
        };
        let (service, supervisor) = (unit.service.clone(), unit.key.clone());
        let Some(group) = &mut unit.group else {
            return;
        };
        if marked || group.closing.is_some() {
            return;
        }
        let (reason, failed, retryable) = match ended {
            Ended::Stopped | Ended::Done => ("it ended".to_owned(), false, true),
            Ended::Failed { reason, retryable } => (reason, true, retryable),
        };
        let restarts = match restart {
            ChildRestart::Permanent => true,
            ChildRestart::Transient => failed,
            ChildRestart::Temporary => false,
        };
        if !restarts {
            if let Some(child) = self.units.get_mut(&id) {
                child.gone = true;
            }
            effects.push(Effect::Report(Report::ChildEnded { service, supervisor, child: key, reason }));
            return;
        }
        if !retryable {
            let reason = format!("{key} cannot be restarted, because its error is not retryable: {reason}");
            return self.give_up(parent, reason, false, effects);
        }
        let Some(count) = group.intensity.record(now) else {
            let reason = format!(
                "{key} ended once more after {} restarts within {}: {reason}",
                group.intensity.max_restarts(),
                Seconds(group.intensity.window())
            );
            return self.give_up(parent, reason, true, effects);
        };
        effects.push(Effect::Report(Report::ChildRestarts { service, supervisor, child: key, reason, restarts: count }));
        let siblings: Vec<UnitId> = match group.strategy {
            Strategy::OneForOne => Vec::new(),
            Strategy::OneForAll => group.children.clone(),
            Strategy::RestForOne => {
                let from_here = group.children.iter().skip_while(|child| **child != id);
                from_here.copied().collect()
            }
        };
        for sibling in siblings.into_iter().filter(|sibling| *sibling != id) {
            if let Some(sibling) = self.units.get_mut(&sibling) {
                sibling.marked = sibling.state != State::Down;
                sibling.gone = sibling.restart == ChildRestart::Temporary;
            }
        }
    }

    /// Ends a supervisor with a failure, once its children are down.
    fn give_up(&mut self, id: UnitId, reason: String, retryable: bool, effects: &mut Vec<Effect<K>>) {
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        unit.state = State::Stopping;
        unit.timer = 0;
        effects.push(Effect::Report(Report::SupervisorGaveUp {
            service: unit.service.clone(),
            supervisor: unit.key.clone(),
            reason: reason.clone(),
        }));
        if let Some(group) = &mut unit.group {
            group.closing = Some(Ended::Failed { reason, retryable });
        }
        self.queue.push_back(id);
    }

    /// Terminates every process of a unit, in no particular order.
    fn kill(&mut self, id: UnitId, effects: &mut Vec<Effect<K>>) {
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            let Some(unit) = self.units.get_mut(&id) else {
                continue;
            };
            if unit.state == State::Down {
                continue;
            }
            unit.state = State::Stopping;
            unit.timer = 0;
            if let Some(run) = unit.run {
                effects.push(Effect::Terminate { run });
            }
            if let Some(group) = &mut unit.group {
                group.closing.get_or_insert(Ended::Stopped);
                next.extend(&group.children);
                self.queue.push_back(id);
            }
        }
    }

    fn set_timer(&mut self, id: UnitId, after: Option<u64>, now: u64, effects: &mut Vec<Effect<K>>) {
        let serial = self.number();
        let Some(unit) = self.units.get_mut(&id) else {
            return;
        };
        unit.timer = 0;
        if let Some(after) = after {
            unit.timer = serial;
            effects.push(Effect::SetTimer { timer: Timer(TimerOf::Unit(id, serial)), at: now.saturating_add(after) });
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// A duration in nanoseconds, as people write it.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&std::time::Duration::from_nanos(self.0), f)
    }
}
