//! What a worker thread does: take, run, look at the deadlines, steal, park.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::crew::{self, Chair};
use super::{Driver, Runnable, Shared, Station, Verdict, instant};

/// How far the hosts of one worker may be ahead of those of another, in weighted nanoseconds: two slices.
const SLACK: u64 = 4_000_000;

/// How often a busy worker looks for processes from outside.
const OUTSIDE_EVERY: u64 = 31;

pub(super) fn work<D: Driver>(shared: &Shared<D::Process>, driver: &Arc<D>, chair: &Arc<Chair>) {
    crew::sit(chair);
    let Some(first) = chair.wait(&shared.stopping) else { return };
    shared.sit_at(first);
    let mut now = driver.now();
    let mut turns = 0_u64;
    while !shared.stopping.load(Ordering::Relaxed) {
        // A step in which the process was preempted may have moved this thread to another station.
        let Some((index, station)) = shared.here().and_then(|index| Some((index, shared.stations.get(index)?))) else { return };
        if now >= driver.next_deadline() {
            driver.fire(now);
        }
        if now >= shared.held_until.load(Ordering::Relaxed) {
            shared.let_go(now);
        }
        if turns.is_multiple_of(OUTSIDE_EVERY) {
            shared.enter(station);
        }
        let Some(process) = shared.next(index, station, now) else {
            shared.park(&**driver);
            now = driver.now();
            continue;
        };
        if let Some(until) = process.lane().throttled(now) {
            shared.hold(process, until);
            continue;
        }
        turns += 1;
        shared.balance(index, station, station.level.load(Ordering::Relaxed));
        station.turns.fetch_add(1, Ordering::Relaxed);
        if let Some(halted) = process.halted().release() {
            // Its own thread goes on with it, at this station; this one rests. In this order: it may be given a station at once.
            drop(process);
            shared.crew.lock().rest(Arc::clone(chair));
            halted.give(index);
            let Some(index) = chair.wait(&shared.stopping) else { return };
            shared.sit_at(index);
            now = driver.now();
            continue;
        }
        let (verdict, end) = driver.run(&process, now);
        now = end;
        if verdict == Verdict::Again {
            shared.push(process);
        }
    }
}

impl<P: Runnable> Shared<P> {
    fn next(&self, index: usize, station: &Station<P>, now: u64) -> Option<Arc<P>> {
        if let Some(process) = station.pop(&self.clock, now) {
            return Some(process);
        }
        self.enter(station);
        if let Some(process) = station.pop(&self.clock, now) {
            return Some(process);
        }
        self.steal(index, station)
    }

    /// Takes over what came from outside.
    pub(super) fn enter(&self, station: &Station<P>) {
        if !self.waiting_outside.load(Ordering::Relaxed) {
            return;
        }
        let mut taken = Vec::new();
        {
            let mut entrance = self.entrance.lock();
            entrance.queue.give_half(&mut taken, &self.clock);
            self.waiting_outside.store(entrance.queue.len() > 0, Ordering::Relaxed);
        }
        for process in taken {
            station.push(process, &self.clock);
        }
    }

    /// Takes over a long step of another worker whose hosts have come less far than those here, the least of which has come to `level`:
    /// workers that each were fair for themselves would give more to the hosts that meet fewer others.
    pub(super) fn balance(&self, index: usize, station: &Station<P>, level: u64) {
        let count = self.stations.len();
        if count < 2 || level == u64::MAX {
            return;
        }
        let turn = usize::try_from(station.turns.load(Ordering::Relaxed)).unwrap_or(0);
        let Some(victim) = self.stations.get((index + 1 + turn % (count - 1)) % count) else { return };
        if victim.long_level.load(Ordering::Relaxed).saturating_add(SLACK) >= level {
            return;
        }
        let process = {
            let mut queue = victim.queue.lock();
            let process = queue.pop_long();
            victim.publish(&queue);
            process
        };
        if let Some(process) = process {
            station.push(process, &self.clock);
        }
    }

    /// Takes half of another worker's queue. A single process stays where its peers are, unless it waits behind a long turn.
    fn steal(&self, index: usize, station: &Station<P>) -> Option<Arc<P>> {
        let count = self.stations.len();
        for offset in 1..count {
            let Some(victim) = self.stations.get((index + offset) % count) else { continue };
            if !victim.has_spare() {
                continue;
            }
            let mut taken = Vec::new();
            {
                let mut queue = victim.queue.lock();
                queue.give_half(&mut taken, &self.clock);
                victim.publish(&queue);
            }
            let mut taken = taken.into_iter();
            let first = taken.next();
            for process in taken {
                station.push(process, &self.clock);
            }
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// Sleeps until there is something to do.
    fn park<D: Driver>(&self, driver: &D) {
        let mut entrance = self.entrance.lock();
        if entrance.queue.len() > 0 || self.stopping.load(Ordering::Relaxed) {
            return;
        }
        self.sleepers.store(self.sleepers.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // Pairs with the fence of `offer`.
        fence(Ordering::SeqCst);
        let deadline = driver.next_deadline().min(self.held_until.load(Ordering::Relaxed));
        let now = driver.now();
        if deadline <= now || self.stations.iter().any(Station::has_spare) {
            self.sleepers.store(self.sleepers.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
            return;
        }
        // One worker that watches the next deadline is enough.
        let watches = deadline < entrance.watched;
        if watches {
            entrance.watched = deadline;
        }
        let until = (watches && deadline != u64::MAX).then(|| instant(now, deadline));
        loop {
            let timed_out = match until {
                Some(until) => self.arrivals.wait_until(&mut entrance, until).timed_out(),
                None => {
                    self.arrivals.wait(&mut entrance);
                    false
                }
            };
            if entrance.wakes > 0 {
                // Whoever woke has taken this worker off the sleepers.
                entrance.wakes -= 1;
                break;
            }
            if timed_out {
                self.sleepers.store(self.sleepers.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
                break;
            }
        }
        if watches && entrance.watched == deadline {
            entrance.watched = u64::MAX;
        }
        drop(entrance);
        self.ticker.wake();
    }

    /// Tells whether no worker runs.
    pub(super) fn all_parked(&self) -> bool {
        let entrance = self.entrance.lock();
        self.sleepers.load(Ordering::Relaxed) == self.stations.len() && entrance.wakes == 0
    }
}

impl<P: Runnable> Station<P> {
    /// Tells whether another worker may help itself.
    fn has_spare(&self) -> bool {
        match self.len.load(Ordering::Relaxed) {
            0 => false,
            1 => self.stuck.load(Ordering::Relaxed),
            _ => true,
        }
    }
}
