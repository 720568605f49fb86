//! Compiling Lua source text in a throw-away instance, so that a parser fault is as contained as any other.

use crate::limiter::InstanceLimits;
use crate::sandbox::Sandbox;
use crate::wit::{self, Error, Imports, Outcome, Payload};

/// Linear memory of the compiling instance: enough for sources of several megabytes.
const MEMORY: usize = 256 << 20;

pub(crate) fn compile(sandbox: &Sandbox, source: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    let compile =
        || sandbox.machine(Box::new(Nothing), InstanceLimits { memory: MEMORY, message: MEMORY })?.compile(source, name);
    compile().unwrap_or_else(|failure| Err(failure.into_error()))
}

/// The imports of the compiling instance: it is given nothing.
struct Nothing;

fn denied<T>() -> Result<T, Error> {
    Err(Error::new("PermissionDenied", "code cannot act while it is compiled"))
}

impl wit::types::Host for Nothing {}

impl wit::messages::Host for Nothing {
    fn send(&mut self, _to: String, _topic: String, _body: Payload) -> Result<(), Error> {
        denied()
    }
    fn listen(&mut self, _topic: String) -> Result<(), Error> {
        denied()
    }
    fn unlisten(&mut self, _topic: String) {}
    fn open_inbox(&mut self) {}
    fn pause(&mut self, _topic: Option<String>) {}
    fn resume(&mut self, _topic: Option<String>) {}
}

impl wit::lifecycle::Host for Nothing {
    fn spawn(&mut self, _request: wit::SpawnRequest) -> Result<String, Error> {
        denied()
    }
    fn exec(&mut self, _request: wit::SpawnRequest) -> Result<u64, Error> {
        denied()
    }
    fn cancel(&mut self, _to: String, _reason: String) -> Result<(), Error> {
        denied()
    }
    fn terminate(&mut self, _to: String) -> Result<(), Error> {
        denied()
    }
    fn link(&mut self, _to: String) -> Result<(), Error> {
        denied()
    }
    fn unlink(&mut self, _to: String) -> Result<(), Error> {
        denied()
    }
    fn monitor(&mut self, _to: String) -> Result<(), Error> {
        denied()
    }
    fn unmonitor(&mut self, _to: String) -> Result<(), Error> {
        denied()
    }
    fn set_options(&mut self, _options: wit::ProcessOptions) {}
    fn get_options(&mut self) -> wit::ProcessOptions {
        wit::ProcessOptions { trap_links: None, upgradable: None, limit_warnings: None }
    }
    fn upgrade(&mut self, _entry: Option<String>, _args: Payload, _unread: Vec<wit::Event>) -> Result<(), Error> {
        denied()
    }
    fn refused(&mut self, _limit: String) {}
    fn finish(&mut self, _outcome: Result<Payload, Error>) {}
}

impl wit::names::Host for Nothing {
    fn register(&mut self, _name: String, _process: Option<String>, _scope: wit::Scope) -> Result<(), Error> {
        denied()
    }
    fn lookup(&mut self, _name: String) -> Result<String, Error> {
        denied()
    }
    fn unregister(&mut self, _name: String, _scope: wit::Scope) -> Result<(), Error> {
        denied()
    }
}

impl wit::channels::Host for Nothing {
    fn open(&mut self, _capacity: u32) -> Result<u32, Error> {
        denied()
    }
    fn send(&mut self, _channel: u32, _body: Payload) -> Result<Option<u64>, Error> {
        denied()
    }
    fn receive(&mut self, _channel: u32) -> Result<wit::Reception, Error> {
        denied()
    }
    fn select(&mut self, _cases: Vec<wit::SelectCase>, _wait: bool) -> Result<wit::Selection, Error> {
        denied()
    }
    fn close(&mut self, _channel: u32) -> Result<(), Error> {
        denied()
    }
    fn release(&mut self, _channel: u32) {}
}

impl wit::functions::Host for Nothing {
    fn call(&mut self, _request: wit::CallRequest) -> Result<u64, Error> {
        denied()
    }
}

impl wit::modules::Host for Nothing {
    fn describe(&mut self, _name: String) -> Result<Vec<u8>, Error> {
        denied()
    }
    fn invoke(&mut self, _module: String, _function: String, _args: Payload) -> Result<wit::Reply, Error> {
        denied()
    }
}

impl wit::clock::Host for Nothing {
    fn now(&mut self) -> u64 {
        0
    }
    fn monotonic(&mut self) -> u64 {
        0
    }
    fn timer(&mut self, _after: u64) -> Result<u64, Error> {
        denied()
    }
}

impl wit::tickets::Host for Nothing {
    fn cancel(&mut self, _ticket: u64) -> bool {
        false
    }
}

impl wit::random::Host for Nothing {
    fn number(&mut self) -> u64 {
        0
    }
    fn bytes(&mut self, _count: u32) -> Result<Vec<u8>, Error> {
        denied()
    }
}

impl wit::log::Host for Nothing {
    fn write(&mut self, _level: wit::Level, _logger: String, _message: String, _fields: Vec<u8>, _location: String) {}
}

impl Imports for Nothing {
    fn counts_calls(&self) -> bool {
        false
    }

    fn called(&mut self) {}

    fn grow(&mut self, _more: usize, _total: usize) -> Result<(), (&'static str, usize, usize)> {
        Ok(())
    }

    fn pid(&self) -> String {
        String::new()
    }
    fn slice_over(&mut self) -> bool {
        true
    }
    fn take_outcome(&mut self, _ticket: u64) -> Option<Outcome> {
        None
    }
    fn take_event(&mut self) -> Option<wit::Event> {
        None
    }
    fn deadline(&mut self, _after: u64) -> u64 {
        0
    }
}
