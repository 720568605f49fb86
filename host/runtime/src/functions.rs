//! Calls: processes that run for their result, and what becomes of the ticket under which somebody waits for it.

use std::sync::Arc;

use moonlet_registry::Retry;
use moonlet_sandbox::wit::{Error, Outcome, Payload};

use crate::arrival::{Exit, outcome};
use crate::errors;
use crate::host::{Charge, FUNCTIONS};
use crate::mailbox::size_of_error;
use crate::process::{ADMITTED, Pending, Process, Waiter};
use crate::program::Form;
use crate::security::Authority;
use crate::shared::{Alarm, Shared};
use crate::spawn::Birth;
use crate::terms::Terms;
use crate::timers::AlarmKey;
use crate::trace::TraceContext;

mod gate;
mod options;

pub(crate) use gate::{Entry, Gate};
pub(crate) use options::CallTerms;

/// A call that goes on.
pub(crate) struct Call {
    /// Who runs for it; none between two attempts.
    child: Option<Arc<Process>>,
    /// When it has lasted too long.
    timeout: Option<AlarmKey>,
    /// How and with what it is repeated.
    again: Option<Box<Again>>,
}

/// What a repeated call needs.
struct Again {
    policy: Retry,
    attempts: u64,
    terms: Arc<Terms>,
    args: Payload,
    context: Arc<[u8]>,
    authority: Arc<Authority>,
    trace: Option<Arc<TraceContext>>,
    /// What the arguments and the context are charged: between two attempts nobody else holds them.
    _baggage: Charge,
    /// The pending repetition.
    alarm: Option<AlarmKey>,
}

impl Shared {
    /// Finds what a call of an entry runs, and where: on the host that the entry names, or else on that of the caller, so that a call is
    /// charged to it and reaches no more than it allows.
    pub(crate) fn callee(&self, entry: &str, caller: Option<&Terms>) -> Result<Arc<Terms>, Error> {
        let program = self.terms.program(&self.registry, entry)?;
        let host = match (&program.default_host, program.form) {
            (Some(host), _) => host.as_str(),
            (None, Form::Function) => caller.map_or(FUNCTIONS, |caller| &caller.host.id),
            (None, Form::Process) => {
                let hint = "write `meta: {default_host: <process host>}` in its entry, or use process.exec";
                return Err(errors::invalid(format!(
                    "`{entry}` is a process without a default host and cannot be called; {hint}"
                )));
            }
        };
        self.terms_for(entry, host, caller)
    }

    /// Finds the terms of an entry on a host, below what confines whoever starts it.
    pub(crate) fn terms_for(&self, entry: &str, host: &str, starter: Option<&Terms>) -> Result<Arc<Terms>, Error> {
        match starter {
            Some(starter) => self.terms.terms_for(&self.registry, entry, host, starter),
            None => self.terms.terms(&self.registry, entry, host),
        }
    }

    /// Gives the authority of a call: that of the function where its entry names one, or else what the caller hands on.
    pub(crate) fn acting(&self, terms: &Terms, handed: Arc<Authority>) -> Arc<Authority> {
        let own = if terms.program.acts_itself { self.authority_of_id(&terms.program.entry) } else { None };
        let Some(own) = own else { return handed };
        // Whom it acts as is its own matter, where its connections go is that of whoever chose.
        match handed.network() {
            Some(_) => Arc::new(Authority { network: handed.network.clone(), ..Authority::clone(&own) }),
            None => own,
        }
    }

    /// Starts a call and returns its ticket.
    pub(crate) fn call(
        self: &Arc<Self>,
        caller: &Arc<Process>,
        terms: Arc<Terms>,
        args: Payload,
        context: Arc<[u8]>,
        authority: Arc<Authority>,
        options: CallTerms,
    ) -> Result<u64, Error> {
        let ticket = {
            let mut inner = caller.inner();
            caller.admit_pending(&inner, 1, caller.terms.bounds.pending)?;
            inner.ticket()
        };
        let authority = self.acting(&terms, authority);
        let retry = options.retry.or_else(|| terms.program.retry.clone());
        let again = match retry.filter(|policy| policy.max_attempts > 1) {
            Some(policy) => {
                let charged = caller.terms.host.charge(args.data.len().saturating_add(context.len()));
                let _baggage = charged.map_err(|(allowed, used)| caller.exceeded("quota.memory", allowed, used))?;
                let (terms, args, context) = (Arc::clone(&terms), args.clone(), Arc::clone(&context));
                let (authority, trace) = (Arc::clone(&authority), caller.trace.current());
                Some(Box::new(Again { policy, attempts: 1, terms, args, context, authority, trace, _baggage, alarm: None }))
            }
            None => None,
        };
        let mut birth = Birth::new(terms, Some(caller), args, context);
        birth.authority = authority;
        birth.waiter = Some(Waiter::Call(Arc::clone(caller), ticket));
        let child = self.bear(birth)?;
        let entry = self.admit_call(&child)?;
        let timeout = options.timeout.map(|after| self.alarm(after, Alarm::Timeout(Arc::clone(caller), ticket, after)));
        let call = Call { child: Some(Arc::clone(&child)), timeout, again };
        caller.inner().enter(ticket, Pending::Call(Box::new(call)));
        if entry == Entry::Now {
            self.launch(&child);
        }
        Ok(ticket)
    }

    /// Takes a call that was born to the gate of its function. One that is refused is no more.
    pub(crate) fn admit_call(self: &Arc<Self>, child: &Arc<Process>) -> Result<Entry, Error> {
        let Some(gate) = &child.terms.program.gate else { return Ok(Entry::Now) };
        let recursive = || {
            let mut above = self.table.numbered(child.parent);
            while let Some(process) = above {
                if process.is_tied(ADMITTED) && Arc::ptr_eq(&process.terms.program, &child.terms.program) {
                    return true;
                }
                above = self.table.numbered(process.parent);
            }
            false
        };
        let entry = gate.enter(child, recursive);
        if entry == Entry::Full {
            // Nobody knows of it yet, so that nobody hears of its end.
            child.inner().waiter = None;
            self.exit(child, Ok(Payload::empty()));
            return Err(gate.full(&child.terms.program.entry));
        }
        Ok(entry)
    }

    /// Hears that a call has ended that was let in, and lets the next one in.
    pub(crate) fn call_left(&self, process: &Process) {
        let next = process.terms.program.gate.as_ref().and_then(Gate::leave);
        if let Some(next) = next {
            let due = next.wake();
            self.schedule(&next, due);
        }
    }

    /// Hears the result of a call: it is repeated, or its ticket completes.
    pub(crate) fn call_ended(self: &Arc<Self>, caller: &Arc<Process>, ticket: u64, child: &Arc<Process>, exit: Exit) {
        if let Err(error) = &exit
            && error.retryable == Some(true)
            && self.plan_again(caller, ticket)
        {
            return;
        }
        let exit = Self::fit(caller, exit).and_then(|value| self.transfer(child, value, caller));
        let completed = caller.inner().complete(ticket, outcome(exit));
        match completed {
            Ok((pending, due)) => {
                self.schedule(caller, due);
                if let Pending::Call(call) = pending
                    && let Some(key) = call.timeout
                {
                    self.timers.cancel(key);
                }
            }
            Err(Outcome::Done(payload)) => self.release(caller, &payload.channels),
            Err(_) => {}
        }
    }

    /// Replaces a result for which there is no room beside those that its receiver has not taken yet.
    pub(crate) fn fit(receiver: &Process, exit: Exit) -> Exit {
        let bytes = match &exit {
            Ok(value) => value.data.len(),
            Err(error) => size_of_error(error),
        };
        let room = receiver.inner().mailbox.check_owed(bytes);
        room.map_err(|full| errors::mailbox_full(&receiver.pid, full)).and(exit)
    }

    /// Plans the next attempt of a call, if there is one.
    fn plan_again(&self, caller: &Arc<Process>, ticket: u64) -> bool {
        let mut inner = caller.inner();
        let Some(Pending::Call(call)) = inner.pending(ticket) else { return false };
        let Some(again) = &mut call.again else { return false };
        if again.attempts >= again.policy.max_attempts {
            return false;
        }
        call.child = None;
        let factor = again.policy.backoff_factor.powi(i32::try_from(again.attempts - 1).unwrap_or(i32::MAX));
        let delay = again.policy.initial_delay.as_nanos() as f64 * factor;
        again.attempts += 1;
        let delay = delay.min(again.policy.max_delay.as_nanos() as f64);
        let deadline = self.clock().saturating_add(delay as u64);
        again.alarm = Some(self.timers.add(deadline, Alarm::Retry(Arc::clone(caller), ticket)));
        drop(inner);
        self.scheduler.watch(deadline);
        true
    }

    /// Makes the next attempt of a call.
    pub(crate) fn call_again(self: &Arc<Self>, caller: &Arc<Process>, ticket: u64) {
        let (terms, args, context, authority, trace) = {
            let mut inner = caller.inner();
            let Some(Pending::Call(call)) = inner.pending(ticket) else { return };
            let Some(again) = &mut call.again else { return };
            again.alarm = None;
            let (terms, context) = (Arc::clone(&again.terms), Arc::clone(&again.context));
            (terms, again.args.clone(), context, Arc::clone(&again.authority), again.trace.clone())
        };
        let mut birth = Birth::new(terms, Some(caller), args, context);
        birth.authority = authority;
        birth.trace = trace;
        birth.waiter = Some(Waiter::Call(Arc::clone(caller), ticket));
        let born = self.bear(birth).and_then(|child| {
            let entry = self.admit_call(&child)?;
            Ok((child, entry))
        });
        match born {
            Ok((child, entry)) => {
                let kept = match caller.inner().pending(ticket) {
                    Some(Pending::Call(call)) => {
                        call.child = Some(Arc::clone(&child));
                        true
                    }
                    _ => false,
                };
                if entry == Entry::Now {
                    if !kept {
                        child.kill(canceled());
                    }
                    self.launch(&child);
                } else if !kept {
                    self.kill(&child, canceled());
                }
            }
            Err(error) => drop(self.complete(caller, ticket, Outcome::Failed(error))),
        }
    }

    /// Ends a call that has lasted too long.
    pub(crate) fn call_timed_out(&self, caller: &Arc<Process>, ticket: u64, after: u64) {
        let message = format!("the call did not return within {} ms", after / 1_000_000);
        let error = Error::new("Timeout", message).with_retryable(true);
        let completed = caller.inner().complete(ticket, Outcome::Failed(error));
        if let Ok((pending, due)) = completed {
            self.schedule(caller, due);
            self.abandon(pending);
        }
    }

    /// Ends what runs for a call that nobody waits for any more.
    pub(crate) fn abandon_call(&self, call: Call) {
        if let Some(key) = call.timeout {
            self.timers.cancel(key);
        }
        if let Some(key) = call.again.and_then(|again| again.alarm) {
            self.timers.cancel(key);
        }
        if let Some(child) = call.child {
            self.kill(&child, canceled());
        }
    }
}

fn canceled() -> Error {
    errors::canceled("canceled: whoever called is not interested any more")
}
