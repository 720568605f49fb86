//! Waiting: `time.sleep`, `time.after`, timers and tickers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use moonlet_guest::bindings::moonlet::runtime::programs::Status;
use moonlet_guest::host::double::{self, Asked};
use support::{asked, check_success, done, error, failed, failure, lines, program, run_with, start, step};

fn run(body: &str) -> Status {
    run_with(body, &["time"], &[])
}

/// The nanoseconds and the ticket of the latest timer.
fn latest() -> (u64, u64) {
    let timers = asked().into_iter().filter_map(|asked| match asked {
        Asked::Timer { after, ticket } => Some((after, ticket)),
        _ => None,
    });
    timers.collect::<Vec<_>>().last().copied().expect("a timer was asked for")
}

fn fire() -> Status {
    step(vec![done(latest().1, &[])])
}

#[test]
fn sleep_waits_as_long_as_it_was_told() {
    assert_eq!(run("print('before') time.sleep('1.5s') print('after')"), Status::Blocked);
    assert_eq!(latest().0, 1_500_000_000);
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["before", "after"]);
}

#[test]
fn sleep_of_nothing_returns_and_of_nonsense_fails() {
    assert_eq!(
        run("time.sleep(0) time.sleep(-5) time.sleep('-1s') local none, err = time.sleep('soon') print(none, err:kind())"),
        Status::Finished
    );
    assert_eq!(lines(), ["nil\tInvalid"]);
    assert_eq!(run("print(select('#', pcall(time.sleep)), pcall(time.sleep, {}))"), Status::Finished);
    assert!(lines()[0].starts_with("2\tfalse\tbad argument #1 to"), "{:?}", lines());
}

#[test]
fn sleep_works_in_coroutines_and_pcall() {
    run("local co = coroutine.wrap(function() time.sleep(5) return 'woke' end) print(pcall(co))");
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["true\twoke"]);
}

#[test]
fn a_sleep_that_fails_says_so() {
    run("local none, err = time.sleep(5) print(none, err:kind(), err:message())");
    step(vec![failed(latest().1, error("LimitExceeded", "too many"))]);
    assert_eq!(lines(), ["nil\tLimitExceeded\ttoo many"]);
}

#[test]
fn after_sends_the_time_once() {
    run(r##"
        local timeout = time.after("5s")
        local result = channel.select{timeout:case_receive()}
        print(result.channel == timeout, result.ok, result.value:unix())
        timeout:receive()
    "##);
    assert_eq!(latest().0, 5_000_000_000);
    double::with(|host| host.now = 7_000_000_000);
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["true\ttrue\t7"]);
    assert!(failure().message.contains("deadlock"), "{}", failure().message);
}

#[test]
fn a_timer_can_be_stopped_and_reset() {
    let status = run(r##"
        local timer = assert(time.timer("5s"))
        assert(timer:response() == timer:channel())
        print(timer:reset("1s"), timer:stop(), timer:stop(), timer:reset(2 * time.SECOND))
        timer:response():receive()
        print("fired", timer:stop(), timer:reset("3s"))
        timer:channel():receive()
        print("again")
    "##);
    assert_eq!(status, Status::Blocked);
    assert_eq!(latest().0, 2_000_000_000);
    assert_eq!(asked().iter().filter(|asked| matches!(asked, Asked::CancelTicket(_))).count(), 2);
    assert_eq!(fire(), Status::Blocked);
    assert_eq!(latest().0, 3_000_000_000);
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["true\ttrue\tfalse\tfalse", "fired\tfalse\tfalse", "again"]);
}

#[test]
fn reset_takes_back_a_time_that_nobody_received() {
    run(r##"
        local timer, inbox = time.timer("1s"), process.inbox()
        inbox:receive()
        timer:reset("9s")
        print(channel.select{timer:channel():case_receive(), default = true}.default)
    "##);
    let ticket = latest().1;
    step(vec![done(ticket, &[]), support::message("x", &[])]);
    check_success();
    assert_eq!(lines(), ["true"]);
}

#[test]
fn a_completion_after_stop_is_ignored() {
    run(r##"
        local timer = time.timer("1s")
        timer:stop()
        process.inbox():receive()
        print(channel.select{timer:channel():case_receive(), default = true}.default)
    "##);
    let ticket = latest().1;
    step(vec![done(ticket, &[]), support::message("x", &[])]);
    assert_eq!(lines(), ["true"]);
}

#[test]
fn a_ticker_ticks_on_time_and_leaves_out_what_nobody_took() {
    run(r##"
        local ticker = time.ticker("100ms")
        for i = 1, 3 do print(ticker:response():receive():unix_nano()) end
        print(ticker:stop(), ticker:stop())
    "##);
    assert_eq!(latest().0, 100_000_000);
    // 5 ms late, so the next one comes 5 ms earlier.
    double::with(|host| (host.now, host.monotonic) = (105_000_000, 105_000_000));
    fire();
    assert_eq!(latest().0, 95_000_000);
    // Two ticks late: they are left out.
    double::with(|host| (host.now, host.monotonic) = (430_000_000, 430_000_000));
    fire();
    assert_eq!(latest().0, 70_000_000);
    double::with(|host| (host.now, host.monotonic) = (500_000_000, 500_000_000));
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["105000000", "430000000", "500000000", "true\tfalse"]);
}

#[test]
fn a_ticker_that_the_host_refuses_closes_its_channel() {
    run(r##"
        local ch = time.ticker("1s"):response()
        print(ch:receive() ~= nil, ch:receive())
    "##);
    double::with(|host| host.failures.insert("timer", error("LimitExceeded", "too many timers")));
    assert_eq!(fire(), Status::Finished);
    assert_eq!(lines(), ["true\tnil\tfalse"]);
}

#[test]
fn wrong_lengths_are_refused() {
    run(r##"
        for _, make in ipairs{time.timer, time.ticker} do
            for _, bad in ipairs{0, -1, "0s", "-5s", "soon"} do
                local none, err = make(bad); assert(none == nil and err:kind() == "Invalid", tostring(bad))
            end
            assert(not pcall(make) and not pcall(make, {}))
        end
        assert(select(2, time.after("soon")):kind() == "Invalid" and not pcall(time.after, true))
        local timer = time.timer(5); assert(select(2, timer:reset(0)):kind() == "Invalid" and not pcall(timer.stop, time.now()) and not pcall(timer.reset, timer))
    "##);
    check_success();
}

#[test]
fn too_many_timers_are_an_error_value() {
    for name in ["timer", "ticker", "after", "sleep"] {
        let mut program = program(&format!("return function() local none, err = time.{name}(5e9) print(none, err:kind()) end"));
        program.main.modules = vec!["time".to_owned()];
        double::with(|host| host.failures.insert("timer", error("LimitExceeded", "too many timers")));
        start(program);
        check_success();
        assert_eq!(lines(), ["nil\tLimitExceeded"], "{name}");
    }
}
