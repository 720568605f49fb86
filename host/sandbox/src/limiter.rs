//! The linear-memory limit of one instance.

use wasmtime::{ResourceLimiter, Result};

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

/// Says yes or no when an instance grows, and remembers a no.
pub(crate) struct Limiter {
    limits: InstanceLimits,
    used: usize,
    refused: Option<usize>,
}

impl Limiter {
    pub(crate) fn new(limits: InstanceLimits) -> Self {
        Self { limits, used: 0, refused: None }
    }

    pub(crate) fn allowed(&self) -> usize {
        self.limits.memory
    }

    pub(crate) fn refused(&self) -> Option<usize> {
        self.refused
    }

    pub(crate) fn memory(&self) -> MemoryUse {
        MemoryUse { now: self.used, peak: self.used }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        // The limit holds for all memories of the instance together.
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            self.refused = Some(total);
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}
