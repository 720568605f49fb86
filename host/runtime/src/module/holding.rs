//! Memory of the node that a module fills for a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_sandbox::wit::Error;

use crate::errors;
use crate::host::Host;
use crate::process::Process;

/// Memory that a module holds for a process between calls. It is charged to `quota.memory` of the process host until this is dropped,
/// so that a tenant who makes modules hold things stays within what was given to it.
#[derive(Debug)]
pub struct Holding {
    host: Arc<Host>,
    name: &'static str,
    largest: u64,
    bytes: AtomicU64,
}

impl Holding {
    pub(super) fn new(process: &Process, name: &'static str, largest: u64) -> Self {
        Self { host: Arc::clone(&process.terms.host), name, largest, bytes: AtomicU64::new(0) }
    }

    /// Charges more bytes.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when this one, or the host, may have no more; then nothing is charged.
    pub fn grow(&self, bytes: usize) -> Result<(), Error> {
        let bytes = bytes as u64;
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let refused = if now > self.largest {
            Some((self.name, self.largest, now))
        } else {
            self.host.grow(bytes).err().map(|(allowed, used)| ("quota.memory", allowed, used))
        };
        let Some((name, allowed, used)) = refused else { return Ok(()) };
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.host.totals.hits.count(name);
        Err(errors::limit(name, allowed, used))
    }

    /// Returns the bytes that are charged now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Gives bytes back that were charged.
    pub fn shrink(&self, bytes: usize) {
        let bytes = bytes as u64;
        let taken = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| now.checked_sub(bytes));
        if taken.is_ok() {
            self.host.shrink(bytes);
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.host.shrink(*self.bytes.get_mut());
    }
}
