//! Loads the application that a command is about.

use std::path::Path;

use moonlet_registry::{LoadOptions, Loaded, Override, load};

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
    let options = LoadOptions { modules: Some(modules::catalog()), overrides };
    Ok(load(directory, &options)?)
}
