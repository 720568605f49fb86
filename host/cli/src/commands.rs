//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod lsp;
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod version;
