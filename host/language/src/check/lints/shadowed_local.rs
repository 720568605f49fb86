//! `shadowed-local`: a local that hides another of the same name, which is often a mistake for an assignment.
//!
//! `err`, `ok` and names that start with `_` are declared again and again by habit and are left alone.

use super::super::File;
use super::super::scopes::VarKind;
use crate::diagnostic::Level;

const HABITUAL: &[&str] = &["err", "ok", "_", "self", "error", "result", "i", "k", "v"];

/// Looks at all variables of the file.
pub(in crate::check) fn check(file: &mut File<'_>) {
    let vars = file.scopes.vars.clone();
    for var in &vars {
        let Some(hidden) = var.shadows.and_then(|id| vars.get(id.0 as usize)) else { continue };
        let name = file.text(var.name);
        if var.kind != VarKind::Local || name.starts_with('_') || HABITUAL.contains(&name) || hidden.kind == VarKind::SelfParam {
            continue;
        }
        let diagnostic = file
            .diagnostic(Level::Info, "shadowed-local", var.name, format!("local `{name}` hides another of the same name"), "")
            .also(file.file.clone(), hidden.name.range(), "this one");
        file.report(diagnostic);
    }
}
