//! Who may do what: actors, policies and scopes, and the decision about each guarded act.
//!
//! Owns the rules of `security.policy` and `security.policy.expr` and how they are evaluated. Pure: it reads no registry, keeps no
//! process and logs nothing; a denial carries what the audit line and the program need. The ceilings of process hosts are not
//! here: they bind before and regardless of any policy.
//!
//! ```text
//! Actor::new(id, meta)                                  who acts
//! Policy::read(id, kind, fields)                        every problem of an entry, or the policy
//! Policies: insert, remove, get, group, refresh         what the registry holds, by id and by group
//! Scope::new(policies), with, without, contains         an immutable set of policies; a clone is cheap
//! Scope::evaluate(request) -> Verdict                   deny wins; undefined when no policy applies
//! Authority { actor, scope, strict }.authorize(..)      what guarded calls ask: nothing, or a `Denial`
//! ```
//!
//! With both an actor and a scope, what no policy allows is denied. Without one of them, strict mode denies everything; otherwise
//! everything is allowed that no policy of the scope denies.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use self::index::Index;

mod condition;
mod denial;
mod expression;
mod fact;
mod glob;
mod index;
mod policies;
mod policy;
#[cfg(test)]
mod tests;
mod wired;

pub use wired::check_policies;

pub(crate) use denial::{Cause, Denial};
pub(crate) use fact::Request;
pub(crate) use policies::Policies;
pub use policy::Policy;
pub(crate) use policy::{Effect, Problem};

/// The most policies of one scope: each of them may have to be evaluated at every guarded call.
pub(crate) const MAX_POLICIES: usize = 1_000;

/// The longest id of an actor in bytes: it is part of every audit line.
pub(crate) const MAX_ACTOR_ID: usize = 512;

/// Who acts.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    id: String,
    meta: Value,
}

impl Actor {
    /// Makes an actor. None: the id is empty or too long, or the metadata is neither a map nor null.
    pub fn new(id: impl Into<String>, meta: Value) -> Option<Self> {
        let id = id.into();
        let meta = match meta {
            Value::Null => Value::Object(serde_json::Map::new()),
            meta => meta,
        };
        (!id.is_empty() && id.len() <= MAX_ACTOR_ID && meta.is_object()).then_some(Self { id, meta })
    }

    /// Gives the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Gives the metadata, a map.
    #[must_use]
    pub fn meta(&self) -> &Value {
        &self.meta
    }
}

/// What the policies of a scope say about an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// At least one allows it, and none denies it.
    Allow,
    /// At least one denies it.
    Deny,
    /// None applies.
    Undefined,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Undefined => "undefined",
        })
    }
}

/// A decision, and the policy that decided.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// What was decided.
    pub(crate) decision: Decision,
    /// By which policy; none when none applied.
    pub(crate) policy: Option<Arc<Policy>>,
}

/// A set of policies. Immutable; a clone shares it.
#[derive(Debug, Clone, Default)]
pub struct Scope(Arc<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// In the order in which they were added, each id once.
    policies: Vec<Arc<Policy>>,
    /// Made at the first evaluation: most scopes are only a step in building another.
    index: OnceLock<Index>,
}

impl Scope {
    /// Makes a scope. Of policies with the same id, the last counts; those beyond `MAX_POLICIES` are refused.
    ///
    /// # Errors
    /// Gives back how many there were when they are too many.
    pub fn new(policies: impl IntoIterator<Item = Arc<Policy>>) -> Result<Self, usize> {
        let mut kept: Vec<Arc<Policy>> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for policy in policies {
            match places.get(policy.id()).and_then(|place: &usize| kept.get_mut(*place)) {
                Some(other) => *other = policy,
                None => {
                    places.insert(policy.id().to_owned(), kept.len());
                    kept.push(policy);
                }
            }
        }
        if kept.len() > MAX_POLICIES {
            return Err(kept.len());
        }
        Ok(Self(Arc::new(Contents { policies: kept, index: OnceLock::new() })))
    }

    /// Gives this scope with one policy more, which takes the place of one with the same id.
    ///
    /// # Errors
    /// Gives back how many there would be when they are too many.
    pub fn with(&self, policy: Arc<Policy>) -> Result<Self, usize> {
        Self::new(self.0.policies.iter().cloned().chain([policy]))
    }

    /// Gives this scope without a policy.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        if !self.contains(id) {
            return self.clone();
        }
        let policies = self.0.policies.iter().filter(|policy| policy.id() != id).cloned().collect();
        Self(Arc::new(Contents { policies, index: OnceLock::new() }))
    }

    /// Tells whether a policy is part of this scope.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.0.policies.iter().any(|policy| policy.id() == id)
    }

    /// Gives the policies, in the order in which they were added.
    #[must_use]
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.0.policies
    }

    /// Says what the policies decide about an act of an actor.
    #[must_use]
    pub fn decide(&self, actor: Option<&Actor>, action: &str, resource: &str, meta: Option<&Value>) -> Decision {
        self.evaluate(&Request { actor, action, resource, meta }).decision
    }

    /// Decides about an act. Deny wins over allow.
    pub(crate) fn evaluate(&self, request: &Request<'_>) -> Verdict {
        let policies = &self.0.policies;
        let index = self.0.index.get_or_init(|| Index::new(policies));
        let mut allowed_by = None;
        let denied_by = index.find(policies, request, |policy| match policy.effect() {
            Effect::Deny => policy.applies(request),
            Effect::Allow => {
                if allowed_by.is_none() && policy.applies(request) {
                    allowed_by = Some(policy.clone());
                }
                false
            }
        });
        let (decision, policy) = match (denied_by, allowed_by) {
            (Some(policy), _) => (Decision::Deny, Some(policy.clone())),
            (None, Some(policy)) => (Decision::Allow, Some(policy)),
            (None, None) => (Decision::Undefined, None),
        };
        Verdict { decision, policy }
    }
}

/// On whose behalf a process acts, and what that permits. Calls and spawns inherit it.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    /// Who acts.
    pub(crate) actor: Option<Arc<Actor>>,
    /// What is permitted.
    pub(crate) scope: Option<Scope>,
    /// Whether a missing actor or scope means no, instead of yes. The same for the whole node.
    pub(crate) strict: bool,
    /// The entry of the network that connections go through; none: they are made from here. Not a matter of policies once it was chosen.
    pub(crate) network: Option<Arc<str>>,
}

impl Authority {
    /// Returns who acts.
    #[must_use]
    pub fn actor(&self) -> Option<&Arc<Actor>> {
        self.actor.as_ref()
    }

    /// Returns the entry of the network that connections go through.
    #[must_use]
    pub fn network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    /// Returns what is permitted.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Tells whether a policy says no, which differs from that none says yes.
    #[must_use]
    pub fn denies(&self, action: &str, resource: &str) -> bool {
        let decide = |scope: &Scope| scope.decide(self.actor.as_deref(), action, resource, None);
        self.scope.as_ref().is_some_and(|scope| decide(scope) == Decision::Deny)
    }

    /// Decides about a guarded call. `meta` says more about the resource, for conditions on `meta.*`.
    ///
    /// # Errors
    /// Why it is not allowed, and what would allow it.
    pub(crate) fn authorize(&self, action: &str, resource: &str, meta: Option<&Value>) -> Result<(), Box<Denial>> {
        let request = Request { actor: self.actor.as_deref(), action, resource, meta };
        let complete = self.actor.is_some() && self.scope.is_some();
        let verdict = self.scope.as_ref().map(|scope| scope.evaluate(&request));
        let cause = match verdict {
            Some(Verdict { decision: Decision::Deny, policy: Some(policy) }) => {
                Cause::DeniedBy { policy: policy.id().to_owned() }
            }
            Some(Verdict { decision: Decision::Allow, .. }) if complete => return Ok(()),
            Some(_) if complete => Cause::NotAllowed { groups: self.groups() },
            _ if self.strict => Cause::Incomplete { actor: self.actor.is_none(), scope: self.scope.is_none() },
            _ => return Ok(()),
        };
        Err(Box::new(Denial {
            action: action.to_owned(),
            resource: resource.to_owned(),
            actor: self.actor.as_ref().map(|actor| actor.id().to_owned()),
            cause,
        }))
    }

    /// Tells whether somebody is known to act.
    #[must_use]
    pub fn has_actor(&self) -> bool {
        self.actor.is_some()
    }

    /// Tells whether no policy can deny anything, which is what most processes have.
    pub(crate) fn is_open(&self) -> bool {
        !self.strict && self.scope.is_none()
    }

    /// Tells whether a guarded call would be allowed.
    #[must_use]
    pub fn can(&self, action: &str, resource: &str, meta: Option<&Value>) -> bool {
        self.authorize(action, resource, meta).is_ok()
    }

    /// Groups to which a policy could be added so that this scope has it.
    fn groups(&self) -> Vec<String> {
        let policies = self.scope.iter().flat_map(Scope::policies);
        policies.flat_map(|policy| policy.groups()).take(1).cloned().collect()
    }
}
