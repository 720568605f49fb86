//! Random use by several processes: the tables stay consistent, no value is lost, doubled or reordered, nothing leaks.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::channels::{Case, ChannelLimits, Channels, Completion, Outcome, Parcel, Received, Selected, Sent};

#[derive(Debug, Clone)]
enum Act {
    Open(u8, u32),
    Send(u8, usize, usize, Vec<usize>),
    Receive(u8, usize),
    /// Handles, each with the size of what is sent, or to receive; and whether it waits.
    Select(u8, Vec<(usize, Option<usize>)>, bool),
    Close(u8, usize),
    Cancel(u8, usize),
    Transfer(u8, usize, u8),
    Release(u8, usize),
    Exit(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let process = || 0..3_u8;
    prop_oneof![
        2 => (process(), 0..4_u32).prop_map(|(p, capacity)| Act::Open(p, capacity)),
        8 => (process(), any::<usize>(), 0..300_usize, proptest::collection::vec(any::<usize>(), 0..3))
            .prop_map(|(p, handle, size, carried)| Act::Send(p, handle, size, carried)),
        8 => (process(), any::<usize>()).prop_map(|(p, handle)| Act::Receive(p, handle)),
        6 => (process(), proptest::collection::vec((any::<usize>(), proptest::option::of(0..300_usize)), 1..4), any::<bool>())
            .prop_map(|(p, cases, wait)| Act::Select(p, cases, wait)),
        1 => (process(), any::<usize>()).prop_map(|(p, handle)| Act::Close(p, handle)),
        3 => (process(), any::<usize>()).prop_map(|(p, ticket)| Act::Cancel(p, ticket)),
        3 => (process(), any::<usize>(), process()).prop_map(|(p, handle, to)| Act::Transfer(p, handle, to)),
        2 => (process(), any::<usize>()).prop_map(|(p, handle)| Act::Release(p, handle)),
        1 => process().prop_map(Act::Exit),
    ]
}

/// The table under test, and what its users remember.
struct World {
    host: Channels<u8, u64>,
    /// Handles of each process, one for each handing out.
    handles: [Vec<u32>; 3],
    /// What waits: ticket to the value of a send.
    waiting: [BTreeMap<u64, Option<u64>>; 3],
    next: u64,
    /// Values that were taken over, and values that were received.
    accepted: BTreeSet<u64>,
    received: BTreeSet<u64>,
}

impl World {
    fn new() -> Self {
        Self {
            host: Channels::new(ChannelLimits {
                opened: 6,
                handles: 8,
                channel_bytes: 400,
                account_bytes: 2_000,
                waiting: 6,
                ..ChannelLimits::default()
            }),
            handles: Default::default(),
            waiting: Default::default(),
            next: 0,
            accepted: BTreeSet::new(),
            received: BTreeSet::new(),
        }
    }

    fn pick<T: Copy>(list: &[T], index: usize) -> Option<T> {
        (!list.is_empty()).then(|| list[index % list.len()])
    }

    fn take(&mut self, process: usize, value: u64, channels: &[u32]) {
        assert!(self.received.insert(value), "{value} was received twice");
        self.handles[process].extend(channels);
    }

    fn learn(&mut self, completions: Vec<Completion<u8, u64>>) {
        for completion in completions {
            let process = usize::from(completion.process);
            let waited = self.waiting[process].remove(&completion.ticket).expect("only what waits completes, and only once");
            match completion.outcome {
                Outcome::Sent => {
                    self.accepted.insert(waited.expect("a send"));
                }
                Outcome::Received(delivery) => {
                    assert_eq!(waited, None);
                    self.take(process, delivery.body, &delivery.channels);
                }
                Outcome::Closed | Outcome::Withdrawn => {}
                Outcome::Failed(error) => assert_eq!(error.kind(), "LimitExceeded"),
            }
        }
    }

    fn select(&mut self, process: u8, cases: &[(usize, Option<usize>)], wait: bool, done: &mut Vec<Completion<u8, u64>>) {
        let own = self.handles[usize::from(process)].clone();
        let first = self.next;
        self.next += u64::try_from(cases.len()).unwrap();
        let cases: Vec<Case<u64>> = (first..)
            .zip(cases)
            .filter_map(|(body, (handle, size))| {
                let handle = Self::pick(&own, *handle)?;
                Some(match size {
                    Some(size) => Case::Send(handle, Parcel { body, size: *size, channels: Vec::new() }),
                    None => Case::Receive(handle),
                })
            })
            .collect();
        let before = self.host.waiting(process);
        let selected = self.host.select(process, cases.clone(), first, wait, done);
        let value = |case: &Case<u64>| if let Case::Send(_, parcel) = case { Some(parcel.body) } else { None };
        match selected {
            Ok(Selected::Sent(case)) => {
                self.accepted.insert(value(&cases[case]).unwrap());
            }
            Ok(Selected::Received(_, delivery)) => self.take(usize::from(process), delivery.body, &delivery.channels),
            Ok(Selected::Pending) => {
                assert!(wait);
                self.waiting[usize::from(process)].extend((first..).zip(cases.iter().map(value)));
            }
            Ok(Selected::Nothing) => assert!(!wait && before == self.host.waiting(process)),
            Ok(Selected::Closed(_)) | Err(_) => {}
        }
    }

    fn apply(&mut self, act: Act) {
        let mut done = Vec::new();
        self.next += 1;
        let ticket = self.next;
        match act {
            Act::Open(process, capacity) => {
                if let Ok(handle) = self.host.open(process, 0, capacity) {
                    self.handles[usize::from(process)].push(handle);
                }
            }
            Act::Send(process, handle, size, carried) => {
                let own = &self.handles[usize::from(process)];
                let Some(handle) = Self::pick(own, handle) else {
                    return;
                };
                let channels = carried.iter().filter_map(|index| Self::pick(own, *index)).collect();
                let parcel = Parcel { body: ticket, size, channels };
                match self.host.send(process, handle, ticket, parcel, &mut done) {
                    Ok(Sent::Done) => {
                        self.accepted.insert(ticket);
                    }
                    Ok(Sent::Pending) => {
                        self.waiting[usize::from(process)].insert(ticket, Some(ticket));
                    }
                    Err(_) => {}
                }
            }
            Act::Receive(process, handle) => {
                let Some(handle) = Self::pick(&self.handles[usize::from(process)], handle) else {
                    return;
                };
                match self.host.receive(process, handle, ticket, &mut done) {
                    Ok(Received::Value(delivery)) => {
                        self.take(usize::from(process), delivery.body, &delivery.channels);
                    }
                    Ok(Received::Pending) => {
                        self.waiting[usize::from(process)].insert(ticket, None);
                    }
                    Ok(Received::Closed) | Err(_) => {}
                }
            }
            Act::Select(process, cases, wait) => self.select(process, &cases, wait, &mut done),
            Act::Close(process, handle) => {
                if let Some(handle) = Self::pick(&self.handles[usize::from(process)], handle) {
                    self.host.close(process, handle, &mut done).unwrap();
                }
            }
            Act::Cancel(process, index) => {
                let tickets: Vec<u64> = self.waiting[usize::from(process)].keys().copied().collect();
                if let Some(ticket) = Self::pick(&tickets, index) {
                    assert!(self.host.cancel(process, ticket, &mut done));
                    self.waiting[usize::from(process)].remove(&ticket);
                }
            }
            Act::Transfer(process, handle, to) => {
                let Some(handle) = Self::pick(&self.handles[usize::from(process)], handle) else {
                    return;
                };
                if let Ok(handles) = self.host.transfer(process, &[handle], to) {
                    self.handles[usize::from(to)].extend(handles);
                }
            }
            Act::Release(process, index) => {
                let own = &mut self.handles[usize::from(process)];
                if !own.is_empty() {
                    let handle = own.swap_remove(index % own.len());
                    self.host.release(process, handle);
                }
            }
            Act::Exit(process) => {
                self.handles[usize::from(process)].clear();
                self.waiting[usize::from(process)].clear();
                self.host.exit(process, &mut done);
            }
        }
        self.learn(done);
        self.check();
    }

    /// What must hold between any two acts.
    fn check(&self) {
        let host = &self.host;
        let mut bytes = 0;
        let mut queued = 0;
        for (id, channel) in &host.channels {
            let holders = host.tables.values().filter(|table| table.handle_of(*id).is_some()).count();
            assert_eq!(channel.holders, holders);
            assert!(channel.buffer.len() <= channel.capacity);
            let buffered: usize = channel.buffer.iter().map(|stored| stored.size).sum();
            assert_eq!(channel.bytes, buffered);
            assert!(channel.receivers.is_empty() || channel.buffer.is_empty());
            if !channel.receivers.is_empty() && !channel.senders.is_empty() {
                let waiters = channel.receivers.iter().chain(channel.senders.iter().map(|(waiter, _)| waiter));
                let selects: BTreeSet<_> = waiters
                    .map(|waiter| {
                        let group = host.tables[&waiter.process].waiting[&waiter.ticket].group;
                        (waiter.process, group.expect("only cases of a select do not meet").first)
                    })
                    .collect();
                assert_eq!(selects.len(), 1);
            }
            assert!(!channel.closed || (channel.receivers.is_empty() && channel.senders.is_empty()));
            bytes += buffered + channel.senders.iter().map(|(_, stored)| stored.size).sum::<usize>();
            queued += channel.senders.len() + channel.receivers.len();
            let inside = |container: &super::super::Channel<u8, u64>| {
                let waiting = container.senders.iter().map(|(_, stored)| stored);
                let stored = container.buffer.iter().chain(waiting);
                stored.flat_map(|stored| &stored.channels).filter(|carried| *carried == id).count()
            };
            for (other, container) in &host.channels {
                let counted = channel.containers.get(other).copied().unwrap_or(0);
                assert_eq!(counted, inside(container));
            }
        }
        assert_eq!(host.bytes(0), bytes);
        let waiting: usize = self.waiting.iter().map(BTreeMap::len).sum();
        assert_eq!(queued, waiting);
        for (process, handles) in self.handles.iter().enumerate() {
            let distinct: BTreeSet<_> = handles.iter().collect();
            let table = u8::try_from(process).ok().and_then(|process| host.tables.get(&process));
            assert_eq!(table.map_or(0, |table| table.handles.len()), distinct.len());
        }
        for (process, table) in &host.tables {
            let opened = host.channels.values().filter(|channel| channel.opener == *process).count();
            assert!(table.opened <= 6 && table.opened <= opened);
        }
    }
}

proptest! {
    #[test]
    fn random_use_keeps_the_tables_consistent_and_leaks_nothing(acts in proptest::collection::vec(act(), 0..120)) {
        let mut world = World::new();
        for act in acts {
            world.apply(act);
        }
        prop_assert!(world.received.is_subset(&world.accepted.iter().copied().chain(world.waiting.iter().flatten().map(|(ticket, _)| *ticket)).collect()));
        for process in 0..3 {
            world.apply(Act::Exit(process));
        }
        prop_assert_eq!(world.host.len(), 0);
        prop_assert!(world.host.tables.is_empty());
        prop_assert!(world.host.accounts.is_empty());
    }

    #[test]
    fn one_channel_is_a_queue_that_loses_nothing(
        capacity in 0..4_u32,
        acts in proptest::collection::vec((any::<bool>(), any::<bool>(), 0..5_usize), 0..80),
    ) {
        let mut world = World::new();
        world.apply(Act::Open(0, capacity));
        world.apply(Act::Transfer(0, 0, 1));
        world.apply(Act::Transfer(0, 0, 2));
        let mut order = Vec::new();
        let mut withdrawn = BTreeSet::new();
        for (sends, cancels, index) in acts {
            let seen = world.received.clone();
            match (sends, cancels && index == 0) {
                (true, false) => world.apply(Act::Send(0, 0, 10, Vec::new())),
                (false, false) => world.apply(Act::Receive(1 + u8::from(index > 2), 0)),
                (true, true) => {
                    let tickets: Vec<u64> = world.waiting[0].keys().copied().collect();
                    withdrawn.extend(World::pick(&tickets, index));
                    world.apply(Act::Cancel(0, index));
                }
                (false, true) => world.apply(Act::Cancel(1, index)),
            }
            order.extend(world.received.difference(&seen).copied());
        }
        loop {
            let before = world.received.clone();
            world.apply(Act::Receive(1, 0));
            if world.received == before {
                break;
            }
            order.extend(world.received.difference(&before).copied());
        }
        prop_assert!(order.is_sorted(), "values arrive in the order in which they were sent: {:?}", order);
        prop_assert_eq!(&world.received, &world.accepted);
        prop_assert!(world.received.is_disjoint(&withdrawn));
    }
}
