//! Feeds: values that a module sends to one process over time, which Lua sees as a channel.
//!
//! A feed is a topic that starts with `@`, which only the host can send to. Its values wait in the mailbox of the process and are charged
//! to its limits. In glue, `kit.feed(topic)` gives the channel.

use std::sync::{Arc, Weak};

use moonlet_sandbox::wit::Payload;
use rmpv::Value;

use crate::arrival::Envelope;
use crate::document;
use crate::mailbox::CLOSE_TOPIC;
use crate::process::{Process, Refused};
use crate::shared::Shared;

/// One feed of one process. Dropping it closes the channel.
#[derive(Debug)]
pub struct Feed {
    node: Weak<Shared>,
    process: Weak<Process>,
    topic: String,
}

/// Why a value was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedError {
    /// The process has ended; nothing will ever be taken in again.
    Ended,
    /// The mailbox is full; later there may be room.
    Full,
}

impl Feed {
    pub(crate) fn new(node: &Arc<Shared>, process: &Arc<Process>, number: u64) -> Self {
        Self { node: Arc::downgrade(node), process: Arc::downgrade(process), topic: format!("@{number}") }
    }

    /// Returns the topic, for `kit.feed` in glue.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends a value.
    ///
    /// # Errors
    ///
    /// When the process has ended or its mailbox is full.
    pub fn send(&self, value: Value) -> Result<(), FeedError> {
        self.deliver(&self.topic, value)
    }

    fn deliver(&self, topic: &str, value: Value) -> Result<(), FeedError> {
        let (Some(node), Some(process)) = (self.node.upgrade(), self.process.upgrade()) else { return Err(FeedError::Ended) };
        let body = Payload { data: document::values(&[value]), channels: Vec::new() };
        let envelope = Envelope { sender: None, topic: topic.into(), body, trace: None };
        let taken = process.inner().message(envelope);
        match taken {
            Ok(due) => {
                node.schedule(&process, due);
                Ok(())
            }
            Err(Refused::Ended) => Err(FeedError::Ended),
            Err(Refused::Full(_)) => Err(FeedError::Full),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // A full mailbox only means that the channel stays open, without anything to come.
        let _ = self.deliver(CLOSE_TOPIC, self.topic.as_str().into());
    }
}
