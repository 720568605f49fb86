//! Counting what a process or a process host does: rates, and how often limits were hit.
//!
//! A rate is a bucket of one second: whoever rested may do at once what the limit allows in a second, and after that as fast as it
//! drips. The state of a bucket is one number, so that no lock is needed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moonlet_registry::Limits;

use crate::reserve::Reserve;

/// One second of the node's clock.
const SECOND: u64 = 1_000_000_000;

/// The bucket of one rate: the time up to which what was done is paid.
#[derive(Debug, Default)]
pub(crate) struct Bucket(AtomicU64);

/// A rate is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    /// What there would be within a second.
    pub(crate) used: u64,
    /// When there is room again, in nanoseconds from now.
    pub(crate) wait: u64,
}

impl Bucket {
    /// Takes so many of what is allowed each second.
    pub(crate) fn take(&self, now: u64, allowed: u64, units: u64) -> Result<(), Excess> {
        if allowed == u64::MAX {
            return Ok(());
        }
        let cost = u128::from(units) * u128::from(SECOND) / u128::from(allowed.max(1));
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let mut paid = self.0.load(Ordering::Relaxed);
        loop {
            let start = paid.max(now);
            let ahead = (start - now).saturating_add(cost);
            if ahead > SECOND {
                let used = (u128::from(ahead) * u128::from(allowed)).div_ceil(u128::from(SECOND));
                let used = u64::try_from(used).unwrap_or(u64::MAX).max(allowed.saturating_add(1));
                return Err(Excess { used, wait: ahead - SECOND });
            }
            match self.0.compare_exchange_weak(paid, start + cost, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => paid = other,
            }
        }
    }

    /// Says how much of what is allowed each second is used up now.
    pub(crate) fn used(&self, now: u64, allowed: u64) -> u64 {
        let ahead = self.0.load(Ordering::Relaxed).saturating_sub(now);
        u64::try_from(u128::from(ahead) * u128::from(allowed) / u128::from(SECOND)).unwrap_or(u64::MAX)
    }
}

/// What a process does seldom, or with a limit that few have: made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) spawns: Bucket,
    pub(crate) messages: Bucket,
    pub(crate) calls: Bucket,
    pub(crate) log_lines: Bucket,
    pub(crate) log_bytes: Bucket,
    /// Lines of the audit, apart from the log: filling the log must not hide what was denied.
    pub(crate) audit_lines: Bucket,
    /// Calls of the host that were refused, less those that were not.
    pub(crate) refused_calls: AtomicU64,
    /// Lines that were not logged and of which the log does not know yet.
    pub(crate) suppressed: AtomicU64,
    /// Processes that it has started.
    pub(crate) spawned: AtomicU64,
    /// How often it hit a limit.
    pub(crate) hits: AtomicU64,
    /// How often it was denied something.
    pub(crate) denials: AtomicU64,
    /// Whether the log knows that its memory is nearly full.
    pub(crate) warned_of_memory: AtomicBool,
    /// Whether the quota of its host kept it from growing.
    pub(crate) squeezed: AtomicBool,
    /// What its host is charged for the small things that the node holds for it.
    pub(crate) reserve: Reserve,
}

/// The names of the quotas of a process host that are hit like limits.
const QUOTAS: &[&str] = &["quota.processes", "quota.memory", "quota.messages_per_second", "quota.mailbox_bytes"];
/// The limits that a host counts: those above, and one place for all others.
const COUNTED: usize = Limits::NAMES.len() + QUOTAS.len() + 1;
const OTHERS: &str = "other";

/// How often each limit was hit.
#[derive(Debug)]
pub(crate) struct Hits([AtomicU64; COUNTED]);

impl Default for Hits {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; COUNTED])
    }
}

impl Hits {
    pub(crate) fn count(&self, limit: &str) {
        let place = names().position(|name| name == limit).unwrap_or(COUNTED - 1);
        if let Some(count) = self.0.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lists the limits that were hit.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        names().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    Limits::NAMES.iter().chain(QUOTAS).copied().chain([OTHERS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_the_rate_is_there_at_once_and_the_rest_drips() {
        let bucket = Bucket::default();
        let start = 7 * SECOND;
        for _ in 0..10 {
            assert_eq!(bucket.take(start, 10, 1), Ok(()));
        }
        assert_eq!(bucket.take(start, 10, 1), Err(Excess { used: 11, wait: SECOND / 10 }));
        assert_eq!(bucket.used(start, 10), 10);
        assert_eq!(bucket.take(start + SECOND / 10, 10, 1), Ok(()));
        assert!(bucket.take(start + SECOND / 10, 10, 1).is_err());
        assert_eq!(bucket.take(start + 9 * SECOND, 10, 10), Ok(()), "rest does not add up to more than a second");
        assert!(bucket.take(start + 9 * SECOND, 10, 1).is_err());
    }

    #[test]
    fn what_is_larger_than_a_second_of_the_rate_never_passes() {
        let bucket = Bucket::default();
        assert!(bucket.take(0, 100, 101).is_err());
        assert_eq!(bucket.take(0, 100, 100), Ok(()));
        assert_eq!(bucket.take(0, u64::MAX, u64::MAX), Ok(()), "unlimited");
    }

    #[test]
    fn hits_are_counted_by_limit() {
        let hits = Hits::default();
        for limit in ["memory", "quota.memory", "memory", "topics", "source_size"] {
            hits.count(limit);
        }
        assert_eq!(hits.list(), [("memory", 2), ("source_size", 1), ("quota.memory", 1), ("other", 1)]);
    }
}
