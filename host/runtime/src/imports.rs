//! What a process may ask of its host: the interfaces of `wit/`, one file each.
//!
//! Every function here is called by code that is not trusted, and is the only check there is of what that code may do.
//! No lock is held when it returns.

use std::sync::Arc;

use moonlet_sandbox::wit::{self, Error, Event, Outcome, Payload};

use crate::errors;
use crate::life;
use crate::process::{Pending, Process};
use crate::shared::{Alarm, Shared};
use crate::terms::Terms;

mod channels;
mod functions;
mod guards;
mod lifecycle;
mod messages;
mod modules;
mod names;
mod system;

/// The host as one process sees it.
pub(crate) struct Calls {
    node: Arc<Shared>,
    process: Arc<Process>,
    /// What runs in this instance; an upgrade makes another one.
    terms: Arc<Terms>,
}

impl Calls {
    pub(crate) fn new(node: Arc<Shared>, process: Arc<Process>) -> Self {
        let terms = process.terms();
        Self { node, process, terms }
    }

    /// Refuses a payload that is larger than the process may send.
    fn check_size(&self, body: &Payload) -> Result<(), Error> {
        let allowed = self.process.terms.bounds.message_size;
        if body.data.len() > allowed {
            return Err(errors::limit("message_size", allowed as u64, body.data.len() as u64));
        }
        Ok(())
    }

    /// Refuses entries of namespaces that the process host, or a host that confines it, does not allow.
    fn check_namespace(&self, entry: &str) -> Result<(), Error> {
        self.process.terms.check_namespace(entry)
    }

    /// Refuses hosts of namespaces that are not allowed, but for the own one.
    fn check_host(&self, host: &str) -> Result<(), Error> {
        if *host == *self.process.terms.host.id { Ok(()) } else { self.check_namespace(host) }
    }

    /// Starts a timer, unless too many operations are pending.
    fn timer_ticket(&self, after: u64, bounded: bool) -> Result<u64, Error> {
        let deadline = self.node.clock().saturating_add(after);
        let ticket = {
            let mut inner = self.process.inner();
            let allowed = self.process.terms.bounds.pending;
            if bounded && inner.pending_count() >= allowed {
                return Err(errors::limit("pending_calls", allowed as u64, inner.pending_count() as u64 + 1));
            }
            inner.pend(|ticket| {
                let alarm = Alarm::Ticket(Arc::clone(&self.process), ticket);
                Pending::Timer(self.node.timers.add(deadline, alarm))
            })
        };
        self.node.scheduler.watch(deadline);
        Ok(ticket)
    }
}

impl wit::types::Host for Calls {}

impl wit::Imports for Calls {
    fn pid(&self) -> String {
        self.process.pid.as_ref().to_owned()
    }

    fn slice_over(&mut self) -> bool {
        life::slice_over(&self.node, &self.process)
    }

    fn take_outcome(&mut self, ticket: u64) -> Option<Outcome> {
        self.process.inner().mailbox.take_end(ticket)
    }

    fn take_event(&mut self) -> Option<Event> {
        self.process.inner().mailbox.take_event()
    }

    fn deadline(&mut self, after: u64) -> u64 {
        // Blocking programs have one at a time, so that no bound is needed.
        self.timer_ticket(after, false).unwrap_or_default()
    }
}
