//! Counts the jobs that run for calls of modules, so that one which outlives its process is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many jobs run.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Arc<AtomicU64>);

impl Jobs {
    /// Counts one more until what is returned is dropped.
    pub(crate) fn begin(&self) -> Job {
        self.0.fetch_add(1, Ordering::Relaxed);
        Job(Arc::clone(&self.0))
    }

    pub(crate) fn running(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A job that runs: hold it for as long as it does.
#[derive(Debug)]
pub struct Job(Arc<AtomicU64>);

impl Drop for Job {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
