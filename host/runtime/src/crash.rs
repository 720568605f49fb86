//! What is known about a process that failed: one record for the operator, whoever decides what follows.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_sandbox::wit::Error;

use crate::errors;
use crate::process::Process;

/// Bytes of the message, and of the traceback, that are written: a storm of failures must not fill the log.
const MAX_TEXT: usize = 4 << 10;
/// Bytes of the kind that are written.
const MAX_KIND: usize = 64;

/// A process that failed, and how it stood with its limits.
#[derive(Debug, Clone)]
pub(crate) struct Crash {
    pub(crate) pid: Arc<str>,
    pub(crate) entry: Arc<str>,
    pub(crate) kind: String,
    pub(crate) message: String,
    /// Where in its code it failed.
    pub(crate) trace: String,
    /// The topics of the last messages that it got, the latest last.
    pub(crate) topics: String,
    /// What it used of its limits.
    pub(crate) usage: String,
}

impl Crash {
    /// Describes the end of a process.
    pub(crate) fn new(process: &Process, error: &Error) -> Self {
        let (topics, waiting) = {
            let inner = process.inner();
            (inner.topics.show(), inner.waiting)
        };
        Self {
            pid: Arc::clone(&process.pid),
            entry: Arc::clone(&process.terms.program.entry),
            kind: cut(&error.kind, MAX_KIND),
            message: errors::plain(&cut(&error.message, MAX_TEXT)),
            trace: cut(&error.trace, MAX_TEXT),
            topics,
            usage: usage(process, waiting),
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.get(..text.floor_char_boundary(most)) {
        Some(start) if start.len() < text.len() => format!("{start}..."),
        _ => text.to_owned(),
    }
}

fn usage(process: &Process, waiting: usize) -> String {
    let bounds = &process.terms.bounds;
    let mut text = format!("cpu {} ms", process.cpu.load(Ordering::Relaxed) / 1_000_000);
    let memory = process.memory.load(Ordering::Relaxed);
    if memory > 0 {
        // Writing to a text cannot fail.
        let _ = write!(text, ", memory {} KiB of {} KiB", memory >> 10, bounds.memory >> 10);
    }
    let _ = write!(text, ", mailbox {waiting} of {} messages", bounds.mailbox.messages);
    text
}

/// How many topics are remembered.
const KEPT: usize = 4;
/// How much of a topic is remembered, in bytes.
const LENGTH: usize = 23;

/// The topics of the last messages of a process, in place: a message costs no allocation for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Topics {
    kept: [Topic; KEPT],
    /// Where the next one goes.
    next: u8,
}

#[derive(Debug, Clone, Copy, Default)]
struct Topic {
    length: u8,
    bytes: [u8; LENGTH],
}

impl Topics {
    /// Remembers the topic of a message.
    pub(crate) fn note(&mut self, topic: &str) {
        let Some(place) = self.kept.get_mut(usize::from(self.next) % KEPT) else { return };
        let length = topic.len().min(LENGTH);
        if let (Some(to), Some(from)) = (place.bytes.get_mut(..length), topic.as_bytes().get(..length)) {
            to.copy_from_slice(from);
            place.length = u8::try_from(length).unwrap_or(0);
        }
        self.next = (self.next + 1) % (2 * KEPT as u8);
    }

    /// Lists them, the latest last.
    pub(crate) fn show(&self) -> String {
        let order = (0..KEPT).map(|step| (usize::from(self.next) + step) % KEPT);
        let kept = order.filter_map(|index| self.kept.get(index)).filter_map(|topic| topic.bytes.get(..topic.length.into()));
        let kept = kept.filter(|bytes| !bytes.is_empty()).map(|bytes| errors::plain(&String::from_utf8_lossy(bytes)));
        kept.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::Topics;

    #[test]
    fn the_last_topics_are_kept_in_order() {
        let mut topics = Topics::default();
        assert_eq!(topics.show(), "");
        for topic in ["one", "two", "three", "four", "five", "a topic that is longer than what is kept"] {
            topics.note(topic);
        }
        assert_eq!(topics.show(), "three, four, five, a topic that is longer ");
    }
}
