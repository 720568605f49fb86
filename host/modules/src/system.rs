//! Module `system`: facts about the node, for those whose policies let them read them, and the few acts on the node as a whole.
//!
//! A node is not made of what some of these functions speak of (a collector, an own heap, a cluster): they answer with what comes next to it, or
//! say why there is nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use moonlet_runtime::{Answer, Args, Error, Fault, HostModule, Manifest, ModuleCall, ProcessStats, ServiceInfo, Value};

use crate::classes;

/// Ends the node with an exit code.
pub type Quit = Box<dyn Fn(u8) + Send + Sync>;

/// The module.
pub struct System {
    quit: Quit,
    /// What `gc.set_percent` was told.
    percent: AtomicI64,
}

impl System {
    /// Makes the module; `quit` ends the node.
    #[must_use]
    pub fn new(quit: Quit) -> Self {
        Self { quit, percent: AtomicI64::new(100) }
    }
}

/// The functions, each under the name of its table.
const FUNCTIONS: &[&str] = &[
    "exit",
    "modules",
    "memory.stats",
    "memory.allocated",
    "memory.heap_objects",
    "memory.set_limit",
    "memory.get_limit",
    "gc.collect",
    "gc.set_percent",
    "gc.get_percent",
    "runtime.goroutines",
    "runtime.max_procs",
    "runtime.cpu_count",
    "process.pid",
    "process.hostname",
    "process.cwd",
    "hosts.list",
    "hosts.processes",
    "supervisor.state",
    "supervisor.states",
    "node.id",
    "node.addr",
    "node.role",
    "cluster.members",
    "cluster.leader",
    "cluster.size",
    "raft.is_leader",
    "raft.is_member",
    "raft.role",
    "raft.term",
    "raft.commit_index",
    "raft.stats",
    "lock.acquire",
    "lock.release",
];

/// The action and the resource that guard a function.
fn guard(function: &str, args: &Args<'_>) -> Result<(&'static str, String), Fault> {
    let read = |resource: &str| ("system.read", resource.to_owned());
    let (group, _) = function.split_once('.').unwrap_or((function, ""));
    Ok(match function {
        "exit" => ("system.exit", "exit".to_owned()),
        "modules" => read("modules"),
        "memory.get_limit" => read("memory_limit"),
        "memory.set_limit" => ("system.control", "memory_limit".to_owned()),
        "gc.collect" => ("system.gc", "gc".to_owned()),
        "gc.set_percent" => ("system.gc", "gc_percent".to_owned()),
        "gc.get_percent" => read("gc_percent"),
        "runtime.goroutines" => read("goroutines"),
        "runtime.max_procs" if args.is_empty() => read("gomaxprocs"),
        "runtime.max_procs" => ("system.control", "gomaxprocs".to_owned()),
        "runtime.cpu_count" => read("cpu"),
        "process.pid" => read("pid"),
        "process.hostname" => read("hostname"),
        "process.cwd" => read("cwd"),
        "raft.stats" => read("raft_stats"),
        "lock.acquire" | "lock.release" => ("system.lock", args.text(1)?.to_owned()),
        _ => read(group),
    })
}

impl HostModule for System {
    fn name(&self) -> &str {
        "system"
    }

    fn manifest(&self) -> Value {
        Manifest::new().functions(FUNCTIONS).build()
    }

    fn glue(&self) -> Option<&'static str> {
        Some(include_str!("system/glue.lua"))
    }

    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault> {
        let args = Args::new(function.rsplit('.').next().unwrap_or(function), args);
        let (action, resource) = guard(function, &args)?;
        call.check(action, &resource)?;
        let value = match function {
            "exit" => {
                let code = if args.get(1).is_nil() { 0 } else { args.integer(1)? };
                let code = u8::try_from(code).map_err(|_| invalid("an exit code is a number from 0 to 255"))?;
                (self.quit)(code);
                Value::Boolean(true)
            }
            "modules" => Value::Array(listed(call)),
            "memory.stats" => memory_stats(call)?,
            "memory.allocated" => in_use(call)?.into(),
            "memory.heap_objects" | "runtime.goroutines" => call.node().accounts()?.processes.len().into(),
            "memory.get_limit" => i64::MAX.into(),
            "memory.set_limit" => {
                return Err(unavailable("memory is bounded by the `limits` and `quota` of process hosts").into());
            }
            // Processes give their memory back when they end; there is nothing to collect.
            "gc.collect" => Value::Boolean(true),
            "gc.get_percent" => self.percent.load(Ordering::Relaxed).into(),
            "gc.set_percent" => self.percent.swap(args.integer(1)?, Ordering::Relaxed).into(),
            "runtime.max_procs" if args.is_empty() => processors().into(),
            "runtime.max_procs" => {
                if args.integer(1)? <= 0 {
                    return Err(invalid("the number of workers must be above zero").into());
                }
                return Err(unavailable("the number of workers is fixed when the node starts").into());
            }
            "runtime.cpu_count" => processors().into(),
            "process.pid" => std::process::id().into(),
            "process.hostname" => hostname()?.into(),
            "process.cwd" => cwd()?.into(),
            "hosts.list" => hosts(call)?,
            "hosts.processes" => processes(call, args.text(1)?)?,
            "supervisor.states" => {
                let services = call.node().services()?;
                Value::Array(services.iter().filter(|service| sees(call, &service.id)).map(state).collect())
            }
            "supervisor.state" => {
                let id = args.text(1)?;
                call.check_readable(id)?;
                let found = call.node().services()?.iter().find(|service| service.id == id).map(state);
                found.ok_or_else(|| Error::new("NotFound", format!("there is no service `{id}`")).with_retryable(false))?
            }
            "node.id" => "local".into(),
            "node.role" => "non-member".into(),
            "cluster.members" => Value::Array(vec![map(vec![("id", "local".into()), ("is_local", true.into())])]),
            "cluster.leader" => "".into(),
            "cluster.size" => 1.into(),
            "node.addr" => return Err(internal("membership is unavailable: this node runs alone").into()),
            _ if function.starts_with("raft.") => return Err(internal("raft not available: this node runs alone").into()),
            "lock.acquire" | "lock.release" => {
                return Err(unavailable("locks need a cluster, and this node runs alone: use process.registry for a name").into());
            }
            _ => return Err(Error::new("NotFound", format!("module `system` has no function `{function}`")).into()),
        };
        Ok(Answer::Done(vec![value]))
    }
}

fn invalid(message: &str) -> Error {
    Error::new("Invalid", message).with_retryable(false)
}

fn internal(message: impl Into<String>) -> Error {
    Error::new("Internal", message).with_retryable(false)
}

fn unavailable(message: &str) -> Error {
    Error::new("Unavailable", message).with_retryable(false)
}

fn map(fields: Vec<(&str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

fn hostname() -> Result<String, Error> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map(|name| name.trim().to_owned()).map_err(|error| internal(format!("the hostname is unknown: {error}")))
}

fn cwd() -> Result<String, Error> {
    let directory = std::env::current_dir();
    directory.map(|path| path.display().to_string()).map_err(|error| internal(format!("the directory is unknown: {error}")))
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Lists the modules of this build, with what they are.
fn listed(call: &ModuleCall<'_>) -> Vec<Value> {
    let module = |class: &classes::Class| {
        let classes = class.classes.iter().map(|class| Value::from(*class)).collect();
        map(vec![("name", class.name.into()), ("description", class.description.into()), ("class", Value::Array(classes))])
    };
    let built = |class: &&classes::Class| call.is_built(class.name);
    classes::all().filter(built).map(module).collect()
}

/// Bytes of linear memory of all processes.
fn in_use(call: &ModuleCall<'_>) -> Result<u64, Error> {
    Ok(call.node().accounts()?.hosts.iter().map(|host| host.memory).sum())
}

fn memory_stats(call: &ModuleCall<'_>) -> Result<Value, Error> {
    let accounts = call.node().accounts()?;
    let used: u64 = accounts.hosts.iter().map(|host| host.memory).sum();
    let peak: u64 = accounts.hosts.iter().map(|host| host.memory_peak).sum();
    let resident = resident().unwrap_or(used);
    Ok(map(vec![
        ("alloc", used.into()),
        ("total_alloc", peak.into()),
        ("sys", resident.into()),
        ("heap_alloc", used.into()),
        ("heap_sys", resident.into()),
        ("heap_idle", resident.saturating_sub(used).into()),
        ("heap_in_use", used.into()),
        ("heap_released", 0.into()),
        ("heap_objects", accounts.processes.len().into()),
        ("stack_in_use", 0.into()),
        ("stack_sys", 0.into()),
        ("mspan_in_use", 0.into()),
        ("mspan_sys", 0.into()),
        ("num_gc", 0.into()),
        ("next_gc", 0.into()),
    ]))
}

/// Bytes that the node has of the machine's memory.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Tells whether an entry is the caller's own host, or within the namespaces of what confines it.
fn sees(call: &ModuleCall<'_>, entry: &str) -> bool {
    entry == call.host() || call.check_readable(entry).is_ok()
}

fn hosts(call: &ModuleCall<'_>) -> Result<Value, Error> {
    let accounts = call.node().accounts()?;
    let queued = |id: &str| accounts.processes.iter().filter(|process| process.host == id && process.state == "busy").count();
    let registry = call.registry();
    let mut ids: Vec<String> = accounts.hosts.iter().map(|host| host.id.clone()).collect();
    for kind in ["process.host", "terminal.host"] {
        ids.extend(registry.of_kind(kind).map(|entry| entry.id.to_string()));
    }
    ids.sort();
    ids.dedup();
    ids.retain(|id| sees(call, id));
    let host = |id: &String| {
        let found = accounts.hosts.iter().find(|host| host.id == *id);
        map(vec![
            ("id", id.as_str().into()),
            ("workers", processors().into()),
            ("processes", found.map_or(0, |host| host.processes).into()),
            ("executed", found.map_or(0, |host| host.spawned).into()),
            ("stolen", 0.into()),
            ("queue_depth", queued(id).into()),
        ])
    };
    Ok(Value::Array(ids.iter().map(host).collect()))
}

fn processes(call: &ModuleCall<'_>, id: &str) -> Result<Value, Error> {
    if !sees(call, id) {
        call.check_readable(id)?;
    }
    let known = |kind: &str| kind == "process.host" || kind == "terminal.host";
    let accounts = call.node().accounts()?;
    let used = accounts.hosts.iter().any(|host| host.id == id);
    if !used && !call.registry().find_id(id).is_some_and(|entry| known(&entry.kind)) {
        return Err(Error::new("NotFound", format!("there is no process host `{id}`")).with_retryable(false));
    }
    let now = now();
    let here = accounts.processes.iter().filter(|process| process.host == id && sees(call, &process.entry));
    Ok(Value::Array(here.map(|process| described(process, now)).collect()))
}

fn described(process: &ProcessStats, now: u64) -> Value {
    let stats = map(vec![
        ("cpu_ns", process.cpu.into()),
        ("memory", process.memory.into()),
        ("sent", process.sent.into()),
        ("received", process.received.into()),
        ("mailbox_messages", process.mailbox_messages.into()),
        ("mailbox_bytes", process.mailbox_bytes.into()),
        ("children", process.children.into()),
    ]);
    let mut fields = vec![
        ("pid", process.pid.as_str().into()),
        ("host", process.host.as_str().into()),
        ("source", process.entry.as_str().into()),
        ("state", if process.state == "busy" { "running" } else { "idle" }.into()),
        ("steps", (process.received + 1).into()),
        ("started_at", now.saturating_sub(process.uptime).into()),
        ("stats", stats),
    ];
    if let Some(parent) = &process.parent {
        fields.push(("parent", parent.as_str().into()));
    }
    map(fields)
}

fn state(service: &ServiceInfo) -> Value {
    let wanted = !matches!(service.state.as_str(), "unknown" | "stopping" | "stopped" | "exited");
    let mut fields = vec![
        ("id", service.id.as_str().into()),
        ("status", service.state.as_str().into()),
        ("desired", if wanted { "running" } else { "stopped" }.into()),
        ("retry_count", service.attempts.into()),
        ("last_update", service.up_since.unwrap_or(0).into()),
        ("started_at", service.up_since.unwrap_or(0).into()),
    ];
    if let Some(failure) = &service.failure {
        fields.push(("details", failure.as_str().into()));
    }
    map(fields)
}
