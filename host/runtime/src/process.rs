//! One process: its mailbox, what it waits for, and whether somebody runs it.
//!
//! Owns the state that other processes and timers reach. The code and its instance live in `life`, and only the worker that
//! took the process from a run queue touches them.
//!
//! Lock order: `life`, then `inner`, then the node's timers and scheduler. Never the `inner` of two processes at once, and
//! no lock at all but `life` while the guest runs.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use moonlet_sandbox::wit::{Error, Event, Outcome, Payload, Signal, SignalKind};
use parking_lot::{Mutex, MutexGuard, RwLock};
use rustc_hash::FxHashMap;

use crate::arrival::{Envelope, Exit};
use crate::crash::Topics;
use crate::errors;
use crate::functions::Call;
use crate::host::Charge;
use crate::life::Life;
use crate::mailbox::{Full, Mailbox};
use crate::meter::{Excess, Meter};
use crate::scheduler::{Halted, Lane, Runnable};
use crate::security::Authority;
use crate::shared::Shared;
use crate::table::{Seat, Tabled};
use crate::terms::Terms;
use crate::timers::AlarmKey;
use crate::trace::Traced;
use crate::upgrade::Upgrade;

/// Events that one step delivers at most, and their bytes: what a step costs must stay near one slice.
const BATCH_EVENTS: usize = 256;
const BATCH_BYTES: usize = 256 << 10;

/// It has relations to other processes.
pub(crate) const RELATED: u8 = 1;
/// It has a name.
pub(crate) const NAMED: u8 = 2;
/// It has handles of host channels.
pub(crate) const CHANNELS: u8 = 4;
/// It holds something of a host module.
pub(crate) const MODULES: u8 = 8;
/// It runs for a service.
pub(crate) const SERVICE: u8 = 16;
/// It is a call that was let in at the gate of its function.
pub(crate) const ADMITTED: u8 = 32;
/// It has ended: nothing can be tied to it any more.
pub(crate) const ENDED: u8 = 128;

/// One process.
pub(crate) struct Process {
    pub(crate) seat: Seat,
    pub(crate) pid: Arc<str>,
    /// What it was born to run, where, and within which limits. An upgrade changes what it runs, see [`Process::terms`].
    pub(crate) terms: Arc<Terms>,
    /// What it runs since its last upgrade.
    renewed: RwLock<Option<Arc<Terms>>>,
    /// The number of the process that spawned it; zero for those of the node.
    pub(crate) parent: u64,
    /// Processes it has spawned that are alive.
    pub(crate) children: AtomicU32,
    /// Context values, a map document or empty.
    pub(crate) context: Arc<[u8]>,
    /// On whose behalf it acts.
    pub(crate) authority: Arc<Authority>,
    /// What the host gave it for its modules.
    pub(crate) attachment: Option<Arc<dyn Any + Send + Sync>>,
    /// The trace that it takes part in.
    pub(crate) trace: Traced,
    /// CPU time so far, in nanoseconds.
    pub(crate) cpu: AtomicU64,
    /// Bytes of linear memory; zero before it starts.
    pub(crate) memory: AtomicU64,
    /// Messages that it has sent; only the worker that runs it writes.
    sent: AtomicU64,
    /// What is counted seldom.
    meter: OnceLock<Box<Meter>>,
    /// When it came into being, on the node's clock.
    pub(crate) born: u64,
    /// CPU time since it last waited, in nanoseconds.
    pub(crate) turn: AtomicU64,
    /// Whether it has waited for the first time, so that it is up.
    pub(crate) settled: AtomicBool,
    /// Whether its last step ended within its slice.
    pub(crate) brief: AtomicBool,
    /// The thread that is in the middle of its step.
    pub(crate) halted: Halted,
    pub(crate) life: Mutex<Life>,
    inner: Mutex<Inner>,
    /// What is tied to it; see the constants above.
    ties: AtomicU8,
    /// Set once something ended it from outside, for a look without the lock.
    killed: AtomicBool,
    pub(crate) traps_links: AtomicBool,
    pub(crate) upgradable: AtomicBool,
    /// Whether it wants to hear that a limit is nearly reached.
    pub(crate) limit_warnings: AtomicBool,
}

/// What a process is given besides its arguments.
pub(crate) struct Bearing {
    pub(crate) context: Arc<[u8]>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) attachment: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) trace: Traced,
    pub(crate) baggage: Charge,
    pub(crate) born: u64,
}

/// What others change, under its lock.
pub(crate) struct Inner {
    state: State,
    pub(crate) mailbox: Mailbox,
    pending: FxHashMap<u64, Pending>,
    tickets: u64,
    /// Why something ended it from outside.
    kill: Option<Box<Error>>,
    /// What `finish` said.
    pub(crate) finished: Option<Box<Exit>>,
    /// What it goes on with when its step has ended.
    pub(crate) upgrade: Option<Box<Upgrade>>,
    /// Who gets the result.
    pub(crate) waiter: Option<Waiter>,
    /// Something arrived, or its waker was called, since it was last looked at.
    fresh: bool,
    /// The topics of its last messages.
    pub(crate) topics: Topics,
    /// Messages that waited when it ended.
    pub(crate) waiting: usize,
    /// Messages that it was given.
    pub(crate) received: u64,
    /// What its arguments and its context are charged, until it ends: nobody else would pay for what waits to run.
    pub(crate) baggage: Option<Charge>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It waits for something to arrive.
    Idle,
    /// It is in a run queue or runs.
    Busy,
    /// It is over.
    Ended,
}

/// An operation that goes on.
pub(crate) enum Pending {
    /// A timer.
    Timer(AlarmKey),
    /// A send or receive on a host channel.
    Channel,
    /// A call, or a process that runs for its result.
    Call(Box<Call>),
    /// A call of a host module; run to cancel it.
    Module(Box<dyn FnOnce() + Send>),
}

/// Code of the host that hears of an exit.
pub(crate) type HearExit = Box<dyn FnOnce(&Arc<Process>, Exit) + Send>;

/// Who gets the result of a process.
pub(crate) enum Waiter {
    /// A call of another process, under a ticket.
    Call(Arc<Process>, u64),
    /// Code of the host.
    Host(HearExit),
}

/// What is left of an ended process for others to clean up.
pub(crate) struct Remains {
    pub(crate) ties: u8,
    pub(crate) pending: FxHashMap<u64, Pending>,
    pub(crate) waiter: Option<Waiter>,
    /// What was not delivered, dropped without a lock.
    _mailbox: Mailbox,
}

impl Process {
    pub(crate) fn new(seat: Seat, terms: Arc<Terms>, parent: u64, bearing: Bearing, life: Life, waiter: Option<Waiter>) -> Self {
        let mailbox = Mailbox::sharing(terms.bounds.mailbox, terms.host.pool.clone());
        Self {
            seat,
            pid: seat.pid(&terms.host.id),
            terms,
            renewed: RwLock::new(None),
            parent,
            children: AtomicU32::new(0),
            context: bearing.context,
            authority: bearing.authority,
            attachment: bearing.attachment,
            trace: bearing.trace,
            cpu: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            meter: OnceLock::new(),
            born: bearing.born,
            turn: AtomicU64::new(0),
            settled: AtomicBool::new(false),
            brief: AtomicBool::new(false),
            halted: Halted::default(),
            life: Mutex::new(life),
            inner: Mutex::new(Inner {
                // It is queued as soon as it exists.
                state: State::Busy,
                mailbox,
                pending: FxHashMap::default(),
                tickets: 0,
                kill: None,
                finished: None,
                upgrade: None,
                waiter,
                fresh: false,
                topics: Topics::default(),
                waiting: 0,
                received: 0,
                baggage: Some(bearing.baggage),
            }),
            ties: AtomicU8::new(0),
            killed: AtomicBool::new(false),
            traps_links: AtomicBool::new(false),
            upgradable: AtomicBool::new(false),
            limit_warnings: AtomicBool::new(false),
        }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Returns what it runs now.
    pub(crate) fn terms(&self) -> Arc<Terms> {
        Arc::clone(self.renewed.read().as_ref().unwrap_or(&self.terms))
    }

    /// Goes on with other code on the same host.
    pub(crate) fn renew(&self, terms: Arc<Terms>) {
        *self.renewed.write() = Some(terms);
        self.turn.store(0, Ordering::Relaxed);
    }

    /// What is counted seldom, made now if it was not before.
    pub(crate) fn meter(&self) -> &Meter {
        self.meter.get_or_init(Box::default)
    }

    /// What is counted seldom, if anything was.
    pub(crate) fn counted(&self) -> Option<&Meter> {
        self.meter.get().map(|meter| &**meter)
    }

    /// Counts a message that it has sent. Only for the worker that runs it.
    pub(crate) fn count_sent(&self) {
        self.sent.store(self.sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Returns how many messages it has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts that it hit a limit.
    pub(crate) fn hit(&self, limit: &str) {
        self.meter().hits.fetch_add(1, Ordering::Relaxed);
        self.terms.host.totals.hits.count(limit);
    }

    /// Tells it that a limit is nearly reached, if it asked for that. Returns true when it must be scheduled.
    pub(crate) fn warn(&self, limit: &str, allowed: u64, used: u64) -> bool {
        if !self.limit_warnings.load(Ordering::Relaxed) {
            return false;
        }
        let at = Shared::wall_clock();
        let error = Some(errors::limit(limit, allowed, used));
        let (sender, reason, sources) = (String::new(), String::new(), Vec::new());
        self.inner().signal(Signal { kind: SignalKind::Limit, sender, at, value: Payload::empty(), error, reason, sources })
    }

    /// Counts that it was denied something.
    pub(crate) fn denied(&self) {
        self.meter().denials.fetch_add(1, Ordering::Relaxed);
        self.terms.host.totals.denials.fetch_add(1, Ordering::Relaxed);
    }

    /// The error of a limit that it hit, which is counted.
    pub(crate) fn exceeded(&self, limit: &str, allowed: u64, used: u64) -> Error {
        self.hit(limit);
        errors::limit(limit, allowed, used)
    }

    /// The error of a rate that it exceeds, which is counted.
    pub(crate) fn too_fast(&self, limit: &str, allowed: u64, excess: Excess) -> Error {
        self.hit(limit);
        errors::rate(limit, allowed, excess)
    }

    /// Ties something to it, so that its end looks there; false when it has ended.
    pub(crate) fn tie(&self, tie: u8) -> bool {
        self.ties.fetch_or(tie, Ordering::SeqCst) & ENDED == 0
    }

    /// Tells whether something may be tied to it.
    pub(crate) fn is_tied(&self, tie: u8) -> bool {
        self.ties.load(Ordering::SeqCst) & tie != 0
    }

    /// Tells whether something ended it from outside.
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Ends it from outside; the first reason counts. Returns true when it must be scheduled for that.
    pub(crate) fn kill(&self, reason: Error) -> bool {
        let mut inner = self.inner.lock();
        if inner.state == State::Ended || inner.kill.is_some() {
            return false;
        }
        inner.kill = Some(Box::new(reason));
        self.killed.store(true, Ordering::Release);
        inner.rouse()
    }

    /// Takes why it was ended from outside.
    pub(crate) fn take_kill(&self) -> Option<Error> {
        self.inner.lock().kill.take().map(|reason| *reason)
    }

    /// Moves what has arrived to `events`; false when there is nothing.
    pub(crate) fn take_events(&self, events: &mut Vec<Event>) -> bool {
        let mut inner = self.inner.lock();
        let trace = inner.mailbox.take(events, BATCH_EVENTS, BATCH_BYTES);
        drop(inner);
        if let Some(trace) = trace {
            self.trace.enter(trace);
        }
        !events.is_empty()
    }

    /// Makes it idle, unless something has arrived meanwhile.
    pub(crate) fn settle(&self) -> bool {
        let mut inner = self.inner.lock();
        // A machine takes all there is; what a program leaves may be nothing that it waits for.
        let more = if self.terms.program.is_component() { inner.fresh } else { inner.mailbox.has_ready() };
        if more || inner.kill.is_some() {
            return false;
        }
        inner.state = State::Idle;
        true
    }

    /// Makes it wait before it has ever run: until it is woken, or something reaches it.
    pub(crate) fn rest(&self) {
        self.inner.lock().state = State::Idle;
    }

    /// Notes that whatever arrives from now on is new to it.
    pub(crate) fn look(&self) {
        self.inner.lock().fresh = false;
    }

    /// Notes that its waker was called. Returns true when it must be scheduled.
    pub(crate) fn wake(&self) -> bool {
        self.inner.lock().rouse()
    }

    /// Marks it as ended and returns what others must clean up; none when it has ended before.
    pub(crate) fn end(&self) -> Option<Remains> {
        let mut inner = self.inner.lock();
        if inner.state == State::Ended {
            return None;
        }
        inner.state = State::Ended;
        inner.waiting = inner.mailbox.len();
        let mailbox = std::mem::replace(&mut inner.mailbox, Mailbox::closed());
        let (pending, waiter) = (std::mem::take(&mut inner.pending), inner.waiter.take());
        drop(inner);
        let ties = self.ties.fetch_or(ENDED, Ordering::SeqCst);
        Some(Remains { ties, pending, waiter, _mailbox: mailbox })
    }
}

/// Why a message was not taken in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The process has ended.
    Ended,
    /// The mailbox is full.
    Full(Full),
}

impl Inner {
    /// Makes it run if it is idle. Returns true when it must be scheduled.
    fn rouse(&mut self) -> bool {
        self.fresh = true;
        if self.state == State::Idle {
            self.state = State::Busy;
            return true;
        }
        false
    }

    /// Tells whether it waits for something to arrive.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes a message in. Returns true when the process must be scheduled.
    pub(crate) fn message(&mut self, envelope: Envelope) -> Result<bool, Refused> {
        // Who was terminated takes nothing any more, even if it has not come to its end yet.
        if self.is_ended() || self.kill.is_some() {
            return Err(Refused::Ended);
        }
        self.topics.note(&envelope.topic);
        self.received += 1;
        let deliverable = self.mailbox.message(envelope).map_err(Refused::Full)?;
        Ok(deliverable && self.rouse())
    }

    /// Takes a signal in that the process asked for. Returns true when the process must be scheduled.
    pub(crate) fn signal(&mut self, signal: Signal) -> bool {
        if self.is_ended() {
            return false;
        }
        self.mailbox.signal(signal);
        self.rouse()
    }

    /// Takes a request to stop in. Returns true when the process must be scheduled.
    pub(crate) fn request(&mut self, signal: Signal) -> Result<bool, Refused> {
        if self.is_ended() {
            return Err(Refused::Ended);
        }
        self.mailbox.request(signal).map_err(Refused::Full)?;
        Ok(self.rouse())
    }

    /// Starts a pending operation; `start` gets its ticket.
    pub(crate) fn pend(&mut self, start: impl FnOnce(u64) -> Pending) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        let pending = start(ticket);
        self.pending.insert(ticket, pending);
        ticket
    }

    /// Reserves a ticket for an operation that may not need it.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Reserves so many tickets in a row.
    pub(crate) fn ticket_run(&mut self, count: usize) -> std::ops::Range<u64> {
        let first = self.tickets + 1;
        self.tickets += u64::try_from(count).unwrap_or(0);
        first..self.tickets + 1
    }

    /// Enters an operation under a ticket that was reserved.
    pub(crate) fn enter(&mut self, ticket: u64, pending: Pending) {
        self.pending.insert(ticket, pending);
    }

    pub(crate) fn pending(&mut self, ticket: u64) -> Option<&mut Pending> {
        self.pending.get_mut(&ticket)
    }

    /// Counts the operations that go on, and those whose end it has not taken yet.
    pub(crate) fn pending_count(&self) -> usize {
        self.pending.len() + self.mailbox.owed()
    }

    /// Counts the timers that run, but for the one of its wall time.
    pub(crate) fn timer_count(&self) -> usize {
        self.pending.iter().filter(|(ticket, pending)| **ticket != 0 && matches!(pending, Pending::Timer(_))).count()
    }

    /// Takes a pending operation off, so that it cannot complete any more.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> Option<Pending> {
        self.pending.remove(&ticket)
    }

    /// Completes a pending operation. Returns what it was, and whether the process must be scheduled; gives the outcome back
    /// when there is none any more.
    pub(crate) fn complete(&mut self, ticket: u64, outcome: Outcome) -> Result<(Pending, bool), Outcome> {
        match self.pending.remove(&ticket) {
            Some(pending) => {
                self.mailbox.completed(ticket, outcome);
                Ok((pending, self.rouse()))
            }
            None => Err(outcome),
        }
    }

    /// Takes all pending operations off but the end of its wall time.
    pub(crate) fn withdraw_all(&mut self) -> FxHashMap<u64, Pending> {
        let mut pending = std::mem::take(&mut self.pending);
        if let Some(wall) = pending.remove(&0) {
            self.pending.insert(0, wall);
        }
        pending
    }

    /// Takes in that its code changed. Returns true when the process must be scheduled.
    pub(crate) fn outdated(&mut self, sources: Vec<String>) -> bool {
        if self.is_ended() {
            return false;
        }
        self.mailbox.outdated(sources, Shared::wall_clock());
        self.rouse()
    }

    /// Notes what `finish` said; the first word counts.
    pub(crate) fn finish(&mut self, outcome: Result<Payload, Error>) {
        self.finished.get_or_insert_with(|| Box::new(outcome));
    }
}

impl Tabled for Process {
    fn pid(&self) -> &str {
        &self.pid
    }

    fn number(&self) -> u64 {
        self.seat.number()
    }
}

impl Runnable for Process {
    fn lane(&self) -> &Lane {
        &self.terms.host.lane
    }

    fn is_brief(&self) -> bool {
        self.brief.load(Ordering::Relaxed)
    }

    fn halted(&self) -> &Halted {
        &self.halted
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("pid", &self.pid).finish_non_exhaustive()
    }
}
