//! Typed Lua: text in, results out.
//!
//! Owns the syntax, the lowering to plain Lua, the type checker and the diagnostics of Moonlet.
//! It must not do I/O, must not be async and knows nothing of Wasm, editors or the command line: whoever calls it reads the
//! files and prints the reports.

pub mod check;
pub mod diagnostic;
pub mod explain;
pub mod lower;
mod names;
mod spelling;
pub mod syntax;
