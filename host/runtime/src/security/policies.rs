//! The policies that the registry holds, by id and by group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MAX_POLICIES, Policy, Scope};

/// All policies of a node.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    by_id: BTreeMap<String, Arc<Policy>>,
    /// Ids of the policies of each group.
    groups: BTreeMap<String, Vec<String>>,
}

impl Policies {
    /// Adds a policy, or puts it in the place of one with the same id.
    pub(crate) fn insert(&mut self, policy: Policy) {
        self.remove(policy.id());
        for group in policy.groups() {
            let members = self.groups.entry(group.clone()).or_default();
            if !members.iter().any(|id| id == policy.id()) {
                members.push(policy.id().to_owned());
            }
        }
        self.by_id.insert(policy.id().to_owned(), Arc::new(policy));
    }

    /// Removes a policy. Scopes that have it keep it until they are refreshed.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(policy) = self.by_id.remove(id) else {
            return false;
        };
        for group in policy.groups() {
            if let Some(members) = self.groups.get_mut(group) {
                members.retain(|member| member != id);
                if members.is_empty() {
                    self.groups.remove(group);
                }
            }
        }
        true
    }

    /// Finds a policy.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Policy>> {
        self.by_id.get(id).cloned()
    }

    /// Gives a group as a scope: its policies in the order of their ids. None: no policy belongs to it.
    pub(crate) fn group(&self, id: &str) -> Option<Scope> {
        let mut members = self.groups.get(id)?.clone();
        members.sort();
        // A scope takes no more; the policies that deny must not be the ones left out.
        let mut policies: Vec<Arc<Policy>> = members.iter().filter_map(|id| self.get(id)).collect();
        if policies.len() > MAX_POLICIES {
            policies.sort_by_key(|policy| policy.effect() == super::Effect::Allow);
            policies.truncate(MAX_POLICIES);
        }
        Scope::new(policies).ok()
    }

    /// Lists the ids of all groups.
    pub(crate) fn group_ids(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Gives a scope with the policies of the same ids as they are now, without those that are gone.
    ///
    /// Running processes keep their scope; call this where a change of policies has to reach them.
    pub(crate) fn refresh(&self, scope: &Scope) -> Scope {
        let policies = scope.policies().iter().filter_map(|policy| self.get(policy.id()));
        Scope::new(policies).unwrap_or_default()
    }
}
