//! The share of CPU time of one process host.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a host that comes back from idleness may be ahead of the others, in weighted nanoseconds: enough to be served at
/// once, too little to make up for a rest.
const CREDIT: u64 = 4_000_000;
/// The weight of a host that names none.
pub(crate) const DEFAULT_WEIGHT: u64 = 100;

/// One process host as the scheduler sees it.
///
/// `pass` is the CPU time that its processes used, divided by its weight; the lane with the least is served next. It counts
/// for all workers together, so that a host cannot get more by spreading over them.
#[derive(Debug)]
pub(crate) struct Lane {
    index: usize,
    weight: u64,
    pass: AtomicU64,
    cap: Option<Cap>,
}

/// The most CPU time of a lane, whether others want it or not.
#[derive(Debug)]
struct Cap {
    cores: f64,
    /// The time up to which what was used is paid.
    paid: AtomicU64,
}

/// How far ahead of time a lane with a cap may be: what its processes get at a stretch after a rest.
const WINDOW: u64 = 100_000_000;

impl Lane {
    pub(crate) fn new(index: usize, weight: u64) -> Self {
        Self { index, weight: weight.max(1), pass: AtomicU64::new(0), cap: None }
    }

    /// The same, for no more than so many cores.
    pub(crate) fn capped(mut self, cores: Option<f64>) -> Self {
        let cores = cores.filter(|cores| *cores > 0.0);
        self.cap = cores.map(|cores| Cap { cores, paid: AtomicU64::new(0) });
        self
    }

    /// Returns the place of this lane in the tables of the workers.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Returns its weight against other lanes.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn pass(&self) -> u64 {
        self.pass.load(Ordering::Relaxed)
    }

    /// Charges CPU time that was used until now.
    pub(crate) fn charge(&self, nanoseconds: u64, now: u64) {
        self.pass.fetch_add(nanoseconds.saturating_mul(DEFAULT_WEIGHT) / self.weight, Ordering::Relaxed);
        if let Some(cap) = &self.cap {
            // Rounds down, by less than a nanosecond.
            let price = (nanoseconds as f64 / cap.cores) as u64;
            let pay = |paid: u64| Some(paid.max(now).saturating_add(price));
            let _ = cap.paid.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        }
    }

    /// Tells until when its processes must wait, because they have used what the cap allows.
    pub(crate) fn throttled(&self, now: u64) -> Option<u64> {
        let cap = self.cap.as_ref()?;
        let until = cap.paid.load(Ordering::Relaxed).saturating_sub(WINDOW);
        (until > now).then_some(until)
    }

    /// Catches up after idleness: whoever rested must not starve the others afterwards.
    pub(crate) fn wake(&self, clock: &AtomicU64) {
        let floor = clock.load(Ordering::Relaxed).saturating_sub(CREDIT);
        if self.pass() < floor {
            self.pass.fetch_max(floor, Ordering::Relaxed);
        }
    }
}
