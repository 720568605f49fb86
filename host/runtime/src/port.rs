//! Ports: processes whose code is the host's, such as a connection that other processes send to.
//!
//! A port has a pid, a mailbox with the usual bounds, monitors and links. Nothing of it runs in a sandbox: a turn of it only calls
//! its owner, who takes what has arrived when it likes.

use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::{Error, Event, Payload, SignalKind};
use rmpv::Value;

use crate::arrival::Exit;
use crate::document;
use crate::errors;
use crate::handle::NodeHandle;
use crate::life::Life;
use crate::process::{Process, RELATED};
use crate::shared::Shared;
use crate::spawn::Birth;
use crate::table::Tabled;

/// A process of the host. Dropping it ends the process.
pub struct Port {
    node: Weak<Shared>,
    process: Arc<Process>,
}

/// What a port hears.
#[derive(Debug, Clone)]
pub enum PortEvent {
    /// A message.
    Message {
        /// Who sent it; none for the host.
        sender: Option<String>,
        /// Its topic.
        topic: String,
        /// Its values.
        values: Vec<Value>,
    },
    /// A process ended that the port monitors.
    Exit(String),
    /// Somebody asks the port to end, with a reason.
    Cancel(String),
}

impl Port {
    pub(crate) fn open(node: &Arc<Shared>, entry: &str, wake: Box<dyn Fn() + Send>) -> Result<Self, Error> {
        let terms = node.terms.outside(entry);
        let mut birth = Birth::new(terms, None, Payload::empty(), Arc::from([].as_slice()));
        birth.authority = node.nobody();
        let process = node.bear(birth)?;
        *process.life.lock() = Life::Outside(wake);
        process.inner().mailbox.open_inbox();
        node.launch(&process);
        Ok(Self { node: Arc::downgrade(node), process })
    }

    /// Returns its pid.
    #[must_use]
    pub fn pid(&self) -> &str {
        &self.process.pid
    }

    /// Tells whether nobody has ended it from outside.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.process.is_killed() && !self.process.inner().is_ended()
    }

    /// Takes what has arrived, some at a time: nothing means that `wake` will be called.
    #[must_use]
    pub fn take(&self) -> Vec<PortEvent> {
        let mut events = Vec::new();
        self.process.take_events(&mut events);
        events.into_iter().filter_map(event).collect()
    }

    /// Hears of the end of a process from now on, as far as `by` may reach it.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such process, `PermissionDenied` when it is out of reach.
    pub fn monitor(&self, by: &NodeHandle, pid: &str) -> Result<(), Error> {
        let target = by.reach("process.monitor", Some(self.pid()), pid)?;
        let node = self.node()?;
        let mut relations = node.relations.lock();
        if !self.process.tie(RELATED) || !target.tie(RELATED) {
            return Err(errors::no_process(pid));
        }
        relations.monitor(self.process.number(), target.number()).map_err(|error| errors::of_relation(&error))
    }

    /// Hears of the end of a process no more.
    pub fn unmonitor(&self, pid: &str) {
        if let Ok(node) = self.node()
            && let Ok(target) = node.find(pid)
        {
            node.relations.lock().unmonitor(self.process.number(), target.number());
        }
    }

    fn node(&self) -> Result<Arc<Shared>, Error> {
        self.node.upgrade().ok_or_else(|| errors::unavailable("the node has stopped").with_retryable(false))
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(node) = self.node.upgrade() {
            let exit: Exit = Ok(Payload::empty());
            node.exit(&self.process, exit);
            *self.process.life.lock() = Life::Over;
        }
    }
}

fn event(event: Event) -> Option<PortEvent> {
    match event {
        Event::Message(message) => {
            // What cannot be read is of no use to anybody; a guest that writes such a document only talks to itself.
            let values = document::decode_few(&message.body.data).ok()?;
            Some(PortEvent::Message { sender: message.sender, topic: message.topic, values })
        }
        Event::Signal(signal) => match signal.kind {
            SignalKind::Exit => Some(PortEvent::Exit(signal.sender)),
            SignalKind::Cancel => Some(PortEvent::Cancel(signal.reason)),
            SignalKind::LinkDown | SignalKind::Outdated | SignalKind::Limit => None,
        },
        Event::Completed(_) => None,
    }
}
