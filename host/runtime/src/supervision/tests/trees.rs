//! Supervisors and their children.

use super::{Key, Node, SECOND, failure};
use crate::supervision::{
    ChildConfig, ChildRestart, ServiceConfig, Shutdown, Strategy, Supervision, SupervisorConfig, UnitConfig,
};

use ChildRestart::{Permanent, Temporary, Transient};
use Strategy::{OneForAll, OneForOne, RestForOne};

fn child(key: Key, restart: ChildRestart) -> ChildConfig<Key> {
    ChildConfig { restart, unit: UnitConfig::process(key) }
}

fn supervisor(key: Key, strategy: Strategy, children: Vec<ChildConfig<Key>>) -> UnitConfig<Key> {
    UnitConfig::supervisor(key, SupervisorConfig::new(strategy, children))
}

fn node(unit: UnitConfig<Key>) -> Node {
    let key = unit.key;
    let mut node = Node::new(vec![(key, ServiceConfig::new(unit))]);
    node.start(key);
    node
}

/// A supervisor `s` of three permanent children that all run.
fn three(strategy: Strategy) -> Node {
    let children = ["a", "b", "c"].map(|key| child(key, Permanent));
    let mut node = node(supervisor("s", strategy, children.to_vec()));
    for key in ["a", "b", "c"] {
        node.up(key);
    }
    node.log();
    node
}

#[test]
fn children_start_one_after_the_other_and_stop_in_reverse() {
    let children = ["a", "b"].map(|key| child(key, Permanent));
    let mut node = node(supervisor("s", OneForOne, children.to_vec()));
    assert_eq!(node.log(), ["spawn a"]);
    node.up("a");
    assert_eq!(node.log(), ["spawn b"]);
    assert_eq!(node.state("s"), "starting");
    node.up("b");
    assert_eq!(node.log(), ["s runs"]);
    node.stop("s");
    assert_eq!(node.log(), ["s stops", "cancel b"]);
    node.done("b");
    assert_eq!(node.log(), ["cancel a"]);
    node.fail("a");
    assert_eq!(node.log(), ["s stopped"]);
}

#[test]
fn one_for_one_restarts_the_failed_child_only() {
    let mut node = three(OneForOne);
    node.fail("b");
    assert_eq!(node.log(), ["b restarts, 1", "spawn b"]);
    node.fail("a");
    assert_eq!(node.log(), ["a restarts, 2", "spawn a"], "children do not wait for each other");
    node.up("a");
    node.up("b");
    assert_eq!(node.log(), [""; 0]);
}

#[test]
fn one_for_all_stops_the_others_in_reverse_and_starts_all_in_order() {
    let mut node = three(OneForAll);
    node.fail("b");
    assert_eq!(node.log(), ["b restarts, 1", "cancel c"]);
    node.done("c");
    assert_eq!(node.log(), ["cancel a"]);
    node.done("a");
    assert_eq!(node.log(), ["spawn a"]);
    node.up("a");
    node.up("b");
    node.up("c");
    assert_eq!(node.log(), ["spawn b", "spawn c"]);
}

#[test]
fn rest_for_one_restarts_those_after_the_failed_child() {
    let mut node = three(RestForOne);
    node.fail("b");
    assert_eq!(node.log(), ["b restarts, 1", "cancel c"]);
    node.done("c");
    node.up("b");
    node.up("c");
    assert_eq!(node.log(), ["spawn b", "spawn c"]);
    node.fail("c");
    assert_eq!(node.log(), ["c restarts, 2", "spawn c"]);
}

#[test]
fn failures_while_siblings_stop_do_not_count_again() {
    let mut node = three(OneForAll);
    node.fail("a");
    node.fail("b");
    node.fail("c");
    assert_eq!(node.log(), ["a restarts, 1", "cancel c", "spawn a"]);
}

#[test]
fn transient_children_restart_after_failures_and_temporary_ones_never() {
    let children = vec![child("t", Transient), child("x", Temporary), child("p", Permanent)];
    let mut node = node(supervisor("s", OneForOne, children));
    for key in ["t", "x", "p"] {
        node.up(key);
    }
    node.log();
    node.fail("x");
    node.fail("t");
    node.up("t");
    node.done("t");
    node.done("p");
    assert_eq!(node.log(), ["x is not restarted", "t restarts, 1", "spawn t", "t is not restarted", "p restarts, 2", "spawn p"]);
    node.up("p");
    assert_eq!(node.state("s"), "running");
}

#[test]
fn a_group_restart_leaves_temporary_children_down_and_brings_transient_ones_back() {
    let children = vec![child("t", Transient), child("x", Temporary), child("p", Permanent)];
    let mut node = node(supervisor("s", OneForAll, children));
    for key in ["t", "x", "p"] {
        node.up(key);
    }
    node.done("t");
    node.log();
    node.fail("p");
    node.done("x");
    node.up("t");
    node.up("p");
    assert_eq!(node.log(), ["p restarts, 1", "cancel x", "spawn t", "spawn p"]);
}

#[test]
fn one_restart_too_many_within_the_window_fails_the_supervisor() {
    let mut node = three(OneForOne);
    for _ in 0..3 {
        node.wait(SECOND);
        node.fail("b");
        node.up("b");
    }
    node.log();
    // The first restart was at second 1, and counts until second 6.
    node.wait(3 * SECOND - 1);
    node.fail("b");
    assert_eq!(node.log(), ["s gave up: b ended once more after 3 restarts within 5s: boom", "cancel c"]);
    node.done("c");
    node.done("a");
    assert_eq!(node.log(), ["cancel a", "s failed, again in 1000 ms"]);
    node.wait(SECOND);
    assert_eq!(node.log(), ["spawn a"]);
}

#[test]
fn restarts_that_left_the_window_do_not_count() {
    let mut node = three(OneForOne);
    for _ in 0..100 {
        node.wait(5 * SECOND / 3 + 1);
        node.fail("b");
        node.up("b");
    }
    assert_eq!(node.state("s"), "running");
}

#[test]
fn a_supervisor_that_gives_up_is_a_failed_child_of_its_own_supervisor() {
    let mut inner = SupervisorConfig::new(OneForOne, vec![child("a", Permanent)]);
    inner.max_restarts = 0;
    let inner = ChildConfig { restart: Permanent, unit: UnitConfig::supervisor("inner", inner) };
    let mut node = node(supervisor("s", OneForAll, vec![inner, child("b", Permanent)]));
    node.up("a");
    node.up("b");
    node.log();
    node.fail("a");
    assert_eq!(
        node.log(),
        ["inner gave up: a ended once more after 0 restarts within 5s: boom", "inner restarts, 1", "cancel b"]
    );
    node.done("b");
    node.up("a");
    node.up("b");
    assert_eq!(node.log(), ["spawn a", "spawn b"]);
    for _ in 0..2 {
        node.fail("a");
        node.done("b");
        node.up("a");
        node.up("b");
    }
    node.log();
    node.fail("a");
    node.done("b");
    assert_eq!(
        node.log(),
        [
            "inner gave up: a ended once more after 0 restarts within 5s: boom",
            "s gave up: inner ended once more after 3 restarts within 5s: a ended once more after 0 restarts within 5s: boom",
            "cancel b",
            "s failed, again in 1000 ms",
        ]
    );
}

#[test]
fn failures_at_the_start_count_like_any_other() {
    let mut node = node(supervisor("s", OneForOne, vec![child("a", Permanent), child("b", Permanent)]));
    node.up("a");
    for _ in 0..4 {
        node.fail("b");
    }
    node.done("a");
    assert_eq!(node.log().last().unwrap(), "s failed, again in 1000 ms");
}

#[test]
fn an_error_that_is_not_retryable_fails_the_supervisor_for_good() {
    let mut node = three(OneForOne);
    node.exit("b", failure(false));
    node.done("c");
    node.done("a");
    let log = node.log();
    assert_eq!(log[0], "s gave up: b cannot be restarted, because its error is not retryable: boom");
    assert_eq!(node.state("s"), "exited");
}

#[test]
fn a_child_that_does_not_come_up_in_time_is_restarted() {
    let mut node = node(supervisor("s", OneForOne, vec![child("a", Permanent)]));
    node.wait(10 * SECOND);
    node.fail("a");
    assert_eq!(node.log(), ["spawn a", "terminate a", "a restarts, 1", "spawn a"]);
}

#[test]
fn children_go_down_in_the_way_they_ask_for() {
    let mut slow = child("slow", Permanent);
    slow.unit.shutdown = Shutdown::Patient;
    let mut quick = child("quick", Permanent);
    quick.unit.shutdown = Shutdown::AtOnce;
    let mut node = node(supervisor("s", OneForOne, vec![slow, quick]));
    node.up("slow");
    node.up("quick");
    node.log();
    node.stop("s");
    node.fail("quick");
    node.wait(1_000 * SECOND);
    assert_eq!(node.log(), ["s stops", "terminate quick", "cancel slow"]);
    node.done("slow");
    assert_eq!(node.log(), ["s stopped"]);
}

#[test]
fn the_deadline_of_a_whole_tree_terminates_all_of_it() {
    let inner = ChildConfig {
        restart: Permanent,
        unit: supervisor("inner", OneForOne, vec![child("a", Permanent), child("b", Permanent)]),
    };
    let mut unit = supervisor("s", OneForOne, vec![inner, child("c", Permanent)]);
    unit.shutdown = Shutdown::Within(3 * SECOND);
    let mut node = node(unit);
    for key in ["a", "b", "c"] {
        node.up(key);
    }
    node.log();
    node.stop("s");
    node.wait(3 * SECOND);
    let mut log = node.log();
    log[2..].sort();
    assert_eq!(log, ["s stops", "cancel c", "terminate a", "terminate b", "terminate c"]);
    for key in ["b", "c", "a"] {
        node.fail(key);
    }
    assert_eq!(node.log(), ["s stopped"]);
}

#[test]
fn stopping_in_the_middle_of_a_group_restart_starts_nothing_more() {
    let mut node = three(OneForAll);
    node.fail("a");
    node.run(Supervision::stop_all);
    node.done("c");
    node.done("b");
    assert_eq!(node.log(), ["a restarts, 1", "cancel c", "s stops", "cancel b", "s stopped"]);
    assert!(node.supervision.is_quiet());
}

#[test]
fn a_supervisor_without_children_runs() {
    let mut node = node(supervisor("s", OneForOne, Vec::new()));
    assert_eq!(node.log(), ["s runs"]);
    node.stop("s");
    assert_eq!(node.log(), ["s stops", "s stopped"]);
}
