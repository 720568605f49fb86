//! Signals and closed streams: how a run ends when the world around it does.
//!
//! Every test waits for a line of output before it acts, never for a time to pass.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use moonlet_tests::run::{Finished, Run, Stream};
use rustix::process::Signal;

/// What shells report for a process that an interrupt ended.
const INTERRUPTED: i32 = 128 + 2;
/// The same for a termination.
const TERMINATED: i32 = 128 + 15;

fn on_the_terminal(entry: &str) -> Run {
    let mut run = Run::start(&["run", "tests/projects/terminal", "-x", entry], None).unwrap();
    run.await_text(Stream::Stdout, "ready").unwrap();
    run
}

fn services() -> Run {
    let mut run = Run::start(&["run", "tests/projects/services"], None).unwrap();
    run.await_text(Stream::Stderr, "stubborn is ready").unwrap();
    run.await_text(Stream::Stderr, "polite is ready").unwrap();
    run
}

fn check_no_fault(finished: &Finished) {
    for word in ["panicked", "RUST_BACKTRACE", "SIGPIPE"] {
        assert!(!finished.stderr.contains(word), "{finished:?}");
    }
    assert_eq!(finished.signal, None, "{finished:?}");
}

#[test]
fn an_interrupt_asks_the_process_to_stop_and_its_result_decides() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut run = on_the_terminal("app:polite");
        run.signal(signal).unwrap();
        let finished = run.finish().unwrap();
        check_no_fault(&finished);
        assert_eq!(finished.stdout, "ready\nasked to stop: true\n");
        assert_eq!(finished.code, Some(5), "{finished:?}");
    }
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let mut run = on_the_terminal("app:stubborn");
    run.signal(Signal::INT).unwrap();
    run.await_text(Stream::Stdout, "asked to stop, and stays").unwrap();
    run.signal(Signal::INT).unwrap();
    let finished = run.finish().unwrap();
    check_no_fault(&finished);
    assert_eq!(finished.code, Some(INTERRUPTED), "{finished:?}");
}

#[test]
fn a_second_signal_ends_an_endless_loop_at_once() {
    let mut run = on_the_terminal("app:busy");
    run.signal(Signal::INT).unwrap();
    run.signal(Signal::TERM).unwrap();
    let finished = run.finish().unwrap();
    check_no_fault(&finished);
    assert!([Some(INTERRUPTED), Some(TERMINATED)].contains(&finished.code), "{finished:?}");
}

#[test]
fn services_are_asked_then_ended_and_the_node_stops_well() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut run = services();
        run.signal(signal).unwrap();
        let finished = run.finish().unwrap();
        check_no_fault(&finished);
        assert!(finished.stderr.contains("polite says goodbye"), "{finished:?}");
        assert!(finished.stderr.contains("stubborn stays"), "{finished:?}");
        // What others depend on stops after them.
        let goodbye = finished.stderr.find("polite says goodbye");
        assert!(goodbye < finished.stderr.find("stubborn stays"), "{finished:?}");
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}

#[test]
fn a_second_signal_ends_services_at_once() {
    let mut run = services();
    run.signal(Signal::TERM).unwrap();
    run.await_text(Stream::Stderr, "stubborn stays").unwrap();
    run.signal(Signal::TERM).unwrap();
    let finished = run.finish().unwrap();
    check_no_fault(&finished);
    assert_eq!(finished.code, Some(TERMINATED), "{finished:?}");
}

#[test]
fn an_interrupt_during_start_is_clean() {
    // The signal meets whatever the start is at; ten tries meet different moments of it.
    for _ in 0..10 {
        let mut run = Run::start(&["run", "tests/projects/services"], None).unwrap();
        run.signal(Signal::INT).unwrap();
        let finished = run.finish().unwrap();
        for word in ["panicked", "RUST_BACKTRACE"] {
            assert!(!finished.stderr.contains(word), "{finished:?}");
        }
        let before_any_code_of_ours = finished.signal == Some(Signal::INT.as_raw());
        assert!(before_any_code_of_ours || [Some(0), Some(INTERRUPTED)].contains(&finished.code), "{finished:?}");
    }
}

#[test]
fn a_closed_stdout_is_an_error_that_the_process_sees() {
    let finished = Run::unheard(&["run", "tests/projects/terminal", "-x", "app:writes"]).unwrap().finish().unwrap();
    check_no_fault(&finished);
    assert_eq!(finished.code, Some(9), "{finished:?}");
}

#[test]
fn a_closed_stdout_that_nobody_looks_at_is_no_fault() {
    let cases = [
        &["run", "tests/projects/terminal", "-x", "app:writes_on"][..],
        &["registry", "list", "tests/apps"],
        &["run", "tests/apps", "list"],
        &["version"],
        &["--help"],
    ];
    for arguments in cases {
        let finished = Run::unheard(arguments).unwrap().finish().unwrap();
        check_no_fault(&finished);
        assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    }
}

#[test]
fn a_question_is_seen_before_it_is_answered() {
    let mut run = Run::interactive(&["run", "tests/projects/terminal", "-x", "app:asks"]).unwrap();
    run.await_text(Stream::Stdout, "name: ").unwrap();
    run.type_line("Ada").unwrap();
    let finished = run.finish().unwrap();
    assert_eq!(finished.stdout, "name: hello Ada\n");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}
