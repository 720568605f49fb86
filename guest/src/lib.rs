//! The Lua guest: PUC Lua inside a WebAssembly component, with coroutines scheduled inside and everything else asked of the host.
//!
//! Start reading at `machine.rs` (the life of a process), then `scheduler.rs`.
#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "nearly every line speaks to Lua's C API; blocks inside unsafe functions would mark all of it and say nothing"
)]
#![allow(dead_code, reason = "until every module is in")]

// What wit-bindgen generates is not ours to document.
#[allow(missing_docs, unreachable_pub, unused, reason = "generated")]
#[allow(clippy::all, clippy::restriction, clippy::pedantic, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "machine", generate_all, pub_export_macro: true });
}

mod errors;
pub mod host;
mod lua;
mod machine;
mod modules;
mod payload;

pub use bindings::Guest;
use bindings::{Error, Event, Program, Status};

/// The machine as the host sees it.
pub struct Component;

impl Guest for Component {
    fn prepare() {
        unsafe { machine::prepare() }
    }

    fn compile(_source: Vec<u8>, _name: String) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn start(_program: Program) -> Status {
        Status::Finished
    }

    fn step(_events: Vec<Event>) -> Status {
        Status::Blocked
    }
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);
