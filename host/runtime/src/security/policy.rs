//! One policy: which acts it covers, under which conditions, and what it says about them.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::expression::Expression;
use super::fact::Request;
use super::glob::Glob;
use super::{Actor, Decision};

/// The most actions, resources, conditions or groups of one policy.
const MAX_ITEMS: usize = 256;

/// What a policy says about the acts it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// They are fine, unless another policy denies them.
    Allow,
    /// They are not.
    Deny,
}

/// A rule.
#[derive(Debug)]
pub struct Policy {
    id: String,
    actions: Vec<Glob>,
    resources: Vec<Glob>,
    effect: Effect,
    conditions: Vec<Condition>,
    expression: Option<Expression>,
    groups: Vec<String>,
}

/// Something that is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where, such as `policy.conditions[0].operator`.
    pub(crate) path: String,
    /// What, and what would be right.
    pub(crate) message: String,
}

impl Problem {
    pub(super) fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }
}

impl Policy {
    /// Reads a policy from an entry of kind `security.policy` or `security.policy.expr`: `policy` and `groups` of its fields.
    /// A group without a namespace is of the namespace of the entry.
    ///
    /// # Errors
    /// Every problem of the entry.
    pub(crate) fn read(id: &str, kind: &str, fields: &Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let empty = Map::new();
        let policy = match fields.get("policy") {
            Some(Value::Object(policy)) => policy,
            _ => {
                problems.push(Problem::new("policy", "is missing: give a map with `actions`, `resources` and `effect`"));
                return Err(problems);
            }
        };
        let by_expression = kind == "security.policy.expr";
        let last = if by_expression { "expression" } else { "conditions" };
        unknown_fields(policy, &["actions", "resources", "effect", last], "policy", &mut problems);
        let actions = read_globs(policy.get("actions"), "policy.actions", &mut problems);
        let resources = read_globs(policy.get("resources"), "policy.resources", &mut problems);
        let effect = match policy.get("effect").and_then(Value::as_str) {
            Some("allow") => Effect::Allow,
            Some("deny") => Effect::Deny,
            _ => {
                problems.push(Problem::new("policy.effect", "must be `allow` or `deny`"));
                Effect::Deny
            }
        };
        let mut conditions = Vec::new();
        let mut expression = None;
        if by_expression {
            let text = policy.get("expression").and_then(Value::as_str).unwrap_or_default();
            match Expression::new(text) {
                Ok(read) => expression = Some(read),
                Err(message) => problems.push(Problem::new("policy.expression", message)),
            }
        } else {
            for (number, value) in list(policy.get("conditions"), "policy.conditions", &mut problems).iter().enumerate() {
                conditions.extend(Condition::read(value, &format!("policy.conditions[{number}]"), &mut problems));
            }
        }
        let namespace = id.split_once(':').map_or(id, |(namespace, _)| namespace);
        let fields = if fields.contains_key("groups") { fields } else { &empty };
        let groups = texts(fields.get("groups"), "groups", &mut problems)
            .into_iter()
            .map(|group| if group.contains(':') { group.to_owned() } else { format!("{namespace}:{group}") });
        let groups = groups.collect();
        if problems.is_empty() {
            Ok(Self { id: id.to_owned(), actions, resources, effect, conditions, expression, groups })
        } else {
            Err(problems)
        }
    }

    /// Gives the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Gives what it says about the acts it applies to.
    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    /// Gives the ids of the groups it belongs to.
    pub(crate) fn groups(&self) -> &[String] {
        &self.groups
    }

    pub(super) fn actions(&self) -> &[Glob] {
        &self.actions
    }

    pub(super) fn resources(&self) -> &[Glob] {
        &self.resources
    }

    pub(super) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Says what it decides about an act of an actor.
    #[must_use]
    pub fn decide(&self, actor: Option<&Actor>, action: &str, resource: &str, meta: Option<&Value>) -> Decision {
        match (self.applies(&Request { actor, action, resource, meta }), self.effect) {
            (false, _) => Decision::Undefined,
            (true, Effect::Allow) => Decision::Allow,
            (true, Effect::Deny) => Decision::Deny,
        }
    }

    /// Tells whether it has something to say about an act.
    pub(crate) fn applies(&self, request: &Request<'_>) -> bool {
        self.actions.iter().any(|glob| glob.matches(request.action))
            && self.resources.iter().any(|glob| glob.matches(request.resource))
            && self.conditions.iter().all(|condition| condition.holds(request))
            && self.expression.as_ref().is_none_or(|expression| {
                // What cannot be decided is decided against the one who asks.
                expression.holds(request).unwrap_or(self.effect == Effect::Deny)
            })
    }
}

fn read_globs(value: Option<&Value>, path: &str, problems: &mut Vec<Problem>) -> Vec<Glob> {
    let before = problems.len();
    let texts = texts(value, path, problems);
    if texts.is_empty() && problems.len() == before {
        problems.push(Problem::new(path, "is missing: give a text or a list of texts; `*` stands for any characters"));
    }
    texts.into_iter().map(Glob::new).collect()
}

/// Reads one text or a list of texts.
fn texts<'a>(value: Option<&'a Value>, path: &str, problems: &mut Vec<Problem>) -> Vec<&'a str> {
    if let Some(Value::String(text)) = value {
        return vec![text];
    }
    let mut texts = Vec::new();
    for (number, item) in list(value, path, problems).iter().enumerate() {
        match item {
            Value::String(text) => texts.push(text.as_str()),
            _ => problems.push(Problem::new(&format!("{path}[{number}]"), "must be a text")),
        }
    }
    texts
}

fn list<'a>(value: Option<&'a Value>, path: &str, problems: &mut Vec<Problem>) -> &'a [Value] {
    match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) if items.len() <= MAX_ITEMS => items,
        Some(Value::Array(_)) => {
            problems.push(Problem::new(path, format!("must have at most {MAX_ITEMS} items")));
            &[]
        }
        Some(_) => {
            problems.push(Problem::new(path, "must be a list"));
            &[]
        }
    }
}

pub(super) fn unknown_fields(fields: &Map<String, Value>, known: &[&str], path: &str, problems: &mut Vec<Problem>) {
    for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
        let message = format!("is unknown here: there are {}", known.join(", "));
        problems.push(Problem::new(&format!("{path}.{name}"), message));
    }
}
