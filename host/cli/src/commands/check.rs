//! `moonlet check`: everything that is wrong, without running anything.

use moonlet_language::diagnostic::{Diagnostic, Sources, to_json};

use crate::arguments::CheckArguments;
use crate::failure::Failure;
use crate::project::load_project;
use crate::{exit, output};

pub(crate) fn run(arguments: &CheckArguments) -> Result<u8, Failure> {
    match load_project(&arguments.directory, &arguments.project) {
        Ok(loaded) => {
            if arguments.json {
                print_json(&loaded.diagnostics, &loaded.sources);
            } else {
                output::diagnostics(&loaded.diagnostics, &loaded.sources);
                let entries = loaded.registry.snapshot().len();
                let problems = match loaded.diagnostics.len() {
                    0 => "no problems".to_owned(),
                    1 => "1 warning".to_owned(),
                    warnings => format!("{warnings} warnings"),
                };
                output::line(&format!("{entries} entries, {problems}"));
            }
            Ok(exit::SUCCESS)
        }
        Err(Failure::Report(report)) if arguments.json => {
            print_json(&report.diagnostics, &report.sources);
            Ok(exit::FAILURE)
        }
        Err(failure) => Err(failure),
    }
}

fn print_json(diagnostics: &[Diagnostic], sources: &Sources) {
    output::line(to_json(diagnostics, sources).to_string().trim_end());
}
