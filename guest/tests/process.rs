//! What a process sees of its start, its messages and its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double::Asked;
use support::{Value, asked, check_prints, check_success, failure, lines, message, outcome, run, run_with, step};

#[test]
fn main_prints_with_its_position() {
    assert_eq!(run("print('hello', 1, 2.0, nil)"), Status::Finished);
    assert_eq!(lines(), ["hello\t1\t2.0\tnil"]);
    let location = moonlet_guest::host::double::with(|double| {
        double.asked.iter().find_map(|asked| match asked {
            Asked::Log { location, .. } => Some(location.clone()),
            _ => None,
        })
    });
    assert_eq!(location.as_deref(), Some("app:main:1"));
}

#[test]
fn main_gets_arguments_and_its_first_value_is_the_result() {
    run_with("local a, b = ... return a + b", &[], &[Value::Integer(40), Value::Integer(2)]);
    assert_eq!(outcome().unwrap().data, [0x91, 42]);
}

#[test]
fn a_second_value_that_is_text_is_a_failure() {
    run("return false, 'no luck'");
    assert_eq!(failure().message, "no luck");
}

#[test]
fn a_second_value_that_is_an_error_keeps_its_kind() {
    run("return nil, errors.new{message = 'gone', kind = errors.NOT_FOUND, retryable = true}");
    let error = failure();
    assert_eq!((error.kind.as_str(), error.message.as_str(), error.retryable), ("NotFound", "gone", Some(true)));
}

#[test]
fn an_uncaught_error_fails_the_process_with_position_and_traceback() {
    run("local function f()\n error('boom') end\n f()");
    let error = failure();
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("Internal", "app:main:2: boom"));
    assert!(error.trace.contains("app:main:3"), "{}", error.trace);
}

#[test]
fn an_uncaught_error_in_a_coroutine_fails_the_process() {
    run("coroutine.spawn(function() error('inside') end) process.inbox():receive()");
    assert_eq!(failure().message, "app:main:1: inside");
}

#[test]
fn messages_are_sent_encoded() {
    run("print(process.send('{app:host|2}', 'greet', 'hi', 1))");
    assert_eq!(lines(), ["true"]);
    let Some(Asked::Send { to, topic, body }) = asked().into_iter().next() else { panic!("nothing was sent") };
    assert_eq!((to.as_str(), topic.as_str(), body.data), ("{app:host|2}", "greet", vec![0x92, 0xa2, b'h', b'i', 1]));
}

#[test]
fn the_inbox_yields_message_objects() {
    let body = "local inbox = process.inbox()
        print(inbox == process.inbox())
        for _ = 1, 3 do
            local message, ok = inbox:receive()
            local payload = message:payload()
            print(ok, message:topic(), message:from(), payload and (payload.data and payload:data() or #payload), message.field)
        end";
    assert_eq!(run(body), Status::Blocked);
    let events =
        vec![message("one", &["a".into()]), message("two", &[Value::Integer(1), Value::Integer(2)]), message("three", &[])];
    assert_eq!(step(events), Status::Finished);
    check_success();
    let sender = "{app:host|sender}";
    assert_eq!(
        lines(),
        [
            "true".to_owned(),
            format!("true\tone\t{sender}\ta\tnil"),
            format!("true\ttwo\t{sender}\t2\tnil"),
            format!("true\tthree\t{sender}\tnil\tnil"),
        ]
    );
}

#[test]
fn a_topic_yields_bare_values() {
    run("local ch = process.listen('work')
        print(ch:receive()) print(ch:receive()) print(#ch:receive()) ");
    step(vec![message("work", &["a".into()])]);
    step(vec![message("work", &[])]);
    step(vec![message("work", &[Value::Integer(1), Value::Integer(2), Value::Integer(3)])]);
    check_success();
    assert_eq!(lines(), ["a\ttrue", "nil\ttrue", "3"]);
}

#[test]
fn values_that_cannot_cross_are_named_with_their_path() {
    check_prints(
        "local loop = {} loop.me = {loop}
         for _, value in ipairs{
            {users = {{}, {}, {callback = print}}}, loop, {[{}] = 1}, setmetatable({}, {__index = {a = print}}), {co = coroutine.create(print)},
         } do
            local ok, err = process.send('x', 'y', value)
            print(ok, err and err:kind(), err)
         end",
        &[
            "nil\tInvalid\tpayload.users[3].callback is a function, which cannot leave its process",
            "nil\tInvalid\tpayload.me[1] contains itself; values that leave a process cannot be cyclic",
            "nil\tInvalid\tpayload has a table as a key; only strings, numbers and booleans can leave a process as keys",
            "true\tnil\tnil",
            "nil\tInvalid\tpayload.co is a thread, which cannot leave its process",
        ],
    );
}

#[test]
fn libraries_run_before_main_and_may_wait() {
    let mut program = support::program("local lib = require('lib') return {run = function() print(lib.value, lib.twice(4)) end}");
    program.method = "run".to_owned();
    support::import(
        &mut program,
        "lib",
        "app:lib",
        "local value = process.listen('setup'):receive() return {value = value, twice = function(n) return 2 * n end}",
    );
    assert_eq!(support::start(program), Status::Blocked);
    step(vec![message("setup", &["ready".into()])]);
    check_success();
    assert_eq!(lines(), ["ready\t8"]);
}

#[test]
fn require_of_an_undeclared_module_says_how_to_declare_it() {
    run("require('sql')");
    let text = failure().message;
    assert!(text.contains("module 'sql' not found") && text.contains("modules:") && text.contains("`app:main`"), "{text}");
}

#[test]
fn a_missing_method_is_named() {
    let mut program = support::program("return {}");
    program.method = "serve".to_owned();
    support::start(program);
    let text = failure().message;
    assert!(text.contains("`app:main`") && text.contains("`serve`"), "{text}");
}

#[test]
fn a_payload_can_be_handed_on() {
    run("local message = process.inbox():receive() process.send('x', 'y', message:payload())");
    step(vec![message("a", &[Value::Array(vec![Value::Integer(1)])])]);
    check_success();
    let sent = asked().into_iter().find_map(|asked| match asked {
        Asked::Send { body, .. } => Some(body.data),
        _ => None,
    });
    let value = support::document(&Value::Array(vec![Value::Integer(1)]));
    assert_eq!(sent, Some([vec![0x91], value].concat()));
}

#[test]
fn running_out_of_memory_is_a_limit() {
    let mut program = support::program("return function() local t = {} for i = 1, 1e9 do t[i] = {i} end end");
    program.limits.memory = 1 << 20;
    support::start(program);
    let error = failure();
    assert_eq!(error.kind, "LimitExceeded");
    assert!(error.message.starts_with("not enough memory: the process may use 1048576 bytes"), "{}", error.message);
    assert!(error.details.windows(6).any(|part| part == b"memory") && error.trace.contains("app:main:1"), "{error:?}");
}

#[test]
fn running_out_of_memory_is_a_limit_however_it_is_noticed() {
    for body in [
        "local ok, err = pcall(fill) error(err)",
        "local ok, err = pcall(fill) error(err, 0)",
        "coroutine.wrap(fill)()",
        "coroutine.spawn(fill) channel.new():receive()",
        "local text = 'x' while true do text = text .. text end",
        "string.rep('x', 1 << 24)",
        "local list = {} for i = 1, 1e6 do list[i] = coroutine.create(print) end",
        "json.decode('[' .. ('{},'):rep(100000) .. '1]')",
        "local list = {} for i = 1, 1e6 do list[i] = i end process.send('x', 'y', list)",
    ] {
        let mut program = support::program(&format!(
            "local function fill() local t = {{}} for i = 1, 1e9 do t[i] = {{i}} end end return function() {body} end"
        ));
        program.main.modules = vec!["json".to_owned()];
        program.limits.memory = 2 << 20;
        support::start(program);
        let error = failure();
        assert_eq!(error.kind, "LimitExceeded", "{body}: {error:?}");
        let allowed = [&b"allowed\xcf"[..], &(2_u64 << 20).to_be_bytes()].concat();
        assert!(error.details.windows(allowed.len()).any(|part| part == allowed), "{body}: {error:?}");
    }
}

#[test]
fn text_that_is_not_utf8_is_an_error_value() {
    support::run_with(
        r"for _, call in ipairs{
            function(x) return process.send(x, 'y') end, function(x) return process.send('y', x) end, process.listen,
            process.registry.register, process.registry.lookup, process.registry.unregister,
            function(x) return process.registry.register('x', x) end,
            process.cancel, function(x) return process.cancel('x', x) end, process.terminate, process.link, process.monitor,
            function(x) return process.spawn(x, 'h') end, function(x) return process.spawn('a:b', x) end,
            function(x) return process.exec(x, 'h') end, process.upgrade, funcs.call, funcs.async,
            function(x) return process.with_context({}):with_name(x) end, function(x) return process.with_context({}):with_message(x) end,
        } do
            local value, err = call('\xff')
            assert(value == nil and err:kind() == errors.INVALID and not err:retryable(), tostring(err))
        end
        print(select(2, process.send('x', 't\xff')))",
        &["funcs"],
        &[],
    );
    check_success();
    assert_eq!(support::lines(), ["the topic is not valid UTF-8"]);
}

#[test]
fn messages_that_do_not_fit_into_memory_end_the_process() {
    let mut program = support::program("return function() process.inbox() process.listen('end'):receive() end");
    program.limits.memory = 1 << 20;
    assert_eq!(support::start(program), Status::Blocked);
    let large = "x".repeat(100_000);
    let events = (0..20).map(|_| message("big", &[large.as_str().into()])).collect();
    assert_eq!(step(events), Status::Finished);
    assert_eq!(failure().kind, "LimitExceeded");
}

#[test]
fn types_are_values() {
    check_prints(
        "print(typeof(1), (Number:is('x')), (__type.fn ~= nil))
         print((pcall(string.upper)), string('text'), __is_error(errors.new('x')), __is_error('x'))
         local ok, err = process.send('x', 'y', {t = Number}) print(ok, err:kind())",
        &["integer\tnil\ttrue", "false\ttext\ttrue\tfalse", "nil\tInvalid"],
    );
}
