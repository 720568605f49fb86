//! Runs processes in Wasm instances: the engine, the Lua guest's image, instances, their memory limit, slices and traps.
//!
//! The only crate that names wasmtime. It knows nothing of scheduling, names or messages: whoever drives a process implements
//! [`Imports`], calls the steps of a [`Machine`], and polls the future of a [`Running`].

pub mod bindings;
mod compiler;
mod component;
mod config;
mod exported;
mod failure;
mod limiter;
mod machine;
mod sandbox;
pub mod wit;

pub use component::{Component, Running};
pub use exported::{Compiled, Exported, Mount, WasiGrants};
pub use failure::Failure;
pub use limiter::{InstanceLimits, MemoryUse};
pub use machine::Machine;
pub use sandbox::{IMAGE_MODULES, Sandbox, SandboxConfig};
pub use wit::Imports;
