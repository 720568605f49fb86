//! Answers that come later.

use std::sync::Weak;

use moonlet_sandbox::wit::{Error, Outcome, Payload};
use rmpv::Value;

use super::freight::Freight;
use super::jobs::Job;
use crate::document;
use crate::errors;
use crate::process::Process;
use crate::shared::Shared;
use crate::table::Tabled;

/// The ticket of a call that goes on.
#[derive(Debug)]
pub struct Ticket(pub(super) u64);

impl Ticket {
    pub(crate) fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}

/// Answers a call that went on. Dropped without an answer, it answers with an error.
#[derive(Debug)]
pub struct Completer {
    pub(super) node: Weak<Shared>,
    pub(super) process: Weak<Process>,
    pub(super) ticket: Option<u64>,
    /// It counts as a job until it is dropped.
    pub(super) _job: Job,
    /// Its arguments are charged until then.
    pub(super) _freight: Freight,
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
        let allowed = process.terms.bounds.exchange;
        let values = match result {
            Ok(values) => values,
            Err(error) => {
                node.complete(&process, ticket, Outcome::Failed(errors::bounded(error)));
                return;
            }
        };
        let data = document::values(&values);
        let outcome = if data.len() > allowed {
            Outcome::Failed(errors::limit("message_size", allowed as u64, data.len() as u64))
        } else {
            Outcome::Done(Payload { data, channels: Vec::new() })
        };
        if !node.complete(&process, ticket, outcome) {
            // Lua never gets to know these handles, and so cannot give them back.
            node.handles.release_among(process.number(), &values);
        }
    }
}

impl Drop for Completer {
    fn drop(&mut self) {
        self.answer(Err(errors::internal("the host module gave no answer")));
    }
}
