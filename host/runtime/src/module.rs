//! Host modules: capabilities that Lua gets by `require`.
//!
//! A module answers at once, or takes a ticket and answers later from whatever thread it likes. It never sees the guest: what
//! it is given are values, and who asks.

use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::{Error, Outcome, Payload};
use rmpv::Value;

use crate::document;
use crate::errors;
use crate::process::{MODULES, Pending, Process};
use crate::shared::Shared;

/// A capability of the host.
pub trait HostModule: Send + Sync {
    /// Returns the name in `require` and in `modules:`.
    fn name(&self) -> &str;

    /// Describes the module: a map with `functions` (names), `constants` and `resources`.
    fn manifest(&self) -> Value;

    /// Calls a function.
    ///
    /// # Errors
    ///
    /// What Lua gets as `nil, err`.
    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Error>;

    /// Hears that a process ended which may hold something of a module, see [`ModuleCall::hold`].
    fn forget(&self, _pid: &str) {}
}

/// What a call of a module came to.
pub enum Answer {
    /// It is done, with these values.
    Done(Vec<Value>),
    /// It goes on, see [`ModuleCall::later`].
    Pending(Ticket),
}

/// Who calls a module.
pub struct ModuleCall<'a> {
    node: &'a Arc<Shared>,
    process: &'a Arc<Process>,
}

/// The ticket of a call that goes on.
#[derive(Debug)]
pub struct Ticket(u64);

impl Ticket {
    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}

impl<'a> ModuleCall<'a> {
    pub(crate) fn new(node: &'a Arc<Shared>, process: &'a Arc<Process>) -> Self {
        Self { node, process }
    }

    /// Returns the pid of the caller.
    #[must_use]
    pub fn pid(&self) -> &str {
        &self.process.pid
    }

    /// Returns the entry of the caller.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.process.terms.program.entry
    }

    /// Returns the id of the caller's process host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.process.terms.host.id
    }

    /// Tells whether the caller has the terminal.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.process.terms.host.terminal
    }

    /// Returns the most bytes that one answer may have.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.process.terms.bounds.message_size
    }

    /// Notes that the caller holds something of the module, so that [`HostModule::forget`] is called at its end.
    pub fn hold(&self) {
        self.process.tie(MODULES);
    }

    /// Takes a ticket for an answer that comes later. `cancel` runs when nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// `LimitExceeded` when too many operations of the caller are pending.
    pub fn later(&self, cancel: impl FnOnce() + Send + 'static) -> Result<(Ticket, Completer), Error> {
        let mut inner = self.process.inner();
        let allowed = self.process.terms.bounds.pending;
        if inner.pending_count() >= allowed {
            return Err(errors::limit("pending_calls", allowed as u64, inner.pending_count() as u64 + 1));
        }
        let ticket = inner.pend(|_| Pending::Module(Box::new(cancel)));
        let completer =
            Completer { node: Arc::downgrade(self.node), process: Arc::downgrade(self.process), ticket: Some(ticket) };
        Ok((Ticket(ticket), completer))
    }
}

/// Answers a call that went on. Dropped without an answer, it answers with an error.
#[derive(Debug)]
pub struct Completer {
    node: Weak<Shared>,
    process: Weak<Process>,
    ticket: Option<u64>,
}

impl Completer {
    /// Answers.
    pub fn complete(mut self, result: Result<Vec<Value>, Error>) {
        self.answer(result);
    }

    fn answer(&mut self, result: Result<Vec<Value>, Error>) {
        let (Some(ticket), Some(node), Some(process)) = (self.ticket.take(), self.node.upgrade(), self.process.upgrade()) else {
            return;
        };
        let outcome = match result {
            Ok(values) => Outcome::Done(Payload { data: document::values(&values), channels: Vec::new() }),
            Err(error) => Outcome::Failed(error),
        };
        node.complete(&process, ticket, outcome);
    }
}

impl Drop for Completer {
    fn drop(&mut self) {
        self.answer(Err(errors::internal("the host module gave no answer")));
    }
}
