//! What processes and process hosts use and did: for operators, and for processes about themselves.
//!
//! Nothing here is counted on the way of a message: living processes are asked, and those that ended have left their sums with their host.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_registry::Limits;
use moonlet_sandbox::wit::Error;
use rmpv::Value;

use crate::errors;
use crate::host::Host;
use crate::meter::Meter;
use crate::process::Process;
use crate::shared::Shared;
use crate::table::Tabled;

/// What one living process uses and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStats {
    /// Its pid.
    pub pid: String,
    /// The entry that it runs.
    pub entry: String,
    /// Its process host.
    pub host: String,
    /// Who started it, if that is a process that lives.
    pub parent: Option<String>,
    /// `idle` while it waits, `busy` while it runs or is queued.
    pub state: &'static str,
    /// Time since it was started, in nanoseconds.
    pub uptime: u64,
    /// CPU time, in nanoseconds.
    pub cpu: u64,
    /// Bytes of linear memory; they never become fewer, so this is also the most that it had.
    pub memory: u64,
    /// Messages that it sent.
    pub sent: u64,
    /// Messages that it was given.
    pub received: u64,
    /// Messages that wait, and their bytes.
    pub mailbox_messages: u64,
    /// Bytes of the messages that wait.
    pub mailbox_bytes: u64,
    /// Calls, sleeps and other operations that go on.
    pub pending: u64,
    /// Living processes that it started.
    pub children: u64,
    /// Processes that it started, calls included.
    pub spawned: u64,
    /// How often it hit a limit.
    pub limit_hits: u64,
    /// How often it was denied something.
    pub denials: u64,
}

/// What the processes of one host use and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostStats {
    /// Its id.
    pub id: String,
    /// Living processes.
    pub processes: u64,
    /// Processes started, calls included.
    pub spawned: u64,
    /// Processes that ended with an error.
    pub failed: u64,
    /// CPU time, in nanoseconds.
    pub cpu: u64,
    /// Bytes of linear memory of the living processes, with their arguments and contexts.
    pub memory: u64,
    /// The most that they were.
    pub memory_peak: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages taken in.
    pub received: u64,
    /// Messages that wait.
    pub mailbox_messages: u64,
    /// Bytes of the messages that wait.
    pub mailbox_bytes: u64,
    /// How often something was denied.
    pub denials: u64,
    /// How often each limit was hit.
    pub limit_hits: Vec<(&'static str, u64)>,
    /// How many processes each limit ended.
    pub limit_exits: Vec<(&'static str, u64)>,
    /// Its weight against other hosts.
    pub cpu_weight: u64,
}

/// What a node uses and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Time since the node was made, in nanoseconds.
    pub uptime: u64,
    /// Bytes of memory that ended processes have left for the next ones; no host is charged for them.
    pub kept_memory: u64,
    /// What processes hold of modules, such as open files and transactions.
    pub handles: u64,
    /// Jobs that run for calls of modules: on threads of their own, or waiting for a network.
    pub jobs: u64,
    /// The hosts that were used, by id.
    pub hosts: Vec<HostStats>,
    /// The living processes.
    pub processes: Vec<ProcessStats>,
}

impl Shared {
    /// Asks all processes and hosts.
    pub(crate) fn accounts(&self) -> Accounts {
        let now = self.clock();
        let mut hosts: Vec<HostStats> = self.terms.hosts().iter().map(|host| host_stats(host)).collect();
        let mut processes = Vec::new();
        for process in self.table.all() {
            let stats = self.stats_of(&process, now);
            if let Ok(position) = hosts.binary_search_by(|host| host.id.as_str().cmp(&stats.host))
                && let Some(host) = hosts.get_mut(position)
            {
                host.cpu += stats.cpu;
                host.sent += stats.sent;
                host.received += stats.received;
                host.mailbox_messages += stats.mailbox_messages;
                host.mailbox_bytes += stats.mailbox_bytes;
            }
            processes.push(stats);
        }
        let kept_memory = self.sandbox.kept_memory() as u64;
        Accounts { uptime: now, kept_memory, handles: self.handles.total(), jobs: self.jobs.running(), hosts, processes }
    }

    /// Asks one process.
    pub(crate) fn stats_of(&self, process: &Process, now: u64) -> ProcessStats {
        let (state, received, waiting, bytes, pending) = {
            let inner = process.inner();
            let state = if inner.is_idle() { "idle" } else { "busy" };
            (state, inner.received, inner.mailbox.len(), inner.mailbox.bytes(), inner.pending_count())
        };
        let count = |read: fn(&Meter) -> u64| process.counted().map_or(0, read);
        ProcessStats {
            pid: process.pid.as_ref().to_owned(),
            entry: process.terms.program.entry.as_ref().to_owned(),
            host: process.terms.host.id.as_ref().to_owned(),
            parent: self.table.numbered(process.parent).map(|parent| parent.pid.as_ref().to_owned()),
            state,
            uptime: now.saturating_sub(process.born),
            cpu: process.cpu.load(Ordering::Relaxed),
            memory: process.memory.load(Ordering::Relaxed),
            sent: process.sent(),
            received,
            mailbox_messages: waiting as u64,
            mailbox_bytes: bytes as u64,
            pending: pending as u64,
            children: process.children.load(Ordering::Relaxed).into(),
            spawned: count(|meter| meter.spawned.load(Ordering::Relaxed)),
            limit_hits: count(|meter| meter.hits.load(Ordering::Relaxed)),
            denials: count(|meter| meter.denials.load(Ordering::Relaxed)),
        }
    }

    /// Tells a process its own limits and what it uses of them, as a map by name; what only the guest counts it adds itself.
    pub(crate) fn limits_of(&self, process: &Process) -> Value {
        let now = self.clock();
        let stats = self.stats_of(process, now);
        let terms = &process.terms;
        let (bounds, meter) = (&terms.bounds, process.meter());
        let used = |name: &str| match name {
            "cpu_per_turn" => Some(process.turn.load(Ordering::Relaxed)),
            "cpu_total" => Some(stats.cpu),
            "wall_time" => Some(stats.uptime),
            "mailbox_messages" => Some(stats.mailbox_messages),
            "mailbox_bytes" => Some(stats.mailbox_bytes),
            "handles" => Some(self.handles.count(process.number())),
            "children" => Some(stats.children),
            "names" => Some(self.names.read().of(process.number()).len() as u64),
            "pending_calls" => Some(stats.pending),
            "source_size" => Some(terms.program.source_size),
            "spawns_per_second" => Some(meter.spawns.used(now, bounds.spawns)),
            "messages_per_second" => Some(meter.messages.used(now, bounds.messages)),
            "host_calls_per_second" => Some(meter.calls.used(now, bounds.calls)),
            "log_lines_per_second" => Some(meter.log_lines.used(now, bounds.log_lines)),
            "log_bytes_per_second" => Some(meter.log_bytes.used(now, bounds.log_bytes)),
            _ => None,
        };
        let limit = |name: &&'static str| {
            let mut fields = Vec::new();
            if let Some(limit) = terms.limits.get(name) {
                fields.push(("limit".into(), limit.into()));
                // A rate without a limit is not counted.
                fields.extend(used(name).map(|used| ("used".into(), used.into())));
            } else if !name.ends_with("_per_second") {
                fields.extend(used(name).map(|used| ("used".into(), used.into())));
            }
            ((*name).into(), Value::Map(fields))
        };
        Value::Map(Limits::NAMES.iter().map(limit).collect())
    }

    /// Tells a process about another one, named by pid or registered name, or about itself.
    pub(crate) fn stats_for(&self, asking: &Arc<Process>, of: Option<&str>) -> Result<Value, Error> {
        let target = match of {
            None => Arc::clone(asking),
            Some(of) => self.find(of)?,
        };
        if target.number() != asking.number() {
            asking.terms.check_namespace(&target.terms.program.entry).inspect_err(|_| asking.denied())?;
            self.authorize(asking, "process.stats", &target.pid, None)?;
        }
        Ok(self.stats_of(&target, self.clock()).into())
    }

    /// Answers the functions about processes that need no grant.
    pub(crate) fn about_processes(&self, asking: &Arc<Process>, function: &str, args: &[Value]) -> Result<Value, Error> {
        match (function, args) {
            ("limits", _) => Ok(self.limits_of(asking)),
            ("stats", [] | [Value::Nil, ..]) => self.stats_for(asking, None),
            ("stats", [of, ..]) => {
                let of = of.as_str().ok_or_else(|| errors::invalid("process.stats takes a pid or a registered name"))?;
                self.stats_for(asking, Some(of))
            }
            _ => Err(errors::not_found(format!("there is no function `{}` about processes", errors::shown(function)))),
        }
    }
}

fn host_stats(host: &Host) -> HostStats {
    let totals = &host.totals;
    HostStats {
        id: host.id.as_ref().to_owned(),
        processes: host.live(),
        spawned: totals.spawned.load(Ordering::Relaxed),
        failed: totals.failed.load(Ordering::Relaxed),
        cpu: totals.cpu.load(Ordering::Relaxed),
        memory: host.memory(),
        memory_peak: host.memory_peak(),
        sent: totals.sent.load(Ordering::Relaxed),
        received: totals.received.load(Ordering::Relaxed),
        mailbox_messages: 0,
        mailbox_bytes: 0,
        denials: totals.denials.load(Ordering::Relaxed),
        limit_hits: totals.hits.list(),
        limit_exits: totals.ended.list(),
        cpu_weight: host.lane.weight(),
    }
}

impl From<ProcessStats> for Value {
    fn from(stats: ProcessStats) -> Self {
        let mut fields: Vec<(Value, Value)> = vec![
            ("pid".into(), stats.pid.into()),
            ("entry".into(), stats.entry.into()),
            ("host".into(), stats.host.into()),
            ("state".into(), stats.state.into()),
        ];
        fields.extend(stats.parent.map(|parent| ("parent".into(), parent.into())));
        let numbers = [
            ("uptime", stats.uptime),
            ("cpu", stats.cpu),
            ("memory", stats.memory),
            ("memory_peak", stats.memory),
            ("sent", stats.sent),
            ("received", stats.received),
            ("mailbox_messages", stats.mailbox_messages),
            ("mailbox_bytes", stats.mailbox_bytes),
            ("pending", stats.pending),
            ("children", stats.children),
            ("spawned", stats.spawned),
            ("limit_hits", stats.limit_hits),
            ("denials", stats.denials),
        ];
        fields.extend(numbers.map(|(name, number)| (name.into(), number.into())));
        Value::Map(fields)
    }
}
