//! A host for native tests: it records what the guest asks and answers what the test laid down.
//!
//! One double per thread, as there is one machine per thread. [`with`] gives access to it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{
    CallRequest, Event, HostError, Level, Payload, ProcessOptions, Reception, Reply, Scope, SelectCase, Selection, SpawnRequest,
    error,
};

/// Something the guest asked for.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is the function of the contract with that name, each field its parameter")]
pub enum Asked {
    Send { to: String, topic: String, body: Payload },
    Listen(String),
    Unlisten(String),
    OpenInbox,
    Pause(Option<String>),
    Resume(Option<String>),
    Spawn(SpawnRequest),
    Exec { request: SpawnRequest, ticket: u64 },
    CancelProcess { to: String, reason: String },
    Terminate(String),
    Link(String),
    Unlink(String),
    Monitor(String),
    Unmonitor(String),
    SetOptions(ProcessOptions),
    Refused(String),
    Upgrade { entry: Option<String>, args: Payload, unread: Vec<Event> },
    Finish(Result<Payload, HostError>),
    Register { name: String, process: Option<String> },
    Unregister(String),
    Call { request: CallRequest, ticket: u64 },
    Invoke { module: String, function: String, args: Payload },
    Timer { after: u64, ticket: u64 },
    CancelTicket(u64),
    Log { level: Level, logger: String, message: String, fields: Vec<u8>, location: String },
    ChannelOpen { handle: u32, capacity: u32 },
    ChannelSend { handle: u32, body: Payload },
    ChannelReceive(u32),
    ChannelSelect { cases: Vec<SelectCase>, wait: bool },
    ChannelClose(u32),
    ChannelRelease(u32),
}

/// How a test answers `modules.invoke`.
pub type Invoke = Box<dyn FnMut(&str, &str, &Payload) -> Result<Reply, HostError>>;

/// The state of the double.
#[derive(Default)]
pub struct Double {
    /// Everything asked since the test began, in order.
    pub asked: Vec<Asked>,
    /// The wall clock.
    pub now: u64,
    /// The monotonic clock.
    pub monotonic: u64,
    /// What the next random numbers count up from.
    pub random: u64,
    /// The last ticket given out.
    pub ticket: u64,
    /// Errors that the next calls of a function answer, by its name in the contract (`send`, `spawn`, `call` ...).
    pub failures: BTreeMap<&'static str, HostError>,
    /// Registered names.
    pub names: BTreeMap<String, String>,
    /// The switches of the process.
    pub trap_links: bool,
    /// Another switch.
    pub upgradable: bool,
    /// The third one.
    pub limit_warnings: bool,
    /// Descriptions of host modules.
    pub manifests: BTreeMap<String, Vec<u8>>,
    /// Answers of host modules; without it, every call is done and answers its own arguments.
    pub invoke: Option<Invoke>,
    /// Values that wait in host channels.
    pub channels: BTreeMap<u32, Vec<Payload>>,
    /// Host channels that are closed.
    pub closed: Vec<u32>,
    /// Whether sends to host channels wait for a ticket.
    pub channels_full: bool,
    /// Tickets that `cancel` finds already completed.
    pub completed: Vec<u64>,
}

thread_local! {
    static DOUBLE: RefCell<Double> = RefCell::new(Double::default());
}

/// Gives access to the double of this thread.
pub fn with<R>(act: impl FnOnce(&mut Double) -> R) -> R {
    DOUBLE.with(|double| act(&mut double.borrow_mut()))
}

/// Forgets everything, for the next test on this thread.
pub fn reset() {
    with(|double| *double = Double::default());
}

impl Double {
    /// How the process ended, if it did.
    pub fn outcome(&self) -> Option<&Result<Payload, HostError>> {
        self.asked.iter().rev().find_map(|asked| match asked {
            Asked::Finish(outcome) => Some(outcome),
            _ => None,
        })
    }

    fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }

    fn failure(&mut self, function: &'static str) -> Result<(), HostError> {
        self.failures.remove(function).map_or(Ok(()), Err)
    }
}

fn record(asked: Asked) {
    with(|double| double.asked.push(asked));
}

fn record_or_fail(function: &'static str, asked: Asked) -> Result<(), HostError> {
    with(|double| {
        double.failure(function)?;
        double.asked.push(asked);
        Ok(())
    })
}

pub(crate) fn send(to: &str, topic: &str, body: &Payload) -> Result<(), HostError> {
    record_or_fail("send", Asked::Send { to: to.to_owned(), topic: topic.to_owned(), body: body.clone() })
}

pub(crate) fn listen(topic: &str) -> Result<(), HostError> {
    record_or_fail("listen", Asked::Listen(topic.to_owned()))
}

pub(crate) fn unlisten(topic: &str) {
    record(Asked::Unlisten(topic.to_owned()));
}

pub(crate) fn open_inbox() {
    record(Asked::OpenInbox);
}

pub(crate) fn pause(topic: Option<&str>) {
    record(Asked::Pause(topic.map(str::to_owned)));
}

pub(crate) fn resume(topic: Option<&str>) {
    record(Asked::Resume(topic.map(str::to_owned)));
}

pub(crate) fn spawn(request: &SpawnRequest) -> Result<String, HostError> {
    record_or_fail("spawn", Asked::Spawn(request.clone()))?;
    Ok(with(|double| format!("{{{}|{}}}", request.host, double.asked.len())))
}

pub(crate) fn exec(request: &SpawnRequest) -> Result<u64, HostError> {
    with(|double| {
        double.failure("exec")?;
        let ticket = double.next_ticket();
        double.asked.push(Asked::Exec { request: request.clone(), ticket });
        Ok(ticket)
    })
}

pub(crate) fn cancel_process(to: &str, reason: &str) -> Result<(), HostError> {
    record_or_fail("cancel", Asked::CancelProcess { to: to.to_owned(), reason: reason.to_owned() })
}

pub(crate) fn terminate(to: &str) -> Result<(), HostError> {
    record_or_fail("terminate", Asked::Terminate(to.to_owned()))
}

pub(crate) fn link(to: &str) -> Result<(), HostError> {
    record_or_fail("link", Asked::Link(to.to_owned()))
}

pub(crate) fn unlink(to: &str) -> Result<(), HostError> {
    record_or_fail("unlink", Asked::Unlink(to.to_owned()))
}

pub(crate) fn monitor(to: &str) -> Result<(), HostError> {
    record_or_fail("monitor", Asked::Monitor(to.to_owned()))
}

pub(crate) fn unmonitor(to: &str) -> Result<(), HostError> {
    record_or_fail("unmonitor", Asked::Unmonitor(to.to_owned()))
}

pub(crate) fn set_options(options: ProcessOptions) {
    with(|double| {
        double.trap_links = options.trap_links.unwrap_or(double.trap_links);
        double.upgradable = options.upgradable.unwrap_or(double.upgradable);
        double.limit_warnings = options.limit_warnings.unwrap_or(double.limit_warnings);
        double.asked.push(Asked::SetOptions(options));
    });
}

pub(crate) fn get_options() -> ProcessOptions {
    with(|double| ProcessOptions {
        trap_links: Some(double.trap_links),
        upgradable: Some(double.upgradable),
        limit_warnings: Some(double.limit_warnings),
    })
}

pub(crate) fn refused(limit: &str) {
    with(|double| double.asked.push(Asked::Refused(limit.to_owned())));
}

pub(crate) fn upgrade(entry: Option<&str>, args: &Payload, unread: &[Event]) -> Result<(), HostError> {
    record_or_fail("upgrade", Asked::Upgrade { entry: entry.map(str::to_owned), args: args.clone(), unread: unread.to_vec() })
}

pub(crate) fn finish(outcome: Result<&Payload, &HostError>) {
    record(Asked::Finish(outcome.cloned().map_err(Clone::clone)));
}

pub(crate) fn register(name: &str, process: Option<&str>, _scope: Scope) -> Result<(), HostError> {
    let process = process.map(str::to_owned);
    record_or_fail("register", Asked::Register { name: name.to_owned(), process: process.clone() })?;
    with(|double| double.names.insert(name.to_owned(), process.unwrap_or_else(|| "{self}".to_owned())));
    Ok(())
}

pub(crate) fn lookup(name: &str) -> Result<String, HostError> {
    with(|double| double.names.get(name).cloned()).ok_or_else(|| error("NotFound", format!("no process has the name `{name}`")))
}

pub(crate) fn unregister(name: &str, _scope: Scope) -> Result<(), HostError> {
    record_or_fail("unregister", Asked::Unregister(name.to_owned()))?;
    with(|double| double.names.remove(name));
    Ok(())
}

pub(crate) fn call(request: &CallRequest) -> Result<u64, HostError> {
    with(|double| {
        double.failure("call")?;
        let ticket = double.next_ticket();
        double.asked.push(Asked::Call { request: request.clone(), ticket });
        Ok(ticket)
    })
}

pub(crate) fn describe(name: &str) -> Result<Vec<u8>, HostError> {
    with(|double| double.manifests.get(name).cloned())
        .ok_or_else(|| error("NotFound", format!("module `{name}` does not exist or is not granted")))
}

pub(crate) fn invoke(module: &str, function: &str, args: &Payload) -> Result<Reply, HostError> {
    record(Asked::Invoke { module: module.to_owned(), function: function.to_owned(), args: args.clone() });
    // Taken out, because the answer may ask the double itself.
    let answer = with(|double| double.invoke.take());
    let Some(mut answer) = answer else { return Ok(Reply::Done(args.clone())) };
    let reply = answer(module, function, args);
    with(|double| double.invoke = Some(answer));
    reply
}

pub(crate) fn now() -> u64 {
    with(|double| double.now)
}

pub(crate) fn monotonic() -> u64 {
    with(|double| double.monotonic)
}

pub(crate) fn timer(after: u64) -> Result<u64, HostError> {
    with(|double| {
        double.failure("timer")?;
        let ticket = double.next_ticket();
        double.asked.push(Asked::Timer { after, ticket });
        Ok(ticket)
    })
}

pub(crate) fn cancel(ticket: u64) -> bool {
    with(|double| {
        double.asked.push(Asked::CancelTicket(ticket));
        !double.completed.contains(&ticket)
    })
}

pub(crate) fn random_number() -> u64 {
    with(|double| {
        double.random += 1;
        double.random
    })
}

pub(crate) fn log(level: Level, logger: &str, message: &str, fields: &[u8], location: &str) {
    record(Asked::Log {
        level,
        logger: logger.to_owned(),
        message: message.to_owned(),
        fields: fields.to_vec(),
        location: location.to_owned(),
    });
}

pub(crate) fn channel_open(capacity: u32) -> Result<u32, HostError> {
    with(|double| {
        let handle = double.channels.keys().last().map_or(1, |last| last + 1);
        double.channels.insert(handle, Vec::new());
        double.asked.push(Asked::ChannelOpen { handle, capacity });
        Ok(handle)
    })
}

pub(crate) fn channel_send(handle: u32, body: &Payload) -> Result<Option<u64>, HostError> {
    with(|double| {
        double.asked.push(Asked::ChannelSend { handle, body: body.clone() });
        if double.closed.contains(&handle) {
            return Err(error("Conflict", "send on closed channel".to_owned()));
        }
        if double.channels_full {
            return Ok(Some(double.next_ticket()));
        }
        double.channels.entry(handle).or_default().push(body.clone());
        Ok(None)
    })
}

pub(crate) fn channel_receive(handle: u32) -> Result<Reception, HostError> {
    with(|double| {
        double.asked.push(Asked::ChannelReceive(handle));
        let values = double.channels.entry(handle).or_default();
        if !values.is_empty() {
            return Ok(Reception::Value(values.remove(0)));
        }
        if double.closed.contains(&handle) {
            return Ok(Reception::Closed);
        }
        Ok(Reception::Pending(double.next_ticket()))
    })
}

pub(crate) fn channel_select(cases: &[SelectCase], wait: bool) -> Result<Selection, HostError> {
    with(|double| {
        double.asked.push(Asked::ChannelSelect { cases: cases.to_vec(), wait });
        for (number, case) in (0..).zip(cases) {
            match case {
                SelectCase::Send(offer) if double.closed.contains(&offer.channel) => {
                    return Err(error("Conflict", "send on closed channel".to_owned()));
                }
                SelectCase::Send(_) if double.channels_full => {}
                SelectCase::Send(offer) => {
                    double.channels.entry(offer.channel).or_default().push(offer.body.clone());
                    return Ok(Selection::Sent(number));
                }
                SelectCase::Receive(handle) => {
                    let values = double.channels.entry(*handle).or_default();
                    if !values.is_empty() {
                        return Ok(Selection::Received((number, values.remove(0))));
                    }
                    if double.closed.contains(handle) {
                        return Ok(Selection::Closed(number));
                    }
                }
            }
        }
        if !wait {
            return Ok(Selection::None);
        }
        let first = double.ticket + 1;
        double.ticket += u64::try_from(cases.len()).unwrap_or(0);
        Ok(Selection::Pending(first))
    })
}

pub(crate) fn channel_close(handle: u32) -> Result<(), HostError> {
    with(|double| {
        double.asked.push(Asked::ChannelClose(handle));
        double.closed.push(handle);
    });
    Ok(())
}

pub(crate) fn channel_release(handle: u32) {
    record(Asked::ChannelRelease(handle));
}
