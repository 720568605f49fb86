//! The two kinds of cases: a transcript, and an app that checks itself.

use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::run::{Finished, Run};
use crate::transcript;

/// Set it to write what really happened into the transcripts that differ; then read the difference before keeping it.
pub const UPDATE_VARIABLE: &str = "MOONLET_UPDATE";

/// How a case ends.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Why a case failed. The harness shows it by `Debug`, so that prints the plain text.
pub(crate) struct Failure(pub(crate) String);

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

/// Runs every command of a transcript and compares.
///
/// # Errors
///
/// Every difference.
pub fn check_transcript(path: &Path) -> Outcome {
    Ok(transcript::check_file(path, std::env::var_os(UPDATE_VARIABLE).is_some()).map_err(Failure)?)
}

/// Runs `NAME:main` of the project `tests/apps`, where `NAME` is the folder of the given `main.lua`.
///
/// The app must end with code 0, say `ok CASE` for each of its cases and `N passed` at last (see `apps/lib/check.lua`).
///
/// # Errors
///
/// Whatever it wrote, when it did anything else.
pub fn check_app(main: &Path) -> Outcome {
    Ok(run_app(main).map_err(Failure)?)
}

fn run_app(main: &Path) -> Result<(), String> {
    let name = main.parent().and_then(Path::file_name).and_then(|name| name.to_str()).ok_or("an app needs a folder")?;
    let entry = format!("{name}:main");
    let finished = Run::start(&["run", "tests/apps", "-x", &entry], None)?.finish()?;
    verdict(&finished)
        .and_then(|()| check_quiet(&finished))
        .map_err(|why| format!("$ moonlet run tests/apps -x {entry}\n{why}\n{}{}", finished.stdout, finished.stderr))
}

fn check_quiet(finished: &Finished) -> Result<(), String> {
    if finished.stderr.is_empty() { Ok(()) } else { Err("nothing may be written to standard error".to_owned()) }
}

/// Judges what an app says about its cases.
pub(crate) fn verdict(finished: &Finished) -> Result<(), String> {
    let mut lines: Vec<&str> = finished.stdout.lines().collect();
    let last = lines.pop().unwrap_or_default();
    let failed = lines.iter().filter(|line| line.starts_with("not ok ")).count();
    if failed > 0 {
        return Err(format!("{failed} of {} cases failed", lines.len()));
    }
    if finished.code != Some(0) {
        return Err(format!("exit code {:?}, signal {:?}", finished.code, finished.signal));
    }
    if last != format!("{} passed", lines.len()) || lines.is_empty() {
        return Err("the last line does not count the cases: did the app end early?".to_owned());
    }
    if let Some(other) = lines.iter().find(|line| !line.starts_with("ok ")) {
        return Err(format!("an app says `ok CASE` only, not {other:?}"));
    }
    Ok(())
}
