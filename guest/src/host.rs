//! What the guest asks of the host: one function per import of the contract.
//!
//! Natively the same functions speak to a double (`host/double.rs`) that tests play.

use crate::bindings::moonlet::runtime as wit;

pub use wit::channels::{Offer, Reception, SelectCase, Selection};
pub use wit::functions::CallRequest;
pub use wit::lifecycle::{FirstMessage, ProcessOptions, SpawnRequest};
pub use wit::log::Level;
pub use wit::modules::Reply;
pub use wit::names::Scope;
pub use wit::types::{Completion, Error as HostError, Event, Message, Outcome, Payload, Signal, SignalKind};

#[cfg(target_arch = "wasm32")]
mod imports;
#[cfg(target_arch = "wasm32")]
use imports as calls;

#[cfg(not(target_arch = "wasm32"))]
pub mod double;
#[cfg(not(target_arch = "wasm32"))]
use double as calls;

pub(crate) use calls::{
    call, cancel, cancel_process, channel_close, channel_open, channel_receive, channel_release, channel_select, channel_send,
    describe, exec, finish, get_options, invoke, link, listen, log, lookup, monitor, monotonic, now, open_inbox, pause,
    random_number, refused, register, resume, send, set_options, spawn, terminate, timer, unlink, unlisten, unmonitor,
    unregister, upgrade,
};

/// An error made on this side of the contract.
pub(crate) fn error(kind: &str, message: String) -> HostError {
    HostError { kind: kind.to_owned(), message, retryable: None, details: Vec::new(), trace: String::new() }
}
