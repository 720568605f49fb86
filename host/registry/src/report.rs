//! All that is wrong with a project, in one value.

use std::fmt;

use moonlet_language::diagnostic::{Diagnostic, Level, Sources, render_short};

/// How many problems a report holds: a generated file with a million mistakes must not print for an hour.
pub const MAX_DIAGNOSTICS: usize = 500;

/// Problems with the texts they point into.
#[derive(Debug, Clone)]
pub struct Report {
    /// The problems, ordered by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that the problems point into.
    pub sources: Sources,
}

impl Report {
    /// Gives the number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count()
    }

    /// Gives the number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Warning).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(render_short(&self.diagnostics, &self.sources).trim_end())
    }
}

impl std::error::Error for Report {}

/// Brings diagnostics into the order in which people read them, and bounds their number.
pub(crate) fn arrange(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|left, right| {
        let place = |diagnostic: &Diagnostic| diagnostic.primary.as_ref().map(|label| (label.file.to_string(), label.span.start));
        (place(left), left.level, &left.code, &left.message).cmp(&(place(right), right.level, &right.code, &right.message))
    });
    diagnostics.dedup();
    if diagnostics.len() > MAX_DIAGNOSTICS {
        // Errors stay before warnings do.
        diagnostics.sort_by_key(|diagnostic| diagnostic.level);
        let more = diagnostics.len() - MAX_DIAGNOSTICS;
        let level =
            if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) { Level::Error } else { Level::Warning };
        diagnostics.truncate(MAX_DIAGNOSTICS);
        diagnostics.push(Diagnostic::new("too-many-problems", level, format!("{more} more problems are not shown")));
    }
}
