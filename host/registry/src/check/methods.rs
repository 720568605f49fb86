//! The method that an entry names must be what its chunk returns.
//!
//! What a chunk returns is known only when it runs, unless it ends in a table that is written out, or returns nowhere.

use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Level};
use moonlet_language::syntax::ast::{Ast, Block, ExprId, ExprKind, StatementKind, TableItem};
use moonlet_language::syntax::{Span, string_value};

use crate::entry::Entry;
use crate::kinds::{LuaEntry, LuaForm, METHOD_HELP};
use crate::path::FieldPath;
use crate::schema::has_placeholder;
use crate::suggest::nearest;

/// Checks that what runs has a name, and that the chunk gives what has that name.
pub(super) fn check(entry: &Entry, view: &LuaEntry, file: &Arc<str>, ast: &Ast, diagnostics: &mut Vec<Diagnostic>) {
    // A method of a wrong type is reported as that, and one with a placeholder is known later.
    let is_wrong =
        entry.data.get("method").is_some_and(|method| !method.is_string() || method.as_str().is_some_and(has_placeholder));
    if view.form == LuaForm::Library || is_wrong {
        return;
    }
    let returned = ast.block.statements.iter().rev().find(|statement| !matches!(statement.kind, StatementKind::Empty));
    let returned = returned.and_then(|last| match &last.kind {
        StatementKind::Return(values) => Some(values),
        _ => None,
    });
    let value = returned.and_then(|values| values.first()).map(|value| ast.unwrap_parens(*value));
    match view.method.as_deref().filter(|method| !method.is_empty()) {
        // A chunk that returns a table needs a name for what runs; one that returns something else may return a function.
        None if value.is_none_or(|value| matches!(ast.expr(value).kind, ExprKind::Table { .. })) => {
            let message = format!("`{}` ({}) needs `method`", entry.id, entry.kind);
            let diagnostic = entry.locate_key(Diagnostic::error("missing-field", message), &path(), "");
            diagnostics.push(diagnostic.help(METHOD_HELP));
        }
        None => {}
        Some(method) => match (returned, value) {
            (None, _) if count_returns(&ast.block) == 0 => diagnostics.extend(no_return(entry, view, file, ast, method)),
            (Some(_), Some(value)) if count_returns(&ast.block) == 1 => {
                diagnostics.extend(no_method(entry, view, file, ast, value, method));
            }
            _ => {}
        },
    }
}

fn path() -> FieldPath {
    FieldPath::new().key("method")
}

/// Reports a method that the returned table does not have, where the table is written out in full.
fn no_method(entry: &Entry, view: &LuaEntry, file: &Arc<str>, ast: &Ast, value: ExprId, method: &str) -> Option<Diagnostic> {
    let table = ast.expr(value);
    let ExprKind::Table(items) = &table.kind else { return None };
    let names: Option<Vec<String>> = items.iter().filter_map(|item| name_of(ast, &view.source, item)).collect();
    let names = names?;
    if names.iter().any(|name| name == method) {
        return None;
    }
    let message = format!("`{}` has no method `{method}`: the table that its chunk returns has no `{method}`", entry.id);
    let diagnostic = entry.locate(Diagnostic::new("unknown-method", level(entry), message), &path(), "no such method");
    let diagnostic = also(entry, diagnostic, file, table.span, "what the chunk returns");
    let meant = nearest(method, names.iter().map(String::as_str)).or(match names.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    });
    Some(match meant {
        Some(name) => {
            let help = format!("write `method: {name}`");
            let span = diagnostic.primary.as_ref().map(|label| label.span.clone());
            match span.filter(|span| span.len() == method.len()) {
                Some(span) => diagnostic.fix(span, name, help.clone()).help(help),
                None => diagnostic.help(help),
            }
        }
        None => diagnostic.help(format!("add it to what the chunk returns: `return {{ {method} = {method} }}`")),
    })
}

/// Gives the name of a part of a table: nothing where it has none, and nothing within where only running tells.
fn name_of(ast: &Ast, source: &str, item: &TableItem) -> Option<Option<String>> {
    match item {
        TableItem::Positional(_) => None,
        TableItem::Named(name, _) => Some(Some(name.text(source).to_owned())),
        TableItem::Keyed(key, _) => {
            let key = ast.expr(ast.unwrap_parens(*key));
            let text = || String::from_utf8_lossy(&string_value(key.span.text(source))).into_owned();
            match key.kind {
                ExprKind::String => Some(Some(text())),
                ExprKind::Number | ExprKind::True | ExprKind::False => None,
                _ => Some(None),
            }
        }
    }
}

fn no_return(entry: &Entry, view: &LuaEntry, file: &Arc<str>, ast: &Ast, method: &str) -> Option<Diagnostic> {
    let mut level = level(entry);
    for statement in &ast.block.statements {
        match statement.kind {
            // It may run for ever, or ends otherwise.
            StatementKind::While { .. } | StatementKind::Repeat { .. } | StatementKind::Goto(_) => return None,
            StatementKind::Call(call) if is_error(ast, &view.source, call) => return None,
            StatementKind::Local { .. }
            | StatementKind::LocalFunction { .. }
            | StatementKind::Function { .. }
            | StatementKind::Assign { .. }
            | StatementKind::TypeAlias(_)
            | StatementKind::Empty => {}
            // What is called may never come back.
            _ => level = Level::Warning,
        }
    }
    let message = format!("`{}` has no method `{method}`: its chunk returns nothing", entry.id);
    let diagnostic = entry.locate(Diagnostic::new("unknown-method", level, message), &path(), "no such method");
    let diagnostic = match ast.block.statements.last() {
        Some(last) => also(entry, diagnostic, file, last.span, "the last statement"),
        None => diagnostic,
    };
    Some(diagnostic.help(format!("end the code with `return {{ {method} = {method} }}`")))
}

fn is_error(ast: &Ast, source: &str, call: ExprId) -> bool {
    let ExprKind::Call { callee, .. } = ast.expr(call).kind else { return false };
    matches!(ast.expr(callee).kind, ExprKind::Name) && ast.expr(callee).span.text(source) == "error"
}

/// Entries of installed modules may never run, and what a program made may be changed before it runs.
fn level(entry: &Entry) -> Level {
    if entry.origin.is_some() && entry.module().is_none() { Level::Error } else { Level::Warning }
}

/// Shows a place in the code of an entry that was read from a file; without a place of its own the report is there.
fn also(entry: &Entry, diagnostic: Diagnostic, file: &Arc<str>, span: Span, text: &str) -> Diagnostic {
    match entry.origin {
        Some(_) => diagnostic.also(Arc::clone(file), span.range(), text),
        None => diagnostic.at(Arc::clone(file), span.range(), text),
    }
}

/// Counts where a chunk may return, without its functions.
fn count_returns(block: &Block) -> usize {
    let count = |kind: &StatementKind| match kind {
        StatementKind::Return(_) => 1,
        StatementKind::Do(body)
        | StatementKind::While { body, .. }
        | StatementKind::Repeat { body, .. }
        | StatementKind::NumericFor { body, .. }
        | StatementKind::GenericFor { body, .. } => count_returns(body),
        StatementKind::If { arms, otherwise } => {
            arms.iter().map(|(_, body)| count_returns(body)).sum::<usize>() + otherwise.as_ref().map_or(0, count_returns)
        }
        _ => 0,
    };
    block.statements.iter().map(|statement| count(&statement.kind)).sum()
}
