//! What starts, in which order, and how it is started again.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::Diagnostic;

use super::Entries;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::kinds::Lifecycle;
use crate::order::start_order;
use crate::path::FieldPath;
use crate::units::format_duration;

/// Kinds that nothing starts: their code runs when it is called or spawned.
const NEVER_STARTED: &[&str] = &["function.lua", "process.lua", "library.lua", "process.wasm", "function.wasm", "function.wat"];

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let mut dependencies: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    for (id, checked) in entries {
        let entry = &checked.entry;
        if entry.data.get("lifecycle").is_none() {
            continue;
        }
        let lifecycle = Lifecycle::read(entry);
        check_started(entry, &lifecycle, diagnostics);
        check_restart(entry, &lifecycle, diagnostics);
        dependencies.insert(id.clone(), lifecycle.depends_on);
    }
    for cycle in start_order(&dependencies).cycles {
        report_cycle(&cycle, entries, diagnostics);
    }
}

fn check_started(entry: &Entry, lifecycle: &Lifecycle, diagnostics: &mut Vec<Diagnostic>) {
    if !lifecycle.auto_start || !NEVER_STARTED.contains(&entry.kind.as_str()) {
        return;
    }
    let path = FieldPath::new().key("lifecycle").key("auto_start");
    let message = format!("`{}` is of kind `{}`, which does not start by itself", entry.id, entry.kind);
    let diagnostic = entry.locate(Diagnostic::warning("never-started", message), &path, "has no effect");
    diagnostics.push(
        diagnostic.help(format!("add an entry of kind `process.service` with `process: {}` and this `lifecycle`", entry.id)),
    );
}

fn check_restart(entry: &Entry, lifecycle: &Lifecycle, diagnostics: &mut Vec<Diagnostic>) {
    let restart = &lifecycle.restart;
    if restart.initial_delay <= restart.max_delay {
        return;
    }
    let path = FieldPath::new().key("lifecycle").key("restart").key("initial_delay");
    let message = format!(
        "the first restart of `{}` waits {}, longer than `max_delay` of {}",
        entry.id,
        format_duration(restart.initial_delay),
        format_duration(restart.max_delay)
    );
    let diagnostic = entry.locate(Diagnostic::error("wrong-type", message), &path, "");
    diagnostics.push(diagnostic.help("write a smaller `initial_delay` or a larger `max_delay`"));
}

fn report_cycle(cycle: &[EntryId], entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let Some((first, checked)) = cycle.first().and_then(|first| entries.get_key_value(first)) else { return };
    let mut chain: Vec<String> = cycle.iter().map(|id| format!("`{id}`")).collect();
    chain.push(format!("`{first}`"));
    let message = format!("these wait for one another to start: {}", chain.join(" needs "));
    let lifecycle = FieldPath::new().key("lifecycle");
    let path = |entry: &Entry| match entry.field(&lifecycle.key("requires")) {
        Some(_) => lifecycle.key("requires"),
        None => lifecycle.key("depends_on"),
    };
    let mut diagnostic = checked.entry.locate(Diagnostic::error("dependency-cycle", message), &path(&checked.entry), "");
    for id in cycle.iter().skip(1) {
        if let Some(checked) = entries.get(id) {
            diagnostic = checked.entry.also(diagnostic, &path(&checked.entry), "");
        }
    }
    diagnostics.push(diagnostic.help("remove one of these dependencies"));
}
