//! `moonlet registry`: what is loaded.

use std::path::Path;
use std::sync::Arc;

use moonlet_registry::{Entry, EntryId, FieldPath, Filter, Support, all_kinds};
use serde_json::{Map, Value, json};

use crate::arguments::{ListArguments, RegistryArguments, RegistryCommand, ShowArguments};
use crate::failure::Failure;
use crate::project::load_project;
use crate::{exit, output, yaml};

mod versions;

pub(crate) fn run(arguments: &RegistryArguments) -> Result<u8, Failure> {
    match &arguments.command {
        RegistryCommand::List(arguments) => list(arguments)?,
        RegistryCommand::Show(arguments) => show(arguments)?,
        RegistryCommand::History(arguments) => versions::history(arguments)?,
        RegistryCommand::Diff(arguments) => versions::diff(arguments)?,
        RegistryCommand::Kinds => kinds(),
    }
    Ok(exit::SUCCESS)
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let filter = filter(arguments)?;
    let directory = beside(arguments.form.lock_file.as_deref()).unwrap_or(&arguments.directory);
    let loaded = load_project(directory, &arguments.project)?;
    let snapshot = loaded.registry.snapshot();
    let mut entries: Vec<&Arc<Entry>> = snapshot.find(&filter).collect();
    // A namespace before those below it.
    entries.sort_by_key(|entry| (entry.id.namespace(), entry.id.name()));
    if arguments.form.json || arguments.form.yaml {
        let entries: Vec<Value> = entries.iter().map(|entry| to_json(entry)).collect();
        print_value(&Value::Array(entries), arguments.form.json);
        return Ok(());
    }
    let rows = entries.iter().map(|entry| {
        let comment = ["title", "comment", "description"].iter().find_map(|name| entry.meta.get(name)?.as_str());
        [entry.id.to_string(), entry.kind.clone(), comment.unwrap_or_default().lines().next().unwrap_or_default().to_owned()]
    });
    table(rows);
    Ok(())
}

/// Reads `--kind`, `--ns`, `--name` and `--meta` into one query.
fn filter(arguments: &ListArguments) -> Result<Filter, Failure> {
    let mut conditions: Vec<(String, Value)> = Vec::new();
    let patterns = [(".kind", &arguments.kind), (".ns", &arguments.ns), (".name", &arguments.name)];
    for (key, pattern) in patterns {
        if let Some(pattern) = pattern {
            conditions.push((key.to_owned(), Value::String(pattern.clone())));
        }
    }
    for text in &arguments.meta {
        let Some(position) = text.find(['=', '~', '*', '^', '$']).filter(|position| *position > 0) else {
            let failure = Failure::message(format!("`--meta {text}` has no operator"));
            return Err(failure.usage().help("write `--meta field=value`, or `~`, `*`, `^`, `$` instead of `=`"));
        };
        let (field, rest) = text.split_at_checked(position).unwrap_or((text, ""));
        let (operator, value) = rest.split_at_checked(1).unwrap_or((rest, ""));
        let (operator, value) = match operator {
            "=" => ("", coerce(value)),
            operator => (operator, Value::String(value.to_owned())),
        };
        conditions.push((format!("{operator}meta.{field}"), value));
    }
    let pairs = conditions.iter().map(|(key, value)| (key.as_str(), value));
    Filter::new(pairs).map_err(|error| Failure::message(error.to_string()).usage())
}

fn coerce(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let (directory, id) = match arguments.place.as_slice() {
        [directory, id] => (Path::new(directory), id.as_str()),
        [id] => (beside(arguments.form.lock_file.as_deref()).unwrap_or(Path::new(".")), id.as_str()),
        _ => (Path::new("."), ""),
    };
    let loaded = load_project(directory, &arguments.project)?;
    let snapshot = loaded.registry.snapshot();
    let id = EntryId::parse(id).map_err(|error| Failure::message(error.to_string()))?;
    let Some(entry) = snapshot.get(&id) else { return Err(super::run::target::no_entry(&snapshot, id.as_str())) };
    if let Some(field) = &arguments.field {
        let path = FieldPath::dotted(field);
        let Some(value) = field_value(entry, field, &path) else {
            return Err(Failure::message(format!("`{id}` has no field `{field}`")).help("leave `--field` out to see all fields"));
        };
        match &value {
            Value::String(text) if arguments.raw => output::print(text),
            value => print_value(value, arguments.form.json),
        }
        return Ok(());
    }
    if arguments.form.json {
        print_value(&to_json(entry), true);
    } else {
        print_value(&described(entry, &loaded.sources), false);
    }
    Ok(())
}

/// The directory of a lock file, which is that of the application.
pub(super) fn beside(lock_file: Option<&Path>) -> Option<&Path> {
    let parent = lock_file?.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

fn print_value(value: &Value, as_json: bool) {
    if as_json {
        output::line(&serde_json::to_string_pretty(value).unwrap_or_default());
        return;
    }
    let mut text = String::new();
    yaml::write(value, &mut text);
    output::print(&text);
}

fn field_value(entry: &Entry, name: &str, path: &FieldPath) -> Option<Value> {
    match name {
        "id" => Some(Value::String(entry.id.to_string())),
        "kind" => Some(Value::String(entry.kind.clone())),
        _ => entry.field(path).cloned(),
    }
}

/// Everything about an entry, with where it stands.
fn described(entry: &Entry, sources: &moonlet_language::diagnostic::Sources) -> Value {
    let mut map = Map::new();
    map.insert("id".to_owned(), json!(entry.id.as_str()));
    map.insert("kind".to_owned(), json!(entry.kind));
    if let Some(origin) = &entry.origin {
        let position = sources.position(&origin.file, origin.spans.name.value().start);
        let line = position.map_or(String::new(), |position| format!(":{}", position.line));
        map.insert("file".to_owned(), json!(format!("{}{line}", origin.file)));
    }
    if entry.meta.as_object().is_some_and(|meta| !meta.is_empty()) {
        map.insert("meta".to_owned(), entry.meta.clone());
    }
    map.insert("data".to_owned(), entry.data.clone());
    Value::Object(map)
}

fn to_json(entry: &Entry) -> Value {
    json!({"id": entry.id.as_str(), "kind": entry.kind, "meta": entry.meta, "data": entry.data})
}

fn kinds() {
    let rows = all_kinds().iter().map(|kind| {
        let support = match kind.support {
            Support::Built => String::new(),
            Support::Missing(_) => " (not in this build)".to_owned(),
        };
        [kind.name.to_owned(), format!("{}{support}", kind.purpose)]
    });
    table(rows);
}

/// Prints rows with columns aligned, the last one as it is.
pub(super) fn table<const N: usize>(rows: impl Iterator<Item = [String; N]>) {
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        output::line(output::visible(line.trim_end()).as_ref());
    }
}
