//! The lifecycle of single services and of those that depend on each other.

use super::{Key, Node, SECOND, failure};
use crate::supervision::{PlanError, RestartPolicy, ServiceConfig, Shutdown, Startup, Supervision, UnitConfig};

fn service(key: Key) -> (Key, ServiceConfig<Key>) {
    let mut config = ServiceConfig::new(UnitConfig::process(key));
    config.auto_start = true;
    (key, config)
}

fn with(key: Key, change: impl FnOnce(&mut ServiceConfig<Key>)) -> (Key, ServiceConfig<Key>) {
    let (key, mut config) = service(key);
    change(&mut config);
    (key, config)
}

fn after(key: Key, dependencies: &[Key]) -> (Key, ServiceConfig<Key>) {
    with(key, |config| config.depends_on = dependencies.to_vec())
}

/// A node whose only service, `a`, runs.
fn running(config: (Key, ServiceConfig<Key>)) -> Node {
    let mut node = Node::new(vec![config]);
    node.start_auto();
    node.up("a");
    node.log();
    node
}

#[test]
fn only_what_starts_by_itself_or_is_needed_starts() {
    let mut node = Node::new(vec![
        with("a", |config| config.auto_start = false),
        with("b", |config| config.auto_start = false),
        after("c", &["b"]),
    ]);
    node.start_auto();
    assert_eq!(node.log(), ["c waits for b", "spawn b"]);
    node.up("b");
    assert_eq!(node.log(), ["b runs", "spawn c"]);
    node.up("c");
    assert_eq!((node.state("a").as_str(), node.state("c").as_str()), ("unknown", "running"));
    node.start("a");
    assert_eq!(node.log(), ["c runs", "spawn a"]);
    node.start("a");
    assert_eq!(node.log(), [""; 0]);
}

#[test]
fn dependencies_start_first_and_stop_last() {
    let mut node = Node::new(vec![after("api", &["cache", "db"]), after("cache", &["db"]), service("db"), service("other")]);
    node.start_auto();
    assert_eq!(node.log(), ["api waits for cache, db", "spawn db", "cache waits for db", "spawn other"]);
    node.up("other");
    node.up("db");
    node.up("cache");
    node.up("api");
    assert_eq!(node.log(), ["other runs", "db runs", "spawn cache", "cache runs", "spawn api", "api runs"]);
    node.run(Supervision::stop_all);
    assert_eq!(node.log(), ["api stops", "cancel api", "other stops", "cancel other"]);
    node.fail("api");
    assert_eq!(node.log(), ["api stopped", "cache stops", "cancel cache"]);
    node.done("cache");
    node.done("db");
    assert!(!node.supervision.is_quiet());
    node.done("other");
    assert!(node.supervision.is_quiet());
    assert!(!node.supervision.start(&"db", 0, &mut Vec::new()), "the node goes down");
    node.log();
    node.wait(1_000 * SECOND);
    assert_eq!(node.log(), [""; 0]);
}

#[test]
fn stopping_one_stops_what_depends_on_it_and_nothing_else() {
    let mut node = Node::new(vec![after("c", &["b"]), after("b", &["a"]), service("a")]);
    node.start_auto();
    for key in ["a", "b", "c"] {
        node.up(key);
    }
    node.log();
    node.stop("b");
    node.done("c");
    node.done("b");
    assert_eq!(node.log(), ["c stops", "cancel c", "c stopped", "b stops", "cancel b", "b stopped"]);
    assert_eq!(node.state("a"), "running");
    node.start("c");
    assert_eq!(node.log(), ["c waits for b", "spawn b"]);
}

#[test]
fn a_stop_that_takes_too_long_ends_by_force() {
    let mut node = running(with("a", |config| config.unit.shutdown = Shutdown::Within(3 * SECOND)));
    node.stop("a");
    node.wait(3 * SECOND - 1);
    assert_eq!(node.log(), ["a stops", "cancel a"]);
    node.wait(1);
    assert_eq!(node.log(), ["terminate a"]);
    node.exit("a", failure(false));
    assert_eq!(node.log(), ["a stopped"]);
    assert_eq!(node.state("a"), "stopped");
}

#[test]
fn a_normal_end_is_final() {
    let mut node = running(service("a"));
    node.done("a");
    assert_eq!(node.log(), ["a finished"]);
    node.wait(1_000 * SECOND);
    assert_eq!(node.log(), [""; 0]);
    assert_eq!(node.state("a"), "exited");
    node.start("a");
    assert_eq!(node.log(), ["spawn a"]);
}

#[test]
fn what_ended_well_counts_as_up_for_others() {
    let mut node = Node::new(vec![service("migrate"), after("web", &["migrate"])]);
    node.start_auto();
    node.log();
    node.done("migrate");
    assert_eq!(node.log(), ["migrate finished", "spawn web"]);
    node.stop("web");
    node.done("web");
    node.log();
    node.start("web");
    assert_eq!(node.log(), ["spawn web"], "it is not run again for that");
}

#[test]
fn restarts_come_after_growing_delays_up_to_the_longest() {
    let mut node = running(with("a", |config| config.restart.max_delay = 7 * SECOND));
    for delay in [1, 2, 4, 7, 7, 7] {
        node.fail("a");
        assert_eq!(node.log(), [format!("a failed, again in {}000 ms", delay)]);
        assert_eq!(node.state("a"), "failed");
        node.wait(delay * SECOND - 1);
        assert_eq!(node.log(), [""; 0]);
        node.wait(1);
        assert_eq!(node.log(), ["spawn a"]);
        node.up("a");
        node.log();
    }
    assert_eq!(node.supervision.state(&"a").unwrap().restarts, 6);
}

#[test]
fn jitter_moves_a_delay_by_its_part_and_odd_numbers_do_no_harm() {
    let policy = RestartPolicy::default();
    assert_eq!(policy.delay(1, 0.0), 900_000_000);
    assert_eq!(policy.delay(1, 0.5), SECOND);
    assert!((1_099_000_000..1_100_000_000).contains(&policy.delay(1, 0.9999)));
    assert!((98 * SECOND..99 * SECOND).contains(&policy.delay(u32::MAX, 0.9999)), "jitter is laid over the longest delay");
    let odd =
        RestartPolicy { initial_delay: 0, max_delay: u64::MAX, backoff_factor: f64::INFINITY, jitter: f64::NAN, max_attempts: 0 };
    assert_eq!(odd.delay(1, 0.5), 10_000_000, "no restart comes sooner");
    assert_eq!(odd.delay(9, f64::NAN), 10_000_000, "not a number counts as none");
    let shrinking = RestartPolicy { backoff_factor: 0.1, ..policy };
    assert_eq!(shrinking.delay(9, 0.5), SECOND, "delays never shrink");
}

#[test]
fn a_stable_run_resets_the_count() {
    let mut node = running(service("a"));
    node.fail("a");
    node.wait(SECOND);
    node.up("a");
    node.wait(5 * SECOND - 1);
    node.fail("a");
    assert_eq!(node.log().last().unwrap(), "a failed, again in 2000 ms");
    node.wait(2 * SECOND);
    node.up("a");
    node.wait(5 * SECOND);
    node.fail("a");
    assert_eq!(node.log().last().unwrap(), "a failed, again in 1000 ms");
}

#[test]
fn max_attempts_is_the_number_of_restarts() {
    let mut node = running(with("a", |config| config.restart.max_attempts = 2));
    for _ in 0..2 {
        node.fail("a");
        node.wait(10 * SECOND);
        node.up("a");
    }
    node.log();
    node.fail("a");
    assert_eq!(node.log(), ["a gave up: boom (after 2 restarts, as many as max_attempts allows)"]);
    node.wait(1_000 * SECOND);
    assert_eq!(node.alive.len(), 0);
    assert_eq!(node.state("a"), "exited");
    node.start("a");
    node.up("a");
    node.fail("a");
    assert_eq!(node.log().last().unwrap(), "a failed, again in 1000 ms", "an operator's start counts from zero");
}

#[test]
fn an_error_that_is_not_retryable_is_final() {
    let mut node = running(service("a"));
    node.exit("a", failure(false));
    assert_eq!(node.log(), ["a gave up: boom (the error is not retryable, so there is no restart)"]);
    assert_eq!(
        node.supervision.state(&"a").unwrap().failure.unwrap(),
        "boom (the error is not retryable, so there is no restart)"
    );
}

#[test]
fn a_start_that_takes_too_long_is_a_failure() {
    let mut node = Node::new(vec![service("a")]);
    node.start_auto();
    node.wait(10 * SECOND);
    assert_eq!(node.log(), ["spawn a", "terminate a"]);
    node.exit("a", failure(false));
    assert_eq!(node.log(), ["a failed, again in 1000 ms"]);
    assert_eq!(node.supervision.state(&"a").unwrap().failure.unwrap(), "it did not start within 10s");
}

#[test]
fn a_required_service_that_fails_at_its_first_start_stops_the_node() {
    let required = || with("a", |config| config.startup = Startup::Required);
    let mut node = Node::new(vec![required(), after("b", &["a"])]);
    node.start_auto();
    node.fail("a");
    assert_eq!(node.stopped.as_deref(), Some("a: boom"));
    assert_eq!(node.state("b"), "exited");

    let mut node = running(required());
    node.fail("a");
    node.wait(SECOND);
    node.fail("a");
    assert_eq!(node.stopped, None, "it has been up");
    assert_eq!(node.log().last().unwrap(), "a failed, again in 2000 ms");
}

#[test]
fn an_optional_service_that_fails_at_its_first_start_is_retried_and_others_wait() {
    let mut node = Node::new(vec![service("a"), after("b", &["a"])]);
    node.start_auto();
    node.fail("a");
    assert_eq!(node.stopped, None);
    node.wait(SECOND);
    assert_eq!(node.log(), ["spawn a", "b waits for a", "a failed, again in 1000 ms", "spawn a"]);
    node.up("a");
    assert_eq!(node.log(), ["a runs", "spawn b"]);
}

#[test]
fn those_who_wait_for_a_lost_cause_give_up_with_it_and_those_that_run_go_on() {
    let mut node = Node::new(vec![after("c", &["b"]), after("b", &["a"]), service("a"), after("d", &["c", "a"])]);
    node.start_auto();
    node.log();
    node.exit("a", failure(false));
    let log = node.log();
    assert_eq!(log.len(), 4);
    assert!(log.iter().any(|line| line.starts_with("d gave up: it depends on a, which is not up")
        || line.starts_with("d gave up: it depends on c, which is not up")));
    assert!(node.supervision.is_quiet());

    let mut node = Node::new(vec![service("a"), after("b", &["a"])]);
    node.start_auto();
    node.up("a");
    node.up("b");
    node.exit("a", failure(false));
    assert_eq!(node.state("b"), "running");
}

#[test]
fn stopping_while_waiting_for_a_restart_prevents_it() {
    let mut node = running(service("a"));
    node.fail("a");
    node.stop("a");
    assert_eq!(node.log(), ["a failed, again in 1000 ms", "a stopped"]);
    node.wait(100 * SECOND);
    assert_eq!(node.alive.len(), 0);
}

#[test]
fn starting_while_it_stops_starts_it_afterwards() {
    let mut node = running(service("a"));
    node.stop("a");
    node.start("a");
    node.done("a");
    assert_eq!(node.log(), ["a stops", "cancel a", "a stopped", "spawn a"]);
}

#[test]
fn late_news_of_an_old_process_mean_nothing() {
    let mut node = running(service("a"));
    let old = node.alive["a"];
    node.fail("a");
    node.wait(SECOND);
    node.run(|supervision, now, effects| {
        supervision.exited(old, failure(true), now, effects);
        supervision.started(old, now, effects);
    });
    assert_eq!(node.state("a"), "starting");
}

#[test]
fn a_removed_service_goes_down_after_its_dependents_and_is_forgotten() {
    let mut node = Node::new(vec![service("a"), after("b", &["a"])]);
    node.start_auto();
    node.up("a");
    node.up("b");
    node.run(|supervision, now, effects| assert!(supervision.remove(&"a", now, effects)));
    node.done("b");
    node.done("a");
    assert_eq!(node.supervision.state(&"a"), None);
    node.log();
    node.start("b");
    assert_eq!(node.log(), ["b gave up: it depends on a, which does not exist any more"]);
    node.supervision.add(vec![service("a")]).expect("the key is free again");
}

#[test]
fn a_replaced_service_restarts_with_its_new_configuration_while_others_go_on() {
    let mut node = Node::new(vec![service("a"), after("b", &["a"])]);
    node.start_auto();
    node.up("a");
    node.up("b");
    node.log();
    let (_, config) = with("a", |config| {
        config.unit.key = "a2";
        config.restart.initial_delay = 3 * SECOND;
    });
    node.run(|supervision, now, effects| supervision.replace(&"a", config, now, effects).unwrap());
    node.done("a");
    assert_eq!(node.log(), ["a stops", "cancel a", "a stopped", "spawn a2"]);
    node.up("a2");
    node.fail("a2");
    assert_eq!(node.log(), ["a runs", "a failed, again in 3000 ms"]);
    assert_eq!(node.state("b"), "running");
}

#[test]
fn a_mended_service_that_gave_up_tries_again() {
    let mut node = running(service("a"));
    node.exit("a", failure(false));
    node.log();
    node.run(|supervision, now, effects| supervision.replace(&"a", service("a").1, now, effects).unwrap());
    assert_eq!(node.log(), ["spawn a"]);
}

#[test]
fn circles_unknown_dependencies_and_repeated_keys_are_all_told_and_nothing_is_added() {
    let mut supervision: Supervision<Key> = Supervision::new(Box::new(|| 0.5));
    supervision.add(vec![service("known")]).unwrap();
    let errors = supervision
        .add(vec![
            after("a", &["b"]),
            after("b", &["c", "known"]),
            after("c", &["a"]),
            after("self", &["self"]),
            after("d", &["nowhere"]),
            service("known"),
        ])
        .unwrap_err();
    assert_eq!(
        errors,
        [
            PlanError::Repeated("known"),
            PlanError::UnknownDependency { service: "d", dependency: "nowhere" },
            PlanError::Cycle(vec!["a", "b", "c", "a"]),
            PlanError::Cycle(vec!["self", "self"]),
        ]
    );
    assert_eq!(
        errors[2].to_string(),
        "services depend on each other in a circle, so none of them can be first: a -> b -> c -> a; remove one of these from `depends_on`"
    );
    assert_eq!(supervision.states().len(), 1);
    let refused = supervision.replace(&"known", after("known", &["known"]).1, 0, &mut Vec::new());
    assert_eq!(refused, Err(vec![PlanError::Cycle(vec!["known", "known"])]));
}

#[test]
fn a_thousand_services_in_one_chain_start_and_stop() {
    let keys: Vec<Key> = (0..1_000).map(|number| &*Box::leak(format!("{number:04}").into_boxed_str())).collect();
    let mut services = vec![service(keys[0])];
    services.extend(keys.windows(2).map(|pair| after(pair[1], &pair[..1])));
    let mut node = Node::new(services);
    node.start_auto();
    for key in &keys {
        node.up(key);
    }
    node.run(Supervision::stop_all);
    for key in keys.iter().rev() {
        node.done(key);
    }
    assert!(node.supervision.is_quiet());
}

#[test]
fn the_timer_of_an_earlier_delay_does_not_cut_a_later_one_short() {
    let mut node = running(service("a"));
    node.fail("a");
    node.stop("a");
    node.wait(SECOND / 2);
    node.start("a");
    node.up("a");
    node.fail("a");
    node.log();
    node.wait(SECOND - 1);
    assert_eq!(node.log(), [""; 0]);
    node.wait(1);
    assert_eq!(node.log(), ["spawn a"]);
}
