//! What policies can ask about: the actor, the action, the resource and its metadata.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::Actor;

/// An act to decide about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Who acts.
    pub(crate) actor: Option<&'a Actor>,
    /// What is done, such as `process.spawn`.
    pub(crate) action: &'a str,
    /// What it is done to, such as `app:worker`.
    pub(crate) resource: &'a str,
    /// More about the resource.
    pub(crate) meta: Option<&'a Value>,
}

/// Names one fact of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    ActorId,
    ActorMeta(Vec<String>),
    Action,
    Resource,
    Meta(Vec<String>),
}

/// The value of a fact, borrowed from the request or from the policy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fact<'a> {
    /// There is none.
    Missing,
    Text(&'a str),
    Value(&'a Value),
}

impl Field {
    /// Reads a path such as `actor.meta.role`. None: there is no such fact.
    pub(super) fn new(path: &[&str]) -> Option<Self> {
        let owned = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        if path.iter().any(|part| part.is_empty()) {
            return None;
        }
        match path {
            ["actor", "id"] => Some(Self::ActorId),
            ["actor", "meta", rest @ ..] => Some(Self::ActorMeta(owned(rest))),
            ["action"] => Some(Self::Action),
            ["resource"] => Some(Self::Resource),
            ["meta", rest @ ..] => Some(Self::Meta(owned(rest))),
            _ => None,
        }
    }

    pub(super) fn of<'a>(&self, request: &Request<'a>) -> Fact<'a> {
        match self {
            Self::ActorId => request.actor.map_or(Fact::Missing, |actor| Fact::Text(actor.id())),
            Self::ActorMeta(path) => within(request.actor.map(Actor::meta), path),
            Self::Action => Fact::Text(request.action),
            Self::Resource => Fact::Text(request.resource),
            Self::Meta(path) => within(request.meta, path),
        }
    }
}

fn within<'a>(value: Option<&'a Value>, path: &[String]) -> Fact<'a> {
    let mut value = value;
    for part in path {
        value = match value {
            Some(Value::Object(fields)) => field(fields, part),
            Some(Value::Array(items)) => part.parse::<usize>().ok().and_then(|place| items.get(place)),
            _ => None,
        };
    }
    match value {
        None | Some(Value::Null) => Fact::Missing,
        Some(value) => Fact::Value(value),
    }
}

/// Looks through small maps one by one: hashing a name takes longer than comparing a few.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    const SMALL: usize = 8;
    if fields.len() > SMALL {
        return fields.get(name);
    }
    fields.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
}

impl<'a> Fact<'a> {
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_missing(self) -> bool {
        matches!(self, Self::Missing | Self::Value(Value::Null))
    }

    /// Whole and fractional numbers of the same value are equal. What is missing equals nothing.
    pub(super) fn equals(self, other: Fact<'_>) -> bool {
        match (self, other) {
            (Fact::Value(Value::Number(one)), Fact::Value(Value::Number(two))) => order(one, two) == Some(Ordering::Equal),
            (Fact::Value(one), Fact::Value(two)) => !one.is_null() && one == two,
            (one, two) => one.text().is_some() && one.text() == two.text(),
        }
    }

    /// Numbers and texts have an order among themselves; nothing else has.
    pub(super) fn compare(self, other: Fact<'_>) -> Option<Ordering> {
        match (self, other) {
            (Fact::Value(Value::Number(one)), Fact::Value(Value::Number(two))) => order(one, two),
            (one, two) => Some(one.text()?.cmp(two.text()?)),
        }
    }

    /// Tells whether this list has an equal element.
    pub(super) fn has(self, element: Fact<'_>) -> bool {
        match self {
            Fact::Value(Value::Array(items)) => items.iter().any(|item| Fact::Value(item).equals(element)),
            _ => false,
        }
    }

    /// Tells whether this text has that part, or this list that element.
    pub(super) fn contains(self, part: Fact<'_>) -> bool {
        match (self.text(), part.text()) {
            (Some(text), Some(part)) => text.contains(part),
            _ => self.has(part),
        }
    }
}

/// Whole numbers are compared as such: beyond 2^53 they do not fit into a fraction.
fn order(one: &Number, two: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(one), whole(two)) {
        (Some(one), Some(two)) => Some(one.cmp(&two)),
        _ => one.as_f64()?.partial_cmp(&two.as_f64()?),
    }
}
