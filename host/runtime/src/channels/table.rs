//! The handles of each process, and which of its operations wait.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use super::{ChannelError, ChannelId, Channels, Completion};

/// What one process has to do with channels. Ordered maps, so that the effects of an exit do not depend on hashing.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) handles: BTreeMap<u32, Held>,
    by_channel: BTreeMap<ChannelId, u32>,
    /// By ticket.
    pub(super) waiting: BTreeMap<u64, Waiting>,
    /// The handle given out last.
    last: u32,
    /// Living channels that this process opened.
    pub(super) opened: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) channel: ChannelId,
    /// How often the handle was handed out without being released.
    count: usize,
}

/// Where an operation waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) channel: ChannelId,
    pub(super) serial: u64,
    pub(super) direction: Direction,
    /// The other cases of the same select.
    pub(super) group: Option<Group>,
}

/// The tickets of one select: so many from the first on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) first: u64,
    pub(super) count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Send,
    Receive,
}

impl Table {
    pub(super) fn handle_of(&self, channel: ChannelId) -> Option<u32> {
        self.by_channel.get(&channel).copied()
    }

    /// Gives one handing out back. Returns the channel when it was the last.
    pub(super) fn release(&mut self, handle: u32) -> Option<ChannelId> {
        let held = self.handles.get_mut(&handle)?;
        held.count = held.count.saturating_sub(1);
        if held.count > 0 {
            return None;
        }
        let channel = held.channel;
        self.handles.remove(&handle);
        self.by_channel.remove(&channel);
        Some(channel)
    }

    /// Hands a channel out. Returns its handle, and whether that is new.
    fn hand_out(&mut self, channel: ChannelId) -> (u32, bool) {
        if let Some(handle) = self.handle_of(channel)
            && let Some(held) = self.handles.get_mut(&handle)
        {
            held.count = held.count.saturating_add(1);
            return (handle, false);
        }
        // Numbers come round after four billion handles; one that is still in use is passed over.
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.handles.contains_key(&self.last) {
                break;
            }
        }
        self.handles.insert(self.last, Held { channel, count: 1 });
        self.by_channel.insert(channel, self.last);
        (self.last, true)
    }

    fn is_empty(&self) -> bool {
        self.handles.is_empty() && self.waiting.is_empty() && self.opened == 0
    }
}

impl<P: Copy + Ord + Hash, V> Channels<P, V> {
    pub(super) fn resolve(&self, process: P, handle: u32) -> Result<ChannelId, ChannelError> {
        self.tables
            .get(&process)
            .and_then(|table| table.handles.get(&handle))
            .map(|held| held.channel)
            .ok_or(ChannelError::UnknownHandle(handle))
    }

    pub(super) fn resolve_all(&self, process: P, handles: &[u32]) -> Result<Vec<ChannelId>, ChannelError> {
        if handles.len() > self.limits.carried {
            return Err(ChannelError::LimitExceeded {
                limit: "carried_channels",
                what: "one value carries too many channels",
                allowed: self.limits.carried,
                remedy: "send them one after the other",
            });
        }
        handles.iter().map(|&handle| self.resolve(process, handle)).collect()
    }

    /// Tells whether a process can take these channels, or, without any, one more.
    pub(super) fn check_room(&self, process: P, ids: &[ChannelId]) -> Result<(), ChannelError> {
        let table = self.tables.get(&process);
        let has = table.map_or(0, |table| table.handles.len());
        let new = |id: &&ChannelId| table.is_none_or(|table| !table.by_channel.contains_key(id));
        let comes = match ids {
            [] => 1,
            [id] => usize::from(new(&id)),
            ids => ids.iter().filter(new).collect::<BTreeSet<_>>().len(),
        };
        if comes == 0 || has.saturating_add(comes) <= self.limits.handles {
            return Ok(());
        }
        Err(ChannelError::LimitExceeded {
            limit: "channels",
            what: "the receiving process holds too many channels",
            allowed: self.limits.handles,
            remedy: "let it forget those that it no longer uses",
        })
    }

    /// Hands channels out to a process, all or none.
    pub(super) fn adopt(&mut self, process: P, ids: &[ChannelId]) -> Result<Vec<u32>, ChannelError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.check_room(process, ids)?;
        Ok(ids.iter().map(|&id| self.hand_out(process, id)).collect())
    }

    /// Releases all handles of a process but these; one that is named several times was handed out as often.
    pub(crate) fn keep_only(&mut self, process: P, keep: &[u32]) {
        let Some(table) = self.tables.get_mut(&process) else { return };
        let mut released = Vec::new();
        for (handle, held) in &mut table.handles {
            held.count = keep.iter().filter(|kept| *kept == handle).count();
            if held.count == 0 {
                held.count = 1;
                released.push(*handle);
            }
        }
        for handle in released {
            self.release(process, handle);
        }
    }

    pub(super) fn hand_out(&mut self, process: P, id: ChannelId) -> u32 {
        let (handle, new) = self.tables.entry(process).or_default().hand_out(id);
        if new && let Some(channel) = self.channels.get_mut(&id) {
            channel.holders += 1;
        }
        handle
    }

    pub(super) fn forget_holder(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.holders = channel.holders.saturating_sub(1);
        }
    }

    pub(super) fn waiting(&self, process: P) -> usize {
        self.tables.get(&process).map_or(0, |table| table.waiting.len())
    }

    pub(super) fn wait(&mut self, process: P, ticket: u64, waiting: Waiting) {
        self.tables.entry(process).or_default().waiting.insert(ticket, waiting);
    }

    /// Forgets that an operation waits; the queue of its channel is the caller's to change. The other cases of its select are
    /// withdrawn.
    pub(super) fn end_wait(&mut self, process: P, ticket: u64, completions: &mut Vec<Completion<P, V>>) -> Option<Waiting> {
        let waiting = self.tables.get_mut(&process)?.waiting.remove(&ticket);
        if let Some(group) = waiting.and_then(|waiting| waiting.group) {
            self.withdraw_group(process, group, completions);
        }
        self.tidy(process);
        waiting
    }

    /// Counts a channel less among those that its opener keeps alive.
    pub(super) fn forget_opened(&mut self, opener: P) {
        if let Some(table) = self.tables.get_mut(&opener) {
            table.opened = table.opened.saturating_sub(1);
            self.tidy(opener);
        }
    }

    pub(super) fn tidy(&mut self, process: P) {
        if self.tables.get(&process).is_some_and(Table::is_empty) {
            self.tables.remove(&process);
        }
    }
}
