#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moonlet_sandbox::wit::Payload;

use super::*;

fn mailbox() -> Mailbox {
    Mailbox::new(MailboxLimits { messages: 10, bytes: 4096 })
}

fn send(mailbox: &mut Mailbox, topic: &str, text: &str) -> Result<bool, Full> {
    let body = Payload { data: text.as_bytes().to_vec(), channels: Vec::new() };
    mailbox.message(Envelope { sender: None, topic: topic.into(), body, trace: None })
}

fn take(mailbox: &mut Mailbox) -> Vec<String> {
    let mut events = Vec::new();
    mailbox.take(&mut events, 256, 1 << 18);
    events
        .into_iter()
        .map(|event| match event {
            Event::Message(message) => format!("{} {}", message.topic, String::from_utf8(message.body.data).unwrap()),
            Event::Completed(completion) => format!("ticket {}", completion.ticket),
            Event::Signal(signal) => format!("signal {}", signal.reason),
        })
        .collect()
}

#[test]
fn messages_are_kept_until_somebody_listens() {
    let mut mailbox = mailbox();
    assert_eq!(send(&mut mailbox, "a", "1"), Ok(false));
    assert_eq!(send(&mut mailbox, "b", "2"), Ok(false));
    assert_eq!(send(&mut mailbox, "a", "3"), Ok(false));
    assert!(take(&mut mailbox).is_empty());
    mailbox.listen("a".to_owned());
    assert_eq!(take(&mut mailbox), ["a 1", "a 3"]);
    assert_eq!(send(&mut mailbox, "a", "4"), Ok(true));
    mailbox.open_inbox();
    assert_eq!(take(&mut mailbox), ["a 4", "b 2"]);
}

#[test]
fn a_topic_that_nobody_listens_to_any_more_belongs_to_the_inbox() {
    let mut mailbox = mailbox();
    mailbox.listen("a".to_owned());
    send(&mut mailbox, "a", "1").unwrap();
    mailbox.unlisten("a");
    assert!(take(&mut mailbox).is_empty());
    mailbox.open_inbox();
    assert_eq!(send(&mut mailbox, "a", "2"), Ok(true));
    assert_eq!(take(&mut mailbox), ["a 1", "a 2"]);
}

#[test]
fn a_paused_topic_waits_in_order_while_others_pass() {
    let mut mailbox = mailbox();
    mailbox.listen("a".to_owned());
    mailbox.open_inbox();
    send(&mut mailbox, "a", "1").unwrap();
    mailbox.pause(Some("a".to_owned()));
    send(&mut mailbox, "a", "2").unwrap();
    send(&mut mailbox, "b", "3").unwrap();
    assert_eq!(take(&mut mailbox), ["b 3"]);
    mailbox.resume(Some("a"));
    assert_eq!(take(&mut mailbox), ["a 1", "a 2"]);
    mailbox.pause(None);
    send(&mut mailbox, "b", "4").unwrap();
    assert!(take(&mut mailbox).is_empty());
    mailbox.resume(None);
    assert_eq!(take(&mut mailbox), ["b 4"]);
}

#[test]
fn a_full_mailbox_refuses_and_takes_again_once_it_is_read() {
    let mut mailbox = mailbox();
    mailbox.open_inbox();
    for _ in 0..10 {
        send(&mut mailbox, "a", "").unwrap();
    }
    assert_eq!(send(&mut mailbox, "a", ""), Err(Full { limit: "mailbox_messages", allowed: 10, used: 11 }));
    take(&mut mailbox);
    assert_eq!(send(&mut mailbox, "a", ""), Ok(true));
    let large = "x".repeat(4096);
    assert_eq!(send(&mut mailbox, "a", &large).unwrap_err().limit, "mailbox_bytes");
}

#[test]
fn kept_messages_are_charged_too() {
    let mut mailbox = mailbox();
    for _ in 0..10 {
        send(&mut mailbox, "nobody", "").unwrap();
    }
    assert!(send(&mut mailbox, "nobody", "").is_err());
}

#[test]
fn completions_and_signals_keep_their_place() {
    let mut mailbox = mailbox();
    mailbox.open_inbox();
    send(&mut mailbox, "a", "1").unwrap();
    mailbox.completed(7, Outcome::Closed);
    let reason = "stop".to_owned();
    let signal = Signal {
        kind: SignalKind::Cancel,
        sender: String::new(),
        at: 0,
        value: Payload::empty(),
        error: None,
        reason,
        sources: Vec::new(),
    };
    mailbox.request(signal).unwrap();
    assert_eq!(take(&mut mailbox), ["a 1", "ticket 7", "signal stop"]);
    assert_eq!(mailbox.len(), 0);
}

#[test]
fn a_blocking_program_takes_what_it_waits_for() {
    let mut mailbox = mailbox();
    mailbox.open_inbox();
    mailbox.completed(1, Outcome::Closed);
    send(&mut mailbox, "a", "1").unwrap();
    mailbox.completed(2, Outcome::Closed);
    assert!(mailbox.take_end(3).is_none());
    assert!(mailbox.take_end(2).is_some());
    assert!(matches!(mailbox.take_event(), Some((Event::Message(_), None))));
    assert!(mailbox.take_event().is_none());
    assert!(mailbox.take_end(1).is_some());
}

#[test]
fn a_batch_is_bounded_in_number_and_bytes() {
    let mut mailbox = mailbox();
    mailbox.open_inbox();
    for _ in 0..6 {
        send(&mut mailbox, "a", "").unwrap();
    }
    let mut events = Vec::new();
    mailbox.take(&mut events, 4, 1 << 18);
    assert_eq!(events.len(), 4);
    mailbox.take(&mut events, 4, 0);
    assert_eq!(events.len(), 5);
}

#[test]
fn what_was_asked_for_and_not_taken_is_bounded() {
    let mut mailbox = mailbox();
    let result = |bytes: usize| Outcome::Done(Payload { data: vec![0; bytes], channels: Vec::new() });
    assert!(mailbox.check_owed(1 << 20).is_ok(), "one result always fits");
    mailbox.completed(1, result(4000));
    assert!(mailbox.check_owed(96).is_ok());
    assert_eq!(mailbox.check_owed(97).unwrap_err().limit, "mailbox_bytes");
    assert_eq!(mailbox.owed(), 1);
    assert!(mailbox.take_end(1).is_some());
    assert_eq!(mailbox.owed(), 0);
    assert!(mailbox.check_owed(1 << 20).is_ok());

    let exit = || Signal {
        kind: SignalKind::Exit,
        sender: String::new(),
        at: 0,
        value: Payload::empty(),
        error: None,
        reason: String::new(),
        sources: Vec::new(),
    };
    for _ in 0..10 {
        assert!(mailbox.check_signals().is_ok());
        mailbox.signal(exit());
    }
    assert_eq!(mailbox.check_signals().unwrap_err().limit, "mailbox_messages");
    assert_eq!(take(&mut mailbox).len(), 10);
    assert!(mailbox.check_signals().is_ok());
}

#[test]
fn what_was_not_taken_counts_for_what_mailboxes_share() {
    let pool = Arc::new(Pool::new(1000));
    let limits = MailboxLimits { messages: 10, bytes: 4096 };
    let mut hoards = Mailbox::sharing(limits, Some(Arc::clone(&pool)));
    let mut other = Mailbox::sharing(limits, Some(Arc::clone(&pool)));
    let result = || Outcome::Done(Payload { data: vec![0; 600], channels: Vec::new() });
    assert!(hoards.check_owed(600).is_ok());
    hoards.completed(1, result());
    assert_eq!(other.check_owed(600).unwrap_err().limit, "quota.mailbox_bytes");
    assert!(other.check_owed(8).is_ok(), "what is as small as an error is not replaced by one");
    assert!(hoards.take_end(1).is_some());
    assert!(other.check_owed(600).is_ok());
    other.completed(2, result());
    drop(other);
    assert_eq!(pool.add(0), 0, "what an ended process did not take is given back");
}

#[test]
fn news_of_changed_code_that_nobody_needs_any_more_is_no_signal_that_waits() {
    let mut mailbox = mailbox();
    for _ in 0..20 {
        mailbox.outdated(vec!["app:main".to_owned()], 0);
        mailbox.forget_outdated();
    }
    assert!(mailbox.check_signals().is_ok());
}
