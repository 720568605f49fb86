//! `moonlet init`: a lock file for an application that has none.

use std::fs::File;
use std::io::{self, Write as _};

use crate::arguments::InitArguments;
use crate::failure::Failure;
use crate::{exit, output, yaml};

pub(crate) fn run(arguments: &InitArguments) -> Result<u8, Failure> {
    let shown = arguments.lock_file.display();
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
