//! Starting processes: `process.spawn` and its kin, `process.exec`, `process.upgrade`, and the builder of `with_context`.

use crate::lua::State;

/// Adds the functions to the table on top.
pub(super) unsafe fn open(_lua: State) {}
