//! Plays the host for one machine: compiles a program, starts it, feeds it events, and reads what it printed and how it ended.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "every test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use moonlet_guest::bindings::moonlet::runtime::programs::{Alias, Chunk, Program, SoftLimits, Status};
use moonlet_guest::host::double::{self, Asked};
use moonlet_guest::host::{Completion, Event, HostError, Message, Outcome, Payload, Signal, SignalKind};
use moonlet_guest::{Component, Guest as _};

/// A value of a document that a test sends.
#[derive(Clone, Debug)]
pub enum Value {
    Nil,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Channel(u32),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Integer(value)
    }
}

impl Value {
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Value::Nil => bytes.push(0xc0),
            Value::Boolean(value) => bytes.push(if *value { 0xc3 } else { 0xc2 }),
            Value::Integer(value) => {
                bytes.push(0xd3);
                bytes.extend(value.to_be_bytes());
            }
            Value::Float(value) => {
                bytes.push(0xcb);
                bytes.extend(value.to_be_bytes());
            }
            Value::Text(text) => {
                bytes.push(0xdb);
                bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                bytes.extend(text.as_bytes());
            }
            Value::Array(values) => {
                bytes.push(0xdd);
                bytes.extend(u32::try_from(values.len()).unwrap().to_be_bytes());
                values.iter().for_each(|value| value.encode(bytes));
            }
            Value::Map(entries) => {
                bytes.push(0xdf);
                bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
                for (key, value) in entries {
                    key.encode(bytes);
                    value.encode(bytes);
                }
            }
            Value::Channel(place) => {
                bytes.extend([0xd6, 2]);
                bytes.extend(place.to_be_bytes());
            }
        }
    }
}

pub fn document(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

pub fn payload(values: &[Value]) -> Payload {
    if values.is_empty() {
        return Payload { data: Vec::new(), channels: Vec::new() };
    }
    Payload { data: document(&Value::Array(values.to_vec())), channels: Vec::new() }
}

pub fn error(kind: &str, message: &str) -> HostError {
    HostError { kind: kind.to_owned(), message: message.to_owned(), retryable: None, details: Vec::new(), trace: String::new() }
}

pub fn message(topic: &str, values: &[Value]) -> Event {
    Event::Message(Message { sender: Some("{app:host|sender}".to_owned()), topic: topic.to_owned(), body: payload(values) })
}

pub fn done(ticket: u64, values: &[Value]) -> Event {
    Event::Completed(Completion { ticket, outcome: Outcome::Done(payload(values)) })
}

pub fn failed(ticket: u64, error: HostError) -> Event {
    Event::Completed(Completion { ticket, outcome: Outcome::Failed(error) })
}

pub fn cancel(reason: &str) -> Event {
    Event::Signal(Signal {
        kind: SignalKind::Cancel,
        sender: "{app:host|boss}".to_owned(),
        at: 1_700_000_000_000_000_000,
        value: payload(&[]),
        error: None,
        reason: reason.to_owned(),
        sources: Vec::new(),
    })
}

pub fn limits() -> SoftLimits {
    SoftLimits {
        memory: 64 << 20,
        coroutines: 1000,
        channels: 1000,
        channel_buffer: 10_000,
        timers: 1000,
        depth: 64,
        message_size: 1 << 20,
    }
}

pub fn chunk(entry: &str, source: &str) -> Chunk {
    let code =
        Component::compile(source.as_bytes().to_vec(), entry.to_owned()).unwrap_or_else(|error| panic!("{}", error.message));
    Chunk { entry: entry.to_owned(), code, modules: Vec::new(), imports: Vec::new() }
}

/// A program whose main chunk returns its main function.
pub fn program(source: &str) -> Program {
    Component::prepare();
    double::reset();
    Program {
        pid: "{app:host|1}".to_owned(),
        main: chunk("app:main", source),
        libraries: Vec::new(),
        method: String::new(),
        image_modules: Vec::new(),
        args: payload(&[]),
        context: Vec::new(),
        seed: 1,
        limits: limits(),
    }
}

/// Gives a program a library under a name.
pub fn import(program: &mut Program, name: &str, entry: &str, source: &str) {
    program.libraries.push(chunk(entry, source));
    program.main.imports.push(Alias { name: name.to_owned(), entry: entry.to_owned() });
}

/// Starts a program whose main function has this body.
pub fn run(body: &str) -> Status {
    run_with(body, &[], &[])
}

/// The same with declared modules and arguments.
pub fn run_with(body: &str, modules: &[&str], arguments: &[Value]) -> Status {
    let mut program = program(&format!("return function(...) {body}\nend"));
    program.main.modules = modules.iter().map(|&module| module.to_owned()).collect();
    program.args = payload(arguments);
    Component::start(program)
}

pub fn start(program: Program) -> Status {
    Component::start(program)
}

pub fn step(events: Vec<Event>) -> Status {
    Component::step(events)
}

/// What `print` wrote.
pub fn lines() -> Vec<String> {
    double::with(|double| {
        double
            .asked
            .iter()
            .filter_map(|asked| match asked {
                Asked::Log { message, .. } => Some(message.clone()),
                _ => None,
            })
            .collect()
    })
}

/// The text of everything that was printed.
pub fn printed() -> String {
    lines().join("\n")
}

/// How the process ended.
pub fn outcome() -> Result<Payload, HostError> {
    double::with(|double| double.outcome().cloned())
        .unwrap_or_else(|| panic!("the process has not ended; printed: {}", printed()))
}

/// The error it ended with.
pub fn failure() -> HostError {
    match outcome() {
        Ok(payload) => panic!("the process ended well: {payload:?}; printed: {}", printed()),
        Err(error) => error,
    }
}

/// Fails unless the process ended well.
#[track_caller]
pub fn check_success() {
    if let Err(error) = outcome() {
        panic!("the process failed: {} {}\n{}\nprinted: {}", error.kind, error.message, error.trace, printed());
    }
}

/// Runs a body to its end without events and compares what it printed.
#[track_caller]
pub fn check_prints(body: &str, expected: &[&str]) {
    run(body);
    check_success();
    assert_eq!(lines(), expected);
}

/// What the guest asked for, as debug text, without the log.
pub fn asked() -> Vec<Asked> {
    double::with(|double| double.asked.iter().filter(|asked| !matches!(asked, Asked::Log { .. })).cloned().collect())
}
