//! What a process may ask of its host: the interfaces of `wit/`, one file each.
//!
//! Every function here is called by code that is not trusted, and is the only check there is of what that code may do.
//! No lock is held when it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::{self, Error, Event, Outcome, Payload};

use crate::errors;
use crate::life;
use crate::meter::Excess;
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

pub(crate) use system::report_suppressed;

/// The host as one process sees it.
pub(crate) struct Calls {
    node: Arc<Shared>,
    process: Arc<Process>,
    /// What runs in this instance; an upgrade makes another one.
    terms: Arc<Terms>,
    /// Set while the process calls faster than it may.
    refused: Option<Excess>,
}

/// Calls that are refused before a process is ended that goes on calling; at least so many, and at least what it may call in a second.
const MIN_REFUSED_CALLS: u64 = 1_000;
/// Of the memory limit, how many percent are used when the operator hears of it.
const MEMORY_WARNING: u64 = 80;

impl Calls {
    pub(crate) fn new(node: Arc<Shared>, process: Arc<Process>) -> Self {
        let terms = process.terms();
        Self { node, process, terms, refused: None }
    }

    /// Refuses a call of a process that calls faster than it may. First in every function that can fail; the others are counted only.
    fn admitted(&self) -> Result<(), Error> {
        match self.refused {
            None => Ok(()),
            Some(excess) => Err(errors::rate("host_calls_per_second", self.terms.bounds.calls, excess)),
        }
    }

    /// Counts the limit that an error is about, if it is about one.
    fn noted(&self, error: Error) -> Error {
        if let Some(limit) = errors::limit_of(&error) {
            self.process.hit(&limit);
        }
        error
    }

    /// Reserves tickets for operations that may have to wait, unless too many wait already.
    fn tickets(&self, count: usize) -> Result<std::ops::Range<u64>, Error> {
        let mut inner = self.process.inner();
        self.process.admit_pending(&inner, count, self.terms.bounds.pending)?;
        Ok(inner.ticket_run(count))
    }

    /// Refuses a payload that is larger than the process may send.
    fn check_size(&self, body: &Payload) -> Result<(), Error> {
        let allowed = self.terms.bounds.message_size;
        if body.data.len() > allowed {
            return Err(self.process.exceeded("message_size", allowed as u64, body.data.len() as u64));
        }
        Ok(())
    }

    /// Refuses entries of namespaces that the process host, or a host that confines it, does not allow.
    fn check_namespace(&self, entry: &str) -> Result<(), Error> {
        self.process.terms.check_namespace(entry).inspect_err(|_| self.process.denied())
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
            let bounds = &self.terms.bounds;
            if bounded {
                self.process.admit_pending(&inner, 1, bounds.pending)?;
            }
            // Lua counts its timers itself, because a sleep is none; programs of other languages have nobody who does.
            if bounded && inner.pending_count() >= bounds.timers && self.process.terms.program.is_component() {
                let timers = inner.timer_count();
                if timers >= bounds.timers {
                    return Err(self.process.exceeded("timers", bounds.timers as u64, timers as u64 + 1));
                }
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
    fn counts_calls(&self) -> bool {
        self.terms.bounds.calls != u64::MAX
    }

    fn called(&mut self) {
        let allowed = self.terms.bounds.calls;
        let meter = self.process.meter();
        match meter.calls.take(self.node.clock(), allowed, 1) {
            Ok(()) => {
                self.refused = None;
                let _ = meter.refused_calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
            }
            Err(excess) => {
                if self.refused.replace(excess).is_none() {
                    self.process.hit("host_calls_per_second");
                }
                let refused = meter.refused_calls.fetch_add(1, Ordering::Relaxed);
                if refused > allowed.max(MIN_REFUSED_CALLS) {
                    let error = errors::rate("host_calls_per_second", allowed, excess);
                    self.process.kill(Error { retryable: None, ..error });
                }
            }
        }
    }

    fn grow(&mut self, more: usize, total: usize) -> Result<(), (&'static str, usize, usize)> {
        let process = &self.process;
        if more == total {
            // A new instance, and the one before is gone.
            process.terms.host.shrink(process.memory.swap(0, Ordering::Relaxed));
        }
        if let Err((allowed, used)) = process.terms.host.grow(more as u64) {
            process.hit("quota.memory");
            process.meter().squeezed.store(true, Ordering::Relaxed);
            let number = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
            return Err(("quota.memory", number(allowed), number(used)));
        }
        process.memory.store(total as u64, Ordering::Relaxed);
        // What the image holds is not charged to the limit.
        let (allowed, image) = (self.terms.bounds.soft.memory, self.node.image_memory.load(Ordering::Relaxed));
        let used = (total as u64).saturating_sub(image);
        let full = more != total && used / MEMORY_WARNING > allowed / 100;
        if full && !process.meter().warned_of_memory.swap(true, Ordering::Relaxed) {
            let (pid, entry) = (&*process.pid, &*self.terms.program.entry);
            tracing::warn!(
                target: "moonlet", pid, entry, limit = "memory", allowed, used,
                "the memory of the process is {MEMORY_WARNING} percent full"
            );
            // It runs, so that it will look.
            process.warn("memory", allowed, used);
        }
        Ok(())
    }

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
        let (event, trace) = self.process.inner().mailbox.take_event()?;
        if matches!(event, Event::Message(_)) {
            self.process.trace.enter(trace);
        }
        Some(event)
    }

    fn deadline(&mut self, after: u64) -> u64 {
        // Blocking programs have one at a time, so that no bound is needed.
        self.timer_ticket(after, false).unwrap_or_default()
    }
}
