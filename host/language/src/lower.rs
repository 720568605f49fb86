//! Typed Lua to plain Lua: every token stays on its line, so that tracebacks are right.
//!
//! Types become white space. A type that the program uses as a value becomes a local that the prelude's builder makes; one that
//! is never used as a value leaves nothing behind. This module must not check types.

mod builder;
mod edits;
mod values;

use crate::diagnostic::Diagnostic;
use crate::syntax::{Parsed, SyntaxError, parse};
use edits::Edits;

/// The plain Lua of a file.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The text for the Lua compiler. With syntax errors it is the best there is, and must not run.
    pub lua: String,
    /// The syntax errors.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the program uses type values, and so needs the builder of the prelude.
    pub has_type_values: bool,
}

/// The global under which the prelude offers its type builder.
pub const BUILDER: &str = "__type";

/// Lowers a source; `file` is the path that diagnostics show.
#[must_use]
pub fn lower(source: &str, file: &str) -> Lowered {
    let parsed = parse(source);
    lower_parsed(source, file, &parsed)
}

/// Lowers a source that was parsed before.
#[must_use]
pub fn lower_parsed(source: &str, file: &str, parsed: &Parsed) -> Lowered {
    let diagnostics = syntax_diagnostics(&parsed.errors, file);
    let mut edits = Edits::new(&parsed.erasures);
    if source.starts_with('#') {
        // Lua's compiler does not know the first line of Unix scripts.
        edits.blank(0..source.find('\n').unwrap_or(source.len()));
    } else if source.starts_with('\u{feff}') {
        edits.blank(0..'\u{feff}'.len_utf8());
    }
    let has_type_values = diagnostics.is_empty() && may_use_values(source, parsed) && values::emit(source, parsed, &mut edits);
    Lowered { lua: edits.apply(source), diagnostics, has_type_values }
}

/// A cheap look that spares plain Lua the search for type values.
fn may_use_values(source: &str, parsed: &Parsed) -> bool {
    !parsed.type_names.is_empty() || (!parsed.erasures.is_empty() && source.contains("typeof"))
}

/// Turns syntax errors into diagnostics.
#[must_use]
pub fn syntax_diagnostics(errors: &[SyntaxError], file: &str) -> Vec<Diagnostic> {
    let file: std::sync::Arc<str> = file.into();
    errors
        .iter()
        .map(|error| {
            let mut diagnostic = Diagnostic::error("syntax-error", error.message.clone()).at(
                file.clone(),
                error.span.range(),
                error.label.clone(),
            );
            if let Some((span, text)) = &error.related {
                diagnostic = diagnostic.also(file.clone(), span.range(), text.clone());
            }
            if let Some(help) = &error.help {
                diagnostic = diagnostic.help(help.clone());
            }
            if let Some((span, replacement, title)) = &error.fix {
                diagnostic = diagnostic.fix(span.range(), replacement.clone(), title.clone());
            }
            diagnostic
        })
        .collect()
}

#[cfg(test)]
mod tests;
