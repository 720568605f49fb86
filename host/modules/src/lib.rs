//! Host modules: capabilities that Lua gets by `require`, one folder each, all behind `moonlet_runtime::HostModule`.
//!
//! To add one: write a type that implements the trait, and give it to `Node::new` where the command line makes its node.

pub mod store;
mod terminal;

pub use terminal::Terminal;
