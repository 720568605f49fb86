//! Memory of the node that a call of a module holds: its arguments, and what its result grows to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::Error;

use crate::host::Host;
use crate::process::Process;

/// What a call of a module makes the node hold, charged to `quota.memory` of the caller's process host until all clones are dropped.
///
/// Without it, a process with many calls in flight, each of which gathers a large result, would hold memory that no quota bounds.
#[derive(Debug, Clone)]
pub struct Freight(Arc<Hold>);

#[derive(Debug)]
struct Hold {
    process: Weak<Process>,
    host: Arc<Host>,
    bytes: AtomicU64,
}

impl Freight {
    pub(crate) fn new(process: &Arc<Process>) -> Self {
        let (host, bytes) = (Arc::clone(&process.terms.host), AtomicU64::new(0));
        Self(Arc::new(Hold { process: Arc::downgrade(process), host, bytes }))
    }

    /// Charges so many bytes more; ask before they are allocated.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when the quota of the process host leaves no room for them.
    pub fn add(&self, bytes: usize) -> Result<(), Error> {
        let hold = &self.0;
        let bytes = bytes as u64;
        match hold.host.grow(bytes) {
            Ok(()) => {
                hold.bytes.fetch_add(bytes, Ordering::Relaxed);
                Ok(())
            }
            Err((allowed, used)) => {
                let hit = hold.process.upgrade().map(|process| process.exceeded("quota.memory", allowed, used));
                Err(hit.unwrap_or_else(|| crate::errors::limit("quota.memory", allowed, used)))
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.host.shrink(*self.bytes.get_mut());
    }
}
