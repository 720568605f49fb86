//! `moonlet init`: a lock file for an application that has none.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use crate::arguments::InitArguments;
use crate::failure::Failure;
use crate::{exit, output, yaml};

pub(crate) fn run(arguments: &InitArguments) -> Result<u8, Failure> {
    let shown = arguments.lock_file.display();
    let at = arguments.lock_file.parent().unwrap_or(Path::new(""));
    if !arguments.lock_file.exists() && !at.join(&arguments.src_dir).is_dir() && has_entries(at) {
        let src = &arguments.src_dir;
        let failure = Failure::message(format!("there is no directory `{src}`, and entries lie beside `{shown}`"));
        return Err(failure.help(format!("write `moonlet init --src-dir .`, or move the entries to `{src}`")));
    }
    let directories = serde_json::json!({"modules": arguments.modules_dir, "src": arguments.src_dir});
    let mut text = String::new();
    yaml::write(&serde_json::json!({ "directories": directories }), &mut text);
    let written = File::create_new(&arguments.lock_file).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => output::line(&format!("wrote `{shown}`")),
        // It may name modules, which nobody wants to lose.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => output::line(&format!("`{shown}` is there already")),
        Err(error) => return Err(Failure::caused(format!("failed to write `{shown}`"), &error)),
    }
    Ok(exit::SUCCESS)
}

/// Tells whether the definitions of an application lie in a directory itself.
fn has_entries(directory: &Path) -> bool {
    ["_index.yaml", "_index.yml", "_index.json"].iter().any(|name| directory.join(name).is_file())
}
