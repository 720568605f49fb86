//! Who may do what, and what one is told who may not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set up has failed")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Actor, Authority, Cause, Decision, Effect, MAX_POLICIES, Policies, Policy, Problem, Request, Scope};

mod conditions;

fn fields(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no map"),
    }
}

fn read(id: &str, policy: Value) -> Policy {
    Policy::read(id, "security.policy", &fields(json!({"policy": policy}))).unwrap()
}

fn rule(id: &str, effect: &str, actions: &str, resources: &str) -> Arc<Policy> {
    Arc::new(read(id, json!({"actions": actions, "resources": resources, "effect": effect})))
}

fn actor(id: &str, meta: Value) -> Actor {
    Actor::new(id, meta).unwrap()
}

fn decide(scope: &Scope, action: &str, resource: &str) -> Decision {
    scope.evaluate(&Request { actor: None, action, resource, meta: None }).decision
}

fn authority(policies: Vec<Arc<Policy>>) -> Authority {
    Authority {
        actor: Some(Arc::new(actor("user:1", json!({"role": "editor"})))),
        scope: Some(Scope::new(policies).unwrap()),
        ..Authority::default()
    }
}

#[test]
fn one_policy_that_allows_is_enough_and_one_that_denies_wins() {
    let allow = rule("app:allow", "allow", "fs.*", "*");
    let deny = rule("app:deny", "deny", "*", "secret:*");
    for policies in [[allow.clone(), deny.clone()], [deny, allow]] {
        let scope = Scope::new(policies).unwrap();
        assert_eq!(decide(&scope, "fs.get", "docs:1"), Decision::Allow);
        assert_eq!(decide(&scope, "fs.get", "secret:1"), Decision::Deny);
        assert_eq!(decide(&scope, "db.get", "docs:1"), Decision::Undefined);
    }
    assert_eq!(decide(&Scope::default(), "fs.get", "x"), Decision::Undefined);
}

#[test]
fn scopes_are_values() {
    let one = rule("app:one", "allow", "a", "*");
    let two = rule("app:two", "allow", "b", "*");
    let empty = Scope::default();
    let both = empty.with(one.clone()).unwrap().with(two).unwrap();
    assert!(!empty.contains("app:one") && both.contains("app:one"));
    let rest = both.without("app:one").without("app:nothing");
    assert_eq!(rest.policies().iter().map(|policy| policy.id()).collect::<Vec<_>>(), ["app:two"]);
    assert_eq!(decide(&both, "a", "x"), Decision::Allow);
    assert_eq!(decide(&rest, "a", "x"), Decision::Undefined);
    let replaced = both.with(rule("app:one", "deny", "a", "*")).unwrap();
    assert_eq!(replaced.policies().len(), 2);
    assert_eq!(decide(&replaced, "a", "x"), Decision::Deny);
    assert_eq!(Scope::new((0..=MAX_POLICIES).map(|n| rule(&format!("a:{n}"), "allow", "a", "b"))).unwrap_err(), MAX_POLICIES + 1);
}

#[test]
fn with_an_identity_only_what_is_allowed_is_allowed() {
    let mut authority = authority(vec![rule("app:read", "allow", "store.get", "app:*")]);
    for strict in [false, true] {
        authority.strict = strict;
        assert!(authority.can("store.get", "app:data", None));
        assert!(!authority.can("store.set", "app:data", None));
    }
}

#[test]
fn without_an_identity_strict_mode_decides_but_a_denial_stays_one() {
    let scope = Some(Scope::new([rule("app:deny", "deny", "*", "secret")]).unwrap());
    let nobody = Some(Arc::new(actor("nobody", Value::Null)));
    for (actor, scope) in [(None, None), (nobody, None), (None, scope)] {
        let mut authority = Authority { actor, scope, ..Authority::default() };
        assert!(authority.can("fs.get", "app:files", None));
        let denied = authority.scope.is_some();
        assert_eq!(!authority.can("fs.get", "secret", None), denied);
        authority.strict = true;
        let denial = authority.authorize("fs.get", "app:files", None).unwrap_err();
        assert_eq!(denial.cause.name(), "no_identity");
    }
}

#[test]
fn a_denial_names_everything_and_the_yaml_that_would_allow_it() {
    let mut policy = fields(json!({
        "policy": {"actions": "fs.get", "resources": "*", "effect": "allow"},
        "groups": ["editors", "other:group"],
    }));
    let grouped = Policy::read("app.security:read", "security.policy", &policy).unwrap();
    assert_eq!(grouped.groups(), ["app.security:editors", "other:group"]);
    policy.clear();
    let authority = authority(vec![Arc::new(grouped), rule("app:no", "deny", "*", "secret:*")]);

    let denial = authority.authorize("process.spawn", "app:worker", None).unwrap_err();
    assert_eq!(denial.kind(), "PermissionDenied");
    assert_eq!(
        denial.to_string(),
        "`process.spawn` on `app:worker` is not allowed to `user:1`: no policy of its scope allows it; add this one to the entries:
  - name: allow_process_spawn
    kind: security.policy
    policy:
      actions: process.spawn
      resources: app:worker
      effect: allow
    groups: [app.security:editors]"
    );

    let denial = authority.authorize("fs.get", "secret:1", None).unwrap_err();
    assert_eq!(denial.cause, Cause::DeniedBy { policy: "app:no".to_owned() });
    assert_eq!(
        denial.to_string(),
        "`fs.get` on `secret:1` is not allowed to `user:1`: the policy app:no denies it; to except this actor, add to that policy:
    conditions:
      - field: actor.id
        operator: ne
        value: user:1"
    );
}

#[test]
fn the_yaml_of_a_denial_really_allows_the_act() {
    for (action, resource) in
        [("process.spawn", "app:worker"), ("db.get", "on"), ("a b", "x: y\n- z"), ("*", "{app:host|1}"), ("x", "\u{1b}[2J\"'")]
    {
        let denial = authority(Vec::new()).authorize(action, resource, None).unwrap_err();
        let text = denial.to_string();
        let (_, yaml) = text.split_once(":\n").unwrap();
        let value = |name: &str| {
            let line = yaml.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap();
            let text = line.trim();
            if text.starts_with('"') { serde_json::from_str(text).unwrap() } else { text.to_owned() }
        };
        let policy =
            read("app:allow", json!({"actions": value("actions:"), "resources": value("resources:"), "effect": "allow"}));
        assert!(authority(vec![Arc::new(policy)]).can(action, resource, None), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn strict_denials_say_how_to_get_an_identity() {
    let strict = Authority { strict: true, ..Authority::default() };
    let text = strict.authorize("env.get", "HOME", None).unwrap_err().to_string();
    assert!(text.starts_with(
        "`env.get` on `HOME` is not allowed to a process without an actor: the process has neither an actor nor a scope, and \
         security.strict is on; give its service an identity:\n  lifecycle:\n    security:\n"
    ));
}

#[test]
fn every_problem_of_an_entry_is_told_with_its_path() {
    let entry = fields(json!({
        "policy": {
            "actions": ["a", 7],
            "effect": "permit",
            "condition": [],
            "conditions": [
                {"field": "actor.name", "operator": "eq", "value": 1},
                {"field": "actor.id", "operator": "equals", "value": 1},
                {"field": "actor.id", "operator": "in", "value": "x"},
                {"field": "actor.id", "operator": "matches", "value": "("},
                {"field": "actor.id", "operator": "eq", "value": 1, "value_from": "action"},
                {"field": "actor.id", "operator": "lt"},
                {"field": "meta.a..b", "operator": "eq", "value": 1},
            ],
        },
        "groups": 5,
    }));
    let problems = Policy::read("app:p", "security.policy", &entry).unwrap_err();
    let told: Vec<String> = problems.iter().map(|Problem { path, message }| format!("{path}: {message}")).collect();
    assert_eq!(
        told,
        [
            "policy.condition: is unknown here: there are actions, resources, effect, conditions",
            "policy.actions[1]: must be a text",
            "policy.resources: is missing: give a text or a list of texts; `*` stands for any characters",
            "policy.effect: must be `allow` or `deny`",
            "policy.conditions[0].field: `actor.name` is no fact: use actor.id, actor.meta.*, action, resource or meta.*",
            "policy.conditions[1]: `equals` is no operator: use eq, ne, lt, lte, gt, gte, in, nin, exists, nexists, contains, ncontains, matches or nmatches",
            "policy.conditions[2]: the value of `in` is a list",
            "policy.conditions[3]: `(` is no regular expression: unclosed group",
            "policy.conditions[4]: give either `value` or `value_from`, not both",
            "policy.conditions[5]: `lt` needs a `value` or `value_from`",
            "policy.conditions[6].field: `meta.a..b` is no fact: use actor.id, actor.meta.*, action, resource or meta.*",
            "groups: must be a list",
        ]
    );
    assert_eq!(Policy::read("app:p", "security.policy", &fields(json!({}))).unwrap_err()[0].path, "policy");
}

#[test]
fn groups_are_scopes_and_follow_changes() {
    let grouped = |id: &str, effect: &str| {
        let entry = json!({"policy": {"actions": "*", "resources": "*", "effect": effect}, "groups": "team"});
        Policy::read(id, "security.policy", &fields(entry)).unwrap()
    };
    let mut policies = Policies::default();
    policies.insert(grouped("app:b", "allow"));
    policies.insert(grouped("app:a", "allow"));
    let scope = policies.group("app:team").unwrap();
    assert_eq!(scope.policies().iter().map(|policy| policy.id()).collect::<Vec<_>>(), ["app:a", "app:b"]);
    policies.insert(grouped("app:b", "deny"));
    assert_eq!(decide(&scope, "x", "y"), Decision::Allow, "a scope is a value");
    assert_eq!(decide(&policies.refresh(&scope), "x", "y"), Decision::Deny);
    assert_eq!(policies.get("app:b").unwrap().effect(), Effect::Deny);
    assert!(policies.remove("app:b") && !policies.remove("app:b"));
    assert_eq!(decide(&policies.refresh(&scope), "x", "y"), Decision::Allow);
    policies.remove("app:a");
    assert!(policies.group("app:team").is_none());
    assert_eq!(decide(&policies.refresh(&scope), "x", "y"), Decision::Undefined);
}

#[test]
fn an_actor_has_an_id_and_a_map() {
    assert!(Actor::new("", json!({})).is_none());
    assert!(Actor::new("x".repeat(513), json!({})).is_none());
    assert!(Actor::new("x", json!([1])).is_none());
    assert_eq!(actor("x", Value::Null).meta(), &json!({}));
}

/// Some texts that share beginnings and ends.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["a", "b", "\\.", "ab"], 0..4).prop_map(|parts| parts.concat())
}

fn pattern() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["a", "b", "\\.", "\\*"], 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_index_finds_what_looking_at_every_policy_finds(
        rules in proptest::collection::vec((pattern(), pattern(), any::<bool>(), 0..12_usize), 0..40),
        requests in proptest::collection::vec((text(), text(), 0..3_usize), 1..10),
    ) {
        let fields = ["actor.meta.role", "actor.id", "action", "meta.a", "meta.b", "meta.c"];
        let policies: Vec<Arc<Policy>> = rules
            .iter()
            .enumerate()
            .map(|(number, (action, resource, allow, condition))| {
                let effect = if *allow { "allow" } else { "deny" };
                let conditions: Vec<Value> = fields
                    .get(*condition)
                    .map(|field| json!({"field": field, "operator": "eq", "value": "a"}))
                    .into_iter()
                    .collect();
                let policy = json!({"actions": action, "resources": resource, "effect": effect, "conditions": conditions});
                Arc::new(read(&format!("app:{number}"), policy))
            })
            .collect();
        let scope = Scope::new(policies.clone()).unwrap();
        let (meta, other) = (json!({"a": "a", "b": 1, "c": "a"}), json!({"c": "b"}));
        let actor = actor("a", json!({"role": "a"}));
        for (action, resource, who) in requests {
            let request = Request {
                actor: (who > 0).then_some(&actor),
                action: &action,
                resource: &resource,
                meta: Some(if who > 1 { &meta } else { &other }),
            };
            let says = |effect| policies.iter().any(|policy| policy.effect() == effect && policy.applies(&request));
            let expected = match (says(Effect::Deny), says(Effect::Allow)) {
                (true, _) => Decision::Deny,
                (false, true) => Decision::Allow,
                (false, false) => Decision::Undefined,
            };
            let verdict = scope.evaluate(&request);
            prop_assert_eq!(verdict.decision, expected);
            prop_assert_eq!(verdict.policy.is_some(), expected != Decision::Undefined);
        }
    }
}
