//! What processes see of channels, by example, and invariants under random use.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot set up has failed")]

use super::{Case, ChannelError, ChannelLimits, Channels, Completion, Delivery, Outcome, Parcel, Received, Selected, Sent};

mod random;

type Host = Channels<u32, &'static str>;
type Done = Vec<Completion<u32, &'static str>>;

const A: u32 = 1;
const B: u32 = 2;
const ACCOUNT: u32 = 0;

fn host() -> Host {
    Channels::new(ChannelLimits::default())
}

fn text(body: &'static str) -> Parcel<&'static str> {
    Parcel { body, size: body.len(), channels: Vec::new() }
}

fn carrying(body: &'static str, channels: &[u32]) -> Parcel<&'static str> {
    Parcel { channels: channels.to_vec(), ..text(body) }
}

fn received(body: &'static str) -> Received<&'static str> {
    Received::Value(Delivery { body, channels: Vec::new() })
}

fn completion(process: u32, ticket: u64, outcome: Outcome<&'static str>) -> Completion<u32, &'static str> {
    Completion { process, ticket, outcome }
}

fn value(body: &'static str) -> Outcome<&'static str> {
    Outcome::Received(Delivery { body, channels: Vec::new() })
}

/// A channel that both processes hold.
fn shared(host: &mut Host, capacity: u32) -> (u32, u32) {
    let a = host.open(A, ACCOUNT, capacity).unwrap();
    let b = host.transfer(A, &[a], B).unwrap();
    (a, b[0])
}

#[test]
fn a_buffered_channel_takes_values_without_a_receiver_and_keeps_their_order() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 2);
    assert_eq!(host.send(A, a, 1, text("one"), &mut done), Ok(Sent::Done));
    assert_eq!(host.send(A, a, 2, text("two"), &mut done), Ok(Sent::Done));
    assert_eq!(host.send(A, a, 3, text("three"), &mut done), Ok(Sent::Pending));
    assert_eq!(host.receive(B, b, 1, &mut done), Ok(received("one")));
    assert_eq!(done, [completion(A, 3, Outcome::Sent)]);
    assert_eq!(host.receive(B, b, 2, &mut done), Ok(received("two")));
    assert_eq!(host.receive(B, b, 3, &mut done), Ok(received("three")));
    assert_eq!(host.receive(B, b, 4, &mut done), Ok(Received::Pending));
}

#[test]
fn an_unbuffered_channel_hands_over_in_both_orders() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    assert_eq!(host.send(A, a, 1, text("early"), &mut done), Ok(Sent::Pending));
    assert_eq!(host.receive(B, b, 1, &mut done), Ok(received("early")));
    assert_eq!(done, [completion(A, 1, Outcome::Sent)]);
    done.clear();
    assert_eq!(host.receive(B, b, 2, &mut done), Ok(Received::Pending));
    assert_eq!(host.send(A, a, 2, text("late"), &mut done), Ok(Sent::Done));
    assert_eq!(done, [completion(B, 2, value("late"))]);
}

#[test]
fn receivers_are_served_in_order_of_arrival() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 4);
    assert_eq!(host.receive(B, b, 7, &mut done), Ok(Received::Pending));
    assert_eq!(host.receive(A, a, 3, &mut done), Ok(Received::Pending));
    assert_eq!(host.receive(B, b, 8, &mut done), Ok(Received::Pending));
    assert!(host.cancel(A, 3, &mut done));
    for body in ["x", "y"] {
        assert_eq!(host.send(A, a, 9, text(body), &mut done), Ok(Sent::Done));
    }
    assert_eq!(done, [completion(B, 7, value("x")), completion(B, 8, value("y"))]);
}

#[test]
fn closing_ends_whoever_waits_and_keeps_what_is_buffered() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 1);
    host.send(A, a, 1, text("kept"), &mut done).unwrap();
    assert_eq!(host.send(A, a, 2, text("refused"), &mut done), Ok(Sent::Pending));
    host.close(B, b, &mut done).unwrap();
    host.close(B, b, &mut done).unwrap();
    assert_eq!(done, [completion(A, 2, Outcome::Closed)]);
    let refused = host.send(A, a, 3, text("late"), &mut done).unwrap_err();
    assert_eq!((refused.kind(), refused.to_string()), ("Conflict", "send on closed channel".into()));
    assert_eq!(host.receive(B, b, 1, &mut done), Ok(received("kept")));
    assert_eq!(host.receive(B, b, 2, &mut done), Ok(Received::Closed));
    assert_eq!(host.bytes(ACCOUNT), 0);
}

#[test]
fn closing_ends_waiting_receivers_too() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    host.receive(B, b, 1, &mut done).unwrap();
    host.receive(B, b, 2, &mut done).unwrap();
    host.close(A, a, &mut done).unwrap();
    assert_eq!(done, [completion(B, 1, Outcome::Closed), completion(B, 2, Outcome::Closed)]);
    assert!(!host.cancel(B, 1, &mut done));
}

#[test]
fn a_cancelled_send_takes_its_value_back() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    host.send(A, a, 1, text("no"), &mut done).unwrap();
    host.send(A, a, 2, text("yes"), &mut done).unwrap();
    assert!(host.cancel(A, 1, &mut done));
    assert!(!host.cancel(A, 1, &mut done));
    assert_eq!(host.receive(B, b, 1, &mut done), Ok(received("yes")));
    assert!(!host.cancel(A, 2, &mut done), "it ended when its value was taken");
}

#[test]
fn exactly_one_case_of_a_select_happens() {
    let mut host = host();
    let mut done = Done::new();
    let (to_b, from_a) = shared(&mut host, 0);
    let (from_b, to_a) = shared(&mut host, 0);
    let cases = |body| vec![Case::Receive(from_b), Case::Send(to_b, text(body))];
    assert_eq!(host.select(A, cases("never"), 0, false, &mut done), Ok(Selected::Nothing));
    assert_eq!(host.select(A, cases("first"), 10, true, &mut done), Ok(Selected::Pending));
    assert_eq!(host.send(B, to_a, 1, text("reply"), &mut done), Ok(Sent::Done));
    assert_eq!(done, [completion(A, 11, Outcome::Withdrawn), completion(A, 10, value("reply"))]);
    done.clear();
    assert_eq!(host.receive(B, from_a, 2, &mut done), Ok(Received::Pending), "what the select would have sent is gone");
    assert_eq!(host.select(A, cases("second"), 12, true, &mut done), Ok(Selected::Sent(1)));
    assert_eq!(done, [completion(B, 2, value("second"))]);
    done.clear();
    assert_eq!(host.select(A, cases("third"), 14, true, &mut done), Ok(Selected::Pending));
    assert!(host.cancel(A, 15, &mut done), "one ticket of a select stands for all");
    assert!(!host.cancel(A, 14, &mut done));
    assert_eq!(host.send(B, to_a, 3, text("late"), &mut done), Ok(Sent::Pending));
}

#[test]
fn a_select_does_not_meet_itself_but_meets_another() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    let cases = |handle, body| vec![Case::Receive(handle), Case::Send(handle, text(body)), Case::Receive(handle)];
    assert_eq!(host.select(A, cases(a, "of a"), 1, true, &mut done), Ok(Selected::Pending));
    let delivery = Delivery { body: "of a", channels: Vec::new() };
    assert_eq!(host.select(B, cases(b, "of b"), 1, true, &mut done), Ok(Selected::Received(0, delivery)));
    assert_eq!(done.last(), Some(&completion(A, 2, Outcome::Sent)));
    done.clear();
    assert_eq!(host.select(A, cases(a, "again"), 4, true, &mut done), Ok(Selected::Pending));
    host.close(B, b, &mut done).unwrap();
    assert_eq!(done.iter().filter(|done| done.outcome == Outcome::Closed).count(), 1);
    assert_eq!(host.bytes(ACCOUNT), 0);
}

#[test]
fn handles_mean_nothing_in_other_processes() {
    let mut host = host();
    let mut done = Done::new();
    let a = host.open(A, ACCOUNT, 1).unwrap();
    let refused = host.receive(B, a, 1, &mut done).unwrap_err();
    assert_eq!((refused.kind(), refused), ("Invalid", ChannelError::UnknownHandle(a)));
    assert!(host.transfer(B, &[a], A).is_err());
    assert!(host.send(A, a, 1, carrying("x", &[a, 99]), &mut done).is_err());
    assert_eq!(host.receive(A, a, 1, &mut done), Ok(Received::Pending), "nothing was sent");
}

#[test]
fn a_channel_has_one_handle_per_process_that_counts_how_often_it_came() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 1);
    assert_eq!(host.transfer(A, &[a, a], B), Ok(vec![b, b]));
    host.release(B, b);
    host.release(B, b);
    assert_eq!(host.receive(B, b, 1, &mut done), Ok(Received::Pending));
    assert!(host.cancel(B, 1, &mut done));
    host.release(B, b);
    assert_eq!(host.receive(B, b, 1, &mut done), Err(ChannelError::UnknownHandle(b)));
    host.release(B, b);
    assert_eq!(host.len(), 1, "the other process still holds it");
    host.release(A, a);
    assert_eq!(host.len(), 0);
}

#[test]
fn values_carry_channels_to_whoever_receives_them() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 1);
    let reply = host.open(A, ACCOUNT, 1).unwrap();
    host.send(A, a, 1, carrying("ask", &[reply]), &mut done).unwrap();
    host.release(A, reply);
    assert_eq!(host.len(), 2, "the waiting value keeps the channel it carries");
    let Ok(Received::Value(delivery)) = host.receive(B, b, 1, &mut done) else {
        panic!("a value waits");
    };
    let [carried] = delivery.channels[..] else {
        panic!("it carries one channel");
    };
    assert_eq!(host.receive(B, carried, 2, &mut done), Ok(Received::Pending));
}

#[test]
fn waiting_receivers_get_handles_of_their_own() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    host.receive(B, b, 1, &mut done).unwrap();
    assert_eq!(host.send(A, a, 1, carrying("itself", &[a]), &mut done), Ok(Sent::Done));
    let outcome = Outcome::Received(Delivery { body: "itself", channels: vec![b] });
    assert_eq!(done, [completion(B, 1, outcome)]);
}

#[test]
fn channels_that_only_reach_each_other_end() {
    let mut host = host();
    let mut done = Done::new();
    let one = host.open(A, ACCOUNT, 4).unwrap();
    let two = host.open(A, ACCOUNT, 4).unwrap();
    let three = host.open(A, ACCOUNT, 4).unwrap();
    for (channel, carried) in [(one, two), (two, one), (two, three), (one, one), (three, two)] {
        host.send(A, channel, 1, carrying("x", &[carried]), &mut done).unwrap();
    }
    host.release(A, two);
    host.release(A, three);
    assert_eq!(host.len(), 3, "all are reached through the first");
    host.release(A, one);
    assert_eq!(host.len(), 0);
    assert_eq!(host.bytes(ACCOUNT), 0);
    host.open(A, ACCOUNT, 1).unwrap();
}

#[test]
fn an_ended_process_leaves_nothing_behind() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    host.send(A, a, 1, text("gone"), &mut done).unwrap();
    host.send(B, b, 1, text("stays"), &mut done).unwrap();
    host.open(A, ACCOUNT, 3).unwrap();
    host.exit(A, &mut done);
    host.exit(A, &mut done);
    assert_eq!(host.len(), 1);
    assert_eq!(host.receive(B, b, 2, &mut done), Ok(received("stays")));
    assert_eq!(done, [completion(B, 1, Outcome::Sent)]);
    host.receive(B, b, 3, &mut done).unwrap();
    assert_eq!(host.stuck(B), 1);
    host.exit(B, &mut done);
    assert_eq!((host.len(), host.bytes(ACCOUNT)), (0, 0));
}

#[test]
fn none_of_the_waiting_sends_of_an_ended_process_succeeds_late() {
    let mut host = Channels::new(ChannelLimits { channel_bytes: 200, ..ChannelLimits::default() });
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 8);
    let large = Parcel { size: 100, ..text("large") };
    host.send(B, b, 1, text("first"), &mut done).unwrap();
    assert_eq!(host.send(A, a, 1, large, &mut done), Ok(Sent::Pending));
    assert_eq!(host.send(A, a, 2, text("small"), &mut done), Ok(Sent::Pending));
    assert_eq!(host.send(B, b, 2, text("last"), &mut done), Ok(Sent::Pending));
    host.exit(A, &mut done);
    assert_eq!(done, [completion(B, 2, Outcome::Sent)]);
    assert_eq!(host.receive(B, b, 3, &mut done), Ok(received("first")));
    assert_eq!(host.receive(B, b, 4, &mut done), Ok(received("last")));
}

#[test]
fn a_receiver_without_a_partner_waits_and_is_counted_as_stuck() {
    let mut host = host();
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 0);
    host.receive(A, a, 1, &mut done).unwrap();
    assert_eq!(host.stuck(A), 0, "the other process can send");
    host.release(B, b);
    assert_eq!(done, []);
    assert_eq!(host.stuck(A), 1);
    assert!(host.cancel(A, 1, &mut done));
    assert_eq!(host.stuck(A), 0);
}

#[test]
fn a_full_buffer_counts_bytes_as_well_as_values() {
    let mut host = Channels::new(ChannelLimits { channel_bytes: 200, ..ChannelLimits::default() });
    let mut done = Done::new();
    let (a, b) = shared(&mut host, 8);
    let sized = |size| Parcel { size, ..text("x") };
    assert_eq!(host.send(A, a, 1, sized(10_000), &mut done), Ok(Sent::Done), "one always fits");
    assert_eq!(host.send(A, a, 2, sized(1), &mut done), Ok(Sent::Pending));
    assert_eq!(host.send(A, a, 3, sized(1), &mut done), Ok(Sent::Pending));
    host.receive(B, b, 1, &mut done).unwrap();
    assert_eq!(done, [completion(A, 2, Outcome::Sent), completion(A, 3, Outcome::Sent)]);
}

#[test]
fn limits_are_told_to_the_one_who_hits_them() {
    let mut host: Host = Channels::new(ChannelLimits {
        opened: 2,
        handles: 3,
        capacity: 10,
        account_bytes: 200,
        waiting: 1,
        carried: 2,
        ..ChannelLimits::default()
    });
    let mut done = Done::new();
    assert_eq!(host.open(A, ACCOUNT, 11).unwrap_err().kind(), "LimitExceeded");
    let one = host.open(A, ACCOUNT, 10).unwrap();
    let two = host.open(A, ACCOUNT, 10).unwrap();
    assert_eq!(host.open(A, ACCOUNT, 1).unwrap_err().kind(), "LimitExceeded");

    host.send(A, one, 1, text("x"), &mut done).unwrap();
    host.send(A, one, 2, text("x"), &mut done).unwrap();
    let refused = host.send(A, two, 3, text("more than there is room for, by a lot of words"), &mut done).unwrap_err();
    assert_eq!((refused.kind(), refused.retryable()), ("RateLimited", true));
    host.receive(A, one, 4, &mut done).unwrap();
    host.send(A, one, 5, text("x"), &mut done).unwrap();

    assert_eq!(host.receive(A, two, 6, &mut done), Ok(Received::Pending));
    assert_eq!(host.receive(A, two, 7, &mut done).unwrap_err().kind(), "LimitExceeded");
    assert_eq!(host.transfer(A, &[one, one, one], B).unwrap_err().kind(), "LimitExceeded");

    let others: Vec<u32> = (0..2).map(|_| host.open(B, ACCOUNT, 1).unwrap()).collect();
    assert_eq!(host.transfer(A, &[one, two], B).unwrap_err().kind(), "LimitExceeded");
    host.transfer(A, &[one, one], B).expect("the same channel needs room once");
    host.release(B, others[0]);
    host.transfer(A, &[two], B).expect("a released handle makes room");
}

#[test]
fn a_value_that_its_receiver_cannot_take_goes_to_the_next() {
    let mut host: Host = Channels::new(ChannelLimits { handles: 2, ..ChannelLimits::default() });
    let mut done = Done::new();
    let c = 3;
    let (a, b) = shared(&mut host, 1);
    let c_handle = host.transfer(A, &[a], c).unwrap()[0];
    let carried = host.open(A, ACCOUNT, 1).unwrap();
    let full = host.open(B, ACCOUNT, 1).unwrap();
    host.receive(B, b, 1, &mut done).unwrap();
    host.receive(c, c_handle, 2, &mut done).unwrap();
    let parcel = || carrying("x", &[carried]);
    assert_eq!(host.send(A, a, 2, parcel(), &mut done), Ok(Sent::Done));
    assert!(matches!(
        done[..],
        [
            Completion { process: B, ticket: 1, outcome: Outcome::Failed(_) },
            Completion { process: 3, ticket: 2, outcome: Outcome::Received(_) },
        ]
    ));
    host.send(A, a, 3, parcel(), &mut done).unwrap();
    assert_eq!(host.receive(B, b, 3, &mut done).unwrap_err().kind(), "LimitExceeded");
    host.release(B, full);
    assert!(matches!(host.receive(B, b, 4, &mut done), Ok(Received::Value(_))), "it waited for room");
}
