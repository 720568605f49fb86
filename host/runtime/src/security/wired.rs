//! Where the node asks: each guarded act of a process; and where policies and identities come from: entries.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use moonlet_language::diagnostic::Diagnostic;
use moonlet_registry::{Entry, EntryId, FieldPath, ServiceSecurity, Snapshot, nearest};
use moonlet_sandbox::wit::Error;
use serde_json::{Map, Value};

use super::{Actor, Authority, Policies, Policy, Problem, Scope};
use crate::errors;
use crate::process::Process;
use crate::shared::Shared;

impl Shared {
    /// Gives the authority of processes that act on nobody's behalf.
    pub(crate) fn nobody(&self) -> Arc<Authority> {
        Arc::new(Authority { strict: self.strict, ..Authority::default() })
    }

    /// Gives the authority that an entry says its processes act with; none when it says nothing.
    pub(crate) fn authority_of(&self, entry: &Entry) -> Option<Arc<Authority>> {
        Some(self.authority_as(entry, ServiceSecurity::of(entry)?))
    }

    /// Gives the authority that a process has which the command line runs; none when its entry says nothing.
    pub(crate) fn authority_of_command(&self, id: &str) -> Option<Arc<Authority>> {
        let snapshot = self.registry.snapshot();
        let entry = snapshot.find_id(id)?;
        let security = ServiceSecurity::of(entry).or_else(|| ServiceSecurity::of_command(entry))?;
        Some(self.authority_as(entry, security))
    }

    fn authority_as(&self, entry: &Entry, security: ServiceSecurity) -> Arc<Authority> {
        let actor = security.actor.and_then(|id| Actor::new(id, security.actor_meta)).map(Arc::new);
        let named = !security.groups.is_empty() || !security.policies.is_empty();
        let scope = named.then(|| {
            let policies = self.policies.read();
            let groups = security.groups.iter().flat_map(|group| {
                let group = in_namespace(entry, group);
                let scope = policies.group(&group);
                if scope.is_none() {
                    tracing::warn!(target: "moonlet", entry = %entry.id, "no policy belongs to the group `{group}`, which allows nothing");
                }
                scope.unwrap_or_default().policies().to_vec()
            });
            let single = security.policies.iter().filter_map(|id| policies.get(id.as_str()));
            // Too many policies must not mean that none of them denies anything: then nothing is allowed.
            Scope::new(groups.chain(single)).unwrap_or_default()
        });
        Arc::new(Authority { actor, scope, strict: self.strict, network: None })
    }

    /// Like [`Shared::authority_of`] for the entry with an id.
    pub(crate) fn authority_of_id(&self, id: &str) -> Option<Arc<Authority>> {
        self.authority_of(self.registry.snapshot().find_id(id)?)
    }

    /// Takes all policies of the registry over.
    pub(crate) fn load_policies(&self) {
        let snapshot = self.registry.snapshot();
        let mut policies = self.policies.write();
        *policies = Policies::default();
        for entry in snapshot.entries().filter(|entry| is_policy(entry)) {
            if let Ok(policy) = read(entry) {
                policies.insert(policy);
            }
        }
    }

    /// Follows a change of an entry, if it is a policy.
    pub(crate) fn policy_changed(&self, id: &EntryId, after: Option<&Arc<Entry>>) {
        match after.filter(|entry| is_policy(entry)).map(|entry| read(entry)) {
            Some(Ok(policy)) => self.policies.write().insert(policy),
            Some(Err(problems)) => {
                // The policy as it was stays: one that denies something must not go away by a mistake.
                for Problem { path, message } in problems {
                    tracing::error!(target: "moonlet", policy = %id, "the policy stays as it was: `{path}` {message}");
                }
            }
            None => {
                self.policies.write().remove(id.as_str());
            }
        }
    }

    /// Like [`Shared::authorize`], with facts that are only put together when somebody can ask for them.
    pub(crate) fn guard(
        &self,
        process: &Arc<Process>,
        action: &str,
        resource: &str,
        meta: impl FnOnce() -> Value,
    ) -> Result<(), Error> {
        if process.authority.is_open() {
            return Ok(());
        }
        self.authorize(process, action, resource, Some(&meta()))
    }

    /// Refuses an act of a process that its policies do not allow, and writes a line for the audit.
    pub(crate) fn authorize(
        &self,
        process: &Arc<Process>,
        action: &str,
        resource: &str,
        meta: Option<&Value>,
    ) -> Result<(), Error> {
        if process.authority.is_open() {
            return Ok(());
        }
        process.authority.authorize(action, resource, meta).map_err(|denial| {
            process.denied();
            self.counters.denied.fetch_add(1, Ordering::Relaxed);
            if self.may_audit(process) {
                let (pid, entry) = (&*process.pid, &*process.terms.program.entry);
                let (action, resource) = (errors::shown(action), errors::shown(resource));
                let actor = denial.actor.as_deref().map(errors::shown).unwrap_or_default();
                let cause = denial.cause.name();
                let trace_id = process.trace.current().map(|of| of.trace_id());
                tracing::warn!(target: "moonlet::audit", pid, entry, actor, action, resource, cause, trace_id, "denied");
            }
            errors::denied(denial.to_string())
        })
    }
}

fn is_policy(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "security.policy" | "security.policy.expr")
}

fn read(entry: &Entry) -> Result<Policy, Vec<Problem>> {
    let empty = Map::new();
    Policy::read(entry.id.as_str(), &entry.kind, entry.data.as_object().unwrap_or(&empty))
}

fn in_namespace(entry: &Entry, id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("{}:{id}", entry.id.namespace()) }
}

/// Says what is wrong with policies, and with what entries say about identities, beyond what their fields show: expressions, patterns,
/// and groups that no policy belongs to.
#[must_use]
pub fn check_policies(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut policies = Policies::default();
    for entry in snapshot.entries().filter(|entry| is_policy(entry)) {
        match read(entry) {
            Ok(policy) => policies.insert(policy),
            Err(problems) => diagnostics.extend(problems.iter().map(|problem| located(entry, problem))),
        }
    }
    for entry in snapshot.entries() {
        let Some(security) = ServiceSecurity::of(entry) else { continue };
        let at = if entry.data.get("lifecycle").is_some() { "lifecycle.security.groups" } else { "security.groups" };
        for (number, group) in security.groups.iter().enumerate() {
            let group = in_namespace(entry, group);
            if policies.group(&group).is_some() {
                continue;
            }
            let message = format!("no policy belongs to the group `{group}`, so that it allows nothing");
            let path = FieldPath::dotted(&format!("{at}.{number}"));
            let diagnostic = entry.locate(Diagnostic::warning("unknown-group", message), &path, "no such group");
            diagnostics.push(match nearest(&group, policies.group_ids()) {
                Some(near) => diagnostic.help(format!("write `{near}`")),
                None => diagnostic.help(format!("write `groups: [{group}]` in a policy")),
            });
        }
    }
    diagnostics
}

fn located(entry: &Entry, problem: &Problem) -> Diagnostic {
    let path = problem.path.replace('[', ".").replace(']', "");
    // Some say what the field is or lacks, others begin with what stands in it.
    let between = if problem.message.starts_with('`') { ": " } else { " " };
    let message = format!("`{}` of `{}`{between}{}", problem.path, entry.id, problem.message);
    entry.locate(Diagnostic::error("wrong-policy", message), &FieldPath::dotted(&path), "")
}
