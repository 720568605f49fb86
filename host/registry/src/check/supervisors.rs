//! Supervision trees must be trees, and their children must say what runs where.

use std::collections::{BTreeMap, BTreeSet};

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use super::Entries;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::kinds::{ChildTarget, Supervisor};
use crate::order::find_cycles;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let mut nested: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    let mut parents: BTreeMap<EntryId, EntryId> = BTreeMap::new();
    for (id, checked) in entries.iter().filter(|(_, checked)| checked.entry.kind == "process.supervisor") {
        check_children(&checked.entry, diagnostics);
        let Ok(supervisor) = Supervisor::new(&checked.entry) else { continue };
        let mut below = Vec::new();
        for (index, child) in supervisor.children.iter().enumerate() {
            let ChildTarget::Supervisor(other) = &child.target else { continue };
            below.push(other.clone());
            if let Some(first) = parents.insert(other.clone(), id.clone()) {
                let path = FieldPath::new().key("children").index(index).key("supervisor");
                let message = format!("the supervisor `{other}` is a child of both `{first}` and `{id}`");
                let diagnostic = checked.entry.locate(Diagnostic::error("two-parents", message), &path, "");
                diagnostics.push(diagnostic.help("remove it from one of them"));
            }
        }
        nested.insert(id.clone(), below);
    }
    for cycle in find_cycles(nested.keys().cloned(), |id| nested.get(id).cloned().unwrap_or_default()) {
        let Some((first, checked)) = cycle.first().and_then(|first| entries.get_key_value(first)) else { continue };
        let mut chain: Vec<String> = cycle.iter().map(|id| format!("`{id}`")).collect();
        chain.push(format!("`{first}`"));
        let message = format!("supervisors form a circle: {}", chain.join(" supervises "));
        let diagnostic =
            checked.entry.locate_key(Diagnostic::error("supervisor-cycle", message), &FieldPath::new().key("children"), "");
        diagnostics.push(diagnostic.help("remove one of these children"));
    }
}

fn check_children(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) {
    let children = entry.data.get("children").and_then(Value::as_array).into_iter().flatten();
    let mut names = BTreeSet::new();
    for (index, child) in children.enumerate() {
        let path = FieldPath::new().key("children").index(index);
        let has = |name: &str| child.get(name).is_some_and(|value| !value.is_null());
        let problem = match (has("process"), has("supervisor")) {
            (false, false) => Some(("needs `process` or `supervisor`", "write `process: name`, what to run")),
            (true, true) => Some(("has both `process` and `supervisor`", "remove one of them")),
            (true, false) if !has("host") && entry.data.get("host").is_none_or(Value::is_null) => {
                Some(("has no `host`", "write `host: name` here or beside `children`, for all of them"))
            }
            _ => None,
        };
        if let Some((problem, help)) = problem {
            let message = format!("child {} of `{}` {problem}", index + 1, entry.id);
            let diagnostic = entry.locate_key(Diagnostic::error("missing-field", message), &path, "");
            diagnostics.push(diagnostic.help(help));
        }
        let target = child.get("process").or(child.get("supervisor")).and_then(Value::as_str);
        let own = target.map(|target| target.rsplit(':').next().unwrap_or(target));
        if let Some(name) = child.get("name").and_then(Value::as_str).or(own)
            && !names.insert(name)
        {
            let message = format!("two children of `{}` are named `{name}`", entry.id);
            let diagnostic = entry.locate_key(Diagnostic::error("duplicate-name", message), &path, "");
            diagnostics.push(diagnostic.help("write another `name: ...` for this child"));
        }
    }
}
