//! The language server: what an editor asks about a project, answered over the language server protocol.
//!
//! Knows the protocol and nothing else about editors. What is asked about Lua goes to `moonlet-language`, what is asked about
//! entries to `moonlet-registry`. It must not print: standard output belongs to the protocol.

mod convert;
mod documents;
mod features;
mod project;
mod server;

pub use server::{ServerError, serve, serve_stdio};
