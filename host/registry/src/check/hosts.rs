//! Limits, quotas and ceilings of process hosts, and of what runs on them.

use moonlet_language::diagnostic::Diagnostic;

use super::{Checked, Entries};
use crate::entry::Entry;
use crate::id::EntryId;
use crate::kinds::{ChildTarget, LuaEntry, ProcessHost, Service, Supervisor};
use crate::limits::{Limits, MIN_MEMORY};
use crate::path::FieldPath;
use crate::units::Size;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let entry = &checked.entry;
        let limits = entry.data.get("limits");
        if limits.is_some() && crate::kinds::kind(&entry.kind).is_some_and(|kind| kind.data.is_some()) {
            check_memory(entry, &Limits::read(limits), diagnostics);
        }
        if let Ok(host) = ProcessHost::new(entry) {
            check_quota(entry, &host, diagnostics);
        }
        for (process, host) in placements(entry) {
            if let (Some(process), Some(host)) = (entries.get(&process), entries.get(&host)) {
                check_ceiling(process, host, diagnostics);
            }
        }
    }
}

/// Lists which process an entry puts on which host.
pub(super) fn placements(entry: &Entry) -> Vec<(EntryId, EntryId)> {
    if let Ok(service) = Service::new(entry) {
        return vec![(service.process, service.host)];
    }
    if let Ok(supervisor) = Supervisor::new(entry) {
        let place = |target| match target {
            ChildTarget::Process { process, host, .. } => Some((process, host)),
            ChildTarget::Supervisor(_) => None,
        };
        return supervisor.children.into_iter().filter_map(|child| place(child.target)).collect();
    }
    match LuaEntry::new(entry) {
        Ok(LuaEntry { id, default_host: Some(host), .. }) => vec![(id, host)],
        _ => Vec::new(),
    }
}

fn check_memory(entry: &Entry, limits: &Limits, diagnostics: &mut Vec<Diagnostic>) {
    let Some(memory) = limits.memory.filter(|memory| memory.as_bytes() > 0 && *memory < MIN_MEMORY) else { return };
    let path = FieldPath::new().key("limits").key("memory");
    let message = format!("`limits.memory` of `{}` is {memory}, and no process starts with less than {MIN_MEMORY}", entry.id);
    let diagnostic = entry.locate(Diagnostic::error("limit-too-small", message), &path, "");
    diagnostics.push(diagnostic.help(format!("write at least `{MIN_MEMORY}`")));
}

fn check_quota(entry: &Entry, host: &ProcessHost, diagnostics: &mut Vec<Diagnostic>) {
    let each = Limits::merged(&host.limits, &Limits::default());
    let mut compare = |quota: Option<Size>, limit: Option<Size>, own: Option<Size>, name: &str, limit_name: &str| {
        let (Some(quota), Some(limit)) = (quota, limit) else { return };
        if quota >= limit {
            return;
        }
        let path = FieldPath::new().key("quota").key(name);
        let from = if own.is_some() { "" } else { ", the default" };
        let message = format!(
            "`quota.{name}` of `{}` is {quota}, which is less than one process may use: `limits.{limit_name}` is {limit}{from}",
            entry.id
        );
        let diagnostic = entry.locate(Diagnostic::error("quota-too-small", message), &path, "");
        let diagnostic = match own {
            Some(_) => entry.also(diagnostic, &FieldPath::new().key("limits").key(limit_name), "the limit of one process"),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.help(format!("raise the quota to `{limit}` or more, or lower `limits.{limit_name}`")));
    };
    compare(host.quota.memory, each.memory, host.limits.memory, "memory", "memory");
    compare(host.quota.mailbox_bytes, each.mailbox_bytes, host.limits.mailbox_bytes, "mailbox_bytes", "mailbox_bytes");
}

fn check_ceiling(process: &Checked, host: &Checked, diagnostics: &mut Vec<Diagnostic>) {
    let Ok(view) = ProcessHost::new(&host.entry) else { return };
    let own = Limits::read(process.entry.data.get("limits"));
    let ceiling = Limits::merged(&view.limits, &Limits::default());
    for (name, own, most) in own.above(&ceiling) {
        let path = FieldPath::new().key("limits").key(name);
        let set_by_host = view.limits.get(name).is_some();
        let whose = if set_by_host { "allows" } else { "leaves the default of" };
        let message =
            format!("`limits.{name}` of `{}` is {own}, and its host `{}` {whose} {most}", process.entry.id, host.entry.id);
        let diagnostic = process.entry.locate(Diagnostic::error("limit-above-host", message), &path, "");
        let diagnostic = if set_by_host {
            host.entry.also(diagnostic, &path, "the ceiling")
        } else {
            host.entry.also(diagnostic, &FieldPath::new(), "the host")
        };
        let help = format!("write at most `{most}`, or raise `limits.{name}` of `{}` to `{own}`", host.entry.id);
        diagnostics.push(diagnostic.help(help));
    }
}
