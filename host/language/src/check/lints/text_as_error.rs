//! `text-as-error`: a text given back where an error is declared: `err:message()` would fail at the caller.

use super::super::File;
use super::super::types::TypeId;
use crate::diagnostic::Level;
use crate::syntax::ast::ExprId;

/// Looks at the last of several values that are returned.
pub(in crate::check) fn check(file: &mut File<'_>, value: ExprId, found: TypeId, wanted: TypeId) {
    if file.checker.types.non_nil(wanted) != TypeId::ERROR || file.checker.types.lua_type(found) != Some("string") {
        return;
    }
    let span = file.ast.expr(value).span;
    let text = file.text(span).to_owned();
    let message = "a text is given back where the function declares an error";
    let mut diagnostic = file.diagnostic(Level::Warning, "text-as-error", span, message, "`err:message()` fails on it");
    if text.len() <= 80 && !text.contains('\n') {
        let better = format!("errors.new({text})");
        diagnostic = diagnostic.help(format!("write `{better}`")).fix(span.range(), better, "make an error of it");
    } else {
        diagnostic = diagnostic.help("write `errors.new(...)` around it");
    }
    file.report(diagnostic);
}
