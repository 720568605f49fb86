//! Why a command did not work, and how that is printed.

use std::error::Error;
use std::fmt::Write as _;

use moonlet_registry::Report;

use crate::{exit, output};

/// Why a command did not work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A project has problems.
    Report(Box<Report>),
    /// Something else.
    Message(Message),
    /// The command line is wrong, or asks for help; clap has the text.
    Usage(Box<clap::Error>),
}

/// A message with what explains it.
#[derive(Debug)]
pub(crate) struct Message {
    /// What is wrong: lower case, no full stop.
    text: String,
    /// Why, from the nearest cause to the farthest.
    causes: Vec<String>,
    /// Further lines, such as a traceback.
    details: Option<String>,
    /// What to write to mend it.
    help: Option<String>,
    code: u8,
}

impl Failure {
    /// Starts a message.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(Message { text: text.into(), causes: Vec::new(), details: None, help: None, code: exit::FAILURE })
    }

    /// Starts a message about an error, whose causes are listed.
    pub(crate) fn caused(text: impl Into<String>, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let cause = error.to_string();
            // Wrappers often repeat what they wrap.
            if causes.last() != Some(&cause) {
                causes.push(cause);
            }
            next = error.source();
        }
        Self::Message(Message { text: text.into(), causes, details: None, help: None, code: exit::FAILURE })
    }

    /// Starts a message with causes that are known as texts.
    pub(crate) fn listed(text: impl Into<String>, causes: impl IntoIterator<Item = String>) -> Self {
        Self::Message(Message {
            text: text.into(),
            causes: causes.into_iter().collect(),
            details: None,
            help: None,
            code: exit::FAILURE,
        })
    }

    /// Makes it a mistake of the command line.
    pub(crate) fn usage(mut self) -> Self {
        if let Self::Message(message) = &mut self {
            message.code = exit::USAGE;
        }
        self
    }

    /// Says how to mend it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Self::Message(message) = &mut self {
            message.help = Some(help.into());
        }
        self
    }

    /// Adds lines, such as a traceback.
    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        if let Self::Message(message) = &mut self {
            message.details = Some(details.into());
        }
        self
    }

    /// Prints it to standard error, and gives the exit code.
    pub(crate) fn report(&self) -> u8 {
        match self {
            Self::Report(report) => {
                output::diagnostics(&report.diagnostics, &report.sources);
                output::error(&summary(report));
                exit::FAILURE
            }
            Self::Message(message) => {
                output::error(&message.render());
                message.code
            }
            Self::Usage(error) => {
                let text = if output::color() { error.render().ansi().to_string() } else { error.render().to_string() };
                if error.use_stderr() {
                    output::error(text.trim_end());
                    exit::USAGE
                } else {
                    output::print(&text);
                    exit::SUCCESS
                }
            }
        }
    }
}

impl Message {
    fn render(&self) -> String {
        let mut text = format!("{} {}", output::paint("error:", output::RED), output::visible(&self.text));
        for cause in &self.causes {
            let _ = write!(text, "\n  caused by: {}", output::visible(cause));
        }
        if let Some(details) = &self.details {
            let _ = write!(text, "\n{}", output::visible(details));
        }
        if let Some(help) = &self.help {
            let _ = write!(text, "\n{} {}", output::paint("help:", output::CYAN), output::visible(help));
        }
        text
    }
}

/// Counts errors, warnings and the rest.
pub(crate) fn summary(report: &Report) -> String {
    let count = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        number => Some(format!("{number} {what}s")),
    };
    let (errors, warnings) = (report.errors(), report.warnings());
    let rest = report.diagnostics.len() - errors - warnings;
    let counts = [count(errors, "error"), count(warnings, "warning"), count(rest, "note")];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl From<Box<Report>> for Failure {
    fn from(report: Box<Report>) -> Self {
        Self::Report(report)
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Usage(Box::new(error))
    }
}
