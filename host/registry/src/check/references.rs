//! Ids in entries must lead to an entry of a kind that fits.

use moonlet_language::diagnostic::{Diagnostic, Level};

use super::{Checked, Entries, dependencies, instead};
use crate::id::EntryId;
use crate::kinds::{Support, all_kinds};
use crate::path::FieldPath;
use crate::schema::{Reference, Target};
use crate::suggest::nearest;

pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    for checked in entries.values() {
        for reference in checked.references.iter() {
            match entries.get(&reference.id) {
                None => diagnostics.push(dangling(checked, reference, entries)),
                Some(found) if !reference.target.fits(&found.entry.kind) => {
                    diagnostics.push(wrong_kind(checked, reference, found));
                }
                Some(_) => {}
            }
        }
    }
}

fn dangling(checked: &Checked, reference: &Reference, entries: &Entries) -> Diagnostic {
    let Reference { path, id, target } = reference;
    if let Some(component) = dependencies::owner_of(entries, id) {
        let message =
            format!("`{path}` of `{}` names `{id}` of the module `{component}`, which is not installed", checked.entry.id);
        let diagnostic = checked.entry.locate(Diagnostic::warning("dangling-reference", message), path, "not found at run time");
        return diagnostic.help("install the module; whatever does not use it runs");
    }
    let message = format!("`{path}` of `{}` names `{id}`, which does not exist", checked.entry.id);
    let diagnostic = Diagnostic::error("dangling-reference", message);
    let diagnostic = checked.entry.locate(diagnostic, path, format!("must be {}", target.what));
    let fitting = || entries.values().filter(|other| target.fits(&other.entry.kind)).map(|other| &other.entry.id);
    // The same name elsewhere is a forgotten namespace; otherwise look for a misspelling.
    let elsewhere = || fitting().find(|other| other.name() == id.name());
    let near = nearest(id.as_str(), fitting().map(EntryId::as_str))
        .or_else(|| {
            nearest(id.name(), fitting().map(EntryId::name))
                .and_then(|name| fitting().map(EntryId::as_str).find(|other| other.ends_with(name)))
        })
        .or_else(|| elsewhere().map(EntryId::as_str))
        .or_else(|| by_part(id, &mut fitting()).map(EntryId::as_str));
    match near {
        Some(near) => {
            let written = checked.entry.field(path).and_then(|value| value.as_str()).unwrap_or_default();
            instead(diagnostic, written, near)
        }
        None => match kinds_of(target).first() {
            Some(kind) => {
                diagnostic.help(format!("add `- name: {}` with `kind: {kind}` to the namespace `{}`", id.name(), id.namespace()))
            }
            None => diagnostic.help("`moonlet registry list` shows all entries"),
        },
    }
}

/// Finds an entry that was written with dots for its colon, or of which one side is a part of the other.
fn by_part<'a>(id: &EntryId, fitting: &mut dyn Iterator<Item = &'a EntryId>) -> Option<&'a EntryId> {
    fn last(name: &str) -> &str {
        name.rsplit('.').next().unwrap_or(name)
    }
    let dotted = |other: &EntryId| other.as_str().replacen(':', ".", 1) == id.name();
    let others: Vec<&EntryId> = fitting.filter(|other| last(other.name()) == last(id.name())).collect();
    // Several say nothing.
    others.iter().find(|other| dotted(other)).copied().or(match others.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

fn wrong_kind(checked: &Checked, reference: &Reference, found: &Checked) -> Diagnostic {
    let Reference { path, id, target } = reference;
    let message =
        format!("`{path}` of `{}` must be {}, and `{id}` is of kind `{}`", checked.entry.id, target.what, found.entry.kind);
    // A contract that cannot be kept stops only who asks for it.
    let level = if checked.entry.kind == "contract.binding" { Level::Warning } else { Level::Error };
    let diagnostic = Diagnostic::new("wrong-kind", level, message);
    let diagnostic = checked.entry.locate(diagnostic, path, format!("must be {}", target.what));
    let diagnostic = found.entry.also(diagnostic, &FieldPath::new().key("kind"), "its kind");
    diagnostic.help(format!("name an entry of kind {}", any_of(&kinds_of(target))))
}

/// Lists the kinds of this build that fit, in the order in which the target names them.
fn kinds_of(target: &Target) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    for pattern in target.kinds {
        let one = Target { what: target.what, kinds: std::slice::from_ref(pattern) };
        let fitting = all_kinds().iter().filter(|kind| kind.support == Support::Built && one.fits(kind.name));
        kinds.extend(fitting.map(|kind| kind.name));
    }
    kinds
}

/// Writes names among which to choose: `a`, `b` or `c`.
pub(super) fn any_of(names: &[&str]) -> String {
    match names {
        [] => "that this build does not have".to_owned(),
        [name] => format!("`{name}`"),
        [names @ .., last] => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", names.join(", "))
        }
    }
}
