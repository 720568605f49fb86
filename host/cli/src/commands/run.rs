//! `moonlet run`: starts an application, or one process of it on this terminal.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc;

use moonlet_language::diagnostic::{Diagnostic, Level};
use moonlet_registry::{Loaded, Report, Snapshot, check_types};

use crate::arguments::{RunArguments, TestArguments, WatchArguments};
use crate::failure::Failure;
use crate::project::{load_project, resume};
use crate::settings::Settings;
use crate::{exit, logging, output, signals};

mod node;
mod result;
pub(crate) mod target;

use node::Event;
use target::Target;

/// The word that lists commands instead of running one.
const LIST: &str = "list";

pub(crate) fn run(arguments: &RunArguments) -> Result<u8, Failure> {
    let inbox = Inbox::open()?;
    let loaded = load_project(&directory(arguments.directory.as_ref()), &arguments.project)?;
    if arguments.exec.is_none() && arguments.rest.first().is_some_and(|word| word == LIST) {
        return list(&loaded.registry.snapshot());
    }
    start(loaded, inbox, &arguments.watch, |snapshot| target::find(snapshot, arguments))
}

/// `moonlet test`: runs the process that runs the tests of an application.
pub(crate) fn test(arguments: &TestArguments) -> Result<u8, Failure> {
    let inbox = Inbox::open()?;
    let loaded = load_project(&directory(arguments.directory.as_ref()), &arguments.project)?;
    start(loaded, inbox, &arguments.watch, |snapshot| {
        target::find_tests(snapshot, arguments.host.as_deref(), &arguments.rest).map(Some)
    })
}

/// Where signals and the end of a process are heard of.
struct Inbox {
    events: mpsc::Sender<Event>,
    inbox: mpsc::Receiver<Event>,
}

impl Inbox {
    /// Opens it first of all, so that a signal during the start is not lost.
    fn open() -> Result<Self, Failure> {
        let (events, inbox) = mpsc::channel();
        let listens = signals::listen(events.clone(), || Event::Signal);
        listens.map_err(|error| Failure::caused("failed to listen for signals", &error))?;
        Ok(Self { events, inbox })
    }
}

fn directory(named: Option<&PathBuf>) -> PathBuf {
    named.cloned().unwrap_or_else(|| PathBuf::from("."))
}

fn start(
    mut loaded: Loaded,
    Inbox { events, inbox }: Inbox,
    watch: &WatchArguments,
    find: impl FnOnce(&Snapshot) -> Result<Option<Target>, Failure>,
) -> Result<u8, Failure> {
    resume(&loaded)?;
    let snapshot = loaded.registry.snapshot();
    let target = find(&snapshot)?;
    if target.is_none() {
        node::check_services(&snapshot)?;
    }
    check_types_as_configured(&mut loaded, &snapshot, target.is_none())?;
    let quiet = target.is_some();
    let settings = Settings::read(&loaded.project.config.value, watch)?;
    logging::start(quiet, watch, &settings);
    for text in watch.reference.ignored() {
        tracing::warn!(target: "moonlet", "{text}");
    }
    if !quiet || watch.verbose > 0 {
        let (own, of_modules) = of_application(&snapshot, &loaded.diagnostics);
        output::diagnostics(&own, &loaded.sources);
        if of_modules > 0 {
            tracing::info!(target: "moonlet", "installed modules have {of_modules} warnings, which `moonlet check` shows");
        }
    }
    match target {
        Some(target) => node::execute(&loaded, &target, &settings, events, &inbox),
        None => serve(&loaded, &settings, events, &inbox),
    }
}

/// Leaves out what is said about installed modules, which are somebody else's, and counts it.
fn of_application(snapshot: &Snapshot, diagnostics: &[Diagnostic]) -> (Vec<Diagnostic>, usize) {
    let origins = snapshot.entries().filter_map(|entry| entry.origin.as_ref());
    let installed = origins.filter(|origin| origin.module.is_some());
    let files: BTreeSet<&str> =
        installed.flat_map(|origin| origin.files.iter().map(|file| &*file.file).chain([&*origin.file])).collect();
    let is_own = |found: &&Diagnostic| found.primary.as_ref().is_none_or(|label| !files.contains(&*label.file));
    let own: Vec<Diagnostic> = diagnostics.iter().filter(is_own).cloned().collect();
    let others = diagnostics.len() - own.len();
    (own, others)
}

/// Refuses type errors where `types.strict` is on, and warns of them where services start.
///
/// A process on the terminal does not wait for a check that changes nothing: `moonlet check` is for that.
fn check_types_as_configured(loaded: &mut Loaded, snapshot: &Snapshot, serving: bool) -> Result<(), Failure> {
    let strict = loaded.project.config.strict_types;
    if !strict && !serving {
        return Ok(());
    }
    let mut diagnostics = check_types(snapshot, &mut loaded.sources);
    diagnostics.retain(|diagnostic| diagnostic.level == Level::Error);
    if strict && !diagnostics.is_empty() {
        return Err(Failure::Report(Box::new(Report { diagnostics, sources: loaded.sources.clone() })));
    }
    loaded.diagnostics.extend(diagnostics.into_iter().map(|diagnostic| Diagnostic { level: Level::Warning, ..diagnostic }));
    Ok(())
}

fn serve(
    loaded: &Loaded,
    settings: &Settings,
    events: mpsc::Sender<Event>,
    inbox: &mpsc::Receiver<Event>,
) -> Result<u8, Failure> {
    if !loaded.project.config.strict {
        tracing::info!(target: "moonlet", "security.strict is off: what no policy mentions is allowed");
    }
    node::serve(loaded, settings, events, inbox)
}

fn list(snapshot: &Snapshot) -> Result<u8, Failure> {
    let commands = target::commands(snapshot);
    if commands.is_empty() {
        // An empty list is an answer, and whoever reads it by program finds nothing on standard output.
        output::error("no entry is a command; `meta: { command: { name: greet } }` in a `process.lua` entry makes it one");
    }
    let rows = commands.into_iter().map(|(command, id)| [command.name, command.short.unwrap_or_default(), id.to_string()]);
    super::registry::table(rows);
    Ok(exit::SUCCESS)
}

/// What to run with the terminal.
impl Target {
    /// Gives the arguments as values.
    pub(crate) fn values(&self) -> Vec<moonlet_runtime::Value> {
        self.arguments.iter().map(|argument| moonlet_runtime::Value::from(argument.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::path::Path;

    use super::*;
    use crate::arguments::ProjectArguments;

    #[test]
    fn what_is_said_about_modules_is_counted() {
        let loaded = load_project(Path::new("tests/projects/modules"), &ProjectArguments::default()).unwrap();
        let (own, of_modules) = of_application(&loaded.registry.snapshot(), &loaded.diagnostics);
        let own: Vec<&str> = own.iter().map(|found| &*found.message).collect();
        assert_eq!((own.as_slice(), of_modules), (["`app:mail_db` (db.sql.sqlite) has no field `colour`"].as_slice(), 4));
    }
}
