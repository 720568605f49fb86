//! Which process to run on the terminal, or which function to call, on which host, with which arguments.

use moonlet_registry::{Command, Entry, EntryId, Snapshot};

use crate::arguments::RunArguments;
use crate::failure::Failure;

/// The use case of the command that runs tests.
const TESTS: &str = "test";

/// A process that gets the terminal, or a function that is called.
#[derive(Debug)]
pub(crate) struct Target {
    /// What runs.
    pub(crate) entry: EntryId,
    /// The terminal host of a process; none: it is a function, which runs where it says itself.
    pub(crate) host: Option<EntryId>,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
}

/// Finds what the command line asks for; nothing: services only.
pub(crate) fn find(snapshot: &Snapshot, arguments: &RunArguments) -> Result<Option<Target>, Failure> {
    let (entry, words) = match (&arguments.exec, arguments.rest.split_first()) {
        (Some(id), _) => (find_entry(snapshot, id)?, arguments.rest.as_slice()),
        (None, Some((name, words))) => (find_command(snapshot, name)?, words),
        (None, None) => return Ok(None),
    };
    let is_function = snapshot.get(&entry).is_some_and(|entry| is_function(entry));
    let host = if is_function { None } else { Some(find_host(snapshot, arguments.host.as_deref())?) };
    Ok(Some(Target { entry, host, arguments: words.to_vec() }))
}

/// Finds the process that runs the tests of an application.
pub(crate) fn find_tests(snapshot: &Snapshot, host: Option<&str>, words: &[String]) -> Result<Target, Failure> {
    let commands = commands(snapshot);
    let tests: Vec<&EntryId> = commands.iter().filter(|(command, _)| command.use_case == TESTS).map(|(_, id)| id).collect();
    let entry = match tests.as_slice() {
        [entry] => (*entry).clone(),
        [] => {
            let failure = Failure::message("no entry runs tests");
            let example = format!("meta: {{ command: {{ name: test, use_case: {TESTS} }} }}");
            return Err(failure.help(format!("write `{example}` in a `process.lua` entry, or install the module that has one")));
        }
        several => {
            let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            let failure = Failure::message(format!("there is more than one entry that runs tests: {}", quoted(&names)));
            return Err(failure.help(format!("run one by its name: `moonlet run -x {}`", names.first().unwrap_or(&"app:test"))));
        }
    };
    Ok(Target { entry, host: Some(find_host(snapshot, host)?), arguments: words.to_vec() })
}

/// Lists the commands of an application by name.
pub(crate) fn commands(snapshot: &Snapshot) -> Vec<(Command, EntryId)> {
    let command = |entry: &Entry| Some((Command::read(entry)?, entry.module().is_some(), entry.id.clone()));
    let mut commands: Vec<_> = snapshot.entries().filter(|entry| is_process(entry)).filter_map(|entry| command(entry)).collect();
    // Of two with the same name the application's is found first.
    commands.sort_by(|(left, left_of_module, _), (right, right_of_module, _)| {
        left.name.cmp(&right.name).then(left_of_module.cmp(right_of_module))
    });
    commands.into_iter().map(|(command, _, id)| (command, id)).collect()
}

fn is_process(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "process.lua" | "process.wasm")
}

fn is_function(entry: &Entry) -> bool {
    entry.kind.as_str().starts_with("function.")
}

fn find_entry(snapshot: &Snapshot, text: &str) -> Result<EntryId, Failure> {
    let id = EntryId::parse(text).map_err(|error| {
        let known = snapshot.entries().find(|entry| (is_process(entry) || is_function(entry)) && entry.id.name() == text);
        let failure = Failure::message(format!("`-x {text}` names no entry: {error}"));
        match known {
            Some(entry) => failure.help(format!("write `-x {}`", entry.id)),
            None => failure,
        }
    })?;
    match snapshot.get(&id) {
        Some(entry) if is_process(entry) || is_function(entry) => Ok(id),
        Some(entry) => {
            let failure =
                Failure::message(format!("`{id}` is of kind `{}`, and only processes and functions can be run", entry.kind));
            Err(failure.help("name an entry of kind `process.lua`, `process.wasm` or `function.lua`"))
        }
        None => Err(no_process(snapshot, id.as_str())),
    }
}

/// Says that there is no such entry, and which there are.
pub(crate) fn no_entry(snapshot: &Snapshot, id: &str) -> Failure {
    let failure = Failure::message(format!("there is no entry `{id}`"));
    let ids: Vec<&str> = snapshot.entries().map(|entry| entry.id.as_str()).collect();
    match moonlet_registry::nearest(id, ids) {
        Some(near) => failure.help(format!("there is `{near}`")),
        None => failure.help("`moonlet registry list` shows all entries"),
    }
}

/// Says that there is no such process, and which there are.
fn no_process(snapshot: &Snapshot, id: &str) -> Failure {
    const MAX_SHOWN: usize = 10;
    let processes: Vec<&str> = snapshot.entries().filter(|entry| is_process(entry)).map(|entry| entry.id.as_str()).collect();
    if processes.is_empty() || processes.len() > MAX_SHOWN || moonlet_registry::nearest(id, processes.iter().copied()).is_some() {
        return no_entry(snapshot, id);
    }
    Failure::message(format!("there is no entry `{id}`")).help(format!("the processes are {}", quoted(&processes)))
}

fn find_command(snapshot: &Snapshot, name: &str) -> Result<EntryId, Failure> {
    let commands = commands(snapshot);
    if let Some((_, id)) = commands.iter().find(|(command, _)| command.name == name) {
        return Ok(id.clone());
    }
    let failure = Failure::message(format!("there is no command `{name}`, nor a directory of that name"));
    let names: Vec<&str> = commands.iter().map(|(command, _)| command.name.as_str()).collect();
    Err(match moonlet_registry::nearest(name, names.iter().copied()) {
        Some(near) => failure.help(format!("there is `{near}`; `moonlet run list` shows all commands")),
        None if names.is_empty() => {
            failure.help(format!("write `meta: {{ command: {{ name: {name} }} }}` in a `process.lua` entry"))
        }
        None => failure.help(format!("the commands are {}", quoted(&names))),
    })
}

fn find_host(snapshot: &Snapshot, named: Option<&str>) -> Result<EntryId, Failure> {
    let hosts: Vec<&EntryId> = snapshot.of_kind("terminal.host").map(|entry| &entry.id).collect();
    let names: Vec<&str> = hosts.iter().map(|id| id.as_str()).collect();
    let Some(named) = named else {
        return match hosts.as_slice() {
            [host] => Ok((*host).clone()),
            [] => {
                let failure = Failure::message("there is no terminal host to run it on");
                Err(failure.help("add `- name: terminal` with `kind: terminal.host` to the entries"))
            }
            _ => {
                let failure = Failure::message(format!("there is more than one terminal host: {}", quoted(&names)));
                Err(failure.help(format!("name one: `--host {}`", names.first().unwrap_or(&"app:terminal"))))
            }
        };
    };
    if let Some(host) = hosts.iter().find(|id| id.as_str() == named) {
        return Ok((*host).clone());
    }
    let failure = match snapshot.find_id(named) {
        Some(entry) => Failure::message(format!("the host `{named}` is of kind `{}` and not `terminal.host`", entry.kind)),
        None => Failure::message(format!("there is no terminal host `{named}`")),
    };
    Err(match names.as_slice() {
        [] => failure.help("add `- name: terminal` with `kind: terminal.host` to the entries"),
        names => failure.help(format!("the terminal hosts are {}", quoted(names))),
    })
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
