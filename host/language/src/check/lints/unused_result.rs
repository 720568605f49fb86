//! `unused-result`: a call that tells by its last result whether it failed, and nobody looks.

use super::super::File;
use super::super::types::{Pack, TypeId};
use crate::diagnostic::Level;
use crate::syntax::Span;
use crate::syntax::ast::{ExprId, ExprKind};

/// Looks at a call that is a statement.
pub(in crate::check) fn check(file: &mut File<'_>, call: ExprId, pack: &Pack) {
    let [first, .., last] = pack.types.as_slice() else { return };
    if !file.checker.types.has_nil(*first) || file.checker.types.non_nil(*last) != TypeId::ERROR {
        return;
    }
    let expr = file.ast.expr(call);
    let callee = match &expr.kind {
        ExprKind::Call { callee, .. } => file.ast.expr(*callee).span,
        ExprKind::MethodCall { object, name, .. } => {
            let whole = Span { start: file.ast.expr(*object).span.start, end: name.end };
            if file.text(whole).len() <= 60 && !file.text(whole).contains('\n') { whole } else { *name }
        }
        _ => return,
    };
    let text = file.text(callee).to_owned();
    // `assert` looks, whatever it hands on; and a message to a process that is gone is everyday business.
    if text.contains('\n') || matches!(text.as_str(), "assert" | "process.send") {
        return;
    }
    let message = format!("`{text}` may fail, and nothing looks at its error");
    let diagnostic = file
        .diagnostic(Level::Info, "unused-result", callee, message, "")
        .help(format!("write `local _, err = {text}(...)` and test `err`"));
    file.report(diagnostic);
}
