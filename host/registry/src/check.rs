//! Checks that need more than one field or one entry.
//!
//! They look at a whole candidate state and never change it. Each file is one topic; adding a check is a function here.

use std::collections::BTreeMap;
use std::sync::Arc;

use moonlet_language::diagnostic::Diagnostic;

use crate::entry::Entry;
use crate::id::EntryId;
use crate::kinds::{Support, kind};
use crate::modules::ModuleCatalog;
use crate::schema::{Reference, check_entry};
use crate::suggest::nearest;

pub(crate) mod code;
mod components;
mod contracts;
mod databases;
mod dependencies;
mod grants;
mod hosts;
mod http;
mod imports;
mod methods;
mod middleware;
mod modules;
mod references;
mod services;
mod source_size;
mod supervisors;
mod unique;
mod unsupported;

/// An entry with the ids that stand in it.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) entry: Arc<Entry>,
    pub(crate) references: Arc<[Reference]>,
}

/// Entries by id, in the order of their ids.
pub(crate) type Entries = BTreeMap<EntryId, Checked>;

/// Checks one entry by itself: its kind and its fields.
pub(crate) fn check_alone(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Arc<[Reference]> {
    match kind(&entry.kind) {
        Some(kind) => check_entry(entry, kind, diagnostics).into(),
        None => {
            let message = format!("there is no kind `{}`", entry.kind);
            let diagnostic = Diagnostic::error("unknown-kind", message);
            let path = crate::path::FieldPath::new().key("kind");
            let diagnostic = entry.locate(diagnostic, &path, "unknown kind");
            let diagnostic = match nearest(&entry.kind, crate::kinds::all_kinds().iter().map(|kind| kind.name)) {
                Some(name) => {
                    let span = diagnostic.primary.as_ref().map(|label| label.span.clone());
                    let diagnostic = diagnostic.help(format!("write `{name}`"));
                    match span.filter(|span| span.len() == entry.kind.len()) {
                        Some(span) => diagnostic.fix(span, name, format!("write `{name}`")),
                        None => diagnostic,
                    }
                }
                None => match kinds_by_part(&entry.kind).as_slice() {
                    [] => diagnostic.help("`registry.entry` holds free data; `moonlet registry kinds` lists all kinds"),
                    names => diagnostic.help(format!("write {}", references::any_of(names))),
                },
            };
            diagnostics.push(diagnostic);
            Arc::new([])
        }
    }
}

/// Finds the kinds of this build of which somebody wrote a part, such as `postgres` for `db.sql.postgres`.
fn kinds_by_part(written: &str) -> Vec<&'static str> {
    /// More than these would be a list and no answer.
    const MAX_NAMED: usize = 4;
    let built = || crate::kinds::all_kinds().iter().filter(|kind| kind.support == Support::Built).map(|kind| kind.name);
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let parts = || written.rsplit('.').filter(|part| !part.is_empty());
    let end = format!(".{written}");
    let mut found: Vec<&str> = built().filter(|name| name.ends_with(&end)).collect();
    for part in parts() {
        if found.is_empty() {
            found = built().filter(|name| last(name) == part).collect();
        }
    }
    for part in parts() {
        if found.is_empty() {
            found = built().filter(|name| name.split('.').any(|other| other == part)).collect();
        }
        if found.is_empty()
            && let Some(near) = nearest(part, built().map(last))
        {
            found = built().filter(|name| last(name) == near).collect();
        }
    }
    if found.len() > MAX_NAMED { Vec::new() } else { found }
}

/// Checks entries against each other.
pub(crate) fn check_together(entries: &Entries, modules: Option<&ModuleCatalog>, diagnostics: &mut Vec<Diagnostic>) {
    references::check(entries, diagnostics);
    dependencies::check(entries, diagnostics);
    if let Some(modules) = modules {
        modules::check(entries, modules, diagnostics);
    }
    imports::check(entries, diagnostics);
    unique::check(entries, diagnostics);
    hosts::check(entries, diagnostics);
    grants::check(entries, modules, diagnostics);
    http::check(entries, diagnostics);
    databases::check(entries, diagnostics);
    source_size::check(entries, diagnostics);
    services::check(entries, diagnostics);
    supervisors::check(entries, diagnostics);
    components::check(entries, diagnostics);
    contracts::check(entries, diagnostics);
    unsupported::check(entries, diagnostics);
}

/// Says what to write instead, and offers it as a change where the place holds just what was written.
fn instead(diagnostic: Diagnostic, written: &str, replacement: &str) -> Diagnostic {
    let diagnostic = diagnostic.help(format!("write `{replacement}`"));
    let span = diagnostic.primary.as_ref().map(|label| label.span.clone());
    // Quotes around the text stay with their author.
    match span.filter(|span| span.len() == written.len()) {
        Some(span) => diagnostic.fix(span, replacement, format!("write `{replacement}`")),
        None => diagnostic,
    }
}

/// Tells whether this build gives the kind of an entry its meaning.
fn is_built(entry: &Entry) -> bool {
    kind(&entry.kind).is_some_and(|kind| kind.support == Support::Built)
}
