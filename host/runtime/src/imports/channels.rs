//! Channels that cross processes.

use std::sync::Arc;

use moonlet_sandbox::wit::{self, Error, Outcome, Payload, Reception, SelectCase, Selection};

use super::Calls;
use crate::channels::{Case, Channels, Completion, Delivery, Outcome as ChannelOutcome, Parcel, Received, Selected, Sent};
use crate::errors;
use crate::process::{CHANNELS, Pending, Process};
use crate::reserve::Small;
use crate::shared::Shared;
use crate::table::Tabled;

/// Cases of one select: all are looked at under the lock on the channels of the node.
const MAX_CASES: usize = 4_096;

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
                ChannelOutcome::Withdrawn => {
                    process.inner().withdraw(ticket);
                    continue;
                }
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

fn parcel(body: Payload) -> Parcel<Vec<u8>> {
    Parcel { size: body.data.len(), body: body.data, channels: body.channels }
}

fn case_number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn payload(delivery: Delivery<Vec<u8>>) -> Payload {
    Payload { data: delivery.body, channels: delivery.channels }
}

impl Calls {
    /// Refuses to hand a value to a waiting receiver that has more than it may have and takes nothing.
    fn check_receiver(&self, channels: &Channels<u64, Vec<u8>>, channel: u32, bytes: usize) -> Result<(), Error> {
        let receiver = channels.first_receiver(self.process.number(), channel);
        let Some(receiver) = receiver.and_then(|number| self.node.table.numbered(number)) else { return Ok(()) };
        let room = receiver.inner().mailbox.check_owed(bytes);
        room.map_err(|full| errors::mailbox_full(&receiver.pid, full))
    }

    /// Refuses to wait for one more value while too many were not taken.
    fn check_waiting(&self) -> Result<(), Error> {
        let (allowed, used) = (self.terms.bounds.pending, self.process.inner().mailbox.owed());
        if used > allowed {
            return Err(self.process.exceeded("pending_calls", allowed as u64, used as u64));
        }
        Ok(())
    }
}

impl wit::channels::Host for Calls {
    fn open(&mut self, capacity: u32) -> Result<u32, Error> {
        self.admitted()?;
        let mut channels = self.node.channels.lock();
        self.process.tie(CHANNELS);
        let account = u32::try_from(self.process.terms.host.lane.index()).unwrap_or(u32::MAX);
        let bounds = &self.terms.bounds;
        let (number, pool) = (self.process.number(), self.process.terms.host.pool.clone());
        self.process.reserve(Small::Channels, channels.opened_by(number) + 1)?;
        let opened = channels.open_within(number, account, pool, capacity, bounds.channels, bounds.soft.channel_buffer);
        drop(channels);
        opened.map_err(|error| self.noted(errors::of_channel(&error)))
    }

    fn send(&mut self, channel: u32, body: Payload) -> Result<Option<u64>, Error> {
        self.admitted()?;
        self.check_size(&body)?;
        self.check_waiting()?;
        let number = self.process.number();
        let ticket = self.tickets(1)?.start;
        let parcel = parcel(body);
        let (sent, due) = {
            let mut channels = self.node.channels.lock();
            self.check_receiver(&channels, channel, parcel.size)?;
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
        self.admitted()?;
        self.check_waiting()?;
        let number = self.process.number();
        let ticket = self.tickets(1)?.start;
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

    fn select(&mut self, cases: Vec<SelectCase>, wait: bool) -> Result<Selection, Error> {
        self.admitted()?;
        self.check_waiting()?;
        let number = self.process.number();
        let count = cases.len();
        if count > MAX_CASES {
            return Err(self.process.exceeded("select_cases", MAX_CASES as u64, count as u64));
        }
        let cases = cases
            .into_iter()
            .map(|case| match case {
                SelectCase::Send(offer) => {
                    self.check_size(&offer.body)?;
                    Ok(Case::Send(offer.channel, parcel(offer.body)))
                }
                SelectCase::Receive(channel) => Ok(Case::Receive(channel)),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let tickets = if wait { self.tickets(count)? } else { 0..0 };
        let (selected, due) = {
            let mut channels = self.node.channels.lock();
            for case in &cases {
                if let Case::Send(channel, parcel) = case {
                    self.check_receiver(&channels, *channel, parcel.size)?;
                }
            }
            let mut completions = Vec::new();
            let selected = channels.select(number, cases, tickets.start, wait, &mut completions);
            if matches!(selected, Ok(Selected::Pending)) {
                let mut inner = self.process.inner();
                for ticket in tickets.clone() {
                    inner.enter(ticket, Pending::Channel);
                }
            }
            (selected, self.node.deliver_completions(completions))
        };
        self.node.schedule_all(due);
        match selected {
            Ok(Selected::Sent(case)) => Ok(Selection::Sent(case_number(case))),
            Ok(Selected::Received(case, delivery)) => Ok(Selection::Received((case_number(case), payload(delivery)))),
            Ok(Selected::Closed(case)) => Ok(Selection::Closed(case_number(case))),
            Ok(Selected::Nothing) => Ok(Selection::None),
            Ok(Selected::Pending) => Ok(Selection::Pending(tickets.start)),
            Err(error) => Err(errors::of_channel(&error)),
        }
    }

    fn close(&mut self, channel: u32) -> Result<(), Error> {
        self.admitted()?;
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
