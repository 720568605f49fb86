//! What is reported about a user's files: one structure, and the renderings of it.
//!
//! Everything that Moonlet says about a source or configuration file is a [`Diagnostic`], never a bare string, so that a
//! terminal, an editor and a script can each show it in their own way. This module must not print.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

mod json;
mod render;
mod sources;

pub use json::to_json;
pub use render::{render, render_short};
pub use sources::{Position, Sources};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing that relies on this file should run.
    Error,
    /// A likely mistake; the file still works.
    Warning,
    /// Worth knowing.
    Info,
}

impl Level {
    /// Gives the word that people read: `error`, `warning` or `info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a file and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The path as it is shown to the user, and the key into [`Sources`].
    pub file: Arc<str>,
    /// Byte offsets into the text of the file.
    pub span: Range<usize>,
    /// What is said beside the underlined text; may be empty.
    pub text: String,
}

impl Label {
    /// Makes a label.
    #[must_use]
    pub fn new(file: impl Into<Arc<str>>, span: Range<usize>, text: impl Into<String>) -> Self {
        Self { file: file.into(), span, text: text.into() }
    }
}

/// A change of the primary label's file that certainly mends the problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes to replace.
    pub span: Range<usize>,
    /// What to put there instead.
    pub replacement: String,
    /// What the change does, as an editor offers it: "replace with `name`".
    pub title: String,
}

/// One report about a user's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name in kebab case, by which people filter, silence and look up.
    pub code: Cow<'static, str>,
    /// How much it matters.
    pub level: Level,
    /// What is wrong: one line, lower case, no full stop.
    pub message: String,
    /// The place that is at fault.
    pub primary: Option<Label>,
    /// Places that explain why.
    pub secondary: Vec<Label>,
    /// Further facts, one line each.
    pub notes: Vec<String>,
    /// What to write to mend it.
    pub help: Option<String>,
    /// A change that certainly mends it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// Starts an error.
    #[must_use]
    pub fn error(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(code, Level::Error, message)
    }

    /// Starts a warning.
    #[must_use]
    pub fn warning(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(code, Level::Warning, message)
    }

    /// Starts a piece of information.
    #[must_use]
    pub fn info(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(code, Level::Info, message)
    }

    /// Starts a diagnostic of any level.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>, level: Level, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            level,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, file: impl Into<Arc<str>>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.primary = Some(Label::new(file, span, text));
        self
    }

    /// Adds a place that explains why.
    #[must_use]
    pub fn also(mut self, file: impl Into<Arc<str>>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.secondary.push(Label::new(file, span, text));
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a change that certainly mends it.
    #[must_use]
    pub fn fix(mut self, span: Range<usize>, replacement: impl Into<String>, title: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into(), title: title.into() });
        self
    }
}

#[cfg(test)]
mod tests;
