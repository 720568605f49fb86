//! Host channels: channels that more than one process can hold.
//!
//! Owns the channels, the handles of each process, and who waits for what. Values are opaque; the channels that a value
//! carries are not, because they keep those channels alive. Does not know whether a process is alive: the caller calls `exit`
//! at the end of each process that ever held a handle, and hands out nothing to an ended process. A process that never held
//! one costs nothing; a flag in the process, used as `relations.rs` describes, saves even the lookup.
//!
//! Each operation of a process names the ticket under which it waits if it has to; a ticket that was not needed is never used.
//! What others learn from an operation is pushed to `completions`, to be delivered by the caller, in order.
//!
//! ```text
//! open(process, account, capacity)               -> handle
//! send(process, handle, ticket, value, ..)       -> Done or Pending; Invalid, Conflict (closed), RateLimited, LimitExceeded
//! receive(process, handle, ticket, ..)           -> Value, Closed or Pending
//! select(process, cases, first ticket, wait, ..) -> what the first case that can go on came to, Nothing or Pending
//! close(process, handle, ..)                     idempotent: waiting processes end as closed, buffered values stay
//! cancel(process, ticket, ..)                    -> whether the operation will not complete any more
//! transfer(from, handles, to)                    -> handles of the receiver, for channels in a message, argument or result
//! release(process, handle, ..)                   undoes one handing out of a handle
//! exit(process, ..)                              releases all
//! stuck(process)                                 -> pending tickets that nobody else can complete
//! ```
//!
//! **A handle** names one channel in one process: a channel that reaches a process twice has the same handle both times, and
//! that handle counts how often it was handed out; as many releases end it.
//!
//! **A channel lives** while a process holds a handle of it or waits on it, or while a value that some process can still
//! receive carries it. Channels that only reach each other end, too: see `channels/reach.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use self::table::{Direction, Group, Table, Waiting};
use crate::mailbox::Pool;

mod reach;
mod select;
mod table;

pub(crate) use self::select::{Case, Selected};
#[cfg(test)]
mod tests;

/// What a stored value costs beyond its own bytes, so that empty values are not free.
const VALUE_OVERHEAD: usize = 64;

/// How much of the host's memory channels may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChannelLimits {
    /// Living channels that one process opened.
    pub(crate) opened: usize,
    /// Handles of one process.
    pub(crate) handles: usize,
    /// Values in the buffer of one channel.
    pub(crate) capacity: u32,
    /// Bytes in the buffer of one channel. A fuller buffer makes senders wait; one value always fits.
    pub(crate) channel_bytes: usize,
    /// Bytes that wait in all channels of one account.
    pub(crate) account_bytes: usize,
    /// Operations of one process that wait at the same time.
    pub(crate) waiting: usize,
    /// Channels that one value may carry.
    pub(crate) carried: usize,
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self {
            opened: 1_024,
            handles: 8_192,
            capacity: 65_536,
            channel_bytes: 1 << 20,
            account_bytes: 64 << 20,
            waiting: 16_384,
            carried: 256,
        }
    }
}

/// Why an operation on a channel failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChannelError {
    /// The process holds no channel under this handle.
    #[error("there is no channel {0} in this process: it was released, or belongs to another process")]
    UnknownHandle(u32),
    /// The channel is closed.
    #[error("send on closed channel")]
    Closed,
    /// A bound was hit.
    #[error("{what}: at most {allowed} are allowed; {remedy}")]
    LimitExceeded {
        /// The limit.
        limit: &'static str,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        allowed: usize,
        /// How to stay below.
        remedy: &'static str,
    },
    /// The values that wait in the channels of this account fill its memory.
    #[error(
        "at most {allowed} bytes may wait in the channels and mailboxes of this process host: receive some before sending more"
    )]
    RateLimited {
        /// How many bytes may wait.
        allowed: usize,
    },
}

impl ChannelError {
    /// Gives the kind of the error as programs see it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::UnknownHandle(_) => "Invalid",
            Self::Closed => "Conflict",
            Self::LimitExceeded { .. } => "LimitExceeded",
            Self::RateLimited { .. } => "RateLimited",
        }
    }

    /// Tells whether the same operation may succeed later.
    pub(crate) fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. })
    }
}

/// What a process sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parcel<V> {
    /// The value.
    pub(crate) body: V,
    /// Its size in bytes, for the limits.
    pub(crate) size: usize,
    /// The channels it carries, as handles of the sender.
    pub(crate) channels: Vec<u32>,
}

/// What a process receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery<V> {
    /// The value.
    pub(crate) body: V,
    /// The channels it carries, as handles of the receiver.
    pub(crate) channels: Vec<u32>,
}

/// How a send began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The value was taken over.
    Done,
    /// The ticket completes when it is.
    Pending,
}

/// How a receive began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received<V> {
    /// Here is a value.
    Value(Delivery<V>),
    /// There is none and there will be none.
    Closed,
    /// The ticket completes with a value or as closed.
    Pending,
}

/// The end of an operation that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion<P, V> {
    /// Who waited.
    pub(crate) process: P,
    /// Under which ticket.
    pub(crate) ticket: u64,
    /// How it ended.
    pub(crate) outcome: Outcome<V>,
}

/// How an operation that waited ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<V> {
    /// The value was taken over.
    Sent,
    /// Here is a value.
    Received(Delivery<V>),
    /// The channel was closed.
    Closed,
    /// Another case of the same select ended; the process hears nothing of this one.
    Withdrawn,
    /// The value carries channels for which the receiver has no room; it went to the next receiver.
    Failed(ChannelError),
}

/// Names one channel on this node. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ChannelId(u64);

/// All channels of a node, and the handles of all processes.
#[derive(Debug)]
pub(crate) struct Channels<P, V> {
    channels: FxHashMap<ChannelId, Channel<P, V>>,
    tables: FxHashMap<P, Table>,
    /// Accounts of which values wait.
    accounts: FxHashMap<u32, Account>,
    /// The number of the next channel or waiting operation.
    next: u64,
    /// Channels from whose queues cases of a select were withdrawn, until `settle` sees to those behind them.
    loosened: Vec<ChannelId>,
    /// Channels that may have ended by that.
    suspects: Vec<ChannelId>,
    limits: ChannelLimits,
}

#[derive(Debug)]
struct Channel<P, V> {
    capacity: usize,
    buffer: VecDeque<Stored<V>>,
    /// Bytes in `buffer`.
    bytes: usize,
    /// Processes that wait until their value is taken over, in order of arrival.
    senders: VecDeque<(Waiter<P>, Stored<V>)>,
    /// Processes that wait for a value, in order of arrival. Empty unless `buffer` is, and `senders` but for selects that do both.
    receivers: VecDeque<Waiter<P>>,
    closed: bool,
    /// Processes that have a handle.
    holders: usize,
    /// The channels in which values wait that carry this one, and how many each.
    containers: BTreeMap<ChannelId, usize>,
    /// Whose limit `opened` this channel counts for.
    opener: P,
    account: u32,
    pool: Option<Arc<Pool>>,
}

/// What waits in all channels of one process host.
#[derive(Debug)]
struct Account {
    bytes: usize,
    /// What its mailboxes share a bound with; the values count there, too.
    pool: Option<Arc<Pool>>,
}

/// A value that waits in a channel.
#[derive(Debug)]
struct Stored<V> {
    body: V,
    size: usize,
    channels: Vec<ChannelId>,
}

#[derive(Debug, Clone, Copy)]
struct Waiter<P> {
    /// Rises along each queue, so that a cancelled waiter is found by bisection.
    serial: u64,
    process: P,
    ticket: u64,
}

impl<P: Copy + Ord + Hash, V> Channels<P, V> {
    /// Makes an empty table.
    pub(crate) fn new(limits: ChannelLimits) -> Self {
        Self {
            channels: FxHashMap::default(),
            tables: FxHashMap::default(),
            accounts: FxHashMap::default(),
            next: 0,
            loosened: Vec::new(),
            suspects: Vec::new(),
            limits,
        }
    }

    /// Makes a channel that holds up to `capacity` values without a receiver.
    ///
    /// The bytes of its values count for `account`, which is the caller's number for the process host.
    ///
    /// # Errors
    /// `LimitExceeded`.
    #[cfg(test)]
    pub(crate) fn open(&mut self, process: P, account: u32, capacity: u32) -> Result<u32, ChannelError> {
        self.open_within(process, account, None, capacity, usize::MAX, u32::MAX)
    }

    /// Makes a channel as [`Channels::open`] does, unless the process has so many already or its buffer is larger than that. Its values
    /// count for a pool, too, if the account has one.
    ///
    /// # Errors
    /// `LimitExceeded`.
    /// Counts the living channels that a process opened.
    pub(crate) fn opened_by(&self, process: P) -> usize {
        self.tables.get(&process).map_or(0, |table| table.opened)
    }

    pub(crate) fn open_within(
        &mut self,
        process: P,
        account: u32,
        pool: Option<Arc<Pool>>,
        capacity: u32,
        most_opened: usize,
        most_capacity: u32,
    ) -> Result<u32, ChannelError> {
        let most_capacity = self.limits.capacity.min(most_capacity);
        if capacity > most_capacity {
            return Err(ChannelError::LimitExceeded {
                limit: "channel_buffer",
                what: "the buffer of a channel between processes is too large",
                allowed: most_capacity as usize,
                remedy: "pass a smaller number to channel.new",
            });
        }
        let opened = self.opened_by(process);
        let most_opened = self.limits.opened.min(most_opened);
        if opened >= most_opened {
            return Err(ChannelError::LimitExceeded {
                limit: "channels",
                what: "this process opened too many channels that other processes hold",
                allowed: most_opened,
                remedy: "use one channel for several requests",
            });
        }
        self.check_room(process, &[])?;
        let id = ChannelId(self.number());
        self.channels.insert(
            id,
            Channel {
                capacity: capacity as usize,
                buffer: VecDeque::new(),
                bytes: 0,
                senders: VecDeque::new(),
                receivers: VecDeque::new(),
                closed: false,
                holders: 0,
                containers: BTreeMap::new(),
                opener: process,
                account,
                pool,
            },
        );
        self.tables.entry(process).or_default().opened += 1;
        Ok(self.hand_out(process, id))
    }

    /// Sends one value.
    ///
    /// # Errors
    /// `Invalid` for an unknown handle, also among those that the value carries; `Conflict` when the channel is closed;
    /// `RateLimited` and `LimitExceeded`. The value is gone then.
    pub(crate) fn send(
        &mut self,
        process: P,
        handle: u32,
        ticket: u64,
        parcel: Parcel<V>,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Sent, ChannelError> {
        let id = self.resolve(process, handle)?;
        let carried = self.resolve_all(process, &parcel.channels)?;
        let offered = self.offer(id, parcel.body, parcel.size, carried, completions);
        self.settle(completions);
        let Some(stored) = offered? else {
            return Ok(Sent::Done);
        };
        if self.waiting(process) >= self.limits.waiting {
            return Err(too_many_waiting(self.limits.waiting));
        }
        self.wait_to_send(process, ticket, id, stored, None);
        Ok(Sent::Pending)
    }

    /// Hands a value to a receiver or puts it into the buffer. Gives it back when it has to wait.
    fn offer(
        &mut self,
        id: ChannelId,
        body: V,
        size: usize,
        carried: Vec<ChannelId>,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Option<Stored<V>>, ChannelError> {
        if self.channels.get(&id).is_none_or(|channel| channel.closed) {
            return Err(ChannelError::Closed);
        }
        let Some((body, channels)) = self.pass_on(id, body, carried, completions) else {
            return Ok(None);
        };
        let stored = Stored { body, size: size.saturating_add(VALUE_OVERHEAD), channels };
        let Some(channel) = self.channels.get_mut(&id) else {
            return Err(ChannelError::Closed);
        };
        let used = self.accounts.get(&channel.account).map_or(0, |account| account.bytes);
        check_account(used, stored.size, channel.pool.as_deref(), self.limits.account_bytes)?;
        if !channel.senders.is_empty() || !channel.fits(stored.size, self.limits.channel_bytes) {
            return Ok(Some(stored));
        }
        charge(&mut self.accounts, channel, stored.size);
        let carried = stored.channels.clone();
        channel.bytes += stored.size;
        channel.buffer.push_back(stored);
        self.contain(id, &carried);
        Ok(None)
    }

    /// Puts a value into the queue of those that wait to be taken over. The caller has checked the limits.
    fn wait_to_send(&mut self, process: P, ticket: u64, id: ChannelId, stored: Stored<V>, group: Option<Group>) {
        let serial = self.number();
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        charge(&mut self.accounts, channel, stored.size);
        let carried = stored.channels.clone();
        channel.senders.push_back((Waiter { serial, process, ticket }, stored));
        self.wait(process, ticket, Waiting { channel: id, serial, direction: Direction::Send, group });
        self.contain(id, &carried);
    }

    /// Puts a process into the queue of those that wait for a value. The caller has checked the limits.
    fn wait_to_receive(&mut self, process: P, ticket: u64, id: ChannelId, group: Option<Group>) {
        let serial = self.number();
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.receivers.push_back(Waiter { serial, process, ticket });
            self.wait(process, ticket, Waiting { channel: id, serial, direction: Direction::Receive, group });
        }
    }

    /// Finds the process that a value would be handed to at once.
    pub(crate) fn first_receiver(&self, process: P, handle: u32) -> Option<P> {
        let id = self.resolve(process, handle).ok()?;
        self.channels.get(&id)?.receivers.front().map(|waiter| waiter.process)
    }

    /// Receives one value.
    ///
    /// # Errors
    /// `Invalid` for an unknown handle; `LimitExceeded` when the process has no room for the channels that the next value
    /// carries, which then stays where it is, or when too many of its operations wait.
    pub(crate) fn receive(
        &mut self,
        process: P,
        handle: u32,
        ticket: u64,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Received<V>, ChannelError> {
        let id = self.resolve(process, handle)?;
        let taken = self.take(id, process, completions);
        self.settle(completions);
        if let Some(delivery) = taken? {
            return Ok(Received::Value(delivery));
        }
        if self.channels.get(&id).is_none_or(|channel| channel.closed) {
            return Ok(Received::Closed);
        }
        if self.waiting(process) >= self.limits.waiting {
            return Err(too_many_waiting(self.limits.waiting));
        }
        self.wait_to_receive(process, ticket, id, None);
        Ok(Received::Pending)
    }

    /// Closes a channel: whoever waits on it ends as closed, buffered values can still be received. Closing again does nothing.
    ///
    /// # Errors
    /// `Invalid` for an unknown handle.
    pub(crate) fn close(&mut self, process: P, handle: u32, completions: &mut Vec<Completion<P, V>>) -> Result<(), ChannelError> {
        let id = self.resolve(process, handle)?;
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        channel.closed = true;
        let receivers = std::mem::take(&mut channel.receivers);
        let senders = std::mem::take(&mut channel.senders);
        let account = channel.account;
        let mut suspects = Vec::new();
        let mut waiters: Vec<Waiter<P>> = receivers.into();
        for (waiter, stored) in senders {
            waiters.push(waiter);
            self.discard(id, account, &stored, &mut suspects);
        }
        for waiter in waiters {
            // None for the second case of one select on this channel.
            if self.end_wait(waiter.process, waiter.ticket, completions).is_some() {
                completions.push(Completion { process: waiter.process, ticket: waiter.ticket, outcome: Outcome::Closed });
            }
        }
        self.collect(suspects);
        self.settle(completions);
        Ok(())
    }

    /// Gives up an operation that waits, or all cases of a select. False: it has ended already, and its completion was or will be delivered.
    pub(crate) fn cancel(&mut self, process: P, ticket: u64, completions: &mut Vec<Completion<P, V>>) -> bool {
        let Some(waiting) = self.end_wait(process, ticket, completions) else {
            return false;
        };
        self.withdraw_later(waiting);
        self.settle(completions);
        true
    }

    /// Gives channels of one process to another, all or none, and returns the handles of the receiver.
    ///
    /// # Errors
    /// `Invalid` when the sender does not hold them; `LimitExceeded` when the receiver has no room, or there are too many.
    pub(crate) fn transfer(&mut self, from: P, handles: &[u32], to: P) -> Result<Vec<u32>, ChannelError> {
        let ids = self.resolve_all(from, handles)?;
        self.adopt(to, &ids)
    }

    /// Undoes one handing out of a handle. An unknown handle is ignored: a process may give up what it never had.
    pub(crate) fn release(&mut self, process: P, handle: u32) {
        let Some(table) = self.tables.get_mut(&process) else {
            return;
        };
        let ended = table.release(handle);
        if let Some(id) = ended {
            self.forget_holder(id);
            self.collect(vec![id]);
        }
        self.tidy(process);
    }

    /// Removes an ended process: its operations that wait, and its handles.
    pub(crate) fn exit(&mut self, process: P, completions: &mut Vec<Completion<P, V>>) {
        let Some(table) = self.tables.remove(&process) else {
            return;
        };
        let mut suspects = Vec::new();
        let mut left = BTreeSet::new();
        for waiting in table.waiting.into_values() {
            self.withdraw(waiting, &mut suspects);
            left.insert(waiting.channel);
        }
        // Not before all are withdrawn: the next in a queue may be of the same process.
        for id in left {
            self.refill(id, completions);
            suspects.push(id);
        }
        for held in table.handles.into_values() {
            self.forget_holder(held.channel);
            suspects.push(held.channel);
        }
        self.collect(suspects);
        self.settle(completions);
    }

    /// Counts the operations of a process that wait on channels which no other process can reach.
    ///
    /// A process that waits for nothing else can never be woken.
    #[allow(dead_code, reason = "for the report about processes that nothing can wake")]
    pub(crate) fn stuck(&self, process: P) -> usize {
        let Some(table) = self.tables.get(&process) else {
            return 0;
        };
        let private = |waiting: &&Waiting| {
            self.channels.get(&waiting.channel).is_some_and(|channel| {
                let own = usize::from(table.handle_of(waiting.channel).is_some());
                let waiters = channel.receivers.iter().chain(channel.senders.iter().map(|(waiter, _)| waiter));
                channel.holders == own
                    && channel.containers.is_empty()
                    && waiters.into_iter().all(|waiter| waiter.process == process)
            })
        };
        table.waiting.values().filter(private).count()
    }

    /// Counts the living channels.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.channels.len()
    }

    /// Gives the bytes of values that wait in the channels of an account.
    #[cfg(test)]
    pub(crate) fn bytes(&self, account: u32) -> usize {
        self.accounts.get(&account).map_or(0, |account| account.bytes)
    }

    /// Offers a value to the processes that wait for one. Returns it when there is none.
    fn pass_on(
        &mut self,
        id: ChannelId,
        body: V,
        carried: Vec<ChannelId>,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Option<(V, Vec<ChannelId>)> {
        loop {
            let channel = self.channels.get_mut(&id)?;
            let Some(receiver) = channel.receivers.pop_front() else {
                return Some((body, carried));
            };
            self.end_wait(receiver.process, receiver.ticket, completions);
            let adopted = self.adopt(receiver.process, &carried);
            let (process, ticket) = (receiver.process, receiver.ticket);
            match adopted {
                Ok(channels) => {
                    let outcome = Outcome::Received(Delivery { body, channels });
                    completions.push(Completion { process, ticket, outcome });
                    return None;
                }
                Err(error) => completions.push(Completion { process, ticket, outcome: Outcome::Failed(error) }),
            }
        }
    }

    /// Takes the next value out of a channel, if there is one.
    fn take(
        &mut self,
        id: ChannelId,
        process: P,
        completions: &mut Vec<Completion<P, V>>,
    ) -> Result<Option<Delivery<V>>, ChannelError> {
        let Some(channel) = self.channels.get(&id) else {
            return Ok(None);
        };
        let next = channel.buffer.front().or_else(|| channel.senders.front().map(|(_, stored)| stored));
        let Some(next) = next else {
            return Ok(None);
        };
        let channels = if next.channels.is_empty() {
            Vec::new()
        } else {
            let carried = next.channels.clone();
            self.adopt(process, &carried)?
        };
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(None);
        };
        let account = channel.account;
        let stored = match channel.buffer.pop_front() {
            Some(stored) => {
                channel.bytes -= stored.size;
                stored
            }
            None => {
                let Some((waiter, stored)) = channel.senders.pop_front() else {
                    return Ok(None);
                };
                self.complete_sender(waiter, completions);
                stored
            }
        };
        // The process holds the carried channels by now, so none of them can end here.
        self.discard(id, account, &stored, &mut Vec::new());
        self.refill(id, completions);
        Ok(Some(Delivery { body: stored.body, channels }))
    }

    /// Moves values of waiting senders to the buffer while there is room.
    fn refill(&mut self, id: ChannelId, completions: &mut Vec<Completion<P, V>>) {
        loop {
            let Some(channel) = self.channels.get_mut(&id) else {
                return;
            };
            let fits = channel.senders.front().is_some_and(|(_, stored)| channel.fits(stored.size, self.limits.channel_bytes));
            if !fits {
                return;
            }
            let Some((waiter, stored)) = channel.senders.pop_front() else {
                return;
            };
            channel.bytes += stored.size;
            channel.buffer.push_back(stored);
            self.complete_sender(waiter, completions);
        }
    }

    fn complete_sender(&mut self, waiter: Waiter<P>, completions: &mut Vec<Completion<P, V>>) {
        self.end_wait(waiter.process, waiter.ticket, completions);
        completions.push(Completion { process: waiter.process, ticket: waiter.ticket, outcome: Outcome::Sent });
    }

    /// Removes an operation, which its process no longer knows, from the queue of its channel.
    ///
    /// Call `refill` next: a large value at the front may have held up smaller ones that fit.
    fn withdraw(&mut self, waiting: Waiting, suspects: &mut Vec<ChannelId>) {
        let id = waiting.channel;
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match waiting.direction {
            Direction::Receive => {
                let place = channel.receivers.binary_search_by_key(&waiting.serial, |waiter| waiter.serial);
                if let Ok(place) = place {
                    channel.receivers.remove(place);
                }
            }
            Direction::Send => {
                let place = channel.senders.binary_search_by_key(&waiting.serial, |(waiter, _)| waiter.serial);
                let account = channel.account;
                if let Some((_, stored)) = place.ok().and_then(|place| channel.senders.remove(place)) {
                    self.discard(id, account, &stored, suspects);
                }
            }
        }
    }

    /// Accounts for a value that leaves a channel.
    fn discard(&mut self, id: ChannelId, account: u32, stored: &Stored<V>, suspects: &mut Vec<ChannelId>) {
        if let Some(used) = self.accounts.get_mut(&account) {
            let size = stored.size.min(used.bytes);
            used.bytes -= size;
            if let Some(pool) = &used.pool {
                pool.discharge(size);
            }
            if used.bytes == 0 {
                self.accounts.remove(&account);
            }
        }
        self.uncontain(id, &stored.channels, suspects);
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Accounts for a value that comes into a channel.
fn charge<P, V>(accounts: &mut FxHashMap<u32, Account>, channel: &Channel<P, V>, size: usize) {
    let account = accounts.entry(channel.account).or_insert_with(|| Account { bytes: 0, pool: channel.pool.clone() });
    account.bytes = account.bytes.saturating_add(size);
    if let Some(pool) = &account.pool {
        pool.add(size);
    }
}

/// Tells whether a value fits into an account that uses so much.
fn check_account(used: usize, size: usize, pool: Option<&Pool>, allowed: usize) -> Result<(), ChannelError> {
    if used.saturating_add(size) > allowed {
        return Err(ChannelError::RateLimited { allowed });
    }
    let room = pool.map_or(Ok(()), |pool| pool.check(size));
    room.map_err(|full| ChannelError::RateLimited { allowed: full.allowed })
}

impl<P, V> Channel<P, V> {
    fn fits(&self, size: usize, allowed: usize) -> bool {
        self.buffer.len() < self.capacity && (self.buffer.is_empty() || self.bytes.saturating_add(size) <= allowed)
    }
}

fn too_many_waiting(allowed: usize) -> ChannelError {
    ChannelError::LimitExceeded {
        limit: "pending_calls",
        what: "too many operations of this process wait on channels",
        allowed,
        remedy: "wait for some of them before starting more",
    }
}
