//! What services and supervisors are made of. Durations are nanoseconds.

const SECOND: u64 = 1_000_000_000;

/// A unit with a lifecycle of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceConfig<K> {
    /// What runs.
    pub(crate) unit: UnitConfig<K>,
    /// Whether it starts with the node.
    pub(crate) auto_start: bool,
    /// What a failure at the first start means.
    pub(crate) startup: Startup,
    /// Services that must be up before this one starts, and down after it.
    pub(crate) depends_on: Vec<K>,
    /// How long a run must last so that earlier failures are forgotten.
    pub(crate) stable_threshold: u64,
    /// When it is restarted after a failure.
    pub(crate) restart: RestartPolicy,
}

impl<K> ServiceConfig<K> {
    /// Makes a service with the defaults of every other field.
    pub(crate) fn new(unit: UnitConfig<K>) -> Self {
        Self {
            unit,
            auto_start: false,
            startup: Startup::Optional,
            depends_on: Vec::new(),
            stable_threshold: 5 * SECOND,
            restart: RestartPolicy::default(),
        }
    }
}

/// What a failure at the first start means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Startup {
    /// The service is retried like after any failure.
    Optional,
    /// The node stops.
    Required,
}

/// When a failed service is restarted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RestartPolicy {
    /// The delay before the first restart.
    pub(crate) initial_delay: u64,
    /// The delay never exceeds this, jitter aside.
    pub(crate) max_delay: u64,
    /// Each further delay is this much longer.
    pub(crate) backoff_factor: f64,
    /// The part of a delay by which chance shortens or lengthens it, so that services do not fail in step.
    pub(crate) jitter: f64,
    /// How often it is restarted until the service gives up; 0 means without end.
    pub(crate) max_attempts: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { initial_delay: SECOND, max_delay: 90 * SECOND, backoff_factor: 2.0, jitter: 0.1, max_attempts: 0 }
    }
}

/// A process, or a supervisor with its children.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UnitConfig<K> {
    /// Names it in effects and reports.
    pub(crate) key: K,
    /// How long a start may take; none means any time. A supervisor's children have their own.
    pub(crate) start_timeout: Option<u64>,
    /// How it is ended.
    pub(crate) shutdown: Shutdown,
    /// What it consists of.
    pub(crate) parts: Parts<K>,
}

impl<K> UnitConfig<K> {
    /// Makes a process with the default times.
    pub(crate) fn process(key: K) -> Self {
        Self { key, start_timeout: Some(10 * SECOND), shutdown: Shutdown::Within(10 * SECOND), parts: Parts::Process }
    }

    /// Makes a supervisor, which takes the time that its children take.
    pub(crate) fn supervisor(key: K, supervisor: SupervisorConfig<K>) -> Self {
        Self { key, start_timeout: None, shutdown: Shutdown::Patient, parts: Parts::Supervisor(supervisor) }
    }
}

/// How a unit is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// It is asked, and terminated when it is not down after this time.
    Within(u64),
    /// It is asked, and takes the time it needs.
    Patient,
    /// It is terminated without being asked.
    AtOnce,
}

/// What a unit consists of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parts<K> {
    /// One process.
    Process,
    /// Children, and what their failures mean.
    Supervisor(SupervisorConfig<K>),
}

/// Children, and what their failures mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SupervisorConfig<K> {
    /// Which children a failure concerns.
    pub(crate) strategy: Strategy,
    /// How many restarts there may be within `window`; one more and the supervisor gives up.
    pub(crate) max_restarts: u32,
    /// See `max_restarts`.
    pub(crate) window: u64,
    /// The children, in the order in which they start.
    pub(crate) children: Vec<ChildConfig<K>>,
}

impl<K> SupervisorConfig<K> {
    /// Makes a supervisor with the default intensity: three restarts within five seconds.
    pub(crate) fn new(strategy: Strategy, children: Vec<ChildConfig<K>>) -> Self {
        Self { strategy, max_restarts: 3, window: 5 * SECOND, children }
    }
}

/// Which children are restarted when one has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// This one.
    OneForOne,
    /// All: the others are stopped first.
    OneForAll,
    /// This one and those after it, which are stopped first.
    RestForOne,
}

/// A unit under a supervisor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChildConfig<K> {
    /// When it is restarted.
    pub(crate) restart: ChildRestart,
    /// What runs.
    pub(crate) unit: UnitConfig<K>,
}

/// When a child is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildRestart {
    /// However it ended.
    Permanent,
    /// When it failed.
    Transient,
    /// Never, not even together with its siblings.
    Temporary,
}
