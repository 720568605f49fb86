//! What is fed with inputs by chance, natively, so that the guest itself is counted; `tests/fuzz` says more.
#![allow(dead_code, unreachable_pub, reason = "every target takes what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a target says by panicking what it found")]

use moonlet_guest::bindings::moonlet::runtime::programs::{Chunk, Program, SoftLimits, Status};
use moonlet_guest::host::double::{self, Asked};
use moonlet_guest::host::{Event, Message, Payload};
use moonlet_guest::{Component, Guest as _};

#[path = "../../tests/fuzz/src/pieces.rs"]
mod pieces;

/// The types of the contract that `pieces` speaks of.
mod wire {
    pub(crate) use moonlet_guest::host::{Completion, Event, HostError as Error, Message, Outcome, Payload, Signal, SignalKind};
}

/// Sends back what it gets.
const ECHO: &str = "
local function main()
    local back = process.listen('back')
    while true do
        local value = back:receive()
        process.send('x', 'y', value)
    end
end
return { main = main }";

fn start(source: &str, args: Payload, context: Vec<u8>) -> Status {
    Component::prepare();
    double::reset();
    let code = Component::compile(source.as_bytes().to_vec(), "fuzz:receiver".to_owned()).unwrap();
    let main = Chunk { entry: "fuzz:receiver".to_owned(), code, modules: vec!["time".to_owned()], imports: Vec::new() };
    let limits = SoftLimits {
        memory: 8 << 20,
        coroutines: 100,
        channels: 100,
        channel_buffer: 100,
        timers: 100,
        depth: 64,
        message_size: 1 << 20,
    };
    let (pid, method) = ("{fuzz:host|0x1}".to_owned(), "main".to_owned());
    Component::start(Program {
        pid,
        main,
        libraries: Vec::new(),
        image_modules: Vec::new(),
        method,
        args,
        context,
        seed: 1,
        limits,
    })
}

/// What comes back when a payload is sent to an echo; nothing if it holds what cannot be sent.
fn echo(body: Payload) -> Option<Payload> {
    let status = Component::step(vec![Event::Message(Message { sender: None, topic: "back".to_owned(), body })]);
    let ended = double::with(|double| double.outcome().cloned());
    assert!(status == Status::Blocked, "the echo ended: {ended:?}");
    double::with(|double| {
        double.asked.drain(..).rev().find_map(|asked| match asked {
            Asked::Send { body, .. } => Some(body),
            _ => None,
        })
    })
}

/// Reads bytes as a payload; what was read is written so that it reads the same.
pub fn codec(bytes: &[u8]) {
    start(ECHO, pieces::payload(&[]), Vec::new());
    let Some(once) = echo(pieces::payload(bytes)) else { return };
    let again = echo(once.clone()).unwrap();
    // By length, because tables have no order.
    assert_eq!((once.data.len(), once.channels.len()), (again.data.len(), again.channels.len()), "{once:?} {again:?}");
}

/// Feeds a new receiver with what the bytes say; to end is a decision of its code.
pub fn machine(bytes: &[u8]) {
    let mut pieces = pieces::pieces(bytes);
    let args = pieces::payload(pieces.next().unwrap_or_default());
    let mut status = start(pieces::RECEIVER, args, pieces.next().unwrap_or_default().to_vec());
    for piece in pieces {
        if status != Status::Blocked {
            break;
        }
        status = Component::step(vec![pieces::event(piece)]);
    }
}
