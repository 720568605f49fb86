//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod init;
pub(crate) mod limits;
pub(crate) mod lsp;
pub(crate) mod modules;
pub(crate) mod ps;
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod top;
pub(crate) mod version;
