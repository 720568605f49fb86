//! How a process comes into being, and how it ends.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::{Error, FirstMessage, Payload, Signal, SignalKind};

use crate::arrival::{Envelope, Exit};
use crate::crash::Crash;
use crate::document;
use crate::errors;
use crate::life::Life;
use crate::process::{ADMITTED, Bearing, CHANNELS, MODULES, NAMED, Pending, Process, RELATED, Waiter};
use crate::relations::Effect;
use crate::reserve::Small;
use crate::security::Authority;
use crate::shared::{Alarm, Shared};
use crate::table::Tabled;
use crate::terms::Terms;
use crate::trace::{Span, SpanKind, SpanSource, TraceContext, Traced};

/// What to start, and how it relates to who starts it.
pub(crate) struct Birth<'a> {
    /// What runs on which host.
    pub(crate) terms: Arc<Terms>,
    /// Who starts it; none for the node itself.
    pub(crate) parent: Option<&'a Arc<Process>>,
    /// Its arguments; channels are handles of the parent.
    pub(crate) args: Payload,
    /// Its context values.
    pub(crate) context: Arc<[u8]>,
    /// On whose behalf it acts; the parent's unless something else is set.
    pub(crate) authority: Arc<Authority>,
    /// What the host gives it for its modules.
    pub(crate) attachment: Option<Arc<dyn Any + Send + Sync>>,
    /// The trace that it is part of; the parent's unless something else is set.
    pub(crate) trace: Option<Arc<TraceContext>>,
    /// Whether the parent monitors it.
    pub(crate) monitor: bool,
    /// Whether the parent is linked with it.
    pub(crate) link: bool,
    /// Messages that it finds in its mailbox; channels are handles of the parent.
    pub(crate) messages: Vec<FirstMessage>,
    /// Who gets its result.
    pub(crate) waiter: Option<Waiter>,
}

impl<'a> Birth<'a> {
    /// A process that nobody is related to.
    pub(crate) fn new(terms: Arc<Terms>, parent: Option<&'a Arc<Process>>, args: Payload, context: Arc<[u8]>) -> Self {
        let authority = parent.map_or_else(Arc::default, |parent| Arc::clone(&parent.authority));
        let messages = Vec::new();
        let trace = parent.and_then(|parent| parent.trace.current());
        let attachment = None;
        Self { terms, parent, args, context, authority, attachment, trace, monitor: false, link: false, messages, waiter: None }
    }
}

impl Shared {
    /// Makes a process that does not run yet: its pid finds it, its mailbox takes messages. `launch` makes it run.
    pub(crate) fn bear(self: &Arc<Self>, birth: Birth<'_>) -> Result<Arc<Process>, Error> {
        let Birth { terms, parent, args, context, authority, attachment, trace, monitor, link, messages, waiter } = birth;
        if self.stopping.load(Ordering::Relaxed) {
            return Err(errors::unavailable("the node is stopping, so that nothing new is started").with_retryable(false));
        }
        self.admit(&terms, parent)?;
        let baggage = match terms.host.charge(args.data.len().saturating_add(context.len())) {
            Ok(baggage) => baggage,
            Err((allowed, used)) => {
                self.dismiss(&terms, parent);
                terms.host.totals.hits.count("quota.memory");
                return Err(errors::limit("quota.memory", allowed, used));
            }
        };
        let Some(seat) = self.table.seat() else {
            drop(baggage);
            self.dismiss(&terms, parent);
            return Err(errors::unavailable("the process table of this node is full").with_retryable(true));
        };
        let parent_number = parent.map_or(0, |parent| parent.number());
        let wall = terms.bounds.wall;
        let trace = self.traced(&terms, trace, waiter.as_ref());
        let bearing = Bearing { context, authority, attachment, baggage, trace, born: self.clock() };
        let process = Process::new(seat, terms, parent_number, bearing, Life::Over, waiter);
        let process = Arc::new(process);
        self.table.put(seat, Arc::clone(&process));
        self.counters.spawned.fetch_add(1, Ordering::Relaxed);
        let prepared = match parent {
            Some(parent) => self.prepare(parent, &process, args, monitor, link, messages),
            None => Ok(args),
        };
        match prepared {
            Ok(args) => *process.life.lock() = Life::new(args),
            Err(error) => {
                // Nobody knows of it yet, so that nobody hears of its end.
                process.inner().waiter = None;
                self.exit(&process, Ok(Payload::empty()));
                return Err(error);
            }
        }
        if let Some(wall) = wall {
            let key = self.alarm(wall, Alarm::WallTime(Arc::clone(&process)));
            // Tickets start at one.
            process.inner().enter(0, Pending::Timer(key));
        }
        Ok(process)
    }

    /// Gives a process its place in a trace: a call, and a process that somebody in a trace starts, is a span where those are kept.
    fn traced(&self, terms: &Terms, trace: Option<Arc<TraceContext>>, waiter: Option<&Waiter>) -> Traced {
        let Some(tracing) = &self.tracing else { return Traced::new(trace, None) };
        let entry = &terms.program.entry;
        let span = if waiter.is_some() {
            let root = matches!(waiter, Some(Waiter::Call(..)));
            tracing.begin(trace.as_deref(), SpanSource::Function, SpanKind::Internal, root, || entry.as_ref().to_owned())
        } else {
            tracing.begin(trace.as_deref(), SpanSource::Process, SpanKind::Internal, false, || format!("process {entry}"))
        };
        Traced::new(span.as_ref().map(Span::context).or(trace), span)
    }

    /// Ends the span of a process.
    fn end_span(process: &Process, exit: &Exit) {
        let Some(mut span) = process.trace.take_span() else { return };
        span.set("code.function.name", &*process.terms.program.entry);
        span.set("moonlet.pid", &*process.pid);
        span.set("moonlet.host", &*process.terms.host.id);
        if let Err(error) = exit {
            span.fail(&error.kind, &errors::plain(&error.message));
        }
        span.end();
    }

    /// Lets a process run that was born.
    pub(crate) fn launch(&self, process: &Arc<Process>) {
        self.publish_spawn(process);
        self.scheduler.push(Arc::clone(process));
    }

    /// Counts a process in, or says which limit keeps it out.
    fn admit(&self, terms: &Arc<Terms>, parent: Option<&Arc<Process>>) -> Result<(), Error> {
        if let Some(parent) = parent {
            let allowed = parent.terms.bounds.spawns;
            if allowed != u64::MAX {
                let taken = parent.meter().spawns.take(self.clock(), allowed, 1);
                taken.map_err(|excess| parent.too_fast("spawns_per_second", allowed, excess))?;
            }
            let children = parent.children.fetch_add(1, Ordering::Relaxed);
            let allowed = parent.terms.bounds.children;
            if children >= allowed {
                parent.children.fetch_sub(1, Ordering::Relaxed);
                return Err(parent.exceeded("children", allowed.into(), u64::from(children) + 1));
            }
        }
        let host = &terms.host;
        let image = self.image_memory.load(Ordering::Relaxed);
        let full = match host.has_room(image) {
            Ok(()) => host.enter().map_err(|allowed| ("quota.processes", allowed, allowed + 1)),
            Err((allowed, used)) => Err(("quota.memory", allowed, used)),
        };
        full.map_err(|(limit, allowed, used)| {
            if let Some(parent) = parent {
                parent.children.fetch_sub(1, Ordering::Relaxed);
            }
            host.totals.hits.count(limit);
            errors::limit(limit, allowed, used)
        })?;
        if let Some(parent) = parent {
            parent.meter().spawned.fetch_add(1, Ordering::Relaxed);
        }
        host.totals.spawned.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn dismiss(&self, terms: &Arc<Terms>, parent: Option<&Arc<Process>>) {
        terms.host.leave();
        if let Some(parent) = parent {
            parent.children.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Gives a new process what its parent has for it.
    fn prepare(
        &self,
        parent: &Arc<Process>,
        process: &Arc<Process>,
        args: Payload,
        monitor: bool,
        link: bool,
        messages: Vec<FirstMessage>,
    ) -> Result<Payload, Error> {
        if monitor || link {
            let (own, other) = (parent.number(), process.number());
            let mut relations = self.relations.lock();
            parent.tie(RELATED);
            process.tie(RELATED);
            parent.reserve(Small::Relations, relations.made(own) + 2)?;
            if monitor {
                parent.inner().mailbox.check_signals().map_err(|full| errors::mailbox_full(&parent.pid, full))?;
                relations.monitor(own, other).map_err(|error| errors::of_relation(&error))?;
            }
            if link {
                relations.link(own, other).map_err(|error| errors::of_relation(&error))?;
            }
        }
        for message in messages {
            let body = self.transfer(parent, message.body, process)?;
            let sender = Some(Arc::clone(&parent.pid));
            self.deliver(
                &process.pid,
                process,
                Envelope { sender, topic: message.topic.into(), body, trace: parent.trace.current() },
            )?;
        }
        self.transfer(parent, args, process)
    }

    /// Carries out the end of a process: whoever has to do with it hears of it, and what it had is free again.
    pub(crate) fn exit(self: &Arc<Self>, process: &Arc<Process>, exit: Exit) {
        let Some(remains) = process.end() else { return };
        let number = process.number();
        // Names and pid go first: whoever hears of the end must find them free.
        if remains.ties & NAMED != 0 {
            self.names.write().release(number);
        }
        self.table.remove(process.seat);
        if process.upgradable.load(Ordering::Relaxed) {
            self.upgradable.lock().remove(&number);
        }
        self.settle_accounts(process, &exit);
        Self::end_span(process, &exit);
        if let Some(parent) = self.table.numbered(process.parent) {
            parent.children.fetch_sub(1, Ordering::Relaxed);
        }
        if remains.ties & ADMITTED != 0 {
            self.call_left(process);
        }
        for pending in remains.pending.into_values() {
            self.abandon(pending);
        }
        if remains.ties & MODULES != 0 {
            self.handles.forget(number);
            self.unsubscribe_all(number);
            for module in self.modules.values() {
                module.host.forget(&process.pid);
            }
        }
        self.record(process, &exit, remains.waiter.is_some());
        self.publish_exit(process, &exit);
        if remains.ties & RELATED != 0 {
            self.report(process, &exit);
        }
        match remains.waiter {
            Some(Waiter::Call(caller, ticket)) => self.call_ended(&caller, ticket, process, exit),
            Some(Waiter::Host(hear)) => hear(process, exit),
            None => {}
        }
        // Last, because the result may carry channels.
        if remains.ties & CHANNELS != 0 {
            self.drop_channels(number);
        }
    }

    /// Adds what an ended process did to what its host did, and gives back what it used.
    fn settle_accounts(&self, process: &Process, exit: &Exit) {
        let host = &process.terms.host;
        host.leave();
        host.shrink(process.memory.load(Ordering::Relaxed));
        if let Some(meter) = process.counted() {
            host.shrink(meter.reserve.take());
        }
        let baggage = process.inner().baggage.take();
        drop(baggage);
        let totals = &host.totals;
        totals.cpu.fetch_add(process.cpu.load(Ordering::Relaxed), Ordering::Relaxed);
        totals.sent.fetch_add(process.sent(), Ordering::Relaxed);
        totals.received.fetch_add(process.inner().received, Ordering::Relaxed);
        if let Err(error) = exit {
            totals.failed.fetch_add(1, Ordering::Relaxed);
            if let Some(limit) = errors::limit_of(error) {
                totals.ended.count(&limit);
            }
        }
        if process.counted().is_some_and(|meter| meter.suppressed.load(Ordering::Relaxed) > 0) {
            crate::imports::report_suppressed(process);
        }
    }

    /// Gives up an operation whose process ended or lost interest.
    pub(crate) fn abandon(&self, pending: Pending) {
        match pending {
            Pending::Timer(key) => {
                self.timers.cancel(key);
            }
            // Host channels forget a process as a whole, and a cancelled ticket by its number.
            Pending::Channel => {}
            Pending::Call(call) => self.abandon_call(*call),
            Pending::Module(cancel) => cancel(),
        }
    }

    /// Tells monitors and links.
    fn report(self: &Arc<Self>, process: &Arc<Process>, exit: &Exit) {
        let effects = self.relations.lock().exit(process.number(), exit.is_err());
        for effect in effects {
            match effect {
                Effect::Notify { watcher } => self.signal_exit(watcher, SignalKind::Exit, process, exit),
                Effect::LinkDown { peer } => self.signal_exit(peer, SignalKind::LinkDown, process, exit),
                Effect::Fail { peer } => {
                    if let Some(peer) = self.table.numbered(peer) {
                        self.kill(&peer, linked_failed(process, exit));
                    }
                }
                // Calls are kept with the tickets of their callers.
                Effect::Complete { .. } | Effect::End { .. } => {}
            }
        }
    }

    fn signal_exit(&self, to: u64, kind: SignalKind, process: &Arc<Process>, exit: &Exit) {
        let Some(target) = self.table.numbered(to) else { return };
        let (value, error) = match Self::fit(&target, exit.clone()) {
            Ok(value) => {
                // A result whose channels the watcher has no room for still reports the exit.
                let value = self.transfer(process, value, &target);
                value.map_or_else(|error| (Payload::empty(), Some(error)), |value| (value, None))
            }
            Err(error) => (Payload::empty(), Some(error)),
        };
        let sender = process.pid.as_ref().to_owned();
        let at = Self::wall_clock();
        let signal = Signal { kind, sender, at, value, error, reason: String::new(), sources: Vec::new() };
        let due = target.inner().signal(signal);
        self.schedule(&target, due);
    }

    /// Writes an abnormal exit to the log, unless somebody waits for the result and so hears of it.
    fn record(&self, process: &Process, exit: &Exit, awaited: bool) {
        let Err(error) = exit else { return };
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        if awaited && !tracing::enabled!(target: "moonlet", tracing::Level::DEBUG) {
            return;
        }
        let Crash { pid, entry, kind, message, trace, topics, usage } = Crash::new(process, error);
        let (pid, entry) = (&*pid, &*entry);
        let traced = process.trace.current();
        let (trace_id, span_id) = (traced.as_ref().map(|of| of.trace_id()), traced.as_ref().map(|of| of.span_id()));
        if awaited {
            tracing::debug!(target: "moonlet", pid, entry, kind, usage, topics, trace_id, span_id, "process failed: {message}");
        } else if error.kind == "Canceled" {
            tracing::info!(target: "moonlet", pid, entry, kind, usage, topics, trace_id, span_id, "process ended: {message}");
        } else {
            tracing::error!(target: "moonlet", pid, entry, kind, usage, topics, trace_id, span_id, trace, "process failed: {message}");
        }
    }
}

fn linked_failed(process: &Process, exit: &Exit) -> Error {
    let mut error = errors::internal("linked process failed");
    let cause = exit.as_ref().err().map_or("", |error| error.message.as_str());
    error.details = document::map(&[("pid", (&*process.pid).into()), ("cause", cause.into())]);
    error
}
