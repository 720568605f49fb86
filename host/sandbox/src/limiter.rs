//! The linear-memory limit of one instance.

use crate::wit::Imports;

/// Limits of an instance that the sandbox itself enforces.
#[derive(Debug, Clone, Copy)]
pub struct InstanceLimits {
    /// Bytes of linear memory; stops a process that allocates without end.
    pub memory: usize,
    /// Bytes of one message. What one call hands to the host is bounded by a few times as much, because the host copies it at
    /// a stretch.
    pub message: usize,
}

/// What one call may hand to the host besides messages: names, and texts for the log.
const CALL_OVERHEAD: usize = 1 << 20;
/// Messages of full size that one call may hand over: arguments, a context, first messages.
const CALL_MESSAGES: usize = 4;

impl InstanceLimits {
    /// Bytes that one call may hand to the host. Who exceeds them does so on purpose, and is ended.
    pub(crate) fn of_call(&self) -> usize {
        self.message.saturating_mul(CALL_MESSAGES).saturating_add(CALL_OVERHEAD)
    }
}

/// Linear memory of an instance, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryUse {
    /// Now.
    pub now: usize,
    /// At most, so far. Wasm memory never shrinks, so it equals `now` until an instance ends.
    pub peak: usize,
}

/// Table elements an instance may grow to; stops a hand-made component from taking host memory through its tables.
const MAX_TABLE_ELEMENTS: usize = 100_000;

/// A no of the limiter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    /// The limit that forbids to grow.
    pub(crate) limit: &'static str,
    /// What it allows.
    pub(crate) allowed: usize,
    /// What there would be.
    pub(crate) used: usize,
}

/// Says yes or no when an instance grows, and remembers a no.
pub(crate) struct Limiter {
    limits: InstanceLimits,
    used: usize,
    refused: Option<Refusal>,
}

impl Limiter {
    pub(crate) fn new(limits: InstanceLimits) -> Self {
        Self { limits, used: 0, refused: None }
    }

    pub(crate) fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    pub(crate) fn memory(&self) -> MemoryUse {
        MemoryUse { now: self.used, peak: self.used }
    }

    fn memory_growing(&mut self, imports: &mut dyn Imports, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        // The limit holds for all memories of the instance together.
        let total = self.used.saturating_add(more);
        if total > self.limits.memory {
            self.refused = Some(Refusal { limit: "memory", allowed: self.limits.memory, used: total });
            return false;
        }
        if let Err((limit, allowed, used)) = imports.grow(more, total) {
            self.refused = Some(Refusal { limit, allowed, used });
            return false;
        }
        self.used = total;
        true
    }
}

/// What has a limiter and can ask the host.
pub(crate) trait Limited {
    fn parts(&mut self) -> (&mut Limiter, &mut dyn Imports);
}

macro_rules! limited {
    ($state:ty) => {
        impl crate::limiter::Limited for $state {
            fn parts(&mut self) -> (&mut crate::limiter::Limiter, &mut dyn crate::wit::Imports) {
                (&mut self.limiter, &mut *self.imports)
            }
        }

        impl wasmtime::ResourceLimiter for $state {
            fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
                Ok(crate::limiter::memory_growing(self, current, desired))
            }

            fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
                Ok(crate::limiter::table_growing(desired))
            }
        }
    };
}
pub(crate) use limited;

pub(crate) fn memory_growing(state: &mut impl Limited, current: usize, desired: usize) -> bool {
    let (limiter, imports) = state.parts();
    limiter.memory_growing(imports, current, desired)
}

pub(crate) fn table_growing(desired: usize) -> bool {
    desired <= MAX_TABLE_ELEMENTS
}
