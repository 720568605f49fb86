//! The host of a machine that is only fed: whatever reaches others is refused, what it waits for comes as it is fed, and a step that
//! takes too long is ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use moonlet_sandbox::wit::{self, Error, Imports, Outcome, Payload};

/// Slices after which a step hangs.
pub(crate) const MAX_SLICES: u64 = 5_000;

/// Acts that are remembered: what follows tells nothing new.
const MAX_ACTS: usize = 10_000;

/// What a process did.
#[derive(Clone, Default)]
pub(crate) struct Nothing {
    /// The slices of its steps.
    pub(crate) slices: Arc<AtomicU64>,
    /// What it asked for, by numbers of the functions below.
    pub(crate) acts: Arc<Mutex<Vec<u8>>>,
    /// The last ticket given out.
    last_ticket: u64,
}

impl Nothing {
    /// Gives out tickets in a row, and tells the first.
    fn tickets(&mut self, count: usize) -> u64 {
        let first = self.last_ticket + 1;
        self.last_ticket += count as u64;
        first
    }

    fn act(&self, act: u8) {
        let mut acts = self.acts.lock().unwrap();
        if acts.len() < MAX_ACTS {
            acts.push(act);
        }
    }
}

fn denied<T>() -> Result<T, Error> {
    Err(Error::new("PermissionDenied", "nothing is granted here"))
}

impl wit::types::Host for Nothing {}

impl wit::messages::Host for Nothing {
    fn send(&mut self, _to: String, _topic: String, _body: Payload) -> Result<(), Error> {
        self.act(1);
        denied()
    }
    fn listen(&mut self, _topic: String) -> Result<(), Error> {
        self.act(2);
        Ok(())
    }
    fn unlisten(&mut self, _topic: String) {
        self.act(3);
    }
    fn open_inbox(&mut self) {
        self.act(4);
    }
    fn pause(&mut self, _topic: Option<String>) {
        self.act(5);
    }
    fn resume(&mut self, _topic: Option<String>) {
        self.act(6);
    }
}

impl wit::lifecycle::Host for Nothing {
    fn spawn(&mut self, _request: wit::SpawnRequest) -> Result<String, Error> {
        self.act(7);
        denied()
    }
    fn exec(&mut self, _request: wit::SpawnRequest) -> Result<u64, Error> {
        self.act(8);
        denied()
    }
    fn cancel(&mut self, _to: String, _reason: String) -> Result<(), Error> {
        self.act(9);
        denied()
    }
    fn terminate(&mut self, _to: String) -> Result<(), Error> {
        self.act(10);
        denied()
    }
    fn link(&mut self, _to: String) -> Result<(), Error> {
        self.act(11);
        denied()
    }
    fn unlink(&mut self, _to: String) -> Result<(), Error> {
        self.act(12);
        denied()
    }
    fn monitor(&mut self, _to: String) -> Result<(), Error> {
        self.act(13);
        denied()
    }
    fn unmonitor(&mut self, _to: String) -> Result<(), Error> {
        self.act(14);
        denied()
    }
    fn set_options(&mut self, _options: wit::ProcessOptions) {
        self.act(15);
    }
    fn get_options(&mut self) -> wit::ProcessOptions {
        self.act(16);
        wit::ProcessOptions { trap_links: None, upgradable: None, limit_warnings: None }
    }
    fn upgrade(&mut self, _entry: Option<String>, _args: Payload, _unread: Vec<wit::Event>) -> Result<(), Error> {
        self.act(17);
        denied()
    }
    fn refused(&mut self, _limit: String) {
        self.act(38);
    }
    fn finish(&mut self, _outcome: Result<Payload, Error>) {
        self.act(18);
    }
}

impl wit::names::Host for Nothing {
    fn register(&mut self, _name: String, _process: Option<String>, _scope: wit::Scope) -> Result<(), Error> {
        self.act(19);
        denied()
    }
    fn lookup(&mut self, _name: String) -> Result<String, Error> {
        self.act(20);
        denied()
    }
    fn unregister(&mut self, _name: String, _scope: wit::Scope) -> Result<(), Error> {
        self.act(21);
        denied()
    }
}

impl wit::channels::Host for Nothing {
    fn open(&mut self, _capacity: u32) -> Result<u32, Error> {
        self.act(22);
        Ok(1)
    }
    fn send(&mut self, _channel: u32, _body: Payload) -> Result<Option<u64>, Error> {
        self.act(23);
        Ok(Some(self.tickets(1)))
    }
    fn receive(&mut self, _channel: u32) -> Result<wit::Reception, Error> {
        self.act(24);
        Ok(wit::Reception::Pending(self.tickets(1)))
    }
    fn select(&mut self, cases: Vec<wit::SelectCase>, wait: bool) -> Result<wit::Selection, Error> {
        self.act(25);
        Ok(if wait { wit::Selection::Pending(self.tickets(cases.len())) } else { wit::Selection::None })
    }
    fn close(&mut self, _channel: u32) -> Result<(), Error> {
        self.act(26);
        Ok(())
    }
    fn release(&mut self, _channel: u32) {
        self.act(27);
    }
}

impl wit::functions::Host for Nothing {
    fn call(&mut self, _request: wit::CallRequest) -> Result<u64, Error> {
        self.act(28);
        denied()
    }
}

impl wit::modules::Host for Nothing {
    fn describe(&mut self, _name: String) -> Result<Vec<u8>, Error> {
        self.act(29);
        denied()
    }
    fn invoke(&mut self, _module: String, _function: String, _args: Payload) -> Result<wit::Reply, Error> {
        self.act(30);
        denied()
    }
}

impl wit::clock::Host for Nothing {
    fn now(&mut self) -> u64 {
        self.act(31);
        0
    }
    fn monotonic(&mut self) -> u64 {
        self.act(32);
        0
    }
    fn timer(&mut self, _after: u64) -> Result<u64, Error> {
        self.act(33);
        Ok(self.tickets(1))
    }
}

impl wit::tickets::Host for Nothing {
    fn cancel(&mut self, _ticket: u64) -> bool {
        self.act(34);
        false
    }
}

impl wit::random::Host for Nothing {
    fn number(&mut self) -> u64 {
        self.act(35);
        0
    }
    fn bytes(&mut self, _count: u32) -> Result<Vec<u8>, Error> {
        self.act(36);
        denied()
    }
}

impl wit::log::Host for Nothing {
    fn write(&mut self, _level: wit::Level, _logger: String, _message: String, _fields: Vec<u8>, _location: String) {
        self.act(37);
    }
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
        self.slices.fetch_add(1, Ordering::Relaxed) < MAX_SLICES
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
