//! Who has which name, by example and against a model.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{NameError, NameLimits, NameScope, Names};

fn names() -> Names<u32> {
    Names::new(NameLimits::default())
}

#[test]
fn a_name_leads_to_its_process_until_that_ends() {
    let mut names = names();
    names.register("clock", 1, NameScope::Local).unwrap();
    names.register("watch", 1, NameScope::Local).unwrap();
    assert_eq!(names.lookup("clock"), Ok(1));
    let released = names.release(1);
    assert_eq!(released.iter().map(|name| &**name).collect::<Vec<_>>(), ["clock", "watch"]);
    assert_eq!(names.lookup("clock").unwrap_err().kind(), "NotFound");
    assert_eq!(names.len(), 0);
}

#[test]
fn a_taken_name_tells_its_holder_and_stays() {
    let mut names = names();
    names.register("clock", 1, NameScope::Local).unwrap();
    names.register("clock", 1, NameScope::Local).unwrap();
    let refused = names.register("clock", 2, NameScope::Local).unwrap_err();
    assert_eq!(refused, NameError::AlreadyExists { name: "clock".into(), holder: 1 });
    assert_eq!(names.lookup("clock"), Ok(1));
    assert_eq!(names.of(1).len(), 1);
    assert_eq!(names.release(2), []);
}

#[test]
fn a_name_can_be_given_back_once() {
    let mut names = names();
    names.register("clock", 1, NameScope::Local).unwrap();
    assert_eq!(names.unregister("clock", NameScope::Local), Ok(1));
    assert_eq!(names.unregister("clock", NameScope::Local).unwrap_err().kind(), "NotFound");
    names.register("clock", 2, NameScope::Local).unwrap();
    assert_eq!(names.release(1), []);
    assert_eq!(names.lookup("clock"), Ok(2));
}

#[test]
fn wider_scopes_are_unavailable_with_a_reason() {
    let mut names = names();
    for scope in [NameScope::Eventual, NameScope::Consistent, NameScope::Strong] {
        let refused = names.register("clock", 1, scope).unwrap_err();
        assert_eq!(refused.kind(), "Unavailable");
        assert_eq!(names.unregister("clock", scope).unwrap_err().kind(), "Unavailable");
    }
    assert_eq!(
        names.register("clock", 1, NameScope::Strong).unwrap_err().to_string(),
        "names of scope STRONG need a cluster, and this node runs alone: use process.registry.LOCAL, which is the default"
    );
    assert_eq!(names.len(), 0);
}

#[test]
fn texts_that_cannot_be_names_are_refused_with_the_reason() {
    let mut names = names();
    for (text, message) in [
        ("", "`` cannot be the name of a process: it is empty"),
        ("{app:host|1}", "`{app:host|1}` cannot be the name of a process: it starts with `{` like a pid"),
        ("@host", "`@host` cannot be the name of a process: names that start with `@` belong to the host"),
        ("a\u{1b}[2J", "`a\\u{1b}[2J` cannot be the name of a process: it has control characters"),
    ] {
        let refused = names.register(text, 1, NameScope::Local).unwrap_err();
        assert_eq!(refused.kind(), "Invalid");
        assert_eq!(refused.to_string(), message);
    }
    let long = names.register(&"x".repeat(256), 1, NameScope::Local).unwrap_err();
    assert!(long.to_string().ends_with("it has 256 bytes, and at most 255 are allowed"));
    assert!(long.to_string().len() < 200);
    assert!(names.register(&"x".repeat(255), 1, NameScope::Local).is_ok());
}

#[test]
fn limits_hold_per_process_and_for_all() {
    let mut names = Names::new(NameLimits { per_process: 2, total: 3, ..NameLimits::default() });
    names.register("a", 1, NameScope::Local).unwrap();
    names.register("b", 1, NameScope::Local).unwrap();
    let refused = names.register("c", 1, NameScope::Local).unwrap_err();
    assert_eq!(refused.to_string(), "a process can have at most 2 names: unregister one first");
    names.register("c", 2, NameScope::Local).unwrap();
    let refused = names.register("d", 3, NameScope::Local).unwrap_err();
    assert_eq!(refused.kind(), "LimitExceeded");
    names.release(1);
    names.register("d", 3, NameScope::Local).unwrap();
}

proptest! {
    #[test]
    fn the_table_does_what_a_map_does(
        acts in proptest::collection::vec((0..3_u8, 0..4_u32, "[a-d]"), 0..60),
    ) {
        let mut names = Names::new(NameLimits { per_process: 2, ..NameLimits::default() });
        let mut model: BTreeMap<String, u32> = BTreeMap::new();
        for (act, process, name) in acts {
            match act {
                0 => {
                    let held = model.values().filter(|holder| **holder == process).count();
                    let expected = match model.get(&name) {
                        Some(&holder) if holder == process => Ok(()),
                        Some(_) => Err("AlreadyExists"),
                        None if held >= 2 => Err("LimitExceeded"),
                        None => {
                            model.insert(name.clone(), process);
                            Ok(())
                        }
                    };
                    let got = names.register(&name, process, NameScope::Local);
                    prop_assert_eq!(got.map_err(|error| error.kind()), expected);
                }
                1 => {
                    let got = names.unregister(&name, NameScope::Local);
                    prop_assert_eq!(got.ok(), model.remove(&name));
                }
                _ => {
                    let mut released: Vec<String> =
                        names.release(process).iter().map(|name| name.to_string()).collect();
                    released.sort();
                    let expected: Vec<String> = model
                        .iter()
                        .filter(|(_, holder)| **holder == process)
                        .map(|(name, _)| name.clone())
                        .collect();
                    model.retain(|_, holder| *holder != process);
                    prop_assert_eq!(released, expected);
                }
            }
            prop_assert_eq!(names.len(), model.len());
            for name in ["a", "b", "c", "d"] {
                prop_assert_eq!(names.lookup(name).ok(), model.get(name).copied());
            }
        }
    }
}
