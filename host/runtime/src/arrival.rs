//! What reaches a process from outside.

use std::sync::Arc;

use moonlet_sandbox::wit::{Completion, Error, Event, Message, Outcome, Payload, Signal};

use crate::trace::TraceContext;

/// How a process ended. Channels in the value are handles of the ended process.
pub(crate) type Exit = Result<Payload, Error>;

/// A message in a mailbox. Channels in the body are handles of the receiver already.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// The pid of the sender; none for messages of the host.
    pub(crate) sender: Option<Arc<str>>,
    /// The topic. A box, so that the trace has room beside it without making messages larger.
    pub(crate) topic: Box<str>,
    /// The values.
    pub(crate) body: Payload,
    /// The trace that it is part of.
    pub(crate) trace: Option<Arc<TraceContext>>,
}

impl From<Message> for Envelope {
    fn from(message: Message) -> Self {
        Self { sender: message.sender.map(Arc::from), topic: message.topic.into(), body: message.body, trace: None }
    }
}

/// What a mailbox holds for its process.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Envelope),
    Completed(u64, Outcome),
    // Signals are rare, and large enough to blow up every other element of the queue.
    Signal(Box<Signal>),
}

impl From<Arrival> for Event {
    fn from(arrival: Arrival) -> Self {
        match arrival {
            Arrival::Message(Envelope { sender, topic, body, .. }) => {
                Self::Message(Message { sender: sender.map(|pid| pid.as_ref().to_owned()), topic: topic.into(), body })
            }
            Arrival::Completed(ticket, outcome) => Self::Completed(Completion { ticket, outcome }),
            Arrival::Signal(signal) => Self::Signal(*signal),
        }
    }
}

/// Turns the end of a process into the end of the operation that waited for it.
pub(crate) fn outcome(exit: Exit) -> Outcome {
    match exit {
        Ok(value) => Outcome::Done(value),
        Err(error) => Outcome::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_makes_no_message_larger() {
        #[expect(dead_code, reason = "only its size matters")]
        struct Untraced(Option<Arc<str>>, String, Payload);
        assert_eq!(size_of::<Envelope>(), size_of::<Untraced>());
    }
}
