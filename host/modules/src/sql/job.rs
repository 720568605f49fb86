//! One run of a statement: how long it may take, and who may stop it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Looks at the clock before a statement on a borrowed thread gets one of its own: about ten thousand instructions, well under a millisecond.
const QUICK_LOOKS: u32 = 50;
/// The same in time.
const QUICK_SPAN: Duration = Duration::from_millis(10);

/// One run of a statement.
pub(super) struct Job {
    canceled: AtomicBool,
    /// Wakes who waits for the end of the run elsewhere than in SQLite.
    stopped: Notify,
    deadline: Instant,
    /// Looks at the clock that are left to a run that should be short; beyond them it gets a thread of its own. None: as many as it takes.
    looks: Option<AtomicU32>,
    end: AtomicU8,
}

/// Why a statement was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing stopped it.
    None,
    /// It takes too long for the thread that it ran on.
    Slow,
    /// It took longer than a statement may.
    Timeout,
    /// Nobody waits for it any more.
    Canceled,
}

impl Job {
    /// A run on a thread that others wait for. Its length is counted in instructions, because the thread itself may have to wait for a core;
    /// the clock only stops what is long in spite of that.
    pub(super) fn quick() -> Self {
        Self { looks: Some(AtomicU32::new(QUICK_LOOKS)), ..Self::patient(QUICK_SPAN) }
    }

    /// A run that may take its time.
    pub(super) fn patient(span: Duration) -> Self {
        let canceled = AtomicBool::new(false);
        Self { canceled, stopped: Notify::new(), deadline: Instant::now() + span, looks: None, end: AtomicU8::new(0) }
    }

    /// Stops it.
    pub(super) fn cancel(&self) {
        self.canceled.store(true, Ordering::Relaxed);
        self.stopped.notify_one();
    }

    /// Waits until nobody waits for it any more. One at a time may ask; cancel safe.
    pub(super) async fn canceled(&self) {
        while !self.is_canceled() {
            self.stopped.notified().await;
        }
    }

    /// Tells whether nobody waits for it.
    pub(super) fn is_canceled(&self) -> bool {
        self.canceled.load(Ordering::Relaxed)
    }

    /// Says why it was stopped.
    pub(super) fn end(&self) -> End {
        match self.end.load(Ordering::Relaxed) {
            1 => End::Slow,
            2 => End::Timeout,
            3 => End::Canceled,
            _ => End::None,
        }
    }

    /// Tells whether SQLite must stop.
    pub(super) fn over(&self) -> bool {
        let end = match &self.looks {
            _ if self.is_canceled() => 3,
            Some(looks) if looks.load(Ordering::Relaxed) == 0 => 1,
            Some(_) if Instant::now() >= self.deadline => 1,
            None if Instant::now() >= self.deadline => 2,
            None => return false,
            Some(looks) => {
                looks.fetch_sub(1, Ordering::Relaxed);
                return false;
            }
        };
        self.end.store(end, Ordering::Relaxed);
        true
    }
}
