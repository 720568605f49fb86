//! Modules that live in the host: their tables are made from what `modules.describe` tells.

use crate::errors;
use crate::host;
use crate::lua::State;

/// Pushes the table of a host module, or the Error that tells why there is none.
pub(crate) unsafe fn push(lua: State, name: &str) {
    match host::describe(name) {
        Ok(_) => errors::push(lua, errors::UNAVAILABLE, "host modules are not supported yet", None, 0),
        Err(error) => errors::push_host(lua, &error),
    }
}
