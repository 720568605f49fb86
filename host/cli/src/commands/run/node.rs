//! The node that `run` starts: what it is made of, and how it ends.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use moonlet_language::diagnostic::Level;
use moonlet_modules::Terminal;
use moonlet_registry::{Entry, Lifecycle, Loaded, Report, Snapshot};
use moonlet_runtime::{CallOptions, Error, Node, NodeConfig, Value};

use super::result::{conclude, conclude_call};
use super::target::Target;
use crate::exit;
use crate::failure::Failure;
use crate::modules;
use crate::observe;
use crate::output;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// How long a process on the terminal may take to stop once it was asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long processes that are no services may take to stop when the node does.
const GRACE: Duration = Duration::from_secs(5);
/// The same where the process on the terminal has ended, and those that it left behind are of no use any more.
const LEFT_BEHIND: Duration = Duration::from_millis(200);

/// How long services may take to stop before the user is told of them.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the main thread waits for.
pub(super) enum Event {
    /// Somebody wants the node to stop.
    Signal,
    /// The process on the terminal has ended.
    Exit(Result<Vec<Value>, Error>),
    /// A program wants the node to end with this code.
    Quit(u8),
    /// A service has failed without which the node must not run: its id and the reason.
    Fallen(String, String),
}

/// Runs one process or calls one function, with the services beside it, until it ends.
pub(super) fn execute(
    loaded: &Loaded,
    target: &Target,
    settings: &Settings,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<u8, Failure> {
    let terminal = Arc::new(Terminal::new(target.arguments.clone()));
    let (node, telemetry) = start(loaded, settings, &terminal, &events)?;
    let outcome = run_target(&node, target, events, inbox);
    shut_down(&node);
    // What the process wrote comes before what is said about it.
    terminal.close();
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
    leave(node);
    if target.host.is_some() { conclude(outcome?) } else { conclude_call(outcome?) }
}

/// Stops what runs beside a process that has ended, and says whom it waits for when that takes long: the log is quiet.
fn shut_down(node: &Node) {
    let (stopped, waits) = mpsc::channel::<()>();
    let handle = node.handle();
    let told = thread::Builder::new().name("waits".to_owned()).spawn(move || {
        if waits.recv_timeout(PATIENCE) != Err(mpsc::RecvTimeoutError::Timeout) {
            return;
        }
        let services = handle.services().unwrap_or_default();
        let stopping = services.iter().filter(|service| service.state == "stopping");
        let names: Vec<String> = stopping.map(|service| format!("`{}`", service.id)).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            output::error(&format!("waiting for {names} to stop, as long as `stop_timeout` of its `lifecycle` says"));
        }
    });
    node.shutdown(LEFT_BEHIND);
    drop(stopped);
    // It only talks.
    drop(told);
}

fn run_target(
    node: &Node,
    target: &Target,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<Result<Vec<Value>, Error>, Failure> {
    let entry = target.entry.as_str();
    // Nobody listens to events only when the program ends anyway.
    let pid = if let Some(host) = &target.host {
        let started = match node.start(entry, host.as_str(), &target.values()) {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let pid = started.pid.clone();
        thread::Builder::new()
            .name("exit".to_owned())
            .spawn(move || drop(events.send(Event::Exit(started.wait()))))
            .map_err(|error| Failure::caused("failed to start a thread", &error))?;
        pid
    } else {
        let done = move |result| drop(events.send(Event::Exit(result)));
        match node.handle().call(entry, &target.values(), CallOptions::default(), done) {
            Ok(running) => running.pid().to_owned(),
            Err(error) => return Ok(Err(error)),
        }
    };
    loop {
        match inbox.recv() {
            Ok(Event::Exit(exit)) => return Ok(exit),
            Ok(Event::Signal) => {
                node.stop_process(&pid, "interrupted", STOP_TIMEOUT);
            }
            Ok(Event::Quit(code)) => return Ok(Ok(vec![Value::from(code)])),
            Ok(Event::Fallen(id, reason)) => return Err(fallen(&id, &reason)),
            Err(mpsc::RecvError) => return Err(Failure::message("the node has stopped")),
        }
    }
}

/// Runs the services until a signal asks for the end.
pub(super) fn serve(
    loaded: &Loaded,
    settings: &Settings,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<u8, Failure> {
    let terminal = Arc::new(Terminal::new(Vec::new()));
    let (node, telemetry) = start(loaded, settings, &terminal, &events)?;
    drop(events);
    let mut outcome = Ok(exit::SUCCESS);
    while let Ok(event) = inbox.recv() {
        match event {
            Event::Signal => break,
            Event::Quit(code) => {
                outcome = Ok(code);
                break;
            }
            Event::Fallen(id, reason) => {
                outcome = Err(fallen(&id, &reason));
                break;
            }
            Event::Exit(_) => {}
        }
    }
    tracing::info!(target: "moonlet", "stopping");
    node.shutdown(GRACE);
    terminal.close();
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
    leave(node);
    outcome
}

/// Makes sure that there is something to serve.
pub(super) fn check_services(snapshot: &Snapshot) -> Result<(), Failure> {
    // Consumers start by themselves; and whoever starts a host waits for what will run there.
    let starts = |entry: &Entry| entry.kind == "queue.consumer" || Lifecycle::read(entry).auto_start;
    if snapshot.entries().any(|entry| starts(entry)) {
        return Ok(());
    }
    let help = "write `lifecycle: { auto_start: true }` in a `process.service` entry, or run a process with `-x NS:ENTRY`";
    Err(Failure::message("no service of this application starts by itself").help(help))
}

fn start(
    loaded: &Loaded,
    settings: &Settings,
    terminal: &Arc<Terminal>,
    events: &mpsc::Sender<Event>,
) -> Result<(Node, Option<Arc<Telemetry>>), Failure> {
    let (telemetry, tracing) = settings.otel.clone().map(Telemetry::start).transpose()?.unzip();
    let config = NodeConfig {
        strict: loaded.project.config.strict,
        project: loaded.project.root.clone(),
        json_log: settings.json_log,
        network: settings.network.clone(),
        tracing,
        ..NodeConfig::default()
    };
    let quits = std::sync::Mutex::new(events.clone());
    let quit = move |code| {
        // Nobody listens only when the program ends anyway.
        let _ = quits.lock().map(|events| events.send(Event::Quit(code)));
    };
    let node = Node::new(config, loaded.registry.clone(), modules::host(terminal, Box::new(quit)))
        .map_err(|error| Failure::caused("the node cannot start", &error))?;
    let diagnostics = node.prepare();
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(Failure::Report(Box::new(Report { diagnostics, sources: loaded.sources.clone() })));
    }
    if let Some(address) = settings.metrics {
        observe::serve(address, node.handle(), telemetry.clone())?;
    }
    let events = events.clone();
    // Nobody listens only when the program ends anyway.
    let on_stop = move |id, reason| drop(events.send(Event::Fallen(id, reason)));
    node.start_services(on_stop).map_err(|problems| Failure::listed("the services cannot start", problems))?;
    Ok((node, telemetry))
}

fn fallen(id: &str, reason: &str) -> Failure {
    let failure = Failure::listed(format!("the service `{id}` failed, without which the node must not run"), [reason.to_owned()]);
    failure.help(format!("mend it, or write `startup: optional` in the `lifecycle` of `{id}`"))
}

/// Ends a node that has nothing more to do.
///
/// Giving its memory back piece by piece takes longer than all that a small process does; the system takes it back as a
/// whole when this program ends, which is next.
fn leave(node: Node) {
    std::mem::forget(node);
}
