//! Durable queues and stores keep what they have taken in, whenever their node dies.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

/// How often the node is killed.
const ROUNDS: u64 = 100;

fn numbers(output: &str, word: &str) -> BTreeSet<u64> {
    let number = |line: &str| line.strip_prefix(word)?.strip_suffix(';')?.parse().ok();
    output.lines().filter_map(number).collect()
}

/// Kills nodes that take numbers in, each after another one of its answers, and returns what they said they had.
fn killed_again_and_again(process: &str, file: &str) -> BTreeSet<u64> {
    let mut taken_in = BTreeSet::new();
    for round in 0..ROUNDS {
        let from = round * 1_000_000;
        let arguments = ["run", "tests/projects/durable", "-o", file, "-x", process, "--", &from.to_string()];
        let mut run = Run::start(&arguments, None).unwrap();
        // Some rounds die at the first answer, others after many.
        run.await_text(Stream::Stdout, &format!("ack {};", from + round * 17 % 97)).unwrap();
        run.signal(Signal::KILL).unwrap();
        let finished = run.finish().unwrap();
        assert_eq!(finished.signal, Some(9), "{finished:?}");
        taken_in.extend(numbers(&finished.stdout, "ack "));
    }
    assert!(taken_in.len() as u64 >= ROUNDS);
    taken_in
}

/// Runs what says which numbers are still there.
fn assert_all_there(taken_in: &BTreeSet<u64>, arguments: &[&str]) {
    let finished = Run::start(arguments, None).unwrap().finish().unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let got = numbers(&finished.stdout, "got ");
    let lost: Vec<_> = taken_in.difference(&got).collect();
    assert!(lost.is_empty(), "{} of {} are lost, such as {:?}", lost.len(), taken_in.len(), lost.first());
}

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("moonlet-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn no_message_that_was_taken_in_is_lost_when_the_node_is_killed() {
    let directory = directory("queues");
    let file = format!("app:driver:file={}", directory.join("queue.redb").display());
    let taken_in = killed_again_and_again("app:publisher", &file);
    let start = "app:consumer:lifecycle.auto_start=true";
    assert_all_there(&taken_in, &["run", "tests/projects/durable", "-o", &file, "-o", start, "-x", "app:drain"]);
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Kills nodes that keep numbers in a store, and looks whether all of them are there.
fn stores_keep_what_they_said_they_had(name: &str, file: &str, writer: &str, reader: &str) {
    let directory = directory(name);
    let file = format!("{file}={}", directory.join(name).display());
    let taken_in = killed_again_and_again(writer, &file);
    let keys: Vec<String> = taken_in.iter().map(u64::to_string).collect();
    for some in keys.chunks(1000) {
        let mut arguments = vec!["run", "tests/projects/durable", "-o", &file, "-x", reader, "--"];
        arguments.extend(some.iter().map(String::as_str));
        let some = some.iter().map(|key| key.parse().unwrap()).collect();
        assert_all_there(&some, &arguments);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn no_value_that_was_stored_is_lost_or_half_there_when_the_node_is_killed() {
    stores_keep_what_they_said_they_had("store.redb", "app:kept:file", "app:writer", "app:reader");
}

#[test]
fn no_row_that_was_stored_is_lost_or_half_there_when_the_node_is_killed() {
    stores_keep_what_they_said_they_had("store.db", "app:db:file", "app:row_writer", "app:row_reader");
}
