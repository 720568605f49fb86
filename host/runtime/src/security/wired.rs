//! Where the node asks: each guarded act of a process.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::Error;
use serde_json::Value;

use super::Authority;
use crate::errors;
use crate::process::Process;
use crate::shared::Shared;

impl Shared {
    /// Gives the authority of processes that act on nobody's behalf.
    pub(crate) fn nobody(&self) -> Arc<Authority> {
        Arc::new(Authority { actor: None, scope: None, strict: self.strict })
    }

    /// Like [`Shared::authorize`], with facts that are only put together when somebody can ask for them.
    pub(crate) fn guard(
        &self,
        process: &Process,
        action: &str,
        resource: &str,
        meta: impl FnOnce() -> Value,
    ) -> Result<(), Error> {
        if process.authority.is_open() {
            return Ok(());
        }
        self.authorize(process, action, resource, Some(&meta()))
    }

    /// Refuses an act of a process that its policies do not allow, and writes a line for the audit.
    pub(crate) fn authorize(&self, process: &Process, action: &str, resource: &str, meta: Option<&Value>) -> Result<(), Error> {
        if process.authority.is_open() {
            return Ok(());
        }
        process.authority.authorize(action, resource, meta).map_err(|denial| {
            self.counters.denied.fetch_add(1, Ordering::Relaxed);
            let (pid, entry) = (&*process.pid, &*process.terms.program.entry);
            let (action, resource) = (errors::shown(action), errors::shown(resource));
            let actor = denial.actor.as_deref().map(errors::shown).unwrap_or_default();
            let cause = denial.cause.name();
            tracing::warn!(target: "moonlet::audit", pid, entry, actor, action, resource, cause, "denied");
            errors::denied(denial.to_string())
        })
    }
}
