//! Security policies: who may do what.

use std::time::Duration;

use serde_json::Value;

use super::ViewError;
use super::fields::{self, Reader};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::schema::{Field, Object, Target, Type, Unknown};

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Who it is.
    pub id: EntryId,
    /// The groups it belongs to.
    pub groups: Vec<String>,
    /// The actions it is about; `*` stands for any characters.
    pub actions: Vec<String>,
    /// The resources it is about; `*` stands for any characters.
    pub resources: Vec<String>,
    /// What it decides.
    pub effect: Effect,
    /// When it holds.
    pub rule: PolicyRule,
}

/// What a policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The act is allowed unless another policy denies it.
    Allow,
    /// The act is denied whatever else holds.
    Deny,
}

/// When a policy holds.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyRule {
    /// When all conditions are true.
    Conditions(Vec<Condition>),
    /// When an expression is true.
    Expression(String),
}

/// A condition of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is looked at, such as `actor.meta.role`.
    pub field: String,
    /// How it is compared, such as `eq`.
    pub operator: String,
    /// What it is compared with.
    pub operand: Operand,
}

/// What a condition compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value.
    Value(Value),
    /// Another field.
    Field(String),
}

impl Policy {
    /// Sees an entry as a policy.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its effect.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if !matches!(entry.kind.as_str(), "security.policy" | "security.policy.expr") {
            return Err(reader.wrong_kind("a policy"));
        }
        let policy = reader.get("policy").ok_or_else(|| reader.missing("policy"))?;
        let text = |name: &str| policy.get(name).and_then(Value::as_str);
        let effect = match text("effect") {
            Some("allow") => Effect::Allow,
            Some("deny") => Effect::Deny,
            _ => return Err(reader.missing("policy.effect")),
        };
        let rule = match (entry.kind.as_str(), text("expression")) {
            ("security.policy.expr", Some(expression)) => PolicyRule::Expression(expression.to_owned()),
            ("security.policy.expr", None) => return Err(reader.missing("policy.expression")),
            _ => {
                let conditions = fields::many(policy.get("conditions")).iter().map(Condition::read);
                let conditions: Option<Vec<Condition>> = conditions.collect();
                // A condition that cannot be read must not vanish: fewer conditions hold more often.
                PolicyRule::Conditions(conditions.ok_or_else(|| reader.missing("policy.conditions"))?)
            }
        };
        Ok(Self {
            id: entry.id.clone(),
            groups: fields::texts(reader.get("groups")),
            actions: fields::texts(policy.get("actions")),
            resources: fields::texts(policy.get("resources")),
            effect,
            rule,
        })
    }
}

impl Condition {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let operand = match text("value_from") {
            Some(field) => Operand::Field(field),
            None => Operand::Value(value.get("value").cloned().unwrap_or(Value::Null)),
        };
        Some(Self { field: text("field")?, operator: text("operator")?, operand })
    }
}

/// A store of tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenStore {
    /// Who it is.
    pub id: EntryId,
    /// The store that holds what tokens stand for.
    pub store: EntryId,
    /// How many random bytes a token has.
    pub length: usize,
    /// How long a token is valid unless its maker says otherwise.
    pub default_expiration: Duration,
    /// What tokens are signed with.
    pub key: Option<String>,
}

impl TokenStore {
    /// How many random bytes a token has unless the entry says otherwise.
    pub const DEFAULT_LENGTH: usize = 32;
    /// How long a token is valid unless somebody says otherwise.
    pub const DEFAULT_EXPIRATION: Duration = Duration::from_secs(24 * 3600);

    /// Sees an entry as a store of tokens.
    ///
    /// # Errors
    /// When it is of another kind, or was never checked and lacks its store.
    pub fn new(entry: &Entry) -> Result<Self, ViewError> {
        let reader = Reader::new(entry);
        if entry.kind != "security.token_store" {
            return Err(reader.wrong_kind("a store of tokens"));
        }
        let length = reader.get("token_length").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
        Ok(Self {
            id: entry.id.clone(),
            store: reader.id("store")?,
            length: length.unwrap_or(Self::DEFAULT_LENGTH),
            default_expiration: fields::duration(reader.get("default_expiration"), Self::DEFAULT_EXPIRATION),
            key: reader.optional_text("token_key"),
        })
    }
}

const OPERATORS: &[&str] =
    &["eq", "ne", "lt", "gt", "lte", "gte", "in", "nin", "exists", "nexists", "contains", "ncontains", "matches", "nmatches"];

static CONDITION: Object = Object {
    fields: &[
        Field::required("field", Type::Text, "write `field: actor.meta.role`, what to look at"),
        Field::required("operator", Type::Choice(OPERATORS), "write `operator: eq`"),
        Field::new("value", Type::Any),
        Field::new("value_from", Type::Text),
    ],
    unknown: Unknown::Refused,
};

const ACTIONS_HELP: &str = "write `actions: \"*\"`, or a list of actions";
const RESOURCES_HELP: &str = "write `resources: \"*\"`, or a list of resources";
const EFFECT_HELP: &str = "write `effect: allow` or `effect: deny`";

static POLICY: Object = Object {
    fields: &[
        Field::required("actions", Type::OneOrMany(&Type::Text), ACTIONS_HELP),
        Field::required("resources", Type::OneOrMany(&Type::Text), RESOURCES_HELP),
        Field::required("effect", Type::Choice(&["allow", "deny"]), EFFECT_HELP),
        Field::new("conditions", Type::List(&Type::Object(&CONDITION))),
    ],
    // A policy without its misspelt conditions would hold always.
    unknown: Unknown::Refused,
};

static EXPRESSION_POLICY: Object = Object {
    fields: &[
        Field::required("actions", Type::OneOrMany(&Type::Text), ACTIONS_HELP),
        Field::required("resources", Type::OneOrMany(&Type::Text), RESOURCES_HELP),
        Field::required("effect", Type::Choice(&["allow", "deny"]), EFFECT_HELP),
        Field::required("expression", Type::Text, "write `expression: actor.id == meta.owner`"),
    ],
    unknown: Unknown::Refused,
};

pub(super) static POLICY_ENTRY: Object = Object {
    fields: &[
        Field::required("policy", Type::Object(&POLICY), "write `policy:` with actions, resources and effect"),
        Field::new("groups", Type::OneOrMany(&Type::Text)),
    ],
    unknown: Unknown::Warned,
};

pub(super) static EXPRESSION_POLICY_ENTRY: Object = Object {
    fields: &[
        Field::required(
            "policy",
            Type::Object(&EXPRESSION_POLICY),
            "write `policy:` with actions, resources, effect and expression",
        ),
        Field::new("groups", Type::OneOrMany(&Type::Text)),
    ],
    unknown: Unknown::Warned,
};

static STORE: Target = Target { what: "a store", kinds: &["store.*"] };

pub(super) static TOKEN_STORE: Object = Object {
    fields: &[
        Field::required("store", Type::Ref(&STORE), "write `store: name`, the store that holds the tokens"),
        Field::new("token_length", Type::Int(1, 1024)),
        Field::new("default_expiration", Type::Duration),
        Field::new("token_key", Type::Text),
        Field::new("token_key_env", Type::Text),
    ],
    unknown: Unknown::Warned,
};
