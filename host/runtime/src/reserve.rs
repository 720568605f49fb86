//! Memory of the node that small things of a process take together: charged to the quota of its host in blocks.
//!
//! One at a time they are too small to be worth an account, and together they would be memory that no quota bounds. Like linear
//! memory, what was once charged stays so until the process ends.

use std::sync::atomic::{AtomicU64, Ordering};

use moonlet_sandbox::wit::Error;

use crate::host::Host;
use crate::process::{Inner, Process};

/// What each process has of each sort without a charge; what its instance is charged at least covers that.
const FREE: usize = 8 << 10;
/// Bytes that are charged at once.
const BLOCK: usize = 16 << 10;

/// A sort of small things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Small {
    /// Calls, sleeps and other operations that wait.
    Pending,
    /// Topics that are listened to.
    Topics,
    /// Registered names.
    Names,
    /// Monitors and links that the process made.
    Relations,
    /// Channels between processes that it opened.
    Channels,
}

impl Small {
    /// Bytes that one takes, with its place in tables; an upper bound by the sizes of what is stored.
    const fn size(self) -> usize {
        match self {
            Self::Pending | Self::Relations => 256,
            // Names and topics of 255 bytes are in two tables.
            Self::Topics | Self::Names => 640,
            Self::Channels => 512,
        }
    }
}

/// What a process was charged for each sort.
#[derive(Debug, Default)]
pub(crate) struct Reserve([AtomicU64; 5]);

impl Reserve {
    fn of(&self, small: Small) -> &AtomicU64 {
        let [pending, topics, names, relations, channels] = &self.0;
        match small {
            Small::Pending => pending,
            Small::Topics => topics,
            Small::Names => names,
            Small::Relations => relations,
            Small::Channels => channels,
        }
    }

    /// Charges up to so many bytes.
    fn raise(&self, small: Small, to: u64, host: &Host) -> Result<(), (u64, u64)> {
        let charged = self.of(small);
        let mut before = charged.load(Ordering::Relaxed);
        while to > before {
            host.grow(to - before)?;
            match charged.compare_exchange(before, to, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => {
                    host.shrink(to - before);
                    before = now;
                }
            }
        }
        Ok(())
    }

    /// Takes what was charged off the account.
    pub(crate) fn take(&self) -> u64 {
        self.0.iter().map(|charged| charged.swap(0, Ordering::Relaxed)).sum()
    }
}

impl Process {
    /// Makes sure that so many operations more may wait, where so many are allowed in all.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when too many wait already, or there is no memory for them.
    pub(crate) fn admit_pending(&self, inner: &Inner, more: usize, allowed: usize) -> Result<(), Error> {
        let used = inner.pending_count().saturating_add(more);
        if used > allowed {
            return Err(self.exceeded("pending_calls", allowed as u64, used as u64));
        }
        self.reserve(Small::Pending, used)
    }

    /// Makes sure that there is memory for so many things of a sort.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when the quota of the process host has no room for them.
    pub(crate) fn reserve(&self, small: Small, count: usize) -> Result<(), Error> {
        let bytes = count.saturating_mul(small.size());
        if bytes <= FREE {
            return Ok(());
        }
        let to = (bytes - FREE).next_multiple_of(BLOCK) as u64;
        let raised = self.meter().reserve.raise(small, to, &self.terms.host);
        raised.map_err(|(allowed, used)| self.exceeded("quota.memory", allowed, used))
    }
}
