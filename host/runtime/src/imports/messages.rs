//! Sending, and choosing what is delivered.

use std::sync::Arc;

use moonlet_sandbox::wit::{self, Error, Payload};

use super::Calls;
use crate::arrival::Envelope;
use crate::errors;
use crate::reserve::Small;

/// The longest topic in bytes: topics are kept in tables and copied with every message.
const MAX_TOPIC: usize = 255;
/// Topics that one process listens to: each is memory of the host.
const MAX_TOPICS: usize = 10_000;

pub(super) fn check_topic(topic: &str) -> Result<(), Error> {
    let reason = match topic.as_bytes() {
        [] => "it is empty",
        [b'@', ..] => "topics that start with `@` belong to the host",
        bytes if bytes.len() > MAX_TOPIC => "it is longer than 255 bytes",
        _ => return Ok(()),
    };
    Err(errors::invalid(format!("`{}` cannot be a topic: {reason}", errors::shown(topic))))
}

impl Calls {
    /// Refuses a message of a process that sends faster than it, or its process host, may.
    fn pace(&self) -> Result<(), Error> {
        let process = &self.process;
        if !process.terms.paced {
            return Ok(());
        }
        let (now, allowed) = (self.node.clock(), process.terms.bounds.messages);
        if allowed != u64::MAX {
            let taken = process.meter().messages.take(now, allowed, 1);
            taken.map_err(|excess| process.too_fast("messages_per_second", allowed, excess))?;
        }
        let taken = process.terms.host.send(now);
        taken.map_err(|(allowed, excess)| process.too_fast("quota.messages_per_second", allowed, excess))
    }
}

impl wit::messages::Host for Calls {
    fn send(&mut self, to: String, topic: String, body: Payload) -> Result<(), Error> {
        self.admitted()?;
        check_topic(&topic)?;
        self.check_size(&body)?;
        self.pace()?;
        let target = self.node.find(&to)?;
        self.check_namespace(&target.terms.program.entry)?;
        self.guard_process("process.send", &target, &to)?;
        let body = self.node.transfer(&self.process, body, &target)?;
        let sender = Some(Arc::clone(&self.process.pid));
        self.node.deliver(&to, &target, Envelope { sender, topic: topic.into(), body, trace: self.process.trace.current() })?;
        self.process.count_sent();
        Ok(())
    }

    fn listen(&mut self, topic: String) -> Result<(), Error> {
        self.admitted()?;
        // Topics that start with `@` are fed by modules of the host, and by nobody else.
        check_topic(topic.strip_prefix('@').unwrap_or(&topic))?;
        let mut inner = self.process.inner();
        if inner.mailbox.topics() >= MAX_TOPICS {
            return Err(self.process.exceeded("topics", MAX_TOPICS as u64, MAX_TOPICS as u64 + 1));
        }
        self.process.reserve(Small::Topics, inner.mailbox.topics() + 1)?;
        inner.mailbox.listen(topic);
        Ok(())
    }

    fn unlisten(&mut self, topic: String) {
        self.process.inner().mailbox.unlisten(&topic);
    }

    fn open_inbox(&mut self) {
        self.process.inner().mailbox.open_inbox();
    }

    fn pause(&mut self, topic: Option<String>) {
        self.process.inner().mailbox.pause(topic);
    }

    fn resume(&mut self, topic: Option<String>) {
        self.process.inner().mailbox.resume(topic.as_deref());
    }
}
