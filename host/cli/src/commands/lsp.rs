//! `moonlet lsp`.

use crate::exit;
use crate::failure::Failure;

pub(crate) fn run() -> Result<u8, Failure> {
    moonlet_lsp::serve_stdio().map_err(|error| Failure::caused("the language server stopped", &error))?;
    Ok(exit::SUCCESS)
}
