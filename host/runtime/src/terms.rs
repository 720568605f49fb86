//! The terms on which a program runs on a process host: its limits in numbers, and what it may use.

use std::sync::Arc;

use moonlet_registry::Limits;
use moonlet_sandbox::wit::{Chunk, Error, Payload, Program as WitProgram, SoftLimits};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use crate::ceiling::Ceiling;
use crate::errors;
use crate::host::Host;
use crate::mailbox::MailboxLimits;
use crate::program::{Chunks, Form, Program};
use crate::shared::{Module, Shared};

/// Filled-in programs that are kept for the next spawn, so that it copies no code.
const SPARE_PROGRAMS: usize = 4;

/// A program on a host.
pub(crate) struct Terms {
    pub(crate) program: Arc<Program>,
    pub(crate) host: Arc<Host>,
    pub(crate) bounds: Bounds,
    /// The same as they are written.
    pub(crate) limits: Limits,
    /// Whether the messages that it sends are counted against a rate.
    pub(crate) paced: bool,
    /// The modules it declares and the ceiling allows.
    pub(crate) modules: FxHashSet<String>,
    /// What it may reach at most, and whatever it starts.
    pub(crate) ceiling: Arc<Ceiling>,
    /// The number of the ceiling.
    pub(crate) ceiling_number: usize,
    spare: Mutex<Vec<WitProgram>>,
}

/// The most bytes that a process and a host module hand each other at once because the process has memory for them.
const MAX_EXCHANGE: usize = 16 << 20;

/// Limits in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of linear memory.
    pub(crate) memory: usize,
    pub(crate) mailbox: MailboxLimits,
    /// Bytes of one message, argument or result.
    pub(crate) message_size: usize,
    /// Bytes that a process and a host module hand each other at once. Such a value is in no mailbox, and what it costs is the memory of
    /// the process, hence its share of that where this is more than a message may have.
    pub(crate) exchange: usize,
    /// CPU time without waiting, in nanoseconds.
    turn: u64,
    /// CPU time in all, in nanoseconds.
    total: u64,
    /// Time from spawn to exit, in nanoseconds.
    pub(crate) wall: Option<u64>,
    /// Operations that wait.
    pub(crate) pending: usize,
    /// Living processes that it has spawned.
    pub(crate) children: u32,
    /// Handles of host modules.
    pub(crate) handles: u64,
    /// Names it has.
    pub(crate) names: usize,
    /// Channels between processes that it has opened.
    pub(crate) channels: usize,
    /// Timers of a program that has no limits of its own.
    pub(crate) timers: usize,
    /// Processes started, each second.
    pub(crate) spawns: u64,
    /// Messages sent, each second.
    pub(crate) messages: u64,
    /// Calls of the host, each second.
    pub(crate) calls: u64,
    /// Lines logged, each second.
    pub(crate) log_lines: u64,
    /// Bytes logged, each second.
    pub(crate) log_bytes: u64,
    /// What the machine keeps itself.
    pub(crate) soft: SoftLimits,
}

impl Bounds {
    /// Puts limits into numbers; what is unlimited becomes the largest one.
    pub(crate) fn new(limits: &Limits) -> Self {
        let number = |name: &str| limits.get(name).unwrap_or(u64::MAX);
        let size = |name: &str| usize::try_from(number(name)).unwrap_or(usize::MAX);
        let count = |name: &str| u32::try_from(number(name)).unwrap_or(u32::MAX);
        let memory = size("memory");
        // The limit is what the language may use, which sees an error that it can catch. The instance has more, for the image,
        // buffers of messages, and holes in the heap: what is left after that error must be enough to go on.
        let linear_memory = memory.saturating_add(memory / 2).saturating_add(4 << 20);
        let soft = SoftLimits {
            memory: memory as u64,
            coroutines: count("coroutines"),
            channels: count("channels"),
            channel_buffer: count("channel_buffer"),
            timers: count("timers"),
            depth: count("message_depth"),
            message_size: count("message_size"),
        };
        Self {
            memory: linear_memory,
            mailbox: MailboxLimits { messages: size("mailbox_messages"), bytes: size("mailbox_bytes") },
            message_size: size("message_size"),
            exchange: size("message_size").max((memory / 8).min(MAX_EXCHANGE)),
            turn: number("cpu_per_turn"),
            total: number("cpu_total"),
            wall: limits.get("wall_time"),
            pending: size("pending_calls"),
            children: count("children"),
            handles: number("handles"),
            names: size("names"),
            channels: size("channels"),
            timers: size("timers"),
            spawns: number("spawns_per_second"),
            messages: number("messages_per_second"),
            calls: number("host_calls_per_second"),
            log_lines: number("log_lines_per_second"),
            log_bytes: number("log_bytes_per_second"),
            soft,
        }
    }

    /// Says which limit of CPU time is exceeded.
    pub(crate) fn exceeded(&self, turn: u64, total: u64) -> Option<Error> {
        if turn > self.turn {
            return Some(errors::limit("cpu_per_turn", self.turn, turn));
        }
        (total > self.total).then(|| errors::limit("cpu_total", self.total, total))
    }
}

impl Terms {
    pub(crate) fn new(program: Arc<Program>, host: Arc<Host>, ceiling: Arc<Ceiling>, ceiling_number: usize) -> Self {
        let limits = Limits::merged(&host.limits, &program.limits).below(&ceiling.limits);
        let bounds = Bounds::new(&limits);
        let paced = bounds.messages != u64::MAX || host.quota.messages_per_second.is_some();
        let allowed = program.modules.iter().filter(|name| ceiling.allow.module(name));
        let modules = allowed.cloned().collect();
        Self { program, host, bounds, limits, paced, modules, ceiling, ceiling_number, spare: Mutex::new(Vec::new()) }
    }

    /// Tells whether its processes have the terminal. A function does not, even where its caller has it.
    pub(crate) fn has_terminal(&self) -> bool {
        self.host.terminal && self.program.form == Form::Process
    }

    /// Refuses what its processes may neither start nor reach: entries of namespaces outside of the ceiling.
    pub(crate) fn check_namespace(&self, entry: &str) -> Result<(), Error> {
        self.check_open()?;
        self.check_ceiling(entry)
    }

    /// Like [`Terms::check_namespace`], for entries that are only looked at.
    pub(crate) fn check_ceiling(&self, entry: &str) -> Result<(), Error> {
        if self.ceiling.allow.namespaces.is_none() {
            return Ok(());
        }
        let namespace = entry.split_once(':').map_or("", |(namespace, _)| namespace);
        if self.ceiling.allow.namespace(namespace) {
            return Ok(());
        }
        let namespace = errors::shown(namespace);
        let host = &self.host.id;
        Err(errors::denied(if self.host.allow.namespace(&namespace) {
            format!(
                "the process that started this one on `{host}` is confined by its own process host, which does not allow the namespace \
                 `{namespace}`: add it to `allow: {{namespaces: [{namespace}]}}` of that host"
            )
        } else {
            format!(
                "the process host `{host}` does not allow the namespace `{namespace}`: add it to `allow: {{namespaces: [{namespace}]}}` of \
                 that host"
            )
        }))
    }

    /// Refuses code that may not have to do with other processes.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if !self.program.sealed {
            return Ok(());
        }
        Err(errors::denied(
            "evaluated code may not reach processes nor call functions: whoever runs it may write `allow_classes = {\"process\"}`",
        ))
    }

    /// Makes what a machine is started with, but for pid, arguments, context and seed.
    pub(crate) fn take_program(&self, node: &Shared, chunks: &Chunks) -> WitProgram {
        if let Some(program) = self.spare.lock().pop() {
            return program;
        }
        let granted = |chunk: &Arc<Chunk>| {
            let mut chunk = Chunk::clone(chunk);
            chunk.modules.retain(|name| self.ceiling.allow.module(name));
            chunk
        };
        let in_image = |name: &&String| node.modules.get(*name).is_some_and(Module::is_in_image);
        let image_modules = self.program.modules.iter().filter(|name| self.modules.contains(*name)).filter(in_image);
        WitProgram {
            pid: String::new(),
            main: granted(&chunks.main),
            libraries: chunks.libraries.iter().map(granted).collect(),
            method: self.program.method.clone(),
            image_modules: image_modules.cloned().collect(),
            args: Payload::empty(),
            context: Vec::new(),
            seed: 0,
            limits: self.bounds.soft,
        }
    }

    /// Takes a program back for the next spawn.
    pub(crate) fn give_program(&self, mut program: WitProgram) {
        program.args = Payload::empty();
        program.context = Vec::new();
        let mut spare = self.spare.lock();
        if spare.len() < SPARE_PROGRAMS {
            spare.push(program);
        }
    }
}
