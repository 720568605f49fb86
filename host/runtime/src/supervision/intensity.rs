//! How many restarts a supervisor made lately.

use std::collections::VecDeque;

/// Counts restarts within a sliding window.
#[derive(Debug)]
pub(super) struct Intensity {
    max_restarts: u32,
    window: u64,
    /// When the restarts of the last `window` happened, oldest first: never more than `max_restarts`.
    times: VecDeque<u64>,
}

impl Intensity {
    pub(super) fn new(max_restarts: u32, window: u64) -> Self {
        Self { max_restarts, window, times: VecDeque::new() }
    }

    /// Counts one more restart. None: there were as many as allowed within the window, and this one is too many.
    ///
    /// A restart is forgotten once the whole window has passed since.
    pub(super) fn record(&mut self, now: u64) -> Option<u32> {
        while let Some(time) = self.times.front()
            && now.saturating_sub(*time) >= self.window
        {
            self.times.pop_front();
        }
        let count = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        if count >= self.max_restarts {
            return None;
        }
        self.times.push_back(now);
        Some(count + 1)
    }

    pub(super) fn clear(&mut self) {
        self.times.clear();
    }

    pub(super) fn max_restarts(&self) -> u32 {
        self.max_restarts
    }

    pub(super) fn window(&self) -> u64 {
        self.window
    }
}
