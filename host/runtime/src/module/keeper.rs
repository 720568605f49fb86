//! Handles that a module makes for a process when its answer comes later.

use std::any::Any;
use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::Error;
use rmpv::Value;

use crate::errors;
use crate::process::{ENDED, MODULES, Process};
use crate::shared::Shared;
use crate::table::Tabled;

/// What a handle is charged beside what it says that it holds, in bytes: its place in the table, and the small value behind it.
const HANDLE: usize = 512;

/// Enters values into the handle table of one process.
#[derive(Debug, Clone)]
pub struct Keeper {
    node: Weak<Shared>,
    process: Weak<Process>,
    module: String,
    /// What the arguments of the call weigh, which the value may hold.
    weight: usize,
}

impl Keeper {
    pub(super) fn new(node: &Arc<Shared>, process: &Arc<Process>, module: &str, weight: usize) -> Self {
        Self { node: Arc::downgrade(node), process: Arc::downgrade(process), module: module.to_owned(), weight }
    }

    /// Enters a value, see [`super::ModuleCall::keep`].
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when the process has too many handles, `Canceled` when it has ended.
    pub fn keep<T: Any + Send + Sync>(&self, kind: &str, value: Arc<T>) -> Result<Value, Error> {
        self.keep_heavy(kind, value, 0)
    }

    /// Enters a value that holds so many bytes, see [`super::ModuleCall::keep_heavy`].
    ///
    /// # Errors
    ///
    /// As [`Keeper::keep`].
    pub fn keep_heavy<T: Any + Send + Sync>(&self, kind: &str, value: Arc<T>, bytes: usize) -> Result<Value, Error> {
        let (Some(node), Some(process)) = (self.node.upgrade(), self.process.upgrade()) else {
            return Err(errors::canceled("the process has ended"));
        };
        keep(&node, &process, &self.module, kind, value, self.weight.saturating_add(bytes))
    }
}

pub(super) fn keep<T: Any + Send + Sync>(
    node: &Shared,
    process: &Process,
    module: &str,
    kind: &str,
    value: Arc<T>,
    bytes: usize,
) -> Result<Value, Error> {
    if !process.tie(MODULES) {
        return Err(errors::canceled("the process has ended"));
    }
    let allowed = process.terms.bounds.handles;
    let charge = process.terms.host.charge(HANDLE.saturating_add(bytes));
    let charge = charge.map_err(|(allowed, used)| process.exceeded("quota.memory", allowed, used))?;
    let kept = node.handles.insert(process.number(), allowed, module, kind, value, charge);
    // Its end may have come between: then nobody else forgets what came into its table after that.
    if process.is_tied(ENDED) {
        node.handles.forget(process.number());
        return Err(errors::canceled("the process has ended"));
    }
    kept.map_err(|used| process.exceeded("handles", allowed, used))
}
