//! What supervision is told, and what it wants done.

use std::fmt;

use super::tree::UnitId;

/// Names one process of one unit. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(pub(super) u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one timer. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timer(pub(super) TimerOf);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum TimerOf {
    /// A start or stop takes too long.
    Unit(UnitId, u64),
    /// The delay before a restart is over.
    Service(UnitId, u64),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Its main function returned without an error.
    Done,
    /// It failed, was terminated, or could not be spawned.
    Failed {
        /// What happened, for people.
        reason: String,
        /// Whether the same may go better next time. False for errors that say so themselves, and for a process that somebody
        /// terminated on purpose.
        retryable: bool,
    },
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect<K> {
    /// Spawn the process of a unit, and report its start and its end with this number.
    Spawn {
        /// The number.
        run: RunId,
        /// The service it belongs to.
        service: K,
        /// Which unit of it; the service itself when it is no supervisor.
        unit: K,
    },
    /// Ask a process to stop.
    Cancel {
        /// Which one.
        run: RunId,
    },
    /// End a process at once.
    Terminate {
        /// Which one.
        run: RunId,
    },
    /// Report `timer` as expired at this time or a little later.
    SetTimer {
        /// Which one.
        timer: Timer,
        /// When, on the clock of the caller.
        at: u64,
    },
    /// Write this to the log, and publish it as an event.
    Report(Report<K>),
    /// Stop the node: a service without which it must not run failed at its first start.
    StopNode {
        /// Which one.
        service: K,
        /// Why.
        reason: String,
    },
}

/// News about services, in the words of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report<K> {
    /// The service waits until others are up.
    Waiting {
        /// Which one.
        service: K,
        /// For which.
        missing: Vec<K>,
    },
    /// The service starts.
    Starting {
        /// Which one.
        service: K,
        /// How many restarts in a row this one makes; 0 for the first start.
        attempt: u32,
    },
    /// The service is up.
    Running {
        /// Which one.
        service: K,
    },
    /// The service failed and will be restarted.
    Failed {
        /// Which one.
        service: K,
        /// Why.
        reason: String,
        /// Which restart in a row will follow.
        attempt: u32,
        /// After which delay.
        delay: u64,
    },
    /// The service failed and will not be restarted.
    GaveUp {
        /// Which one.
        service: K,
        /// Why it failed, and why there is no restart.
        reason: String,
    },
    /// The service ended well, which is final.
    Finished {
        /// Which one.
        service: K,
    },
    /// The service was asked to stop.
    Stopping {
        /// Which one.
        service: K,
    },
    /// The service is down as asked.
    Stopped {
        /// Which one.
        service: K,
    },
    /// A supervisor restarts a child, and, by its strategy, siblings of it.
    ChildRestarts {
        /// The service.
        service: K,
        /// The supervisor.
        supervisor: K,
        /// The child that ended.
        child: K,
        /// How it ended.
        reason: String,
        /// How many restarts there were within the window, this one included.
        restarts: u32,
    },
    /// A child ended and is not restarted.
    ChildEnded {
        /// The service.
        service: K,
        /// The supervisor.
        supervisor: K,
        /// The child.
        child: K,
        /// How it ended.
        reason: String,
    },
    /// A supervisor ends its children and fails.
    SupervisorGaveUp {
        /// The service.
        service: K,
        /// The supervisor.
        supervisor: K,
        /// Why.
        reason: String,
    },
}

/// How a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceState {
    /// It was never started.
    Unknown,
    /// It waits for other services.
    Waiting,
    /// Its start is under way.
    Starting,
    /// It is up.
    Running,
    /// It failed and waits for its restart.
    Failed,
    /// It was asked to stop.
    Stopping,
    /// It is down as asked.
    Stopped,
    /// It ended well, or failed for good.
    Exited,
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Exited => "exited",
        })
    }
}

/// A service and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceStatus<K> {
    /// Which one.
    pub(crate) service: K,
    /// How it does.
    pub(crate) state: ServiceState,
    /// Restarts since the last stable run.
    pub(crate) attempts: u32,
    /// Restarts since it was added.
    pub(crate) restarts: u64,
    /// Since when it runs.
    pub(crate) running_since: Option<u64>,
    /// Why it failed the last time.
    pub(crate) failure: Option<String>,
}
