//! What programs see of a registry that changes.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{ChangeError, ChangeKind, ChangeSet, Operation, Registry, Review, delta};
use crate::entry::Entry;
use crate::id::EntryId;

fn id(text: &str) -> EntryId {
    EntryId::parse(text).unwrap()
}

fn entry(name: &str, kind: &str, data: Value) -> Entry {
    Entry::new(id(&format!("app:{name}")), kind, json!({}), data)
}

fn free(name: &str, value: i64) -> Entry {
    entry(name, "registry.entry", json!({"value": value}))
}

fn create(entries: Vec<Entry>) -> ChangeSet {
    ChangeSet { operations: entries.into_iter().map(Operation::Create).collect() }
}

fn update(entry: Entry) -> ChangeSet {
    ChangeSet { operations: vec![Operation::Update(entry)] }
}

fn delete(name: &str) -> ChangeSet {
    ChangeSet { operations: vec![Operation::Delete(id(&format!("app:{name}")))] }
}

fn registry(entries: Vec<Entry>) -> Registry {
    Registry::from_entries(entries, None).unwrap()
}

/// The entries of the current version as `name=value`.
fn shown(registry: &Registry) -> Vec<String> {
    let snapshot = registry.snapshot();
    snapshot.entries().map(|entry| format!("{}={}", entry.id.name(), entry.data["value"])).collect()
}

const AGREES: Review<'_> = &|_, _| Vec::new();

#[test]
fn a_change_set_is_visible_at_once_and_old_snapshots_stay() {
    let registry = registry(vec![free("a", 1)]);
    let before = registry.snapshot();
    let set = ChangeSet {
        operations: vec![
            Operation::Create(free("b", 2)),
            Operation::Update(free("a", 3)),
            Operation::Create(free("c", 4)),
            Operation::Delete(id("app:c")),
        ],
    };
    let applied = registry.apply(&set).unwrap();
    assert_eq!(shown(&registry), ["a=3", "b=2"]);
    assert_eq!(before.get(&id("app:a")).unwrap().data, json!({"value": 1}));
    assert_eq!(before.len(), 1);
    let kinds: Vec<_> = applied.changes.iter().map(|change| (change.id.as_str(), change.kind())).collect();
    assert_eq!(kinds, [("app:a", ChangeKind::Update), ("app:b", ChangeKind::Create)]);
    assert_eq!(registry.snapshot().version(), applied.version);
}

#[test]
fn a_set_that_does_not_fit_changes_nothing() {
    let registry = registry(vec![free("a", 1)]);
    let version = registry.snapshot().version();
    let mixed = ChangeSet { operations: vec![Operation::Create(free("b", 2)), Operation::Delete(id("app:missing"))] };
    assert!(matches!(registry.apply(&mixed), Err(ChangeError::NotFound(missing)) if missing == id("app:missing")));
    assert!(matches!(registry.apply(&create(vec![free("a", 2)])), Err(ChangeError::AlreadyExists(_))));
    assert!(matches!(registry.apply(&update(free("b", 2))), Err(ChangeError::NotFound(_))));
    assert!(matches!(registry.apply(&ChangeSet::default()), Err(ChangeError::Empty)));
    assert!(matches!(registry.apply(&update(free("a", 1))), Err(ChangeError::Empty)), "the same entry again is no change");
    assert_eq!(shown(&registry), ["a=1"]);
    assert_eq!(registry.snapshot().version(), version);
}

#[test]
fn what_would_have_errors_is_rejected_as_a_whole() {
    let registry = registry(vec![
        entry("host", "process.host", json!({})),
        entry("process", "process.lua", json!({"source": "return {}", "method": "main"})),
        entry("service", "process.service", json!({"process": "process", "host": "host"})),
    ]);
    let error = |set: &ChangeSet| registry.apply(set).unwrap_err().to_string();
    assert_eq!(
        error(&delete("host")),
        "`host` of `app:service` names `app:host`, which does not exist (add `- name: host` with `kind: process.host` to the namespace `app`)"
    );
    let unknown = create(vec![free("x", 1), entry("y", "procces.lua", json!({}))]);
    assert_eq!(error(&unknown), "there is no kind `procces.lua` (write `process.lua`)");
    let code = update(entry("process", "process.lua", json!({"source": "return {", "method": "main"})));
    assert_eq!(error(&code), "app:process:1: an expression expected, found the end of the file");
    let limit = create(vec![entry("tiny", "process.host", json!({"limits": {"memory": "1 byte"}}))]);
    assert!(error(&limit).contains("`limits.memory` of `app:tiny` is `1 byte`"), "{}", error(&limit));
    assert_eq!(registry.snapshot().len(), 3);
    assert_eq!(registry.versions().len(), 2);
}

#[test]
fn somebody_else_may_reject() {
    let registry = registry(vec![free("a", 1)]);
    let rejects: Review<'_> = &|candidate, changes| {
        assert_eq!((candidate.len(), changes.len()), (2, 1));
        vec![Diagnostic::error("nope", "not today")]
    };
    let error = registry.apply_reviewed(&create(vec![free("b", 2)]), rejects).unwrap_err();
    assert_eq!(error.to_string(), "not today");
    assert_eq!(shown(&registry), ["a=1"]);
}

#[test]
fn versions_can_be_looked_at_and_made_current_again() {
    let registry = registry(vec![free("a", 1)]);
    let first = registry.snapshot().version();
    registry.apply(&update(free("a", 2))).unwrap();
    let second = registry.snapshot().version();
    registry.apply(&create(vec![free("b", 1)])).unwrap();
    let third = registry.snapshot().version();
    assert_eq!(third.parent, Some(second.id));

    assert_eq!(registry.snapshot_at(first.id).unwrap().find_id("app:a").unwrap().data["value"], 1);
    assert_eq!(shown(&registry), ["a=2", "b=1"], "looking changes nothing");

    let applied = registry.apply_version(first.id, AGREES).unwrap();
    assert_eq!(applied.changes.len(), 2);
    assert_eq!(shown(&registry), ["a=1"]);
    assert_eq!(registry.snapshot().version(), first);
    registry.apply_version(third.id, AGREES).unwrap();
    assert_eq!(shown(&registry), ["a=2", "b=1"]);

    // A change after going back starts a branch; the other one is still there.
    registry.apply_version(first.id, AGREES).unwrap();
    let branch = registry.apply(&create(vec![free("c", 1)])).unwrap().version;
    assert_eq!(branch.parent, Some(first.id));
    assert!(branch.id > third.id);
    registry.apply_version(third.id, AGREES).unwrap();
    assert_eq!(shown(&registry), ["a=2", "b=1"]);
    assert!(matches!(registry.apply_version(99, AGREES), Err(ChangeError::VersionNotFound(99))));
}

#[test]
fn references_hold_after_going_back() {
    let registry = registry(vec![
        entry("host", "process.host", json!({})),
        entry("process", "process.lua", json!({"source": "return {}", "method": "main"})),
    ]);
    let before = registry.snapshot().version();
    registry.apply(&create(vec![entry("service", "process.service", json!({"process": "process", "host": "host"}))])).unwrap();
    let with_service = registry.snapshot().version();
    registry.apply_version(before.id, AGREES).unwrap();
    registry.apply_version(with_service.id, AGREES).unwrap();
    assert!(registry.apply(&delete("host")).is_err(), "the service still needs its host");
}

#[test]
fn watchers_hear_of_each_change_in_order() {
    let registry = registry(vec![free("a", 1)]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    registry.watch(Box::new(move |applied| {
        let kinds = applied.changes.iter().map(|change| change.kind().as_str());
        ears.lock().push((applied.version.id, kinds.collect::<Vec<_>>().join(" ")));
    }));
    registry.apply(&create(vec![free("b", 1)])).unwrap();
    let _ = registry.apply(&delete("missing"));
    registry.apply(&delete("a")).unwrap();
    assert_eq!(*heard.lock(), [(3, "entry.create".to_owned()), (4, "entry.delete".to_owned())]);
}

#[test]
fn the_difference_of_two_states_is_a_change_set() {
    let from = [free("same", 1), free("changed", 1), free("gone", 1)];
    let to = [free("same", 1), free("changed", 2), free("new", 1)];
    let operations = delta(&from, &to).operations;
    assert_eq!(
        operations,
        [Operation::Delete(id("app:gone")), Operation::Update(free("changed", 2)), Operation::Create(free("new", 1))]
    );
}

#[test]
fn what_starts_comes_after_what_it_refers_to() {
    let registry = registry(vec![
        entry("z_host", "process.host", json!({"lifecycle": {"auto_start": true}})),
        entry("process", "process.lua", json!({"source": "return {}", "method": "main"})),
        entry(
            "a_service",
            "process.service",
            json!({"process": "process", "host": "z_host", "lifecycle": {"auto_start": true, "requires": ["b_service"]}}),
        ),
        entry("b_service", "process.service", json!({"process": "process", "host": "z_host", "lifecycle": {}})),
    ]);
    let order = registry.snapshot().start_order();
    let names: Vec<&str> = order.starting().map(EntryId::name).collect();
    assert_eq!(names, ["z_host", "b_service", "a_service"]);
    assert!(order.cycles.is_empty());
}

#[test]
fn a_thousand_entries_are_applied_in_one_go() {
    let registry = registry(vec![entry("host", "process.host", json!({}))]);
    let source = "local function main()\n    return 1\nend\nreturn { main = main }\n";
    let processes = (0..1000).map(|n| entry(&format!("p{n}"), "process.lua", json!({"source": source, "method": "main"})));
    let applied = registry.apply(&create(processes.collect())).unwrap();
    assert_eq!(applied.changes.len(), 1000);
    assert_eq!(registry.snapshot().of_kind("process.lua").count(), 1000);
}
