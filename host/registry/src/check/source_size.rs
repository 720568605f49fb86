//! Code must not be larger, with all that it imports, than its limit allows: the parser is the first thing that it meets.

use std::collections::BTreeSet;

use moonlet_language::diagnostic::Diagnostic;

use super::{Checked, Entries, hosts};
use crate::id::EntryId;
use crate::kinds::{LuaEntry, LuaForm, ProcessHost};
use crate::limits::Limits;
use crate::path::FieldPath;
use crate::units::Size;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        let Ok(view) = LuaEntry::new(&checked.entry) else { continue };
        if view.form != LuaForm::Library {
            compare(entries, checked, &view, None, diagnostics);
        }
    }
    for placing in entries.values() {
        for (process, host) in hosts::placements(&placing.entry) {
            let (Some(process), Some(host)) = (entries.get(&process), entries.get(&host)) else { continue };
            if let Ok(view) = LuaEntry::new(&process.entry) {
                compare(entries, process, &view, Some(host), diagnostics);
            }
        }
    }
}

fn compare(entries: &Entries, checked: &Checked, view: &LuaEntry, host: Option<&Checked>, diagnostics: &mut Vec<Diagnostic>) {
    let host_view = host.and_then(|host| ProcessHost::new(&host.entry).ok());
    let host_limit = host_view.as_ref().and_then(|host| host.limits.source_size);
    let of_host = Limits { source_size: host_limit, ..Limits::default() };
    let Some(allowed) = Limits::merged(&of_host, &view.limits).source_size else { return };
    // What stands in the entry alone is reported once, not again for each host; what a host lowers, with the host.
    if host.is_some() && host_limit.is_none_or(|limit| limit > allowed || view.limits.source_size == Some(allowed)) {
        return;
    }
    let size = size(entries, view);
    if size <= allowed.as_bytes() {
        return;
    }
    let path = FieldPath::new().key("source");
    let message = format!(
        "`{}` has {} of source with all that it imports, and its limit `source_size` is {allowed}",
        view.id,
        Size::bytes(size)
    );
    let diagnostic = checked.entry.locate(Diagnostic::error("source-too-large", message), &path, "");
    let limit = FieldPath::new().key("limits").key("source_size");
    let diagnostic = match host {
        Some(host) => host.entry.also(diagnostic, &limit, "the limit of its host"),
        None if view.limits.source_size.is_some() => checked.entry.also(diagnostic, &limit, "the limit"),
        None => diagnostic,
    };
    let whose = host.map_or(&view.id, |host| &host.entry.id);
    diagnostics
        .push(diagnostic.help(format!("split the code into several processes, or raise `limits.source_size` of `{whose}`")));
}

/// Adds up the bytes of an entry and of all that it imports, directly and through others.
fn size(entries: &Entries, view: &LuaEntry) -> u64 {
    let mut total = view.source.len() as u64;
    let mut seen: BTreeSet<EntryId> = BTreeSet::new();
    let mut next: Vec<EntryId> = view.imports.iter().map(|(_, id)| id.clone()).collect();
    while let Some(id) = next.pop() {
        let Some(view) = entries.get(&id).and_then(|checked| LuaEntry::new(&checked.entry).ok()) else { continue };
        if seen.insert(id) {
            total += view.source.len() as u64;
            next.extend(view.imports.into_iter().map(|(_, id)| id));
        }
    }
    total
}
