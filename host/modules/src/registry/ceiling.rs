//! What code on a process host with a ceiling may read and write in the registry.
//!
//! Without this, `allow` would bind only the code that is there, and not what that code adds. A process on a host with `allow` reads and
//! writes entries of the allowed namespaces only, and writes only kinds whose entries run on its own host, under the same ceiling. It
//! cannot write hosts, policies, or anything that reaches beyond the node, such as databases, directories and servers.

use std::collections::BTreeSet;

use moonlet_registry::{Allow, Change, Entry, EntryId, LuaEntry, LuaForm, Operation, Service, Snapshot, is_always_there};
use moonlet_runtime::{Error, ModuleCall};

/// Kinds that whoever is bounded may write.
const CONFINED: &[&str] = &["registry.entry", "function.lua", "process.lua", "library.lua", "process.service"];

/// The ceiling of a caller.
pub(super) struct Ceiling {
    host: String,
    /// Whether what runs on the host is under no other ceiling than the caller.
    same: bool,
    allow: Allow,
}

impl Ceiling {
    /// Gives the ceiling of the caller; none when nothing bounds it.
    pub(super) fn of(call: &ModuleCall<'_>) -> Option<Self> {
        let allow = call.allow();
        allow.bounds().then(|| Self { host: call.host().to_owned(), same: call.confining_host().is_some(), allow: allow.clone() })
    }

    /// Names the process host.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Refuses to read entries of other namespaces.
    pub(super) fn check_read(&self, id: &EntryId) -> Result<(), Error> {
        match self.outside(id) {
            None => Ok(()),
            Some(problem) => Err(Error::new("PermissionDenied", problem).with_retryable(false)),
        }
    }

    /// Makes sure that new code runs on the host of who wrote it, unless its writer names another, which is refused later.
    pub(super) fn place(&self, operation: &mut Operation) {
        let (Operation::Create(entry) | Operation::Update(entry)) = operation else { return };
        if self.same
            && matches!(entry.kind.as_str(), "function.lua" | "process.lua")
            && let Some(meta) = entry.meta.as_object_mut()
            && meta.get("default_host").is_none_or(serde_json::Value::is_null)
        {
            meta.insert("default_host".to_owned(), self.host.as_str().into());
        }
    }

    /// Lists what some changes do that is above the ceiling.
    pub(super) fn exceeded(&self, candidate: &Snapshot, changes: &[Change]) -> Vec<String> {
        let mut problems = Vec::new();
        for change in changes {
            problems.extend(self.outside(&change.id));
            let kinds = change.before.iter().chain(&change.after).map(|entry| entry.kind.as_str());
            let kinds: BTreeSet<&str> = kinds.filter(|kind| !CONFINED.contains(kind)).collect();
            for kind in kinds {
                problems.push(format!(
                    "`{}` is of kind `{kind}`, which code on the host `{}` cannot write: that host bounds what runs there",
                    change.id, self.host
                ));
            }
            if let Some(entry) = &change.after
                && !self.same
                && entry.kind != "registry.entry"
            {
                problems.push(format!(
                    "`{}` would run on `{}` with more than its writer may: whoever is started by a confined process writes data only",
                    change.id, self.host
                ));
            } else if let Some(entry) = &change.after {
                self.check_code(candidate, entry, &mut problems);
                self.check_service(entry, &mut problems);
            }
        }
        problems
    }

    fn outside(&self, id: &EntryId) -> Option<String> {
        let namespace = id.namespace();
        (!self.allow.namespace(namespace)).then(|| {
            format!(
                "the process host `{}` does not allow the namespace `{namespace}` of `{id}`: add it to \
                 `allow: {{namespaces: [{namespace}]}}` of that host",
                self.host
            )
        })
    }

    fn check_code(&self, candidate: &Snapshot, entry: &Entry, problems: &mut Vec<String>) {
        let Ok(view) = LuaEntry::new(entry) else { return };
        if view.form != LuaForm::Library && view.default_host.as_ref().is_some_and(|host| host.as_str() != self.host) {
            problems.push(format!("`meta.default_host` of `{}` must be `{}`, the host of who writes it", entry.id, self.host));
        }
        let command = entry.meta.get("command").and_then(|command| command.get("security"));
        if entry.data.get("security").or(command).is_some() {
            problems.push(format!("`{}` cannot choose on whose behalf it runs: remove `security`", entry.id));
        }
        let mut seen = BTreeSet::new();
        let mut waiting = vec![(entry.id.clone(), view)];
        while let Some((id, view)) = waiting.pop() {
            for module in view.modules.iter().filter(|name| !is_always_there(name) && !self.allow.module(name)) {
                let through = if id == entry.id { String::new() } else { format!(", through `{id}`") };
                problems.push(format!(
                    "`{}` uses the module `{module}`{through}, which the process host `{}` does not allow: add it to \
                     `allow: {{modules: [{module}]}}` of that host",
                    entry.id, self.host
                ));
            }
            for (_, import) in view.imports {
                problems.extend(self.outside(&import));
                if seen.insert(import.clone())
                    && let Some(imported) = candidate.get(&import)
                    && let Ok(view) = LuaEntry::new(imported)
                {
                    waiting.push((import, view));
                }
            }
        }
    }

    fn check_service(&self, entry: &Entry, problems: &mut Vec<String>) {
        let Ok(service) = Service::new(entry) else { return };
        problems.extend(self.outside(&service.process));
        if service.host.as_str() != self.host {
            problems.push(format!("`host` of `{}` must be `{}`, the host of who writes it", entry.id, self.host));
        }
        if entry.data.get("lifecycle").is_some_and(|lifecycle| lifecycle.get("security").is_some()) {
            problems.push(format!("`{}` cannot choose on whose behalf it runs: remove `lifecycle.security`", entry.id));
        }
    }
}
