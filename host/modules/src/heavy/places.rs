//! The places in which heavy jobs run, shared between process hosts.
//!
//! Hosts with jobs that wait take turns, by the time that their jobs had a place and their weight. No host has all places: a short job
//! of one does not wait for a long one of another.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use moonlet_runtime::Error;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::fail::internal;

/// The weight of a host that names none, at which a microsecond counts as one.
const USUAL_WEIGHT: u64 = 100;

/// All places of a node.
#[derive(Debug)]
pub(super) struct Places {
    /// How many jobs of one host run at a time.
    each: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// What the host had that was served last: one that comes back from a rest starts there.
    clock: u64,
    lines: BTreeMap<String, Line>,
}

/// The jobs of one host.
#[derive(Debug)]
struct Line {
    weight: u64,
    /// The time that its jobs had so far, by weight.
    had: u64,
    running: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    host: String,
    since: Instant,
}

impl Places {
    pub(super) fn of_the_node() -> &'static Arc<Self> {
        static PLACES: OnceLock<Arc<Places>> = OnceLock::new();
        PLACES.get_or_init(|| Arc::new(Self::new(thread::available_parallelism().map_or(2, NonZero::get).max(2))))
    }

    fn new(count: usize) -> Self {
        let state = State { free: count, clock: 0, lines: BTreeMap::new() };
        Self { each: count.saturating_sub(1).max(1), state: Mutex::new(state) }
    }

    /// Waits for a place for a job of a host.
    ///
    /// # Cancel safety
    ///
    /// Who gives up gets no place.
    pub(super) async fn take(self: &Arc<Self>, host: &str, weight: u64) -> Result<Place, Error> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state.lock();
            let clock = state.clock;
            let line = state.lines.entry(host.to_owned()).or_insert_with(|| Line {
                weight,
                had: clock,
                running: 0,
                waiting: VecDeque::new(),
            });
            line.weight = weight;
            if line.running == 0 && line.waiting.is_empty() {
                line.had = line.had.max(clock);
            }
            line.waiting.push_back(sender);
        }
        self.serve();
        receiver.await.map_err(|_| internal("the node stops"))
    }

    /// Gives free places to jobs that wait.
    fn serve(self: &Arc<Self>) {
        loop {
            let Some((host, sender)) = self.state.lock().next(self.each) else { return };
            let place = Place { places: Arc::clone(self), host, since: Instant::now() };
            // Whoever gave up drops the place, outside of the lock.
            let _ = sender.send(place);
        }
    }
}

impl State {
    /// Takes a place for the host whose turn it is.
    fn next(&mut self, each: usize) -> Option<(String, oneshot::Sender<Place>)> {
        self.free = self.free.checked_sub(1)?;
        for line in self.lines.values_mut() {
            line.waiting.retain(|sender| !sender.is_closed());
        }
        let clock = self.clock;
        // A host that is ahead of the others stays known until they have caught up.
        self.lines.retain(|_, line| line.running > 0 || !line.waiting.is_empty() || line.had > clock);
        let ready = self.lines.iter_mut().filter(|(_, line)| line.running < each && !line.waiting.is_empty());
        let next = ready.min_by_key(|(_, line)| line.had).and_then(|(host, line)| {
            let sender = line.waiting.pop_front()?;
            line.running += 1;
            // Hosts that had the same take turns.
            let had = line.had;
            line.had = had.saturating_add(1);
            Some((had, host.clone(), sender))
        });
        let Some((had, host, sender)) = next else {
            self.free += 1;
            return None;
        };
        self.clock = self.clock.max(had);
        Some((host, sender))
    }

    fn give_back(&mut self, host: &str, since: Instant) {
        self.free += 1;
        let Some(line) = self.lines.get_mut(host) else { return };
        line.running = line.running.saturating_sub(1);
        let time = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        line.had = line.had.saturating_add(time.saturating_mul(USUAL_WEIGHT) / line.weight.max(1));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.state.lock().give_back(&self.host, self.since);
        self.places.serve();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn no_host_has_all_places() {
        let places = Arc::new(Places::new(2));
        let first = poll(pin!(places.take("a", 100))).unwrap().unwrap();
        let mut second = pin!(places.take("a", 100));
        assert!(poll(second.as_mut()).is_none());
        let other = poll(pin!(places.take("b", 100))).unwrap().unwrap();
        drop(other);
        assert!(poll(second.as_mut()).is_none());
        drop(first);
        assert!(poll(second.as_mut()).is_some());
    }

    #[test]
    fn hosts_take_turns_and_who_gave_up_has_none() {
        let places = Arc::new(Places::new(1));
        let mut place = poll(pin!(places.take("a", u64::MAX))).unwrap().unwrap();
        let mut waiting: Vec<_> =
            ["a", "a", "a", "b", "b"].into_iter().map(|host| (host, Box::pin(places.take(host, u64::MAX)))).collect();
        waiting.iter_mut().for_each(|(_, future)| assert!(poll(future.as_mut()).is_none()));
        drop(waiting.remove(0));
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(place);
            let mut found = None;
            for (index, (host, future)) in waiting.iter_mut().enumerate() {
                if let Some(place) = poll(future.as_mut()) {
                    assert!(found.is_none());
                    order.push(*host);
                    found = Some((index, place.unwrap()));
                }
            }
            let (index, next) = found.unwrap();
            drop(waiting.remove(index));
            place = next;
        }
        assert_eq!(order, ["b", "a", "b", "a"]);
        drop(place);
        assert_eq!(places.state.lock().free, 1);
    }
}
