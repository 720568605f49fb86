//! `unused-local`: a local or a local function that nothing reads. A name that starts with `_` says that this is meant.

use super::super::File;
use super::super::scopes::VarKind;
use crate::diagnostic::Level;

/// Looks at all variables of the file.
pub(in crate::check) fn check(file: &mut File<'_>) {
    let vars = file.scopes.vars.clone();
    for var in vars {
        if var.reads > 0 || var.placeholder || !matches!(var.kind, VarKind::Local | VarKind::LocalFunction) {
            continue;
        }
        let name = file.text(var.name);
        // A use of it that is misspelt is reported where it stands.
        if name.starts_with('_') || file.suggested.contains(name) {
            continue;
        }
        let noun = if var.kind == VarKind::LocalFunction { "local function" } else { "local" };
        let what = if var.writes > 0 { "is written but never read" } else { "is never used" };
        let diagnostic = file
            .diagnostic(Level::Warning, "unused-local", var.name, format!("{noun} `{name}` {what}"), "")
            .help(format!("remove it, or call it `_{name}` if it must stay"));
        file.report(diagnostic);
    }
}
