//! Loads the application that a command is about.

use std::path::Path;

use moonlet_modules::{Chronicle, SqliteHistory};
use moonlet_registry::{ChangeError, ConfigLayers, HistoryPlace, LoadOptions, Loaded, MemoryHistory, Override, Registry, load};
use moonlet_registry::{History as _, Report};

use crate::arguments::ProjectArguments;
use crate::failure::Failure;
use crate::modules;

/// Loads the application in a directory.
pub(crate) fn load_project(directory: &Path, arguments: &ProjectArguments) -> Result<Loaded, Failure> {
    let mut overrides = Vec::new();
    for text in &arguments.overrides {
        let change =
            Override::parse(text).map_err(|error| Failure::message(format!("`-o {text}` cannot be read: {error}")).usage())?;
        overrides.push(change);
    }
    let config =
        ConfigLayers { files: arguments.config.clone(), profiles: arguments.profiles.clone(), values: arguments.values.clone() };
    let options = LoadOptions { modules: Some(modules::catalog()), overrides, config };
    Ok(load(directory, &options)?)
}

/// Goes on at the version at which the application stopped the last time, where its configuration wants that.
pub(crate) fn resume(loaded: &Loaded) -> Result<(), Failure> {
    let HistoryPlace::Sqlite(path) = &loaded.project.config.history else { return Ok(()) };
    let shown = loaded.project.shown(path);
    let (history, kept) = SqliteHistory::open(path).map_err(|error| {
        let failure = Failure::message(format!("the history of the registry in `{shown}` cannot be used: {error}"));
        failure.help("name another file in `registry.history_path`, or move this one away")
    })?;
    loaded.registry.resume(Box::new(history), kept).map_err(|error| misfit(loaded, &shown, error))
}

/// Gives a registry with the versions of a history, to look at.
pub(crate) fn look_back(loaded: &Loaded, chronicle: &Chronicle) -> Result<Registry, Failure> {
    let fail = |error: ChangeError| Failure::message(error.to_string());
    let registry = Registry::from_entries(Vec::new(), None).map_err(fail)?;
    let mut history = MemoryHistory::default();
    for (record, _) in &chronicle.versions {
        history.append(record.clone()).map_err(|error| fail(error.into()))?;
    }
    let mut kept = chronicle.kept.clone();
    // What changed in the files since then is no version yet.
    kept.files.clear();
    registry.resume(Box::new(history), Some(kept)).map_err(|error| misfit(loaded, "history", error))?;
    Ok(registry)
}

fn misfit(loaded: &Loaded, shown: &str, error: ChangeError) -> Failure {
    match error {
        ChangeError::Invalid(diagnostics) => Failure::Report(Box::new(Report { diagnostics, sources: loaded.sources.clone() })),
        error => Failure::message(format!("the versions in `{shown}` do not fit this application: {error}")),
    }
}
