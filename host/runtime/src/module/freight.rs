//! Memory of the node that modules hold for a process: arguments of calls, what results grow to, and what handles keep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::Error;

use crate::errors;
use crate::host::Host;
use crate::process::Process;

/// An account of memory that a module holds for a process, charged to `quota.memory` of its process host until all clones are dropped.
///
/// Without it, a process with many calls in flight, each of which gathers a large result, would hold memory that no quota bounds.
#[derive(Debug, Clone)]
pub struct Freight(Arc<Hold>);

#[derive(Debug)]
struct Hold {
    process: Weak<Process>,
    host: Arc<Host>,
    /// The most that this one may hold, and the name of that limit.
    bound: Option<(&'static str, u64)>,
    bytes: AtomicU64,
}

impl Freight {
    pub(crate) fn new(process: &Arc<Process>, bound: Option<(&'static str, u64)>) -> Self {
        let (host, bytes) = (Arc::clone(&process.terms.host), AtomicU64::new(0));
        Self(Arc::new(Hold { process: Arc::downgrade(process), host, bound, bytes }))
    }

    /// Charges so many bytes more; ask before they are allocated.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when this account may have no more, or the quota of the process host leaves no room; then nothing is charged.
    pub fn add(&self, bytes: usize) -> Result<(), Error> {
        let hold = &self.0;
        let bytes = bytes as u64;
        let now = hold.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let refused = match hold.bound {
            Some((name, allowed)) if now > allowed => Some((name, allowed, now)),
            _ => hold.host.grow(bytes).err().map(|(allowed, used)| ("quota.memory", allowed, used)),
        };
        let Some((name, allowed, used)) = refused else { return Ok(()) };
        hold.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let hit = hold.process.upgrade().map(|process| process.exceeded(name, allowed, used));
        Err(hit.unwrap_or_else(|| errors::limit(name, allowed, used)))
    }

    /// Returns how many bytes are charged.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Gives bytes back that were charged.
    pub fn give_back(&self, bytes: usize) {
        let hold = &self.0;
        let bytes = bytes as u64;
        if hold.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| now.checked_sub(bytes)).is_ok() {
            hold.host.shrink(bytes);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.host.shrink(*self.bytes.get_mut());
    }
}
