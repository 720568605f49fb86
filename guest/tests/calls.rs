//! Functions, futures, spawning, names, options: what is asked of the host and what comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double::Asked;
use support::{Value, asked, check_prints, check_success, done, error, failed, failure, lines, run, run_with, step};

#[test]
fn a_call_waits_for_its_result() {
    run_with("print(funcs.call('app:f', 1, 'x')) print(funcs.call('app:g')) print(funcs.call('app:h'))", &["funcs"], &[]);
    let Some(Asked::Call { request, ticket }) = asked().into_iter().last() else { panic!("nothing was called") };
    assert_eq!((request.entry.as_str(), request.args.data), ("app:f", vec![0x92, 1, 0xa1, b'x']));
    step(vec![done(ticket, &[Value::Map(vec![("a".into(), 1.into())])])]);
    step(vec![done(ticket + 1, &[])]);
    let mut problem = error("Timeout", "too slow");
    problem.retryable = Some(true);
    step(vec![failed(ticket + 2, problem)]);
    check_success();
    assert!(lines()[0].starts_with("table:"), "{:?}", lines());
    assert_eq!(lines()[1..], ["nil", "nil\ttoo slow"]);
}

#[test]
fn an_error_of_a_call_keeps_what_it_was() {
    run_with(
        "local _, err = funcs.call('app:f')
         print(err:kind(), err:message(), err:retryable(), err:details().limit, err:stack())",
        &["funcs"],
        &[],
    );
    let mut problem = error("RateLimited", "later");
    problem.retryable = Some(true);
    problem.details = support::document(&Value::Map(vec![("limit".into(), 5.into())]));
    problem.trace = "stack traceback:\n\tapp:f:3: in main chunk".to_owned();
    step(vec![failed(1, problem)]);
    check_success();
    assert_eq!(lines(), ["RateLimited\tlater\ttrue\t5\tstack traceback:\n\tapp:f:3: in main chunk"]);
}

#[test]
fn futures_answer_through_their_channel_and_keep_the_result() {
    let body = "
        local one, two = funcs.async('app:one'), funcs.async('app:two')
        print(one:is_complete(), one:result(), one:error())
        local r = channel.select{one:channel():case_receive(), two:response():case_receive()}
        print(r.channel == two:channel(), r.value:data(), r.ok)
        local value, ok = one:response():receive()
        print(value:kind(), ok, one:response():receive())
        print(two:is_complete(), two:result():data(), two:error())
        print(one:is_complete(), one:result(), one:error())";
    run_with(body, &["funcs"], &[]);
    step(vec![done(2, &["second".into()])]);
    step(vec![failed(1, error("NotFound", "no one"))]);
    check_success();
    assert_eq!(
        lines(),
        [
            "false\tnil\tnil\tfalse",
            "true\tsecond\ttrue",
            "NotFound\ttrue\tnil\tfalse",
            "true\tsecond\tnil\tfalse",
            "true\tnil\tno one\ttrue",
        ]
    );
}

#[test]
fn a_canceled_future_says_so() {
    run_with(
        "local future = funcs.async('app:slow')
         print(future:cancel(), future:is_canceled(), select(2, future:result()):kind(), future:cancel())
         print(future:channel():receive())",
        &["funcs"],
        &[],
    );
    check_success();
    assert_eq!(lines(), ["true\ttrue\tCanceled\tfalse", "the call was canceled\ttrue"]);
    assert!(asked().iter().any(|asked| matches!(asked, Asked::CancelTicket(1))));
}

#[test]
fn builders_of_calls_are_immutable() {
    run_with(
        "local base = funcs.new():with_context({a = 1})
         local more = base:with_context({b = 2}):with_options({timeout = 5})
         base:async('app:f') more:async('app:g')",
        &["funcs"],
        &[],
    );
    let calls: Vec<_> = asked()
        .into_iter()
        .filter_map(|asked| match asked {
            Asked::Call { request, .. } => Some((request.context, request.options)),
            _ => None,
        })
        .collect();
    assert_eq!(calls[0], (vec![0x81, 0xa1, b'a', 1], vec![]));
    assert_eq!(calls[1].0.len(), 7);
    assert_eq!(calls[1].1, [&[0x81, 0xa7][..], b"timeout", &[5]].concat());
}

#[test]
fn spawn_asks_for_the_relation_it_names() {
    run("for _, name in ipairs{'spawn', 'spawn_monitored', 'spawn_linked', 'spawn_linked_monitored'} do
            assert(process[name]('app:child', 'app:host', name):find('app:host'))
        end");
    check_success();
    let relations: Vec<_> = asked()
        .into_iter()
        .filter_map(|asked| match asked {
            Asked::Spawn(request) => Some((request.monitor, request.link, request.entry, request.host)),
            _ => None,
        })
        .collect();
    let with = |monitor, link| (monitor, link, "app:child".to_owned(), "app:host".to_owned());
    assert_eq!(relations, [with(false, false), with(true, false), with(false, true), with(true, true)]);
}

#[test]
fn the_builder_of_spawns_queues_messages_and_names() {
    run("local base = process.with_context({user = 'u'}):with_name('unique')
        local one = base:with_message('first', 1, nil, 3)
        local two = one:with_message('second')
        two:spawn('app:child', 'app:host', 'arg')
        base:spawn_linked('app:child', 'app:host')");
    check_success();
    let requests: Vec<_> = asked()
        .into_iter()
        .filter_map(|asked| match asked {
            Asked::Spawn(request) => Some(request),
            _ => None,
        })
        .collect();
    assert_eq!(requests[0].name.as_deref(), Some("unique"));
    let messages: Vec<_> =
        requests[0].messages.iter().map(|message| (message.topic.as_str(), message.body.data.as_slice())).collect();
    assert_eq!(messages, [("first", &[0x93, 1, 0xc0, 3][..]), ("second", &[][..])]);
    assert_eq!(requests[0].args.data, [&[0x91, 0xa3][..], b"arg"].concat());
    assert!(requests[1].messages.is_empty() && requests[1].link);
}

#[test]
fn exec_waits_for_the_result_of_the_process() {
    run("print(process.exec('app:job', 'app:host', 2))");
    step(vec![done(1, &[4.into()])]);
    check_success();
    assert_eq!(lines(), ["4"]);
}

#[test]
fn upgrade_does_not_return() {
    assert_eq!(run("process.upgrade(nil, {count = 1}) print('never')"), Status::Blocked);
    let Some(Asked::Upgrade { entry, args, unread }) = asked().into_iter().last() else { panic!("no upgrade was asked for") };
    assert!(unread.is_empty());
    assert_eq!((entry, args.data), (None, [&[0x91, 0x81, 0xa5][..], b"count", &[1]].concat()));
}

#[test]
fn options_are_checked() {
    check_prints(
        "print(process.set_options{trap_links = true})
         print(process.get_options().trap_links, process.get_options().upgradable)
         local ok, err = process.set_options{trap = true}
         print(ok, err:kind(), err)
         print(process.set_options{trap_links = 1})",
        &[
            "true",
            "true\tfalse",
            "false\tInvalid\tprocess option `trap` is unknown; the options are trap_links, upgradable and limit_warnings",
            "false\tprocess option `trap_links` is a number; it must be true or false",
        ],
    );
}

#[test]
fn names_are_registered_and_found() {
    check_prints(
        "print(process.registry.register('me')) print(process.registry.lookup('me')) print(process.registry.unregister('me'))
         local pid, err = process.registry.lookup('me') print(pid, err:kind())
         print(select(2, process.registry.register('x', nil, 9)):kind())",
        &["true", "{self}", "true", "nil\tNotFound", "Invalid"],
    );
}

#[test]
fn signals_become_events() {
    use moonlet_guest::host::{Event, Signal, SignalKind};
    run("local events = process.events()
        for _ = 1, 2 do
            local e = events:receive()
            print(e.kind, e.from, e.at, e.result.value and e.result.value.n, e.result.error)
        end
        print(process.event.EXIT, process.event.LINK_DOWN, process.event.CANCEL, process.event.OUTDATED, process.event.LIMIT)
        print(table.concat(events:receive().sources, ' '))");
    let signal = |kind, value: &[Value], error| {
        Event::Signal(Signal {
            kind,
            sender: "{h|2}".to_owned(),
            at: 7_000_000_000,
            value: support::payload(value),
            error,
            reason: String::new(),
            sources: vec!["app:a".to_owned(), "app:b".to_owned()],
        })
    };
    step(vec![
        signal(SignalKind::Exit, &[Value::Map(vec![("n".into(), 3.into())])], None),
        signal(SignalKind::LinkDown, &[], Some(error("Internal", "crash"))),
        signal(SignalKind::Outdated, &[], None),
    ]);
    check_success();
    assert_eq!(
        lines(),
        [
            "pid.exit\t{h|2}\t7\t3\tnil",
            "pid.link.down\t{h|2}\t7\tnil\tcrash",
            "pid.exit\tpid.link.down\tpid.cancel\tpid.outdated\tpid.limit",
            "app:a app:b",
        ]
    );
}

#[test]
fn a_busy_topic_is_paused_and_resumed() {
    run("local ch = process.listen('flood') process.listen('go'):receive()
        for i = 1, 300 do assert(ch:receive() == i) end");
    let flood = (1..=300).map(|number| support::message("flood", &[Value::Integer(number)])).collect();
    step(flood);
    assert!(asked().iter().any(|asked| matches!(asked, Asked::Pause(Some(topic)) if topic == "flood")));
    step(vec![support::message("go", &[])]);
    check_success();
    assert!(asked().iter().any(|asked| matches!(asked, Asked::Resume(Some(topic)) if topic == "flood")));
}

#[test]
fn unlisten_closes_the_channel_and_gives_the_topic_to_the_inbox() {
    run("local inbox, ch = process.inbox(), process.listen('t')
        print(process.unlisten(ch), ch:receive())
        print((inbox:receive()):topic())");
    step(vec![support::message("t", &[])]);
    check_success();
    assert_eq!(lines(), ["true\tnil\tfalse", "t"]);
    assert!(asked().iter().any(|asked| matches!(asked, Asked::Unlisten(topic) if topic == "t")));
}

#[test]
fn loggers_carry_names_and_fields() {
    run_with(
        "local child = logger:named('auth'):with({a = 1}) child:named('sub'):warn('careful', {b = 2}) logger:info('plain')
         print(select(2, logger:named('')):kind())",
        &["logger"],
        &[],
    );
    check_success();
    let logs: Vec<_> = asked_logs();
    assert_eq!(logs[0].0, "auth.sub");
    assert_eq!(logs[0].1, "careful");
    assert_eq!(logs[0].2.len(), 7);
    assert_eq!(logs[1], (String::new(), "plain".to_owned(), Vec::new(), "app:main:1".to_owned()));
    assert_eq!(lines()[2], "Invalid");
}

#[test]
fn a_record_needs_a_message() {
    run_with(
        "for _, message in ipairs{false, {}} do print(pcall(logger.info, logger, message)) end
         print(pcall(logger.info, logger)) print(pcall(function() logger:info() end))
         logger:error(errors.new('an error'), {a = 1}) logger:info(5)",
        &["logger"],
        &[],
    );
    check_success();
    let lines = lines();
    assert!(lines[..4].iter().all(|line| line.starts_with("false\t") && line.contains("string expected")), "{lines:?}");
    assert_eq!(lines[4..], ["an error", "5"]);
}

fn asked_logs() -> Vec<(String, String, Vec<u8>, String)> {
    moonlet_guest::host::double::with(|double| {
        double
            .asked
            .iter()
            .filter_map(|asked| match asked {
                Asked::Log { logger, message, fields, location, .. } => {
                    Some((logger.clone(), message.clone(), fields.clone(), location.clone()))
                }
                _ => None,
            })
            .collect()
    })
}

#[test]
fn a_raised_error_object_keeps_its_kind_as_the_exit() {
    run("error(errors.new{message = 'no', kind = errors.CONFLICT, details = {x = 1}})");
    let error = failure();
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("Conflict", "no"));
    assert_eq!(error.details, [0x81, 0xa1, b'x', 1]);
    assert!(error.trace.contains("app:main:1"), "{}", error.trace);
}

#[test]
fn error_objects_work_like_their_text() {
    check_prints(
        "local err = errors.new{message = 'disk full', kind = 'CUSTOM', details = {free = 0}}
         print(err .. '!', 'so ' .. err, tostring(err), #err, err:kind(), err:retryable(), err:details().free)
         print(err:upper(), err:find('full'))
         local wrapped = errors.wrap(err, 'saving')
         print(wrapped, wrapped:kind(), wrapped:details().free, errors.wrap('text', 'ctx'), errors.wrap(nil, 'ctx'))
         print(errors.is(err, 'CUSTOM'), errors.is(err, errors.INVALID), errors.is('x', errors.UNKNOWN), errors.UNKNOWN == '')
         local frame = errors.call_stack(err).frames[1]
         print(frame.source, frame.line)
         print(pcall(function() errors.new() end))",
        &[
            "disk full!\tso disk full\tdisk full\t9\tCUSTOM\tnil\t0",
            "DISK FULL\t6\t9",
            "saving: disk full\tCUSTOM\t0\tctx: text\tnil",
            "true\tfalse\tfalse\ttrue",
            "app:main\t1",
            "false\tapp:main:9: bad argument #1 to 'new' (string or table expected, got no value)",
        ],
    );
}
