//! Requirements of modules: values that an application puts into entries it did not write.
//!
//! An `ns.requirement` names targets; its value is a parameter of some `ns.dependency`, or else its default.

use std::collections::{BTreeMap, BTreeSet};

use moonlet_language::diagnostic::{Diagnostic, Level};
use serde_json::Value;

use crate::check::check_alone;
use crate::entry::Entry;
use crate::id::EntryId;
use crate::overrides::set;
use crate::path::FieldPath;
use crate::schema::Reference;
use crate::source::{Disabled, Module};
use crate::suggest::nearest;

/// The mark behind a path that appends to a list instead of replacing it.
const APPEND: &str = "+=";

/// Puts the values of all requirements into their targets. Targets that got none and cannot do without are left out.
pub(crate) fn link(entries: &mut Vec<Entry>, modules: &[Module], disabled: &Disabled, diagnostics: &mut Vec<Diagnostic>) {
    let mut requirements: Vec<Entry> = entries.iter().filter(|entry| entry.kind == "ns.requirement").cloned().collect();
    if requirements.is_empty() {
        return;
    }
    // What several append to one list stands there in the order of their ids, wherever their files lie.
    requirements.sort_by(|left, right| left.id.cmp(&right.id));
    let parameters = Parameters::read(entries, modules);
    let positions: BTreeMap<EntryId, usize> =
        entries.iter().enumerate().map(|(position, entry)| (entry.id.clone(), position)).collect();
    let mut unmet = BTreeSet::new();
    for requirement in &requirements {
        let value = match parameters.value_of(requirement, diagnostics) {
            Some(value) => value,
            None => {
                unmet.extend(targets(requirement));
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
            if let Err(problem) = inject(requirement, target, &value, entries, &positions, disabled) {
                let path = FieldPath::new().key("targets").index(index).key(problem.field);
                let message = format!("target {} of the requirement `{}` {}", index + 1, requirement.id, problem.reason);
                let diagnostic = requirement.locate(Diagnostic::error("unknown-target", message), &path, "");
                diagnostics.push(diagnostic.help(problem.help));
            }
        }
    }
    leave_out(entries, &unmet, diagnostics);
}

/// Lists the entries that a requirement is for.
fn targets(requirement: &Entry) -> impl Iterator<Item = EntryId> {
    let targets = requirement.data.get("targets").and_then(Value::as_array).into_iter().flatten();
    let namespace = requirement.id.to_namespace();
    targets.filter_map(move |target| EntryId::resolve(target.get("entry")?.as_str()?, &namespace).ok())
}

/// Leaves out which of some entries lack something for want of a value, and whatever names them.
fn leave_out(entries: &mut Vec<Entry>, unmet: &BTreeSet<EntryId>, diagnostics: &mut Vec<Diagnostic>) {
    let mut kinds: BTreeMap<EntryId, String> = entries.iter().map(|entry| (entry.id.clone(), entry.kind.clone())).collect();
    let mut suspects = unmet.clone();
    while !suspects.is_empty() {
        let mut gone = BTreeSet::new();
        // A policy that is left out denies nothing: it is reported as what it is.
        for entry in entries.iter().filter(|entry| suspects.contains(&entry.id) && !entry.kind.starts_with("security.")) {
            let mut problems = Vec::new();
            let references = check_alone(entry, &mut problems);
            let lacks = |reference: &Reference| !kinds.get(&reference.id).is_some_and(|kind| reference.target.fits(kind));
            if references.iter().any(lacks) || problems.iter().any(|problem| problem.level == Level::Error) {
                let message = format!("`{}` is left out: a requirement of its module has no value", entry.id);
                diagnostics.push(entry.locate(Diagnostic::warning("unmet-requirement", message), &FieldPath::new(), ""));
                gone.insert(entry.id.clone());
            }
        }
        entries.retain(|entry| !gone.contains(&entry.id));
        gone.iter().for_each(|id| drop(kinds.remove(id)));
        let names = |entry: &&Entry| check_alone(entry, &mut Vec::new()).iter().any(|reference| gone.contains(&reference.id));
        suspects =
            if gone.is_empty() { BTreeSet::new() } else { entries.iter().filter(names).map(|entry| entry.id.clone()).collect() };
    }
}

struct Problem {
    field: &'static str,
    reason: String,
    help: String,
}

/// What dependencies say about requirements.
struct Parameters<'a> {
    modules: &'a [Module],
    /// Those of the application come first: they win over those of modules.
    all: Vec<Parameter>,
}

struct Parameter {
    /// The module that the dependency mounts.
    component: String,
    /// The dependency, and whether the application itself wrote it.
    dependency: EntryId,
    root: bool,
    name: String,
    value: Value,
}

impl<'a> Parameters<'a> {
    fn read(entries: &[Entry], modules: &'a [Module]) -> Self {
        let mut all = Vec::new();
        for entry in entries.iter().filter(|entry| entry.kind == "ns.dependency") {
            let component = entry.data.get("component").and_then(Value::as_str).unwrap_or_default();
            let list = entry.data.get("parameters").and_then(Value::as_array).into_iter().flatten();
            for parameter in list {
                if let (Some(name), Some(value)) = (parameter.get("name").and_then(Value::as_str), parameter.get("value")) {
                    all.push(Parameter {
                        component: component.to_owned(),
                        dependency: entry.id.clone(),
                        root: entry.module().is_none(),
                        name: name.to_owned(),
                        value: value.clone(),
                    });
                }
            }
        }
        all.sort_by_key(|parameter| !parameter.root);
        Self { modules, all }
    }

    /// A parameter with the full id is meant for certain; a bare name is meant for the module that the dependency mounts.
    fn value_of(&self, requirement: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<Value> {
        let owner = requirement.module();
        let mounts = |component: &str| match owner {
            Some(owner) => owner == component,
            // A requirement among the entries of the application belongs to none of the installed modules.
            None => !self.modules.iter().any(|module| *module.name == *component),
        };
        let qualified = |parameter: &&Parameter| parameter.name == requirement.id.as_str();
        let bare = |parameter: &&Parameter| parameter.name == requirement.id.name() && mounts(&parameter.component);
        let mut meant: Vec<&Parameter> = self.all.iter().filter(qualified).collect();
        if meant.is_empty() {
            meant = self.all.iter().filter(bare).collect();
        }
        let Some((first, others)) = meant.split_first() else { return requirement.data.get("default").cloned() };
        if let Some(other) = others.iter().find(|other| other.root == first.root && other.value != first.value) {
            let message = format!(
                "`{}` and `{}` give different values to the requirement `{}`: that of `{}` holds",
                first.dependency, other.dependency, requirement.id, first.dependency
            );
            diagnostics.push(requirement.locate(
                Diagnostic::warning("conflicting-parameters", message),
                &FieldPath::new(),
                "has two values",
            ));
        }
        Some(first.value.clone())
    }
}

fn inject(
    requirement: &Entry,
    target: &Value,
    value: &Value,
    entries: &mut [Entry],
    positions: &BTreeMap<EntryId, usize>,
    disabled: &Disabled,
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
        // An application may leave a part of a module out.
        if disabled.covers(&id) {
            return Ok(());
        }
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
