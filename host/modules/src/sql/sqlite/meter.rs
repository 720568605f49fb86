//! Stops statements of SQLite: asked by it every few instructions.

use std::sync::Arc;

use parking_lot::Mutex;

use super::super::job::Job;

/// Instructions of SQLite between two looks at the clock. One can copy a long string, so that this stays small.
pub(super) const INSTRUCTIONS: i32 = 200;

/// The run that a connection is in.
#[derive(Default)]
pub(super) struct Meter {
    /// Guards the current run; taken on its own.
    job: Mutex<Option<Arc<Job>>>,
}

impl Meter {
    /// Sets the run that is next, or that there is none.
    pub(super) fn set(&self, job: Option<Arc<Job>>) {
        *self.job.lock() = job;
    }

    /// Tells SQLite to stop.
    pub(super) fn over(&self) -> bool {
        self.job.lock().as_ref().is_some_and(|job| job.over())
    }
}
