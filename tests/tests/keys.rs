//! Programs on a real terminal: what it sends comes as events, and it is given back as it was.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use moonlet_tests::run::{Run, Stream};

/// What ends the mouse, marked pastes and news of the focus.
const OFF: &str = "\u{1b}[?1002l\u{1b}[?1006l\u{1b}[?2004l\u{1b}[?1004l";

#[test]
fn keys_the_mouse_and_pastes_are_events_until_it_stops() {
    let mut run = Run::on_terminal(&["run", "tests/projects/keys", "-x", "app:shows"]).unwrap();
    run.await_text(Stream::Stdout, "size 80x24").unwrap();
    run.await_text(Stream::Stdout, r#"{"height":24,"type":"start","width":80}"#).unwrap();
    run.type_text("a\u{1b}[1;5C\u{1b}[<0;5;6M\u{1b}[200~pasted\u{1b}[201~").unwrap();
    run.await_text(Stream::Stdout, r#""key":"a","key_type":"runes""#).unwrap();
    run.await_text(Stream::Stdout, r#""ctrl":true,"key":"right","key_type":"right""#).unwrap();
    run.await_text(Stream::Stdout, r#""button":"left","ctrl":false,"shift":false,"type":"mouse","x":4,"y":5}"#).unwrap();
    run.await_text(Stream::Stdout, r#"{"text":"pasted","type":"paste"}"#).unwrap();
    run.type_text("q").unwrap();
    run.await_text(Stream::Stdout, "stopped").unwrap();
    assert!(run.seen(Stream::Stdout).contains(OFF), "{}", run.seen(Stream::Stdout));
    // What is typed now is a line again, and nobody took it away.
    run.type_line("a line").unwrap();
    run.await_text(Stream::Stdout, "read a line").unwrap();
    let finished = run.finish().unwrap();
    assert!(finished.stdout.contains(" icanon"), "{finished:?}");
}

#[test]
fn who_ends_without_a_word_gives_the_terminal_back_too() {
    let mut run = Run::on_terminal(&["run", "tests/projects/keys", "-x", "app:fails"]).unwrap();
    run.await_text(Stream::Stdout, "without tty.stop").unwrap();
    run.await_text(Stream::Stdout, "icanon").unwrap();
    let finished = run.finish().unwrap();
    assert!(finished.stdout.contains(" icanon") && finished.stdout.contains(OFF), "{finished:?}");
}
