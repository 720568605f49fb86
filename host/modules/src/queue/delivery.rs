//! A message in the hands of a consumer's function, which is settled once: by the function itself, or by how it ends.

use std::sync::Arc;

use moonlet_runtime::{Error, NodeHandle, Value};
use parking_lot::Mutex;

use super::line::{Message, Taken};
use super::queues::{Queue, Queues};
use crate::fail::invalid;

/// A message that is being worked on.
pub(super) struct Delivery {
    pub(super) message: Message,
    queue: Queue,
    queues: Arc<Queues>,
    node: NodeHandle,
    /// The message as the queue knows it; none when it is settled.
    taken: Mutex<Option<Taken>>,
}

impl Delivery {
    pub(super) fn new(taken: Taken, queue: Queue, queues: Arc<Queues>, node: NodeHandle) -> Self {
        Self { message: taken.message.clone(), queue, queues, node, taken: Mutex::new(Some(taken)) }
    }

    /// Bytes of its message.
    pub(super) fn size(&self) -> usize {
        self.message.size
    }

    fn take(&self) -> Result<Taken, Error> {
        self.taken.lock().take().ok_or_else(|| invalid("the message is settled already"))
    }

    /// The message is done.
    pub(super) fn ack(&self) -> Result<(), Error> {
        self.take()?.ack();
        Ok(())
    }

    /// The message failed: it comes again after a while, or goes to the dead letters. May wait for the disk.
    pub(super) fn nack(&self, reason: &str) -> Result<(), Error> {
        let taken = self.take()?;
        let Some(dead_letter) = self.queue.dead_letter.as_ref().filter(|dead| taken.message.attempts >= dead.max_attempts) else {
            let delay = self.queue.retry.delay(taken.message.attempts);
            taken.nack(delay);
            return Ok(());
        };
        let target = self.node.registry().and_then(|registry| {
            let snapshot = registry.snapshot();
            self.queues.get(&snapshot, &self.node, &dead_letter.queue)
        });
        let target = match target {
            Ok(target) => target,
            Err(error) => {
                tracing::error!(target: "queue", queue = self.queue.id, "a dead letter has no place to go: {}", error.message);
                let delay = self.queue.retry.delay(taken.message.attempts);
                taken.nack(delay);
                return Ok(());
            }
        };
        let mut letter = taken.message.clone();
        for (name, value) in [
            ("x_dead_letter_queue", Value::from(self.queue.id.as_str())),
            ("x_dead_letter_reason", reason.into()),
            ("x_dead_letter_attempts", letter.attempts.into()),
        ] {
            letter.headers.retain(|(header, _)| header != name);
            letter.headers.push((name.to_owned(), value));
        }
        letter.attempts = 0;
        let (line, bounds, id) = (Arc::clone(&target.line), target.bounds, self.queue.id.clone());
        let delay = self.queue.retry.delay(taken.message.attempts);
        // The letter is safe before the message is gone.
        let settle = move |result: Result<(), Error>| match result {
            Ok(()) => taken.ack(),
            Err(error) => {
                tracing::error!(target: "queue", queue = id, "a dead letter was not taken in: {}", error.message);
                taken.nack(delay);
            }
        };
        line.publish(letter, bounds, std::time::Duration::ZERO, Box::new(settle));
        Ok(())
    }
}
