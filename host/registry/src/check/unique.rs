//! Names that must be unique across all entries.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::Diagnostic;
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
    report("variable", &FieldPath::new().key("variable"), variables, diagnostics);
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
        let Some((first, others)) = owners.split_first() else { continue };
        for other in others {
            let message = format!("the {what} `{name}` of `{}` belongs to `{}` already", other.entry.id, first.entry.id);
            let diagnostic = other.entry.locate(Diagnostic::error("duplicate-name", message), path, "");
            let diagnostic = first.entry.also(diagnostic, path, "named here first");
            diagnostics.push(diagnostic.help(format!("give one of them another name; a {what} is unique among all entries")));
        }
    }
}
