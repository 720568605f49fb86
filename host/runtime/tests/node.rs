//! Whole nodes: Lua processes that run, talk, fail, hit their limits and are stopped.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::mpsc;
use std::time::{Duration, Instant};

use moonlet_registry::{Entry, EntryId, ModuleCatalog, Registry};
use moonlet_runtime::{Error, Node, NodeConfig, SandboxConfig, Value};
use serde_json::{Value as Json, json};

/// Longer than anything here takes unless it hangs.
const LONG: Duration = Duration::from_secs(30);

/// An application of one namespace, `app`, with a host `app:processes`.
#[derive(Default)]
struct App(Vec<(String, &'static str, Json)>);

impl App {
    /// Adds a process whose main function is this chunk; its arguments are `...`.
    fn process(self, name: &str, body: &str) -> Self {
        self.entry(name, "process.lua", json!({ "source": main(body), "method": "main", "modules": ["time", "funcs"] }))
    }

    fn function(self, name: &str, body: &str) -> Self {
        self.entry(name, "function.lua", json!({ "source": main(body), "method": "main", "modules": ["time", "funcs"] }))
    }

    fn entry(mut self, name: &str, kind: &'static str, data: Json) -> Self {
        self.0.push((name.to_owned(), kind, data));
        self
    }

    fn node(self) -> Node {
        let app = self.entry("processes", "process.host", json!({})).entry("terminal", "terminal.host", json!({}));
        let entries = app.0.into_iter().map(|(name, kind, mut data)| {
            let id = EntryId::parse(&format!("app:{name}")).unwrap();
            let meta = data.as_object_mut().and_then(|data| data.remove("meta")).unwrap_or_else(|| json!({}));
            Entry::new(id, kind, meta, data)
        });
        let modules = ModuleCatalog::new(["time", "funcs"]);
        let registry = Registry::from_entries(entries.collect(), Some(modules)).unwrap();
        // A test needs few processes, and several nodes must fit into one address space.
        let sandbox = SandboxConfig { max_processes: 200, max_stacks: 200, ..SandboxConfig::default() };
        let node = Node::new(NodeConfig { workers: Some(2), sandbox, ..NodeConfig::default() }, registry, Vec::new()).unwrap();
        let problems = node.prepare();
        assert!(problems.is_empty(), "{problems:?}");
        node
    }
}

fn main(body: &str) -> String {
    format!("local function main(...)\n{body}\nend\nreturn {{ main = main }}")
}

/// Runs `app:main` to its end.
fn run(node: &Node) -> Result<Vec<Value>, Error> {
    let started = node.start("app:main", "app:processes", &[]).unwrap();
    started.wait_timeout(LONG).unwrap_or_else(|| panic!("the process hangs"))
}

fn run_app(app: App) -> Result<Vec<Value>, Error> {
    run(&app.node())
}

fn detail(error: &Error, name: &str) -> Value {
    let details = moonlet_runtime::document::decode_map(&error.details).unwrap();
    details.into_iter().find(|(key, _)| key.as_str() == Some(name)).map_or(Value::Nil, |(_, value)| value)
}

#[test]
fn a_process_returns_what_its_main_function_returns() {
    let node = App::default().process("main", "local a, b = ... return a + b").node();
    let started = node.start("app:main", "app:processes", &[20.into(), 22.into()]).unwrap();
    assert_eq!(started.wait_timeout(LONG).unwrap().unwrap(), [Value::from(42)]);
    assert_eq!(node.stats().processes, 0);
}

#[test]
fn an_error_names_the_line() {
    let error = run_app(App::default().process("main", "error('boom')")).unwrap_err();
    assert!(error.message.contains("app:main:2: boom"), "{error:?}");
}

#[test]
fn a_missing_entry_or_host_is_not_found() {
    let node = App::default().process("main", "").node();
    for (entry, host, kind) in [
        ("app:nothing", "app:processes", "NotFound"),
        ("app:main", "app:nowhere", "NotFound"),
        ("app:processes", "app:processes", "Invalid"),
        ("app:main", "app:main", "Invalid"),
        ("no colon", "app:processes", "Invalid"),
    ] {
        let Err(error) = node.start(entry, host, &[]) else { panic!("{entry} started on {host}") };
        assert_eq!(error.kind, kind, "{entry} on {host}");
    }
}

#[test]
fn messages_of_one_sender_stay_in_order() {
    let app = App::default()
        .process(
            "main",
            "
            local inbox = process.inbox()
            process.spawn('app:counter', 'app:processes', process.pid())
            for number = 1, 2000 do
                local got = inbox:receive():payload():data()
                if got ~= number then return nil, 'got ' .. got .. ' at ' .. number end
            end
            return 'ordered'",
        )
        .process("counter", "local to = ... for number = 1, 2000 do assert(process.send(to, 'count', number)) end");
    assert_eq!(run_app(app).unwrap(), [Value::from("ordered")]);
}

#[test]
fn a_full_mailbox_and_an_ended_process_refuse() {
    let app = App::default()
        .process(
            "main",
            "
            local pid = process.spawn('app:deaf', 'app:processes')
            local sent, err = 0
            repeat
                local ok
                ok, err = process.send(pid, 'topic', 1)
                if ok then sent = sent + 1 end
            until not ok
            local full = err:kind()
            process.terminate(pid)
            repeat
                local ok
                ok, err = process.send(pid, 'topic', 1)
            until err:kind() ~= full
            return full .. ' after ' .. sent .. ', then ' .. err:kind()",
        )
        .entry(
            "deaf",
            "process.lua",
            json!({
                "source": main("process.listen('other'):receive()"),
                "method": "main",
                "limits": { "mailbox_messages": 10 },
            }),
        );
    assert_eq!(run_app(app).unwrap(), [Value::from("RateLimited after 10, then NotFound")]);
}

#[test]
fn an_endless_loop_is_terminated_and_holds_nobody_up() {
    let app = App::default().process("main", "while true do end").process("quick", "return 1");
    let node = app.node();
    let loops: Vec<_> = (0..4).map(|_| node.start("app:main", "app:processes", &[]).unwrap()).collect();
    let quick = node.start("app:quick", "app:processes", &[]).unwrap();
    assert!(quick.wait_timeout(LONG).unwrap().is_ok());
    for started in loops {
        assert!(node.terminate(&started.pid));
        assert_eq!(started.wait_timeout(LONG).unwrap().unwrap_err().kind, "Canceled");
    }
}

#[test]
fn limits_end_the_process_and_say_which_one_it_was() {
    let limited = |limits: Json| {
        let source = main("local kept = {} while true do kept[#kept + 1] = ('x'):rep(10000) .. #kept end");
        App::default().entry("main", "process.lua", json!({ "source": source, "method": "main", "limits": limits }))
    };
    for limits in [json!({ "cpu_per_turn": "20ms" }), json!({ "cpu_total": "30ms" }), json!({ "memory": "8MB" })] {
        let error = run_app(limited(limits.clone())).unwrap_err();
        assert_eq!(error.kind, "LimitExceeded", "{limits}: {error:?}");
    }
    let error = run_app(limited(json!({ "cpu_total": "30ms" }))).unwrap_err();
    assert_eq!(detail(&error, "limit").as_str(), Some("cpu_total"));
    assert_eq!(detail(&error, "allowed").as_u64(), Some(30_000_000));
    let waits = main("process.inbox():receive()");
    let waits = json!({ "source": waits, "method": "main", "limits": { "wall_time": "20ms" } });
    let error = run_app(App::default().entry("main", "process.lua", waits)).unwrap_err();
    assert_eq!(detail(&error, "limit").as_str(), Some("wall_time"));
}

#[test]
fn a_failure_runs_through_links_and_monitors_hear_of_it() {
    let app = App::default()
        .process(
            "main",
            "
            local events = process.events()
            local middle = process.spawn_monitored('app:middle', 'app:processes')
            local event = events:receive()
            return event.from == middle and tostring(event.result.error)",
        )
        .process("middle", "process.spawn_linked('app:fails', 'app:processes') process.inbox():receive()")
        .process("fails", "error('broken')");
    let values = run_app(app).unwrap();
    assert_eq!(values, [Value::from("linked process failed")]);
}

#[test]
fn a_call_ends_with_its_caller_and_at_its_timeout() {
    let app = App::default()
        .process(
            "main",
            "
            local funcs = require('funcs')
            local _, err = funcs.new():with_options({ timeout = 20 }):call('app:sleeps')
            local answer = process.listen('ready')
            local caller = process.spawn('app:caller', 'app:processes', process.pid())
            local callee = answer:receive()
            process.terminate(caller)
            while process.send(callee, 'still there') do require('time').sleep('1ms') end
            return err:kind()",
        )
        .process("caller", "return require('funcs').call('app:sleeps', ...)")
        .function("sleeps", "local to = ... if to then process.send(to, 'ready', process.pid()) end require('time').sleep('1h')");
    assert_eq!(run_app(app).unwrap(), [Value::from("Timeout")]);
}

#[test]
fn a_failed_call_is_repeated_as_its_entry_says() {
    let source = main(
        "
        local counter = ...
        process.send(counter, 'attempt', 1)
        return nil, errors.new({ message = 'busy', kind = errors.UNAVAILABLE, retryable = true })",
    );
    let retry = json!({ "options": { "retry": { "max_attempts": 3, "initial_delay": 1, "backoff_factor": 1.0 } } });
    let app = App::default()
        .process("main", "
            local attempts = process.listen('attempt')
            local _, err = require('funcs').call('app:busy', process.pid())
            local count = 0
            while #tostring(err) > 0 and channel.select({ attempts:case_receive(), default = true }).channel do count = count + 1 end
            return count")
        .entry("busy", "function.lua", json!({ "source": source, "method": "main", "meta": retry }));
    assert_eq!(run_app(app).unwrap(), [Value::from(3)]);
}

/// A service that waits until it is asked to stop.
const SERVES: &str = "
    local events = process.events()
    process.registry.register('service')
    events:receive()";

fn with_service(process: &str, lifecycle: Json) -> App {
    App::default().process("served", process).entry(
        "service",
        "process.service",
        json!({ "process": "served", "host": "processes", "lifecycle": lifecycle }),
    )
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

fn state(node: &Node) -> String {
    node.services().into_iter().map(|service| service.state).collect()
}

#[test]
fn services_start_and_stop_with_the_node() {
    let node = with_service(SERVES, json!({ "auto_start": true })).node();
    node.start_services(|id, reason| panic!("{id}: {reason}")).unwrap();
    wait_for("the service is up", || state(&node) == "running");
    node.shutdown(LONG);
    assert_eq!(state(&node), "stopped");
    assert_eq!(node.stats().processes, 0);
}

#[test]
fn a_service_that_fails_comes_back_until_it_gives_up() {
    let restart = json!({ "initial_delay": "1ms", "max_delay": "1ms", "max_attempts": 3 });
    let node = with_service("error('broken')", json!({ "auto_start": true, "restart": restart })).node();
    node.start_services(|_, _| {}).unwrap();
    wait_for("the service gives up", || state(&node) == "exited");
    assert_eq!(node.stats().failed, 4);
}

#[test]
fn a_service_without_which_the_node_must_not_run_stops_it() {
    let node = with_service("error('broken')", json!({ "auto_start": true, "startup": "required" })).node();
    let (sender, stopped) = mpsc::channel();
    node.start_services(move |id, reason| sender.send((id, reason)).unwrap()).unwrap();
    let (id, reason) = stopped.recv_timeout(LONG).unwrap();
    assert_eq!(id, "app:service");
    assert!(reason.contains("broken"), "{reason}");
}

#[test]
fn a_service_that_does_not_stop_is_terminated() {
    let node = with_service("process.inbox():receive()", json!({ "auto_start": true, "stop_timeout": "20ms" })).node();
    node.start_services(|_, _| {}).unwrap();
    wait_for("the service is up", || state(&node) == "running");
    node.shutdown(Duration::from_millis(10));
    assert_eq!(node.stats().processes, 0);
}

#[test]
fn a_node_that_is_dropped_ends_what_runs() {
    let node = App::default().process("main", "while true do end").process("waits", "process.inbox():receive()").node();
    let busy = node.start("app:main", "app:processes", &[]).unwrap();
    let waits = node.start("app:waits", "app:processes", &[]).unwrap();
    drop(node);
    assert_eq!(busy.wait_timeout(LONG).unwrap().unwrap_err().kind, "Canceled");
    assert_eq!(waits.wait_timeout(LONG).unwrap().unwrap_err().kind, "Canceled");
}

#[test]
fn what_ended_processes_leave_behind_is_bounded() {
    // Each uses its heap of exceptions and some memory, one after the other.
    let child = "local list = {} for number = 1, 3000 do list[number] = ('x'):rep(100) pcall(error, {}) end";
    let node = App::default()
        .process("main", "for _ = 1, 300 do assert(process.exec('app:child', 'app:processes')) end return 'done'")
        .process("child", &format!("{child} return true"))
        .node();
    assert_eq!(run(&node).unwrap(), [Value::from("done")]);
    let kept = node.handle().accounts().unwrap().kept_memory;
    assert!(kept > 0 && kept < 8 << 20, "{kept}");
}

/// What a host is charged beside the linear memory of its processes.
fn charged(node: &Node) -> u64 {
    let accounts = node.handle().accounts().unwrap();
    let host = accounts.hosts.iter().find(|host| host.id == "app:processes").unwrap();
    host.memory.saturating_sub(accounts.processes.iter().map(|process| process.memory).sum())
}

#[test]
fn what_the_node_holds_for_a_process_is_charged_to_its_host() {
    let node = App::default()
        .process("idle", "process.listen('stop'):receive()")
        .process(
            "main",
            "
            local listened, timers = ('t'):rep(200), {}
            for number = 1, 1000 do process.listen(listened .. number) end
            for number = 1, 500 do assert(process.registry.register(listened .. number)) end
            for number = 1, 2000 do timers[number] = require('time').after('1h') end
            process.listen('stop'):receive()",
        )
        .process("stop", "assert(process.send(..., 'stop'))")
        .node();
    let start = |entry: &str, args: &[Value]| node.start(entry, "app:processes", args).unwrap();
    let idle = || node.handle().accounts().unwrap().processes.iter().all(|process| process.state == "idle");
    for (entry, least, most) in [("app:idle", 0, 4 << 10), ("app:main", 1200 << 10, 2400 << 10)] {
        let started = start(entry, &[]);
        wait_for("the process waits", idle);
        let bytes = charged(&node);
        assert!((least..=most).contains(&bytes), "{entry}: {bytes}");
        start("app:stop", &[started.pid.as_str().into()]).wait_timeout(LONG).unwrap().unwrap();
        started.wait_timeout(LONG).unwrap().unwrap();
        let accounts = node.handle().accounts().unwrap();
        assert_eq!(accounts.hosts.iter().map(|host| host.memory).sum::<u64>(), 0, "{entry}");
    }
}
