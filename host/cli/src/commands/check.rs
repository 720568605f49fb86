//! `moonlet check`: everything that is wrong, without running anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Level, render_short, to_json};
use moonlet_language::explain::{codes, explain};
use moonlet_registry::{FieldPath, Glob, Report, Snapshot, check_types, nearest};
use serde_json::{Value, json};

use crate::arguments::{CheckArguments, LeastLevel};
use crate::failure::{Failure, summary};
use crate::project::load_project;
use crate::{exit, output};

pub(crate) fn run(arguments: &CheckArguments) -> Result<u8, Failure> {
    if let Some(code) = &arguments.explain {
        return explain_code(code);
    }
    if arguments.no_color {
        output::without_color();
    }
    let directory = super::registry::beside(arguments.lock_file.as_deref()).unwrap_or(&arguments.directory);
    let (mut report, snapshot) = match load_project(directory, &arguments.project) {
        Ok(mut loaded) => {
            let snapshot = loaded.registry.snapshot();
            let types = check_types(&snapshot, &mut loaded.sources);
            let known: BTreeSet<_> = loaded.diagnostics.iter().filter_map(place).collect();
            let new: Vec<_> = types.into_iter().filter(|found| place(found).is_none_or(|at| !known.contains(&at))).collect();
            loaded.diagnostics.extend(new);
            loaded.diagnostics.extend(moonlet_runtime::check_policies(&snapshot));
            (Report { diagnostics: loaded.diagnostics, sources: loaded.sources }, Some(snapshot))
        }
        Err(Failure::Report(report)) => (*report, None),
        Err(failure) => return Err(failure),
    };
    filter(&mut report, snapshot.as_ref(), arguments)?;
    print(&report, snapshot.as_ref(), arguments);
    Ok(if report.errors() > 0 { exit::FAILURE } else { exit::SUCCESS })
}

/// Gives the code and place of a report: what loading a project said about a place is not said again by the checker.
fn place(diagnostic: &Diagnostic) -> Option<(String, Arc<str>, usize)> {
    diagnostic.primary.as_ref().map(|label| (diagnostic.code.to_string(), Arc::clone(&label.file), label.span.start))
}

fn filter(report: &mut Report, snapshot: Option<&Snapshot>, arguments: &CheckArguments) -> Result<(), Failure> {
    let least = match arguments.level {
        LeastLevel::Error => Level::Error,
        LeastLevel::Warning => Level::Warning,
        LeastLevel::Info => Level::Info,
    };
    // Errors are the least of levels, in the order of how much they matter.
    report.diagnostics.retain(|diagnostic| diagnostic.level <= least);
    if !arguments.code.is_empty() {
        for code in &arguments.code {
            check_code(code, &report.diagnostics)?;
        }
        report.diagnostics.retain(|diagnostic| arguments.code.iter().any(|code| covers(code, diagnostic)));
    }
    if let (false, Some(snapshot)) = (arguments.ns.is_empty(), snapshot) {
        let globs: Result<Vec<Glob>, _> = arguments.ns.iter().map(|pattern| Glob::new(pattern)).collect();
        let files = files_of(snapshot, &globs.map_err(|error| Failure::message(error.to_string()).usage())?);
        let within = |diagnostic: &Diagnostic| diagnostic.primary.as_ref().is_none_or(|label| files.contains(&label.file));
        report.diagnostics.retain(within);
    }
    Ok(())
}

/// Tells whether a report is meant by a code. Those of the reference are classes here: `P0001` is syntax, `E0001` and so on are errors
/// of types, `W0001` and so on are warnings.
fn covers(code: &str, diagnostic: &Diagnostic) -> bool {
    let of_reference = code.split_at_checked(1).filter(|(_, number)| number.len() == 4 && number.parse::<u16>().is_ok());
    match of_reference {
        Some(("P", _)) => diagnostic.code == "syntax-error",
        Some(("E", _)) => diagnostic.level == Level::Error && diagnostic.code != "syntax-error",
        Some(("W", _)) => diagnostic.level == Level::Warning,
        _ => diagnostic.code == code,
    }
}

/// Refuses what looks like a code that was misspelt: a filter that lets nothing through says that all is well.
fn check_code(code: &str, diagnostics: &[Diagnostic]) -> Result<(), Failure> {
    if codes().any(|known| known == code) || diagnostics.iter().any(|diagnostic| covers(code, diagnostic)) {
        return Ok(());
    }
    let mut known: Vec<&str> = codes().collect();
    known.extend(diagnostics.iter().map(|diagnostic| diagnostic.code.as_ref()));
    match nearest(code, known) {
        Some(near) => {
            Err(Failure::message(format!("no report has the code `{code}`")).usage().help(format!("there is `{near}`")))
        }
        None => Ok(()),
    }
}

/// Lists the files in which the entries of some namespaces and their code stand.
fn files_of(snapshot: &Snapshot, globs: &[Glob]) -> BTreeSet<Arc<str>> {
    let source = FieldPath::new().key("source");
    let mut files = BTreeSet::new();
    let within = |namespace: &str| globs.iter().any(|glob| glob.matches(namespace));
    for entry in snapshot.entries().filter(|entry| within(entry.id.namespace())) {
        files.extend(entry.origin.as_ref().map(|origin| Arc::clone(&origin.file)));
        files.extend(entry.source_file(&source).map(|file| Arc::clone(&file.file)));
        files.insert(entry.id.as_str().into());
    }
    files
}

fn print(report: &Report, snapshot: Option<&Snapshot>, arguments: &CheckArguments) {
    let Report { diagnostics, sources } = report;
    if arguments.json {
        print_json(report, snapshot, arguments.limit);
        return;
    }
    let most = if arguments.limit == 0 { diagnostics.len() } else { arguments.limit.min(diagnostics.len()) };
    let shown = diagnostics.get(..most).unwrap_or_default();
    if arguments.summary {
        print_counts(diagnostics);
    } else if arguments.short {
        output::print(&render_short(shown, sources));
    } else {
        output::diagnostics(shown, sources);
    }
    if !arguments.summary && shown.len() < diagnostics.len() {
        output::error(&format!("and {} more", diagnostics.len() - shown.len()));
    }
    match snapshot {
        Some(snapshot) if diagnostics.is_empty() => output::line(&format!("{} entries, no problems", snapshot.len())),
        _ if diagnostics.is_empty() => {}
        _ => output::error(&summary(report)),
    }
}

/// Prints how often each code is reported, what matters most and is most frequent first.
fn print_counts(diagnostics: &[Diagnostic]) {
    let mut counts: BTreeMap<(Level, &str), usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        *counts.entry((diagnostic.level, diagnostic.code.as_ref())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|((level, _), count)| (*level, std::cmp::Reverse(*count)));
    let rows = counts.into_iter().map(|((found, code), count)| [code.to_owned(), found.as_str().to_owned(), count.to_string()]);
    super::registry::table(rows);
}

/// Prints what the reference's linter prints, with more about each report.
fn print_json(report: &Report, snapshot: Option<&Snapshot>, limit: usize) {
    let source = FieldPath::new().key("source");
    let mut entries: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in snapshot.into_iter().flat_map(Snapshot::entries) {
        entries.insert(entry.id.as_str(), entry.id.as_str());
        if let Some(file) = entry.source_file(&source) {
            entries.entry(&file.file).or_insert(entry.id.as_str());
        }
    }
    let mut found = to_json(&report.diagnostics, &report.sources);
    if let Some(list) = found.as_array_mut() {
        list.truncate(if limit == 0 { usize::MAX } else { limit });
        for object in list.iter_mut().filter_map(Value::as_object_mut) {
            let file = object.get("file").and_then(Value::as_str);
            let entry = file.and_then(|file| entries.get(file)).copied().unwrap_or_default();
            object.insert("entry_id".to_owned(), entry.into());
            let level = object.get("level").cloned().unwrap_or_default();
            object.insert("severity".to_owned(), level);
        }
    }
    let count = |level: Level| report.diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
    let whole = json!({
        "diagnostics": found,
        "total_entries": snapshot.map_or(0, Snapshot::len),
        "error_count": count(Level::Error),
        "warning_count": count(Level::Warning),
        "hint_count": count(Level::Info),
    });
    output::line(&whole.to_string());
}

fn explain_code(code: &str) -> Result<u8, Failure> {
    let Some(text) = explain(code) else {
        let failure = Failure::message(format!("there is no explanation of `{code}`"));
        return Err(match nearest(code, codes()) {
            Some(near) => failure.help(format!("there is one of `{near}`")),
            None => failure.help("the code stands in brackets behind `error` or `warning`"),
        });
    };
    output::print(&format!("{}\n", text.trim_end()));
    Ok(exit::SUCCESS)
}
