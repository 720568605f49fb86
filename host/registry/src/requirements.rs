//! Requirements of modules: values that an application puts into entries it did not write.
//!
//! An `ns.requirement` names targets; its value is a parameter of some `ns.dependency`, or else its default.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::Diagnostic;
use serde_json::Value;

use crate::entry::Entry;
use crate::id::EntryId;
use crate::overrides::set;
use crate::path::FieldPath;
use crate::suggest::nearest;

/// The mark behind a path that appends to a list instead of replacing it.
const APPEND: &str = "+=";

/// Puts the values of all requirements into their targets.
pub(crate) fn link(entries: &mut [Entry], diagnostics: &mut Vec<Diagnostic>) {
    let requirements: Vec<Entry> = entries.iter().filter(|entry| entry.kind == "ns.requirement").cloned().collect();
    if requirements.is_empty() {
        return;
    }
    let parameters = parameters(entries);
    let positions: BTreeMap<EntryId, usize> =
        entries.iter().enumerate().map(|(position, entry)| (entry.id.clone(), position)).collect();
    for requirement in &requirements {
        let value = match value_of(requirement, &parameters) {
            Some(value) => value,
            None => {
                let message = format!("nothing gives a value to the requirement `{}`", requirement.id);
                let diagnostic = requirement.locate(Diagnostic::warning("unmet-requirement", message), &FieldPath::new(), "");
                diagnostics.push(diagnostic.help(format!(
                    "write `default: ...` here, or a parameter `{}` in the `ns.dependency`",
                    requirement.id.name()
                )));
                continue;
            }
        };
        // An empty default means that the application need not care.
        if value.as_str() == Some("") {
            continue;
        }
        let targets = requirement.data.get("targets").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (index, target) in targets.iter().enumerate() {
            if let Err(problem) = inject(requirement, target, value, entries, &positions) {
                let path = FieldPath::new().key("targets").index(index).key(problem.field);
                let message = format!("target {} of the requirement `{}` {}", index + 1, requirement.id, problem.reason);
                let diagnostic = requirement.locate(Diagnostic::error("unknown-target", message), &path, "");
                diagnostics.push(diagnostic.help(problem.help));
            }
        }
    }
}

struct Problem {
    field: &'static str,
    reason: String,
    help: String,
}

/// Collects the parameters of all dependencies by name.
fn parameters(entries: &[Entry]) -> BTreeMap<String, Value> {
    let mut parameters = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == "ns.dependency") {
        let list = entry.data.get("parameters").and_then(Value::as_array).into_iter().flatten();
        for parameter in list {
            if let (Some(name), Some(value)) = (parameter.get("name").and_then(Value::as_str), parameter.get("value")) {
                parameters.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
        }
    }
    parameters
}

/// A parameter with the full id is meant for certain, one with the bare name probably.
fn value_of<'a>(requirement: &'a Entry, parameters: &'a BTreeMap<String, Value>) -> Option<&'a Value> {
    parameters
        .get(requirement.id.as_str())
        .or_else(|| parameters.get(requirement.id.name()))
        .or_else(|| requirement.data.get("default"))
}

fn inject(
    requirement: &Entry,
    target: &Value,
    value: &Value,
    entries: &mut [Entry],
    positions: &BTreeMap<EntryId, usize>,
) -> Result<(), Problem> {
    let text = |field: &'static str| {
        target.get(field).and_then(Value::as_str).ok_or_else(|| Problem {
            field,
            reason: format!("has no `{field}`"),
            help: "write `- entry: name` and `path: .field`".to_owned(),
        })
    };
    let id = EntryId::resolve(text("entry")?, &requirement.id.to_namespace()).map_err(|error| Problem {
        field: "entry",
        reason: error.to_string(),
        help: "write `entry: namespace:name`".to_owned(),
    })?;
    let path = text("path")?.trim();
    let (path, append) = match path.strip_suffix(APPEND) {
        Some(path) => (path.trim(), true),
        None => (path, false),
    };
    let path = FieldPath::dotted(path);
    let found = positions.get(&id).and_then(|position| entries.get_mut(*position));
    let Some(entry) = found else {
        let help = match nearest(id.as_str(), positions.keys().map(EntryId::as_str)) {
            Some(near) => format!("write `{near}`"),
            None => "name an entry that exists, or remove the target".to_owned(),
        };
        return Err(Problem { field: "entry", reason: format!("is `{id}`, which does not exist"), help });
    };
    let value = match (append, entry.field(&path)) {
        (false, _) => value.clone(),
        (true, Some(Value::Array(values))) => Value::Array(values.iter().chain([value]).cloned().collect()),
        (true, _) => Value::Array(vec![value.clone()]),
    };
    set(entry, &path, &value).map_err(|reason| Problem {
        field: "path",
        reason: format!("cannot be set: {reason}"),
        help: "correct the path".to_owned(),
    })
}
