//! `moonlet version`.

use crate::failure::Failure;
use crate::{exit, output};

pub(crate) fn run() -> Result<u8, Failure> {
    output::line(&format!("moonlet {}", env!("CARGO_PKG_VERSION")));
    Ok(exit::SUCCESS)
}
