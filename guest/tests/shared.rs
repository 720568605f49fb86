//! Channels that cross processes, and modules of the host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double::{self, Asked};
use moonlet_guest::host::{Completion, Event, Message, Outcome, Payload, Reply};
use support::{Value, asked, check_prints, check_success, document, done, lines, payload, run, run_with, step};

/// A message that brings channels by handle.
fn bring(handles: &[u32]) -> Event {
    let values: Vec<_> = (0..).zip(handles).map(|(place, _)| Value::Channel(place)).collect();
    let body = Payload { channels: handles.to_vec(), ..payload(&values) };
    Event::Message(Message { sender: None, topic: "channels".to_owned(), body })
}

#[test]
fn a_channel_in_a_message_takes_its_values_along() {
    check_prints(
        "local ch = channel.new(5) ch:send('a') ch:send('b')
         print(process.send('x', 'y', ch, {again = ch}))
         print(ch:receive()) print(ch:receive()) print(ch:send('c'))",
        &["true", "a\ttrue", "b\ttrue", "true"],
    );
    let sent = asked().into_iter().find_map(|asked| match asked {
        Asked::Send { body, .. } => Some(body),
        _ => None,
    });
    let sent = sent.unwrap();
    assert_eq!(sent.channels, [1]);
    assert_eq!(sent.data[..7], [0x92, 0xd6, 2, 0, 0, 0, 0]);
}

#[test]
fn whoever_waits_on_a_channel_when_it_is_shared_waits_on() {
    run("local ch = channel.new()
        coroutine.spawn(function() print('receiver', ch:receive()) end)
        coroutine.spawn(function()
            local r = channel.select{ch:case_receive(), channel.new():case_receive()} print('selecting', r.channel == ch, r.value, r.ok)
        end)
        local tick = channel.new() coroutine.spawn(function() tick:send() end) tick:receive()
        process.send('x', 'y', ch)
        process.listen('end'):receive()");
    assert_eq!(double::with(|double| double.ticket), 2);
    step(vec![done(2, &["two".into()])]);
    step(vec![done(1, &["one".into()]), support::message("end", &[])]);
    check_success();
    assert_eq!(lines(), ["selecting\ttrue\ttwo\ttrue", "receiver\tone\ttrue"]);
}

#[test]
fn a_handle_that_comes_twice_is_the_same_channel() {
    run("local topic = process.listen('channels', {message = true})
        local a = topic:receive():payload():data() local b = topic:receive():payload():data()
        print(a == b, type(a)) a:send('hello') a:close() print(b:receive()) print(b:receive())
        print(pcall(b.send, b, 1))");
    step(vec![bring(&[7]), bring(&[7])]);
    check_success();
    assert_eq!(lines(), ["true\tuserdata", "hello\ttrue", "nil\tfalse", "false\tsend on closed channel"]);
    let released = asked().iter().filter(|asked| matches!(asked, Asked::ChannelRelease(7))).count();
    assert_eq!(released, 1, "the second time the handle was handed out is given back");
}

#[test]
fn receive_and_send_wait_for_the_host() {
    run("local a = process.listen('channels'):receive()
        print(a:receive()) print(a:receive()) print(a:send(1)) print(pcall(a.send, a, 2))");
    step(vec![bring(&[3])]);
    step(vec![done(1, &["late".into()])]);
    double::with(|double| double.channels_full = true);
    step(vec![Event::Completed(Completion { ticket: 2, outcome: Outcome::Closed })]);
    step(vec![done(3, &[])]);
    step(vec![Event::Completed(Completion { ticket: 4, outcome: Outcome::Closed })]);
    check_success();
    assert_eq!(lines(), ["late\ttrue", "nil\tfalse", "true", "false\tsend on closed channel"]);
}

#[test]
fn select_mixes_shared_channels_with_others() {
    run("local pair = process.listen('channels'):receive()
        local a, b, own = pair[1], pair[2], channel.new(1)
        local r = channel.select{a:case_receive(), b:case_receive(), default = true} print(r.default)
        r = channel.select{a:case_receive(), own:case_receive(), b:case_receive()} print(r.channel == b, r.value)
        own:send('own')
        r = channel.select{a:case_receive(), own:case_receive()} print(r.channel == own, r.value)
        r = channel.select{own:case_receive(), a:case_send('out')} print(r.channel == a, r.value, r.ok)
        own:send('kept')
        r = channel.select{a:case_receive(), own:case_receive()} print(r.channel == a, r.value)
        print(own:receive()) a:close()
        r = channel.select{b:case_receive(), a:case_receive()} print(r.channel == a, r.value, r.ok)
        print(pcall(channel.select, {b:case_receive(), a:case_send(1)}))");
    step(vec![bring(&[1, 2])]);
    // The first select did not wait; the second one does, with a ticket for each of the two.
    step(vec![done(2, &["from b".into()])]);
    check_success();
    assert_eq!(
        lines(),
        [
            "true",
            "true\tfrom b",
            "true\town",
            "true\tout\ttrue",
            "true\tout",
            "kept\ttrue",
            "true\tnil\tfalse",
            "false\tsend on closed channel"
        ]
    );
    assert!(!asked().iter().any(|asked| matches!(asked, Asked::CancelTicket(_))));
}

/// A select that could go on here or in another process: whichever comes first happens, and nothing else.
#[test]
fn select_decides_between_this_process_and_others() {
    let body = "local a, own = process.listen('channels'):receive(), channel.new()
        coroutine.spawn(function()
            process.listen('go'):receive()
            own:send('from own')
        end)
        local r = channel.select{a:case_send('to a'), own:case_receive()} print(r.channel == own, r.value)
        print(own:receive())";
    for host_was_faster in [false, true] {
        run(body);
        double::with(|double| {
            double.channels_full = true;
            double.completed.extend(host_was_faster.then_some(1));
        });
        step(vec![bring(&[7])]);
        step(vec![support::message("go", &[])]);
        if host_was_faster {
            step(vec![done(1, &[])]);
            check_success();
            assert_eq!(lines(), ["false\tto a", "from own\ttrue"]);
        } else {
            assert_eq!(lines(), ["true\tfrom own"]);
            assert!(asked().iter().any(|asked| matches!(asked, Asked::CancelTicket(1))));
        }
    }
}

#[test]
fn a_select_that_waits_begins_again_when_one_of_its_channels_is_shared() {
    run("local a, own = process.listen('channels'):receive(), channel.new()
        coroutine.spawn(function()
            local r = channel.select{a:case_receive(), own:case_send('mine'), own:case_receive()} print(r.channel == own, r.value, r.ok)
        end)
        process.listen('go'):receive()
        process.send('x', 'y', own)
        process.listen('end'):receive()");
    double::with(|double| double.channels_full = true);
    step(vec![bring(&[7])]);
    step(vec![support::message("go", &[])]);
    // The select waited with ticket 1, which was given up; now it waits with 2, 3 and 4.
    assert!(asked().iter().any(|asked| matches!(asked, Asked::CancelTicket(1))));
    step(vec![done(3, &[])]);
    assert_eq!(lines(), ["true\tmine\ttrue"]);
}

#[test]
fn a_select_that_sends_a_channel_shares_it() {
    run("local a, own = process.listen('channels'):receive(), channel.new(1)
        local r = channel.select{own:case_receive(), a:case_send(own)} print(r.channel == a)
        print(own:send('through the host'))");
    step(vec![bring(&[7])]);
    check_success();
    assert_eq!(lines(), ["true", "true"]);
    assert_eq!(double::with(|double| double.channels[&1].len()), 1);
}

#[test]
fn a_channel_that_nobody_holds_is_released() {
    run("do local a = process.listen('channels'):receive() end
        for i = 1, 200000 do local t = {} end process.listen('end'):receive()");
    step(vec![bring(&[9])]);
    assert!(asked().iter().any(|asked| matches!(asked, Asked::ChannelRelease(9))));
}

#[test]
fn the_mailbox_cannot_be_sent_away() {
    check_prints(
        "print(select(2, process.send('x', 'y', {process.inbox()})))",
        &[
            "payload[1] is a channel that cannot be shared: it belongs to the mailbox of this process; make one with channel.new()",
        ],
    );
}

fn manifest() -> Vec<u8> {
    let names = |names: &[&str]| Value::Array(names.iter().map(|&name| name.into()).collect());
    document(&Value::Map(vec![
        ("functions".into(), names(&["get", "slow", "fail"])),
        ("constants".into(), Value::Map(vec![("TYPE".into(), Value::Map(vec![("SQLITE".into(), "sqlite".into())]))])),
        ("resources".into(), Value::Map(vec![("Db".into(), names(&["query", "__gc"]))])),
    ]))
}

/// An array document with one resource in it.
fn resource(id: u8) -> Payload {
    let inner = [&[0x93, 0xa3][..], b"sql", &[0xa2], b"Db", &[id]].concat();
    let mut data = vec![0x91, 0xc7, u8::try_from(inner.len()).unwrap(), 3];
    data.extend(inner);
    Payload { data, channels: Vec::new() }
}

#[test]
fn a_host_module_is_made_from_its_manifest() {
    let mut program = support::program(
        "local lib = require('sql')
         return function()
            print(lib == sql, sql.TYPE.SQLITE)
            local db = sql.get('app:db')
            print(db:query('select', 1))
            print(select(2, process.send('x', 'y', db)))
            local _, err = sql.fail() print(err:kind(), err)
            print(sql.slow())
            db = nil
            for i = 1, 200000 do local t = {} end
         end",
    );
    program.main.modules = vec!["sql".to_owned(), "nosuch".to_owned()];
    double::with(|double| {
        double.manifests.insert("sql".to_owned(), manifest());
        double.invoke = Some(Box::new(|_, function, args| match function {
            "get" => Ok(Reply::Done(resource(5))),
            "Db:query" => Ok(Reply::Done(Payload { data: vec![0x92, 1, args.data.len() as u8], channels: Vec::new() })),
            "slow" => Ok(Reply::Pending(77)),
            "Db:__gc" => Ok(Reply::Done(payload(&[]))),
            _ => Err(support::error("Unavailable", "no")),
        }));
    });
    assert_eq!(support::start(program), Status::Blocked);
    step(vec![done(77, &["at last".into()])]);
    check_success();
    assert_eq!(lines()[0], "true\tsqlite");
    assert!(lines()[1].starts_with("1\t"), "{:?}", lines());
    assert_eq!(lines()[2..], ["payload is a Db, which cannot leave its process", "Unavailable\tno", "at last"]);
    assert!(asked().iter().any(|asked| matches!(asked, Asked::Invoke { function, .. } if function == "Db:__gc")));
}

#[test]
fn a_module_that_the_image_holds_needs_no_description() {
    let source = "return function()
            local http = require('http')
            print(http.request():method())
            print((select(2, pcall(rawset, http, 'request', 1))))
         end";
    let mut program = support::program(source);
    program.main.modules = vec!["http".to_owned()];
    program.image_modules = program.main.modules.clone();
    double::with(|double| {
        double.invoke = Some(Box::new(|_, _, _| Ok(Reply::Done(payload(&[Value::Map(vec![("method".into(), "GET".into())])])))));
    });
    support::start(program);
    check_success();
    assert_eq!(lines(), ["GET", "attempt to modify a read-only table"]);
}

#[test]
fn a_module_that_the_image_holds_is_not_there_when_the_host_has_another() {
    run_with("print(http) require('http')", &["http"], &[]);
    let error = support::failure();
    assert_eq!((error.kind.as_str(), lines()[0].as_str()), ("NotFound", "nil"));
}

#[test]
fn a_module_that_is_not_granted_raises_at_require() {
    run_with("print(sql) require('sql')", &["sql"], &[]);
    let error = support::failure();
    assert_eq!((error.kind.as_str(), lines()[0].as_str()), ("NotFound", "nil"));
}
