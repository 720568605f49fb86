//! Lua code must be Lua, and name nothing that its entry does not declare.
//!
//! Types are for the checker; this is what would fail at the first run.

use std::sync::Arc;

use moonlet_language::diagnostic::{Diagnostic, Level, Sources};
use moonlet_language::lower::syntax_diagnostics;
use moonlet_language::syntax::ast::{Ast, ExprId, ExprKind, StatementKind};
use moonlet_language::syntax::{Span, parse, string_value};

use super::methods;
use crate::entry::Entry;
use crate::inline::relocate;
use crate::kinds::LuaEntry;
use crate::modules::is_always_there;
use crate::path::FieldPath;

/// Functions that catch what their argument raises: code within may well ask for what is not there.
const CATCHING: &[&str] = &["pcall", "xpcall"];

/// Checks the code of an entry if it has any; text that stands in the entry itself is added to the sources.
pub(crate) fn check(entry: &Entry, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    let Ok(view) = LuaEntry::new(entry) else { return };
    // A file that could not be read has its own report.
    if view.source.is_empty() {
        return;
    }
    let file = view.source_name.clone().unwrap_or_else(|| entry.id.as_str().into());
    let parsed = parse(&view.source);
    let mut found = syntax_diagnostics(&parsed.errors, &file);
    // After a syntax error the tree is a guess.
    if !found.is_empty() {
        if view.source_name.is_none()
            && let Some(diagnostic) = path_as_code(entry, &view.source)
        {
            diagnostics.push(diagnostic);
            return;
        }
    } else {
        check_requires(entry, &view, &file, &parsed.ast, &mut found);
        methods::check(entry, &view, &file, &parsed.ast, &mut found);
    }
    if view.source_name.is_none() {
        relocate(entry, &view.source, &mut found, sources);
    }
    diagnostics.append(&mut found);
}

/// What is no code and looks like the name of a file was meant as one.
fn path_as_code(entry: &Entry, source: &str) -> Option<Diagnostic> {
    let text = source.trim();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let has_scheme =
        scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphanumeric()));
    if text.contains(char::is_whitespace) || !(has_scheme || text.ends_with(".lua")) {
        return None;
    }
    let path = FieldPath::new().key("source");
    let diagnostic = Diagnostic::error("path-as-code", format!("`source` of `{}` is `{text}`, which is read as code", entry.id));
    let diagnostic = entry.locate(diagnostic, &path, "no code");
    if has_scheme && scheme != Some("file") {
        let name = text.rsplit('/').next().filter(|name| name.ends_with(".lua")).unwrap_or("main.lua");
        return Some(diagnostic.help(format!("put the file into the project, and write `source: file://{name}`")));
    }
    let file = text.strip_prefix("file:").unwrap_or(text);
    let file = file.strip_prefix("./").unwrap_or(file);
    // Behind `file:` any number of slashes is a slip; without it, one starts at the source directory.
    let file = if file.len() == text.len() { file } else { file.trim_start_matches('/') };
    let written = format!("file://{file}");
    let help = format!("write `source: {written}`");
    let span = diagnostic.primary.as_ref().map(|label| label.span.clone());
    Some(match span.filter(|span| span.len() == source.len()) {
        Some(span) => diagnostic.fix(span, written, help.clone()).help(help),
        None => diagnostic.help(help),
    })
}

fn check_requires(entry: &Entry, view: &LuaEntry, file: &Arc<str>, ast: &Ast, diagnostics: &mut Vec<Diagnostic>) {
    let source = &*view.source;
    // Almost every file asks for something, and few for something strange.
    let mut caught: Option<Vec<Span>> = None;
    for expression in ast.exprs() {
        let ExprKind::Call { callee, args, .. } = &expression.kind else { continue };
        let [name] = args.as_slice() else { continue };
        if !is_name(ast, source, *callee, &["require"]) || !matches!(ast.expr(*name).kind, ExprKind::String) {
            continue;
        }
        let span = ast.expr(*name).span;
        let name = String::from_utf8_lossy(&string_value(span.text(source))).into_owned();
        let declared = view.modules.contains(&name)
            || view.imports.iter().any(|(alias, _)| *alias == name)
            || view.aliases.iter().any(|(alias, _)| *alias == name);
        if declared || is_always_there(&name) {
            continue;
        }
        let caught = caught.get_or_insert_with(|| caught_spans(ast, source));
        if caught.iter().any(|caught| caught.contains(span)) {
            continue;
        }
        // What runs only when somebody calls it may never run, and the reference starts such entries; so may what a module brings along.
        let level = if runs_at_start(ast, span) && entry.module().is_none() { Level::Error } else { Level::Warning };
        diagnostics.push(undeclared(entry, file, span, &name, level));
    }
}

/// Tells whether an expression certainly runs when the chunk does: it is part of a plain statement and of no function.
fn runs_at_start(ast: &Ast, span: Span) -> bool {
    let plain = |kind: &StatementKind| {
        matches!(
            kind,
            StatementKind::Local { .. } | StatementKind::Assign { .. } | StatementKind::Call(_) | StatementKind::Return(_)
        )
    };
    let statement = ast.block.statements.iter().find(|statement| statement.span.contains(span));
    let in_function = |kind: &ExprKind| matches!(kind, ExprKind::Function(function) if function.span.contains(span));
    statement.is_some_and(|statement| plain(&statement.kind)) && !ast.exprs().any(|expression| in_function(&expression.kind))
}

fn undeclared(entry: &Entry, file: &Arc<str>, span: Span, name: &str, level: Level) -> Diagnostic {
    let message = format!("module `{name}` is not declared by `{}`", entry.id);
    let diagnostic =
        Diagnostic::new("undeclared-require", level, message).at(Arc::clone(file), span.range(), "not found at run time");
    let path = FieldPath::new().key("modules");
    let diagnostic = entry.also(diagnostic, &path, if entry.field(&path).is_some() { "what it declares" } else { "its entry" });
    diagnostic.help(format!("add `{name}` to `modules` of the entry, or to `imports` as `{name}: namespace:entry`"))
}

fn caught_spans(ast: &Ast, source: &str) -> Vec<Span> {
    let span = |kind: &ExprKind| match kind {
        ExprKind::Call { callee, args_span, .. } if is_name(ast, source, *callee, CATCHING) => Some(*args_span),
        _ => None,
    };
    ast.exprs().filter_map(|expression| span(&expression.kind)).collect()
}

fn is_name(ast: &Ast, source: &str, id: ExprId, names: &[&str]) -> bool {
    let expression = ast.expr(ast.unwrap_parens(id));
    matches!(expression.kind, ExprKind::Name) && names.contains(&expression.span.text(source))
}
