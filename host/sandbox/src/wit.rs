//! The types and traits of `wit/`, gathered under short names.

pub use crate::bindings::machine::moonlet::runtime::{
    channels, clock, functions, lifecycle, log, messages, modules, names, programs, random, tickets, types,
};

pub use channels::{Offer, Reception, SelectCase, Selection};
pub use functions::CallRequest;
pub use lifecycle::{FirstMessage, ProcessOptions, SpawnRequest};
pub use log::Level;
pub use modules::Reply;
pub use names::Scope;
pub use programs::{Alias, Chunk, Program, SoftLimits, Status};
pub use types::{Completion, Error, Event, Message, Outcome, Payload, Signal, SignalKind};

/// What a process may ask of its host. One value stands behind each process, and every call is its authority check.
///
/// The functions of the interfaces return at once. The last three functions here serve world `process` only, whose programs
/// block: each is asked again whenever the process is polled.
pub trait Imports:
    types::Host
    + messages::Host
    + lifecycle::Host
    + names::Host
    + channels::Host
    + functions::Host
    + modules::Host
    + clock::Host
    + tickets::Host
    + random::Host
    + log::Host
    + Send
{
    /// Tells whether [`Imports::called`] wants to hear of every call.
    fn counts_calls(&self) -> bool;

    /// Hears that the process calls one of the functions above, before it is called.
    fn called(&mut self);

    /// Hears that the process wants so many more bytes of linear memory, which it would have in all, within its own limit.
    ///
    /// # Errors
    ///
    /// The name of another limit that forbids it, what that allows, and what there would be.
    fn grow(&mut self, more: usize, total: usize) -> Result<(), (&'static str, usize, usize)>;

    /// Returns the pid of the process.
    fn pid(&self) -> String;

    /// Hears that a slice of a machine is over, in the middle of its step, and returns when it may go on; false ends it.
    fn slice_over(&mut self) -> bool;

    /// Takes the outcome of a pending operation once it is there.
    fn take_outcome(&mut self, ticket: u64) -> Option<Outcome>;

    /// Takes the next message or signal once there is one.
    fn take_event(&mut self) -> Option<Event>;

    /// Starts a timer and returns its ticket.
    fn deadline(&mut self, after: u64) -> u64;
}

impl Payload {
    /// A payload without values.
    #[must_use]
    pub fn empty() -> Self {
        Self { data: Vec::new(), channels: Vec::new() }
    }
}

impl Error {
    /// An error of a kind, with a message for people and nothing else.
    #[must_use]
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), retryable: None, details: Vec::new(), trace: String::new() }
    }

    /// The same error, marked as worth another try or not.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }
}
