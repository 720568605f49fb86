//! `unreachable-code`: statements after something that never goes on.

use super::super::File;
use crate::diagnostic::Level;
use crate::syntax::ast::{Statement, StatementKind};

/// Looks at the first statement after a dead end; tells whether it reported.
pub(in crate::check) fn check(file: &mut File<'_>, before: Option<&Statement>, statement: &Statement) -> bool {
    if matches!(
        statement.kind,
        StatementKind::Label(_) | StatementKind::TypeAlias(_) | StatementKind::Empty | StatementKind::Error
    ) {
        return false;
    }
    let Some(before) = before else { return false };
    // A way that only the types rule out is no mistake.
    let ends = match &before.kind {
        StatementKind::Call(_) | StatementKind::Break | StatementKind::Goto(_) | StatementKind::While { .. } => true,
        StatementKind::If { otherwise, .. } => otherwise.is_some(),
        _ => false,
    };
    if !ends {
        return false;
    }
    let first_line = file.text(before.span).lines().next().unwrap_or("").len();
    let end = before.span.start + u32::try_from(first_line).unwrap_or(0);
    let cause = crate::syntax::Span { start: before.span.start, end: end.min(before.span.end) };
    let line = file.text(statement.span).lines().next().unwrap_or("").len();
    let shown = crate::syntax::Span { start: statement.span.start, end: statement.span.start + u32::try_from(line).unwrap_or(1) };
    let diagnostic = file.diagnostic(Level::Warning, "unreachable-code", shown, "this is never reached", "").also(
        file.file.clone(),
        cause.range(),
        "nothing goes on after this",
    );
    let dead = std::mem::replace(&mut file.flow.dead, false);
    file.report(diagnostic);
    file.flow.dead = dead;
    true
}
