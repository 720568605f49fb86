//! Host modules: capabilities that Lua gets by `require`.
//!
//! A module answers at once, or takes a ticket and answers later from whatever thread it likes. It never sees the guest: what
//! it is given are values, and who asks.

use std::sync::Arc;

use moonlet_sandbox::wit::Error;
use rmpv::Value;

mod args;
mod bill;
mod call;
mod evaluate;
mod feed;
mod freight;
mod image;
mod jobs;
mod keeper;
mod later;
mod manifest;
mod spool;
mod stream;

pub use args::Args;
pub use bill::Bill;
pub use call::ModuleCall;
pub use evaluate::{Compiler, Evaluation, Import, Prepared};
pub use feed::{Feed, FeedError};
pub use freight::Freight;
pub use image::image_manifest;
pub(crate) use image::is_in_image;
pub use jobs::Job;
pub(crate) use jobs::Jobs;
pub use keeper::Keeper;
pub use later::{Completer, Ticket};
pub use manifest::Manifest;
pub use spool::{Room, Spool};
pub use stream::{ByteSource, ByteStream, NextBytes, SCANNER_METHODS, STREAM_METHODS, error_text, invoke_stream};

use crate::handle::NodeHandle;
use crate::security::Authority;
use moonlet_registry::Change;

/// A capability of the host.
pub trait HostModule: Send + Sync {
    /// Returns the name in `require` and in `modules:`.
    fn name(&self) -> &str;

    /// Describes the module: a map with `functions` (names), `constants` and `resources`; [`Manifest`] makes it.
    fn manifest(&self) -> Value;

    /// Returns Lua that makes the module's table from its functions: a chunk that is called with the table of functions and constants,
    /// and with the helpers of the guest, and returns a table. It runs in every process that names the module, and must not wait.
    fn glue(&self) -> Option<&'static str> {
        None
    }

    /// Returns more Lua, which glue loads by `kit.part(name, ...)` when it needs it: what few processes use belongs here.
    fn part(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// Calls a function. A method of a resource is the function `Type:method` with the resource as its first argument.
    ///
    /// # Errors
    ///
    /// What Lua gets as `nil, err`, or has raised for arguments of wrong types.
    fn invoke(&self, call: &mut ModuleCall<'_>, function: &str, args: Vec<Value>) -> Result<Answer, Fault>;

    /// Starts what the module runs beside the processes; called once, before any service starts.
    ///
    /// # Errors
    ///
    /// What keeps the node from starting.
    fn start(&self, _node: &NodeHandle) -> Result<(), Error> {
        Ok(())
    }

    /// Begins to serve whoever comes from outside; called once, when the services have started.
    fn serve(&self, _node: &NodeHandle) {}

    /// Finds the authority that a token of a token store stands for; none: this module has no such store, or the token is not valid.
    fn authenticate(&self, _node: &NodeHandle, _store: &str, _token: &str) -> Option<Arc<Authority>> {
        None
    }

    /// Hears that an entry changed while the node runs. It must not change the registry from here.
    fn changed(&self, _change: &Change) {}

    /// Ends what `start` started; called when the node stops, before its processes end.
    fn stop(&self) {}

    /// Writes what the module counts, in the text format of Prometheus. Names of families must be nobody else's: those of the node start
    /// with `moonlet_`.
    fn metrics(&self) -> String {
        String::new()
    }

    /// Hears that a process ended which may hold something of a module, see [`ModuleCall::hold`].
    fn forget(&self, _pid: &str) {}
}

/// What a call of a module came to.
pub enum Answer {
    /// It is done, with these values.
    Done(Vec<Value>),
    /// It goes on, see [`ModuleCall::later`].
    Pending(Ticket),
}

impl Answer {
    /// Answers with one value.
    ///
    /// # Errors
    ///
    /// Never; the type is the one of [`HostModule::invoke`].
    pub fn one(value: impl Into<Value>) -> Result<Self, Fault> {
        Ok(Self::Done(vec![value.into()]))
    }

    /// Answers without a value.
    ///
    /// # Errors
    ///
    /// Never; the type is the one of [`HostModule::invoke`].
    pub fn none() -> Result<Self, Fault> {
        Ok(Self::Done(Vec::new()))
    }
}

/// Why a call of a module came to nothing.
#[derive(Debug)]
pub enum Fault {
    /// Lua gets `nil, err`.
    Failed(Error),
    /// Lua raises this: arguments have wrong types.
    Raised(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
