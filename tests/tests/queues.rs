//! A durable queue keeps what it has taken in, whenever its node dies.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use moonlet_tests::run::{Run, Stream};
use rustix::process::Signal;

/// How often the node is killed.
const ROUNDS: u64 = 100;

fn numbers(output: &str, word: &str) -> BTreeSet<u64> {
    let number = |line: &str| line.strip_prefix(word)?.strip_suffix(';')?.parse().ok();
    output.lines().filter_map(number).collect()
}

#[test]
fn no_message_that_was_taken_in_is_lost_when_the_node_is_killed() {
    let directory = std::env::temp_dir().join(format!("moonlet-queues-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = format!("app:driver:file={}", directory.join("queue.redb").display());
    let mut taken_in = BTreeSet::new();
    for round in 0..ROUNDS {
        let from = round * 1_000_000;
        let arguments = ["run", "tests/projects/durable", "-o", &file, "-x", "app:publisher", "--", &from.to_string()];
        let mut run = Run::start(&arguments, None).unwrap();
        // Some rounds die at the first message, others after many.
        run.await_text(Stream::Stdout, &format!("ack {};", from + round * 17 % 97)).unwrap();
        run.signal(Signal::KILL).unwrap();
        let finished = run.finish().unwrap();
        assert_eq!(finished.signal, Some(9), "{finished:?}");
        taken_in.extend(numbers(&finished.stdout, "ack "));
    }
    assert!(taken_in.len() as u64 >= ROUNDS);
    let start = "app:consumer:lifecycle.auto_start=true";
    let finished = Run::start(&["run", "tests/projects/durable", "-o", &file, "-o", start, "-x", "app:drain"], None)
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let got = numbers(&finished.stdout, "got ");
    let lost: Vec<_> = taken_in.difference(&got).collect();
    assert!(lost.is_empty(), "{} of {} are lost, such as {:?}", lost.len(), taken_in.len(), lost.first());
    std::fs::remove_dir_all(&directory).unwrap();
}
