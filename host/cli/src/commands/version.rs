//! `moonlet version`.

use crate::arguments::VersionArguments;
use crate::failure::Failure;
use crate::{exit, output};

pub(crate) fn run(arguments: &VersionArguments) -> Result<u8, Failure> {
    let name = if arguments.short { "" } else { "moonlet " };
    output::line(&format!("{name}{}", env!("CARGO_PKG_VERSION")));
    Ok(exit::SUCCESS)
}
