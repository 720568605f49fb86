//! Why an instance could not be made, or ended against its will.

use crate::wit;

/// What ended an instance, or kept it from starting.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It asked for more linear memory than a limit allows and could not go on without it.
    #[error("limit `{limit}` exceeded: {allowed} bytes allowed, {used} asked for")]
    MemoryLimit {
        /// The name of the limit.
        limit: &'static str,
        /// The limit in bytes.
        allowed: usize,
        /// The bytes it asked for.
        used: usize,
    },
    /// Its native stack is used up, by a recursion that no limit of the language caught.
    #[error("stack overflow in the sandbox")]
    Stack,
    /// One call handed over more than any message needs.
    #[error("limit `message_size` exceeded: one call handed too much to the host")]
    Call,
    /// It has more resources and handles of them than any program needs.
    #[error("limit `handles` exceeded: a component may have {0} resources at once; drop some")]
    Handles(usize),
    /// It trapped: a fault of its code.
    #[error("the process trapped: {0}")]
    Trap(String),
    /// There is no room for one more instance.
    #[error("no room for another process: {0}")]
    Full(String),
    /// Its code is not a component of a world that Moonlet runs.
    #[error("{0}")]
    Component(String),
    /// The engine could not be set up.
    #[error("failed to set up the sandbox: {0}")]
    Engine(String),
}

impl Failure {
    /// The error that links and monitors of the process see.
    #[must_use]
    pub fn into_error(self) -> wit::Error {
        let kind = match &self {
            Self::MemoryLimit { .. } | Self::Stack | Self::Call | Self::Handles(_) => "LimitExceeded",
            Self::Full(_) => "Unavailable",
            Self::Component(_) => "Invalid",
            Self::Trap(_) | Self::Engine(_) => "Internal",
        };
        let retryable = matches!(self, Self::Full(_));
        wit::Error::new(kind, self.to_string()).with_retryable(retryable)
    }

    /// Sorts an error of wasmtime that ended a call.
    pub(crate) fn of_call(error: &wasmtime::Error, limiter: &crate::limiter::Limiter) -> Self {
        // A guest that runs out of memory traps a moment later, so the refusal is the cause.
        if let Some(refusal) = limiter.refused() {
            return Self::of_refusal(refusal);
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::StackOverflow) => Self::Stack,
            Some(trap) => Self::Trap(trap.to_string()),
            None => {
                // Without the frames around it, which say nothing to those who read Lua.
                let text = error.root_cause().to_string();
                // The engine has no types for them.
                if text.contains("fuel allocated for hostcalls") {
                    Self::Call
                } else if text.contains("store handle limit exceeded") || text.contains("resource table has no free keys") {
                    Self::Handles(crate::component::MAX_HANDLES)
                } else {
                    Self::Trap(text)
                }
            }
        }
    }

    fn of_refusal(refusal: crate::limiter::Refusal) -> Self {
        Self::MemoryLimit { limit: refusal.limit, allowed: refusal.allowed, used: refusal.used }
    }

    /// Sorts an error of wasmtime that kept an instance from being made.
    pub(crate) fn of_instance(error: &wasmtime::Error, limiter: &crate::limiter::Limiter) -> Self {
        if let Some(refusal) = limiter.refused() {
            return Self::of_refusal(refusal);
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Self::Full(format!("{error}; raise the number of processes of the node"));
        }
        let text = format!("{error:#}");
        if text.contains("os error 12") || text.contains("Cannot allocate memory") {
            return Self::Full(format!(
                "the kernel refused memory or mappings ({text}); raise `vm.max_map_count` with `sysctl -w vm.max_map_count=262144`"
            ));
        }
        Self::Engine(text)
    }
}
