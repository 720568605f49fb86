//! Files of a project into raw entries: where they are, how they are read, what they may refer to.
//!
//! The only part of the crate that touches the file system. It judges files and not entries: whether a kind exists or a
//! field makes sense is for `schema` and `check`.

mod definition;
mod file_refs;
mod installed;
mod layers;
mod node;
mod project;
mod sections;
mod slips;
mod walk;
mod yaml;

pub use layers::ConfigLayers;
pub use project::{Config, Disabled, HistoryPlace, Project};

pub(crate) use definition::{list_names, read_definitions};
pub(crate) use file_refs::join_inside;
pub(crate) use installed::{Module, installed};
pub(crate) use project::locate;
