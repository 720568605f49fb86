//! Names that must be unique across all entries.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::{Diagnostic, Level};
use serde_json::Value;

use super::{Checked, Entries};
use crate::kinds::Command;
use crate::path::FieldPath;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let commands = entries.values().filter_map(|checked| Some((Command::read(&checked.entry)?.name, checked)));
    let path = FieldPath::new().key("meta").key("command").key("name");
    report("command", &path, commands, diagnostics);
    let variables = entries.values().filter(|checked| checked.entry.kind == "env.variable");
    let variables =
        variables.filter_map(|checked| Some((checked.entry.data.get("variable").and_then(Value::as_str)?.to_owned(), checked)));
    let variables: Vec<_> = variables.collect();
    let path = FieldPath::new().key("variable");
    for (name, checked) in &variables {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let message = format!("`{name}` cannot be the name of the variable `{}`", checked.entry.id);
            let diagnostic = checked.entry.locate(Diagnostic::error("wrong-name", message), &path, "");
            diagnostics.push(
                diagnostic.help("write letters, digits and `_` only, or leave it out: then only the id names the variable"),
            );
        }
    }
    report("variable", &path, variables.into_iter(), diagnostics);
}

fn report<'a>(
    what: &str,
    path: &FieldPath,
    named: impl Iterator<Item = (String, &'a Checked)>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut owners: BTreeMap<String, Vec<&Checked>> = BTreeMap::new();
    for (name, checked) in named {
        owners.entry(name).or_default().push(checked);
    }
    for (name, owners) in owners {
        let mut owners = owners;
        // What the application itself says holds.
        owners.sort_by_key(|owner| owner.entry.module().is_some());
        let Some((first, others)) = owners.split_first() else { continue };
        for other in others {
            let message = format!("the {what} `{name}` of `{}` belongs to `{}` already", other.entry.id, first.entry.id);
            // Whoever uses a module cannot rename what is in it.
            let level = if other.entry.module().is_some() { Level::Warning } else { Level::Error };
            let diagnostic = other.entry.locate(Diagnostic::new("duplicate-name", level, message), path, "");
            let diagnostic = first.entry.also(diagnostic, path, "named here first");
            diagnostics.push(diagnostic.help(format!("give one of them another name; a {what} is unique among all entries")));
        }
    }
}
