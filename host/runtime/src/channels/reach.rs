//! Which channels nobody can reach any more.
//!
//! A channel can wait inside a value inside another channel, even inside itself, so a mere count would keep such rings for
//! ever and let a program fill the host with them. Whenever a channel may have lost its last process, `collect` walks from it to
//! the channels that contain it: if no process holds any of them, all of them are gone, and so are the values in them.

use std::collections::BTreeSet;
use std::hash::Hash;

use super::{ChannelId, Channels};

impl<P: Copy + Ord + Hash, V> Channels<P, V> {
    /// Notes that a value with these channels waits in `container`.
    pub(super) fn contain(&mut self, container: ChannelId, carried: &[ChannelId]) {
        for id in carried {
            if let Some(channel) = self.channels.get_mut(id) {
                *channel.containers.entry(container).or_default() += 1;
            }
        }
    }

    /// Notes that a value with these channels left `container`; those that may have ended by that become suspects.
    pub(super) fn uncontain(&mut self, container: ChannelId, carried: &[ChannelId], suspects: &mut Vec<ChannelId>) {
        for id in carried {
            let Some(channel) = self.channels.get_mut(id) else {
                continue;
            };
            if let Some(count) = channel.containers.get_mut(&container) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    channel.containers.remove(&container);
                    suspects.push(*id);
                }
            }
        }
    }

    /// Removes those of the suspects that nobody can reach, and whatever only they could reach.
    pub(super) fn collect(&mut self, mut suspects: Vec<ChannelId>) {
        while let Some(suspect) = suspects.pop() {
            let Some(unreachable) = self.unreachable_from(suspect) else {
                continue;
            };
            for id in unreachable {
                let Some(channel) = self.channels.remove(&id) else {
                    continue;
                };
                // Nobody waits here: whoever waits reaches the channel.
                for stored in &channel.buffer {
                    self.discard(id, channel.account, stored, &mut suspects);
                }
                self.forget_opened(channel.opener);
            }
        }
    }

    /// Gives a channel and all that contain it, directly or not, unless a process holds one of them.
    fn unreachable_from(&self, suspect: ChannelId) -> Option<BTreeSet<ChannelId>> {
        let mut seen = BTreeSet::new();
        let mut next = vec![suspect];
        while let Some(id) = next.pop() {
            let Some(channel) = self.channels.get(&id) else {
                continue;
            };
            if channel.holders > 0 || !channel.senders.is_empty() || !channel.receivers.is_empty() {
                return None;
            }
            if seen.insert(id) {
                next.extend(channel.containers.keys().copied());
            }
        }
        Some(seen)
    }
}
