//! What is fed with inputs by chance: nothing may panic, hang, or break its promise.
//!
//! Each module is a target, a function of bytes that panics where something is wrong; [`replay`] runs one with the same inputs every
//! time, and `../targets` hands them to libFuzzer. `../README.md` says how to run them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise, and says at which"
)]

pub mod documents;
pub mod entries;
pub mod events;
mod mutate;
mod nothing;
mod pieces;
pub mod programs;
pub mod replay;

/// The types of the contract that [`pieces`] speaks of.
mod wire {
    pub(crate) use moonlet_sandbox::wit::{Completion, Error, Event, Message, Outcome, Payload, Signal, SignalKind};
}
