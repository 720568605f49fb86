//! The node that `run` starts: what it is made of, and how it ends.

use std::sync::{Arc, mpsc};
use std::thread;

use moonlet_language::diagnostic::Level;
use moonlet_modules::Terminal;
use moonlet_registry::{Loaded, Report};
use moonlet_runtime::{Error, HostModule, Node, NodeConfig, Value};

use super::result::conclude;
use super::target::Target;
use crate::exit;
use crate::failure::Failure;

/// What the main thread waits for.
pub(super) enum Event {
    /// Somebody wants the node to stop.
    Signal,
    /// The process on the terminal has ended.
    Exit(Result<Vec<Value>, Error>),
}

/// Runs one process, and the services beside it, until the process ends.
pub(super) fn execute(
    loaded: &Loaded,
    target: &Target,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<u8, Failure> {
    let terminal = Arc::new(Terminal::new(target.arguments.clone()));
    let node = start(loaded, &terminal)?;
    let outcome = run_target(&node, target, events, inbox);
    // What the process wrote comes before what is said about it.
    terminal.close();
    let code = conclude(outcome?);
    drop(node);
    code
}

fn run_target(
    node: &Node,
    target: &Target,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<Result<Vec<Value>, Error>, Failure> {
    let started = match node.start(target.entry.as_str(), target.host.as_str(), &target.values()) {
        Ok(started) => started,
        Err(error) => return Ok(Err(error)),
    };
    let pid = started.pid.clone();
    thread::Builder::new()
        .name("exit".to_owned())
        // Nobody listens only when the program ends anyway.
        .spawn(move || drop(events.send(Event::Exit(started.wait()))))
        .map_err(|error| Failure::caused("failed to start a thread", &error))?;
    loop {
        match inbox.recv() {
            Ok(Event::Exit(exit)) => return Ok(exit),
            Ok(Event::Signal) => ask_to_stop(node, &pid),
            Err(mpsc::RecvError) => return Err(Failure::message("the node has stopped")),
        }
    }
}

/// Runs the services until a signal asks for the end.
pub(super) fn serve(loaded: &Loaded, events: mpsc::Sender<Event>, inbox: &mpsc::Receiver<Event>) -> Result<u8, Failure> {
    let terminal = Arc::new(Terminal::new(Vec::new()));
    let node = start(loaded, &terminal)?;
    drop(events);
    while let Ok(event) = inbox.recv() {
        if matches!(event, Event::Signal) {
            break;
        }
    }
    drop(node);
    terminal.close();
    Ok(exit::SUCCESS)
}

fn start(loaded: &Loaded, terminal: &Arc<Terminal>) -> Result<Node, Failure> {
    let terminal: Arc<dyn HostModule> = Arc::<Terminal>::clone(terminal);
    let node = Node::new(&NodeConfig::default(), loaded.registry.clone(), vec![terminal])
        .map_err(|error| Failure::caused("the node cannot start", &error))?;
    let diagnostics = node.prepare();
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(Failure::Report(Box::new(Report { diagnostics, sources: loaded.sources.clone() })));
    }
    Ok(node)
}

fn ask_to_stop(_node: &Node, _pid: &str) {}
