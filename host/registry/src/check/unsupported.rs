//! Kinds that this build knows and cannot run.

use std::collections::BTreeMap;

use moonlet_language::diagnostic::Diagnostic;

use super::{Checked, Entries};
use crate::kinds::{Kind, Support, kind};
use crate::path::FieldPath;

/// How many further places one warning names.
const MAX_PLACES: usize = 3;

/// Warns once for each missing feature: an application may have hundreds of routes.
pub(super) fn check(entries: &Entries, diagnostics: &mut Vec<Diagnostic>) {
    let mut missing: BTreeMap<&str, Vec<(&'static Kind, &Checked)>> = BTreeMap::new();
    for checked in entries.values() {
        if let Some(kind) = kind(&checked.entry.kind)
            && let Support::Missing(feature) = kind.support
        {
            missing.entry(feature).or_default().push((kind, checked));
        }
    }
    let path = FieldPath::new().key("kind");
    for (feature, found) in missing {
        let Some(((kind, first), others)) = found.split_first() else { continue };
        let message = format!("`{}` ({}) needs {feature}, which this build does not have", first.entry.id, kind.purpose);
        let mut diagnostic = first.entry.locate(Diagnostic::warning("missing-feature", message), &path, "does nothing");
        for (_, other) in others.iter().take(MAX_PLACES) {
            diagnostic = other.entry.also(diagnostic, &path, "does nothing");
        }
        if others.len() > MAX_PLACES {
            diagnostic = diagnostic.note(format!("{} further entries need {feature}", others.len() - MAX_PLACES));
        }
        diagnostics.push(diagnostic);
    }
}
