//! Channels that cross processes.

use std::sync::Arc;

use moonlet_sandbox::wit::{self, Error, Outcome, Payload, Reception};

use super::Calls;
use crate::channels::{Completion, Delivery, Outcome as ChannelOutcome, Parcel, Received, Sent};
use crate::errors;
use crate::process::{CHANNELS, Pending, Process};
use crate::shared::Shared;
use crate::table::Tabled;

type Completions = Vec<Completion<u64, Vec<u8>>>;

impl Shared {
    /// Delivers what others learn from an operation. Called with the lock on the channels held, so that what two operations
    /// complete arrives in their order; returns who must be scheduled afterwards.
    fn deliver_completions(&self, completions: Completions) -> Vec<Arc<Process>> {
        let mut due = Vec::new();
        for Completion { process, ticket, outcome } in completions {
            let Some(process) = self.table.numbered(process) else { continue };
            let outcome = match outcome {
                ChannelOutcome::Sent => Outcome::Done(Payload::empty()),
                ChannelOutcome::Received(delivery) => Outcome::Done(payload(delivery)),
                ChannelOutcome::Closed => Outcome::Closed,
                ChannelOutcome::Failed(error) => Outcome::Failed(errors::of_channel(&error)),
            };
            let completed = process.inner().complete(ticket, outcome);
            if let Ok((_, true)) = completed {
                due.push(process);
            }
        }
        due
    }

    fn schedule_all(&self, due: Vec<Arc<Process>>) {
        for process in due {
            self.scheduler.push(process);
        }
    }

    /// Ends the part that a process had in host channels.
    pub(crate) fn drop_channels(&self, number: u64) {
        let due = {
            let mut channels = self.channels.lock();
            let mut completions = Vec::new();
            channels.exit(number, &mut completions);
            self.deliver_completions(completions)
        };
        self.schedule_all(due);
    }

    /// Gives up an operation on a host channel.
    pub(crate) fn cancel_channel(&self, process: &Process, ticket: u64) -> bool {
        let (cancelled, due) = {
            let mut channels = self.channels.lock();
            let mut completions = Vec::new();
            let cancelled = channels.cancel(process.number(), ticket, &mut completions);
            if cancelled {
                process.inner().withdraw(ticket);
            }
            (cancelled, self.deliver_completions(completions))
        };
        self.schedule_all(due);
        cancelled
    }
}

fn payload(delivery: Delivery<Vec<u8>>) -> Payload {
    Payload { data: delivery.body, channels: delivery.channels }
}

impl wit::channels::Host for Calls {
    fn open(&mut self, capacity: u32) -> Result<u32, Error> {
        let mut channels = self.node.channels.lock();
        self.process.tie(CHANNELS);
        let account = u32::try_from(self.process.terms.host.lane.index()).unwrap_or(u32::MAX);
        channels.open(self.process.number(), account, capacity).map_err(|error| errors::of_channel(&error))
    }

    fn send(&mut self, channel: u32, body: Payload) -> Result<Option<u64>, Error> {
        self.check_size(&body)?;
        let number = self.process.number();
        let ticket = self.process.inner().ticket();
        let parcel = Parcel { size: body.data.len(), body: body.data, channels: body.channels };
        let (sent, due) = {
            let mut channels = self.node.channels.lock();
            let mut completions = Vec::new();
            let sent = channels.send(number, channel, ticket, parcel, &mut completions);
            if matches!(sent, Ok(Sent::Pending)) {
                self.process.inner().enter(ticket, Pending::Channel);
            }
            (sent, self.node.deliver_completions(completions))
        };
        self.node.schedule_all(due);
        match sent {
            Ok(Sent::Done) => Ok(None),
            Ok(Sent::Pending) => Ok(Some(ticket)),
            Err(error) => Err(errors::of_channel(&error)),
        }
    }

    fn receive(&mut self, channel: u32) -> Result<Reception, Error> {
        let number = self.process.number();
        let ticket = self.process.inner().ticket();
        let (received, due) = {
            let mut channels = self.node.channels.lock();
            let mut completions = Vec::new();
            let received = channels.receive(number, channel, ticket, &mut completions);
            if matches!(received, Ok(Received::Pending)) {
                self.process.inner().enter(ticket, Pending::Channel);
            }
            (received, self.node.deliver_completions(completions))
        };
        self.node.schedule_all(due);
        match received {
            Ok(Received::Value(delivery)) => Ok(Reception::Value(payload(delivery))),
            Ok(Received::Closed) => Ok(Reception::Closed),
            Ok(Received::Pending) => Ok(Reception::Pending(ticket)),
            Err(error) => Err(errors::of_channel(&error)),
        }
    }

    fn close(&mut self, channel: u32) -> Result<(), Error> {
        let (closed, due) = {
            let mut channels = self.node.channels.lock();
            let mut completions = Vec::new();
            let closed = channels.close(self.process.number(), channel, &mut completions);
            (closed, self.node.deliver_completions(completions))
        };
        self.node.schedule_all(due);
        closed.map_err(|error| errors::of_channel(&error))
    }

    fn release(&mut self, channel: u32) {
        self.node.release(&self.process, &[channel]);
    }
}
