//! Several operations of which exactly one happens.
//!
//! A select that waits stands in the queue of every channel it names. Whichever case ends first takes the others out of theirs, under
//! the same lock, so that no value is sent or received twice. A case never meets another case of its own select.

use std::hash::Hash;

use super::table::{Group, Waiting};
use super::{
    ChannelError, ChannelId, Channels, Completion, Delivery, Outcome, Parcel, Stored, VALUE_OVERHEAD, check_account,
    too_many_waiting,
};

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Case<V> {
    /// Send a value on the channel of this handle.
    Send(u32, Parcel<V>),
    /// Receive from the channel of this handle.
    Receive(u32),
}

/// How a select began. Cases count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected<V> {
    /// This case sent its value.
    Sent(usize),
    /// This case received a value.
    Received(usize, Delivery<V>),
    /// This case would receive from a closed channel.
    Closed(usize),
    /// No case can go on.
    Nothing,
    /// The first case that can go on will, under its ticket.
    Pending,
}

/// A case that has to wait.
enum Later<V> {
    Send(ChannelId, Stored<V>),
    Receive(ChannelId),
}

impl<P: Copy + Ord + Hash, V> Channels<P, V> {
    /// Does what the first case that can go on says. Otherwise, if it is to wait, case `n` waits under the ticket `first + n`.
    ///
    /// # Errors
    /// Those of `send` and `receive`; then no case has happened and none waits.
    pub(crate) fn select(
        &mut self,
        process: P,
        cases: Vec<Case<V>>,
        first: u64,
        wait: bool,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Selected<V>, ChannelError> {
        let selected = self.attempt(process, cases, first, wait, completions);
        self.settle(completions);
        selected
    }

    fn attempt(
        &mut self,
        process: P,
        cases: Vec<Case<V>>,
        first: u64,
        wait: bool,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Selected<V>, ChannelError> {
        let mut later = Vec::with_capacity(cases.len());
        for (number, case) in cases.into_iter().enumerate() {
            match case {
                Case::Send(handle, parcel) => {
                    let id = self.resolve(process, handle)?;
                    let carried = self.resolve_all(process, &parcel.channels)?;
                    match self.offer(id, parcel.body, parcel.size, carried, completions)? {
                        None => return Ok(Selected::Sent(number)),
                        Some(stored) => later.push(Later::Send(id, stored)),
                    }
                }
                Case::Receive(handle) => {
                    let id = self.resolve(process, handle)?;
                    if let Some(delivery) = self.take(id, process, completions)? {
                        return Ok(Selected::Received(number, delivery));
                    }
                    if self.channels.get(&id).is_none_or(|channel| channel.closed) {
                        return Ok(Selected::Closed(number));
                    }
                    later.push(Later::Receive(id));
                }
            }
        }
        if !wait {
            return Ok(Selected::Nothing);
        }
        if self.waiting(process).saturating_add(later.len()) > self.limits.waiting {
            return Err(too_many_waiting(self.limits.waiting));
        }
        self.check_accounts(&later)?;
        let group = Some(Group { first, count: u64::try_from(later.len()).unwrap_or(u64::MAX) });
        for (ticket, case) in (first..).zip(later) {
            match case {
                Later::Send(id, stored) => self.wait_to_send(process, ticket, id, stored, group),
                Later::Receive(id) => self.wait_to_receive(process, ticket, id, group),
            }
        }
        Ok(Selected::Pending)
    }

    /// Each value was checked alone; together they may still be too large.
    fn check_accounts(&self, later: &[Later<V>]) -> Result<(), ChannelError> {
        let total: usize = later
            .iter()
            .map(|case| if let Later::Send(_, stored) = case { stored.size.max(VALUE_OVERHEAD) } else { 0 })
            .fold(0, usize::saturating_add);
        for case in later {
            let Later::Send(id, _) = case else { continue };
            let Some(channel) = self.channels.get(id) else { continue };
            let used = self.accounts.get(&channel.account).map_or(0, |account| account.bytes);
            check_account(used, total, channel.pool.as_deref(), self.limits.account_bytes)?;
        }
        Ok(())
    }

    /// Takes the cases of a select, one of which has ended, out of the queues.
    pub(super) fn withdraw_group(&mut self, process: P, group: Group, completions: &mut Vec<Completion<P, V>>) {
        for ticket in group.first..group.first.saturating_add(group.count) {
            let Some(waiting) = self.tables.get_mut(&process).and_then(|table| table.waiting.remove(&ticket)) else {
                continue;
            };
            self.withdraw_later(waiting);
            completions.push(Completion { process, ticket, outcome: Outcome::Withdrawn });
        }
    }

    /// Takes an operation out of its queue; `settle` sees to those behind it.
    pub(super) fn withdraw_later(&mut self, waiting: Waiting) {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.push(waiting.channel);
        self.withdraw(waiting, &mut suspects);
        self.suspects = suspects;
        self.loosened.push(waiting.channel);
    }

    /// Ends an act on channels: lets those go on that stood behind withdrawn cases, and removes what nobody reaches any more.
    pub(super) fn settle(&mut self, completions: &mut Vec<Completion<P, V>>) {
        while let Some(id) = self.loosened.pop() {
            self.refill(id, completions);
        }
        if !self.suspects.is_empty() {
            let suspects = std::mem::take(&mut self.suspects);
            self.collect(suspects);
        }
    }
}
