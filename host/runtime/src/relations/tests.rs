//! What an exit means for related processes, by example and against a model.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set up has failed")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Effect, RelationError, RelationLimits, Relations};

fn relations() -> Relations<u32> {
    Relations::new(RelationLimits::default())
}

#[test]
fn a_process_without_relations_leaves_no_trace() {
    let mut relations = relations();
    assert_eq!(relations.exit(1, true), []);
    assert_eq!(relations.len(), 0);
}

#[test]
fn every_monitor_hears_of_every_exit() {
    let mut relations = relations();
    for failed in [false, true] {
        relations.monitor(1, 9).unwrap();
        relations.monitor(2, 9).unwrap();
        assert_eq!(relations.exit(9, failed), [Effect::Notify { watcher: 1 }, Effect::Notify { watcher: 2 }]);
        assert_eq!(relations.exit(9, failed), []);
    }
}

#[test]
fn a_second_monitor_already_exists_until_the_first_is_given_back() {
    let mut relations = relations();
    relations.monitor(1, 2).unwrap();
    let refused = relations.monitor(1, 2).unwrap_err();
    assert_eq!(refused.kind(), "AlreadyExists");
    assert!(relations.unmonitor(1, 2));
    assert!(!relations.unmonitor(1, 2));
    assert_eq!(relations.exit(2, true), []);
    relations.monitor(1, 2).unwrap();
}

#[test]
fn links_carry_failures_and_nothing_else() {
    let mut relations = relations();
    relations.link(1, 2).unwrap();
    assert_eq!(relations.exit(2, false), []);
    relations.link(1, 2).unwrap();
    relations.link(2, 1).unwrap();
    assert_eq!(relations.exit(2, true), [Effect::Fail { peer: 1 }]);
    assert_eq!(relations.exit(1, true), []);
}

#[test]
fn trapped_links_become_signals() {
    let mut relations = relations();
    relations.set_traps_links(1, true);
    relations.link(2, 1).unwrap();
    assert_eq!(relations.exit(2, true), [Effect::LinkDown { peer: 1 }]);
    relations.set_traps_links(1, false);
    assert_eq!(relations.len(), 0);
}

#[test]
fn unlink_works_from_either_side() {
    let mut relations = relations();
    relations.link(1, 2).unwrap();
    assert!(relations.unlink(2, 1));
    assert!(!relations.unlink(1, 2));
    assert_eq!(relations.exit(1, true), []);
}

#[test]
fn oneself_is_no_peer() {
    let mut relations = relations();
    relations.link(1, 1).unwrap();
    relations.monitor(1, 1).unwrap();
    assert_eq!(relations.exit(1, true), []);
    assert_eq!(relations.len(), 0);
}

#[test]
fn a_result_completes_its_ticket_and_an_ended_owner_ends_its_children() {
    let mut relations = relations();
    relations.own(1, 70, 5);
    relations.own(1, 71, 6);
    relations.monitor(2, 5).unwrap();
    assert_eq!(relations.exit(5, true), [Effect::Complete { owner: 1, ticket: 70 }, Effect::Notify { watcher: 2 }]);
    assert_eq!(relations.exit(1, false), [Effect::End { child: 6 }]);
    assert_eq!(relations.exit(6, true), [], "the ticket went with its owner");
    assert_eq!(relations.len(), 0);
}

#[test]
fn a_cancelled_ticket_names_the_process_to_end() {
    let mut relations = relations();
    relations.own(1, 70, 5);
    assert_eq!(relations.disown(1, 71), None);
    assert_eq!(relations.disown(1, 70), Some(5));
    assert_eq!(relations.disown(1, 70), None);
    assert_eq!(relations.exit(5, true), []);
}

#[test]
fn limits_are_charged_to_the_one_who_asks() {
    let mut relations = Relations::new(RelationLimits { monitors: 1, links: 1 });
    relations.monitor(1, 2).unwrap();
    let refused = relations.monitor(1, 3).unwrap_err();
    assert_eq!(refused.to_string(), "a process can have at most 1 monitors: give some back with process.unmonitor first");
    for peer in 2..10 {
        relations.link(peer, 1).unwrap();
    }
    relations.link(1, 20).expect("the links of others do not count");
    assert!(matches!(relations.link(1, 21), Err(RelationError::LimitExceeded { allowed: 1, .. })));
    relations.exit(20, false);
    relations.link(1, 21).expect("an ended peer frees its place");
}

#[test]
fn a_failure_runs_through_a_ring_of_links_once() {
    let mut relations = relations();
    let size = 1_000;
    for process in 0..size {
        relations.link(process, (process + 1) % size).unwrap();
    }
    let mut ended = BTreeSet::new();
    let mut failing = vec![0];
    while let Some(process) = failing.pop() {
        assert!(ended.insert(process), "{process} ended twice");
        for effect in relations.exit(process, true) {
            match effect {
                Effect::Fail { peer } if !ended.contains(&peer) && !failing.contains(&peer) => {
                    failing.push(peer);
                }
                Effect::Fail { .. } => {}
                other => unreachable!("{other:?}"),
            }
        }
    }
    assert_eq!(ended.len(), size as usize);
    assert_eq!(relations.len(), 0);
}

/// What a process can do to its relations.
#[derive(Debug, Clone)]
enum Act {
    Monitor(u8, u8),
    Unmonitor(u8, u8),
    Link(u8, u8),
    Unlink(u8, u8),
    Own(u8, u8),
    Disown(u8, u8),
    Trap(u8, bool),
    Exit(u8, bool),
}

fn act() -> impl Strategy<Value = Act> {
    let pair = || (0..6_u8, 0..6_u8);
    prop_oneof![
        pair().prop_map(|(a, b)| Act::Monitor(a, b)),
        pair().prop_map(|(a, b)| Act::Unmonitor(a, b)),
        pair().prop_map(|(a, b)| Act::Link(a, b)),
        pair().prop_map(|(a, b)| Act::Unlink(a, b)),
        pair().prop_map(|(a, b)| Act::Own(a, b)),
        pair().prop_map(|(a, b)| Act::Disown(a, b)),
        (0..6_u8, any::<bool>()).prop_map(|(a, traps)| Act::Trap(a, traps)),
        (0..6_u8, any::<bool>()).prop_map(|(a, failed)| Act::Exit(a, failed)),
    ]
}

/// The same relations as plain sets of pairs.
#[derive(Default)]
struct Model {
    monitors: BTreeSet<(u8, u8)>,
    links: BTreeSet<(u8, u8)>,
    owned: BTreeMap<u8, u8>,
    traps: BTreeSet<u8>,
}

impl Model {
    fn exit(&mut self, process: u8, failed: bool) -> Vec<Effect<u8>> {
        let mut effects = Vec::new();
        if let Some(owner) = self.owned.remove(&process) {
            effects.push(Effect::Complete { owner, ticket: u64::from(process) });
        }
        for &(watcher, target) in &self.monitors {
            if target == process && watcher != process {
                effects.push(Effect::Notify { watcher });
            }
        }
        self.monitors.retain(|&(watcher, target)| watcher != process && target != process);
        for &(one, peer) in &self.links {
            if one == process && failed && self.traps.contains(&peer) {
                effects.push(Effect::LinkDown { peer });
            } else if one == process && failed {
                effects.push(Effect::Fail { peer });
            }
        }
        self.links.retain(|&(one, peer)| one != process && peer != process);
        for (&child, &owner) in &self.owned {
            if owner == process {
                effects.push(Effect::End { child });
            }
        }
        self.owned.retain(|_, owner| *owner != process);
        self.traps.remove(&process);
        effects
    }
}

proptest! {
    #[test]
    fn the_table_does_what_sets_of_pairs_do(acts in proptest::collection::vec(act(), 0..60)) {
        let mut relations = Relations::new(RelationLimits::default());
        let mut model = Model::default();
        for act in acts {
            match act {
                Act::Monitor(a, b) => {
                    prop_assert_eq!(relations.monitor(a, b).is_ok(), model.monitors.insert((a, b)));
                }
                Act::Unmonitor(a, b) => {
                    prop_assert_eq!(relations.unmonitor(a, b), model.monitors.remove(&(a, b)));
                }
                Act::Link(a, b) => {
                    relations.link(a, b).unwrap();
                    if a != b {
                        model.links.insert((a, b));
                        model.links.insert((b, a));
                    }
                }
                Act::Unlink(a, b) => {
                    model.links.remove(&(b, a));
                    prop_assert_eq!(relations.unlink(a, b), model.links.remove(&(a, b)));
                }
                // The ticket is the number of the child.
                Act::Own(a, b) => {
                    if a != b && !model.owned.contains_key(&b) {
                        relations.own(a, u64::from(b), b);
                        model.owned.insert(b, a);
                    }
                }
                Act::Disown(a, b) => {
                    let expected = (model.owned.get(&b) == Some(&a)).then_some(b);
                    if expected.is_some() {
                        model.owned.remove(&b);
                    }
                    prop_assert_eq!(relations.disown(a, u64::from(b)), expected);
                }
                Act::Trap(a, traps) => {
                    relations.set_traps_links(a, traps);
                    if traps {
                        model.traps.insert(a);
                    } else {
                        model.traps.remove(&a);
                    }
                }
                Act::Exit(a, failed) => {
                    prop_assert_eq!(relations.exit(a, failed), model.exit(a, failed));
                }
            }
        }
        for process in 0..6 {
            relations.exit(process, true);
        }
        prop_assert_eq!(relations.len(), 0, "nothing outlives its processes");
    }
}
