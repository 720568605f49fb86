//! What conditions and expressions say about an act.

use serde_json::{Value, json};

use super::{actor, fields, read};
use crate::security::{Policy, Request};

/// The act that every test here asks about.
fn with_request<T>(test: impl FnOnce(&Request<'_>) -> T) -> T {
    let actor = actor(
        "user:1",
        json!({"role": "editor", "level": 3, "score": 2.5, "teams": ["red", "blue"], "home": {"city": "Ulm"}, "on": true}),
    );
    let meta = json!({"owner": "user:1", "size": 3.0, "big": 9_007_199_254_740_993_i64, "tags": ["x", 1], "none": null});
    test(&Request { actor: Some(&actor), action: "write", resource: "doc:42", meta: Some(&meta) })
}

fn holds(condition: Value) -> bool {
    let policy = json!({"actions": "*", "resources": "*", "effect": "allow", "conditions": [condition]});
    with_request(|request| read("app:p", policy).applies(request))
}

#[test]
fn operators_mean_what_the_reference_says() {
    for (field, operator, value, expected) in [
        ("actor.id", "eq", json!("user:1"), true),
        ("actor.id", "ne", json!("user:1"), false),
        ("actor.meta.role", "eq", json!("admin"), false),
        ("actor.meta.home.city", "eq", json!("Ulm"), true),
        ("actor.meta.on", "eq", json!(true), true),
        ("actor.meta.level", "eq", json!(3.0), true),
        ("actor.meta.level", "eq", json!("3"), false),
        ("meta.size", "eq", json!(3), true),
        ("meta.big", "eq", json!(9_007_199_254_740_992_i64), false),
        ("actor.meta.level", "gte", json!(3), true),
        ("actor.meta.level", "gt", json!(3), false),
        ("actor.meta.score", "lt", json!(3), true),
        ("actor.meta.score", "lte", json!(2), false),
        ("actor.meta.role", "lt", json!("zebra"), true),
        ("actor.meta.role", "lt", json!(5), false),
        ("action", "in", json!(["read", "write"]), true),
        ("action", "nin", json!(["read", "write"]), false),
        ("actor.meta.teams", "contains", json!("red"), true),
        ("actor.meta.teams", "ncontains", json!("red"), false),
        ("meta.tags", "contains", json!(1), true),
        ("resource", "contains", json!(":4"), true),
        ("resource", "ncontains", json!("public"), true),
        ("resource", "matches", json!("^doc:[0-9]+$"), true),
        ("actor.id", "nmatches", json!("^system:"), true),
        ("actor.meta.teams.1", "eq", json!("blue"), true),
        ("meta.owner", "exists", json!(true), true),
        ("meta.owner", "nexists", json!(true), false),
        ("meta.deleted", "nexists", json!(true), true),
        ("meta.deleted", "exists", json!(false), true),
        ("meta.none", "exists", json!(true), false),
    ] {
        let condition = json!({"field": field, "operator": operator, "value": value});
        assert_eq!(holds(condition.clone()), expected, "{condition}");
    }
}

#[test]
fn what_is_missing_passes_no_test_and_every_negated_one() {
    for (operator, expected) in [
        ("eq", false),
        ("lt", false),
        ("gte", false),
        ("in", false),
        ("contains", false),
        ("matches", false),
        ("ne", true),
        ("nin", true),
        ("ncontains", true),
        ("nmatches", true),
    ] {
        let value = if operator.ends_with("in") && operator.len() <= 3 { json!(["x"]) } else { json!("x") };
        assert_eq!(holds(json!({"field": "meta.nothing", "operator": operator, "value": value})), expected, "{operator}");
    }
    assert!(!holds(json!({"field": "meta.nothing", "operator": "eq", "value_from": "meta.nothing_else"})));
    assert!(!holds(json!({"field": "meta.none", "operator": "eq", "value": null})));
}

#[test]
fn facts_can_be_compared_with_each_other() {
    assert!(holds(json!({"field": "meta.owner", "operator": "eq", "value_from": "actor.id"})));
    assert!(holds(json!({"field": "actor.meta.level", "operator": "gte", "value_from": "meta.size"})));
    assert!(holds(json!({"field": "actor.meta.role", "operator": "nin", "value_from": "actor.meta.teams"})));
}

#[test]
fn all_conditions_must_hold() {
    let policy = |role: &str| {
        json!({"actions": ["read", "write"], "resources": "doc:*", "effect": "deny", "conditions": [
            {"field": "meta.owner", "operator": "eq", "value_from": "actor.id"},
            {"field": "actor.meta.role", "operator": "eq", "value": role},
        ]})
    };
    with_request(|request| {
        assert!(read("app:p", policy("editor")).applies(request));
        assert!(!read("app:p", policy("admin")).applies(request));
    });
}

fn expression(text: &str, effect: &str) -> Result<bool, String> {
    let entry = json!({"policy": {"actions": "*", "resources": "*", "effect": effect, "expression": text}});
    let policy = Policy::read("app:p", "security.policy.expr", &fields(entry));
    policy.map(|policy| with_request(|request| policy.applies(request))).map_err(|problems| {
        assert_eq!((problems.len(), problems[0].path.as_str()), (1, "policy.expression"));
        problems[0].message.clone()
    })
}

#[test]
fn expressions_say_yes_or_no() {
    for (text, expected) in [
        (
            r#"(actor.meta.role == "editor" && action == "write") || (action == "read" && meta.public == true) || actor.id == meta.owner"#,
            true,
        ),
        (r#"actor.meta.role == 'admin'"#, false),
        (r#"not (action == "read") and actor.meta.level >= 3"#, true),
        (r#"!(action == "write")"#, false),
        (r#"action in ["read", "write"]"#, true),
        (r#"action not in ["read", "write"]"#, false),
        (r#""red" in actor.meta.teams and actor.meta.teams contains "blue""#, true),
        (r#""city" in actor.meta.home"#, true),
        (r#"resource startsWith "doc:" && resource endsWith "42""#, true),
        (r#"resource matches "^doc:\d+$""#, true),
        (r#"actor.meta["role"] == "editor" and actor.meta.teams[0] == "red" and actor?.id == "user:1""#, true),
        ("meta.missing == nil and meta.none == null and meta.owner != nil", true),
        ("meta.missing.deeper == nil", true),
        ("actor.meta.on", true),
        ("actor.meta.on == true and !false", true),
        ("actor.meta.level > -1 and actor.meta.score <= 2.5e0 and meta.size == 3", true),
        ("(action == \"write\") == (resource == \"doc:42\")", true),
        ("false or true and false", false),
        ("meta.missing contains \"x\"", false),
        ("action in [] or action in meta.missing", false),
    ] {
        assert_eq!(expression(text, "allow"), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_decided_counts_against_the_one_who_asks() {
    for text in ["actor.meta.role > 3", "meta.missing < 3", "meta.size", "action in resource", "meta.size contains \"x\"", "[1]"]
    {
        assert_eq!(expression(text, "allow"), Ok(false), "{text}");
        assert_eq!(expression(text, "deny"), Ok(true), "{text}");
    }
    assert_eq!(expression("false and meta.missing < 3", "deny"), Ok(false), "what does not matter is not asked");
}

#[test]
fn texts_that_are_no_expressions_say_why() {
    for (text, message) in [
        ("", "is missing: give a condition, such as `actor.id == meta.owner`"),
        ("user.id == 1", "`user.id` is no fact: use actor.id, actor.meta.*, action, resource or meta.*"),
        ("action == ", "ends too early: a fact or a value is missing"),
        ("(action == \"x\"", "ends too early: `)` is missing"),
        ("action == \"x", "a text is not closed: \" is missing"),
        ("action = 1", "`=` is not part of expressions"),
        ("action == 1 resource", "`resource` is not expected here: join conditions with `&&` or `||`"),
        ("action matches resource", "`matches` is followed by a regular expression in quotes"),
        ("action in [actor.id]", "a list holds texts, numbers, true and false, not `actor`"),
        ("meta. == 1", "a name is missing after `meta.`"),
        ("meta.size == 1x", "`1x` is no number"),
    ] {
        assert_eq!(expression(text, "allow"), Err(message.to_owned()), "{text}");
    }
    assert!(expression(&format!("{}true{}", "(".repeat(65), ")".repeat(65)), "allow").unwrap_err().contains("64 levels"));
    assert!(expression(&format!("{}true", "!".repeat(65)), "allow").unwrap_err().contains("64 levels"));
    assert!(expression(&"x".repeat(4_097), "allow").unwrap_err().contains("4096 bytes"));
}
