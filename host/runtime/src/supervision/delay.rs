//! How long a failed service waits for its restart.

use super::config::RestartPolicy;

/// No restart comes sooner than 10 milliseconds, whatever the file says: a process that fails at once must not be all that
/// the node does.
const SHORTEST: f64 = 10_000_000.0;

impl RestartPolicy {
    /// Gives the delay before restart number `attempt`, counted from 1. `random` is at least 0 and less than 1.
    pub(super) fn delay(&self, attempt: u32, random: f64) -> u64 {
        let initial = self.initial_delay as f64;
        let longest = self.max_delay as f64;
        let factor = sane(self.backoff_factor, 1.0, f64::MAX, 2.0);
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        // An infinite power is capped like any other; zero times infinity is not a number, and counts as zero.
        let base = sane(initial * factor.powi(exponent), 0.0, longest, 0.0);
        let jitter = sane(self.jitter, 0.0, 1.0, 0.0);
        let spread = 1.0 + jitter * (2.0 * sane(random, 0.0, 1.0, 0.5) - 1.0);
        // The conversion saturates.
        (base * spread).max(SHORTEST) as u64
    }

    /// Tells whether restart number `attempt` is one too many.
    pub(super) fn exhausted(&self, attempt: u32) -> bool {
        self.max_attempts > 0 && attempt > self.max_attempts
    }
}

/// Numbers come from files: none of them may stop the arithmetic.
fn sane(value: f64, least: f64, most: f64, otherwise: f64) -> f64 {
    if value.is_nan() { otherwise } else { value.clamp(least, most) }
}
