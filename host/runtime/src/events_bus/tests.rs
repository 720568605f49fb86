//! What publishers and subscribers see.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot set up has failed")]

use std::sync::Arc;

use super::{BusError, BusLimits, BusStats, Delivery, Event, EventBus, Next, Published, SubscriptionId};

use crate::mailbox::{Pool, Room};

type Bus = EventBus<u32, u32>;

fn bus() -> Bus {
    EventBus::new(BusLimits::default())
}

fn event(system: &str, kind: &str, data: u32) -> Event<u32> {
    Event { system: system.to_owned(), kind: kind.to_owned(), path: "/".to_owned(), data }
}

/// Publishes, and gives who was woken with what.
fn publish(bus: &mut Bus, system: &str, kind: &str, data: u32) -> (Published, Vec<(u32, u64, u32)>) {
    let mut deliveries = Vec::new();
    let published = bus.publish(event(system, kind, data), 0, &mut deliveries).unwrap();
    let woken = deliveries
        .into_iter()
        .map(|Delivery { process, ticket, event }| (process, ticket, event.expect("it is not closed").0.data));
    (published, woken.collect())
}

/// What waits for a subscriber: data, and how many were lost before each.
fn drain(bus: &mut Bus, process: u32, id: SubscriptionId) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    while let Ok(Next::Event(event, missed)) = bus.next(process, id, 999) {
        found.push((event.data, missed));
    }
    bus.cancel(process, 999);
    found
}

#[test]
fn events_reach_those_whose_patterns_match_in_order() {
    let mut bus = bus();
    let all = bus.subscribe(1, "**", None).unwrap();
    let orders = bus.subscribe(2, "orders", Some("order.(created|paid)")).unwrap();
    let any_kind = bus.subscribe(3, "orders", Some("*")).unwrap();
    for (number, (system, kind)) in
        [("orders", "order.created"), ("orders", "order.lost"), ("users", "order.paid"), ("orders", "order.paid")]
            .into_iter()
            .enumerate()
    {
        publish(&mut bus, system, kind, number as u32);
    }
    let data = |found: Vec<(u32, u64)>| found.into_iter().map(|(data, _)| data).collect::<Vec<_>>();
    assert_eq!(data(drain(&mut bus, 1, all)), [0, 1, 2, 3]);
    assert_eq!(data(drain(&mut bus, 2, orders)), [0, 3]);
    assert_eq!(data(drain(&mut bus, 3, any_kind)), [0, 1, 3]);
}

#[test]
fn whoever_waits_is_woken_once() {
    let mut bus = bus();
    let id = bus.subscribe(1, "s", None).unwrap();
    assert!(matches!(bus.next(1, id, 7), Ok(Next::Pending)));
    assert_eq!(bus.next(1, id, 8).unwrap_err(), BusError::Busy);
    assert_eq!(publish(&mut bus, "s", "k", 5).1, [(1, 7, 5)]);
    assert_eq!(publish(&mut bus, "s", "k", 6).1, []);
    assert!(!bus.cancel(1, 7), "it has completed");
    assert_eq!(drain(&mut bus, 1, id), [(6, 0)]);
}

#[test]
fn a_cancelled_wait_loses_nothing() {
    let mut bus = bus();
    let id = bus.subscribe(1, "s", None).unwrap();
    bus.next(1, id, 7).unwrap();
    assert!(bus.cancel(1, 7));
    assert_eq!(publish(&mut bus, "s", "k", 5).1, []);
    assert_eq!(drain(&mut bus, 1, id), [(5, 0)]);
}

#[test]
fn a_slow_subscriber_loses_what_does_not_fit_and_learns_how_much() {
    let mut bus = EventBus::new(BusLimits { events: 2, ..BusLimits::default() });
    let slow = bus.subscribe(1, "s", None).unwrap();
    let quick = bus.subscribe(2, "**", None).unwrap();
    for data in 0..5 {
        publish(&mut bus, "s", "k", data);
        drain(&mut bus, 2, quick);
    }
    assert_eq!(bus.stats(), BusStats { subscriptions: 2, waiting: 2, published: 5, lost: 3 });
    assert_eq!(drain(&mut bus, 1, slow), [(0, 0), (1, 0)]);
    let (published, _) = publish(&mut bus, "s", "k", 5);
    assert_eq!(published, Published { delivered: 2, lost: 0 });
    assert_eq!(drain(&mut bus, 1, slow), [(5, 3)]);
}

#[test]
fn bytes_bound_a_queue_as_well() {
    let mut bus = EventBus::new(BusLimits { bytes: 100, ..BusLimits::default() });
    let id = bus.subscribe(1, "s", None).unwrap();
    let mut woken = Vec::new();
    let lost = [90, 10].map(|size| bus.publish(event("s", "k", 0), size, &mut woken).unwrap().lost);
    assert_eq!(lost, [0, 1]);
    assert_eq!(drain(&mut bus, 1, id), [(0, 0)]);
    assert_eq!(bus.publish(event("s", "k", 0), 1, &mut woken).unwrap().lost, 0);
}

#[test]
fn an_event_that_no_queue_may_hold_is_refused() {
    let mut bus = EventBus::new(BusLimits { bytes: 100, ..BusLimits::default() });
    let id = bus.subscribe(1, "s", None).unwrap();
    assert_eq!(bus.publish(event("s", "k", 0), 101, &mut Vec::new()).unwrap_err().kind(), "LimitExceeded");
    assert_eq!(bus.stats().published, 0);
    assert_eq!(drain(&mut bus, 1, id), []);
}

#[test]
fn what_waits_takes_room_until_it_is_taken() {
    let mut bus = bus();
    let pool = Arc::new(Pool::new(1_000));
    let room = |_: &u32, size: usize| Room::take(Some(&pool), size);
    let ids = [1, 2].map(|_| bus.subscribe(1, "s", None).unwrap());
    let publish = |bus: &mut Bus| bus.publish_where(event("s", "k", 0), 500, |_| true, room, &mut Vec::new()).unwrap();
    assert_eq!(publish(&mut bus), Published { delivered: 1, lost: 1 });
    assert!(pool.check(500).is_err());
    drain(&mut bus, 1, ids[0]);
    assert!(pool.check(1_000).is_ok());
    publish(&mut bus);
    bus.exit(1);
    assert!(pool.check(1_000).is_ok());
}

#[test]
fn closing_ends_the_wait_and_frees_the_place() {
    let mut bus: Bus = EventBus::new(BusLimits { subscriptions: 1, ..BusLimits::default() });
    let id = bus.subscribe(1, "s", None).unwrap();
    assert_eq!(bus.subscribe(1, "t", None).unwrap_err().kind(), "LimitExceeded");
    bus.next(1, id, 7).unwrap();
    let mut deliveries = Vec::new();
    assert!(!bus.unsubscribe(2, id, &mut deliveries), "it belongs to another process");
    assert!(bus.unsubscribe(1, id, &mut deliveries));
    assert!(!bus.unsubscribe(1, id, &mut deliveries));
    assert!(matches!(deliveries[..], [Delivery { process: 1, ticket: 7, event: None }]));
    assert_eq!(bus.next(1, id, 8).unwrap_err().kind(), "Invalid");
    bus.subscribe(1, "t.*", None).unwrap();
}

#[test]
fn an_ended_process_hears_nothing_and_leaves_nothing() {
    let mut bus = bus();
    for system in ["s", "s.*", "**"] {
        let id = bus.subscribe(1, system, None).unwrap();
        bus.next(1, id, id.0).unwrap();
    }
    bus.exit(1);
    bus.exit(1);
    assert_eq!(publish(&mut bus, "s", "k", 0), (Published::default(), Vec::new()));
    assert_eq!(bus.stats().subscriptions, 0);
    assert!(bus.by_system.is_empty() && bus.by_pattern.is_empty() && bus.processes.is_empty());
}

#[test]
fn an_event_needs_a_system_a_kind_and_a_path() {
    let mut bus = bus();
    for (index, word) in ["system", "kind", "path"].into_iter().enumerate() {
        let mut parts = ["s", "k", "/"];
        parts[index] = "";
        let [system, kind, path] = parts.map(str::to_owned);
        let refused = bus.publish(Event { system, kind, path, data: 0 }, 0, &mut Vec::new()).unwrap_err();
        assert_eq!((refused.kind(), refused), ("Invalid", BusError::Empty(word)));
    }
    let long = bus.publish(event("s", &".".repeat(63), 0), 0, &mut Vec::new());
    assert_eq!(long, Err(BusError::TooLong("kind")));
    let Err(error) = bus.subscribe(1, "(a", None) else {
        panic!("it is no pattern");
    };
    assert_eq!(error.kind(), "Invalid");
}
