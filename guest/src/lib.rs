//! The Lua guest: PUC Lua inside a WebAssembly component, with coroutines scheduled inside and everything else asked of the host.
//!
//! Start reading at `machine.rs` (the life of a process), then `scheduler.rs`.
#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "nearly every line speaks to Lua's C API; blocks inside unsafe functions would mark all of it and say nothing"
)]

// What wit-bindgen generates is not ours to document.
#[allow(missing_docs, unreachable_pub, unused, reason = "generated")]
#[allow(clippy::all, clippy::restriction, clippy::pedantic, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "machine", generate_all, pub_export_macro: true });
}

mod base;
mod base64;
mod builder;
mod channel;
mod compiler;
mod coroutine;
mod ctx;
mod errors;
mod functions;
mod hash;
pub mod host;
mod hostmodule;
mod io;
mod json;
mod loader;
mod log;
mod lua;
mod machine;
mod mailbox;
mod message;
mod modules;
mod os;
mod pattern;
mod payload;
mod prelude;
mod process;
mod raw;
mod scheduler;
#[cfg(test)]
mod testing;
mod texts;
mod time;
mod uuid;

pub use bindings::Guest;
use bindings::{Error, Event, Program, Status};

/// The machine as the host sees it.
pub struct Component;

impl Guest for Component {
    fn prepare() {
        unsafe { machine::prepare() }
    }

    fn compile(source: Vec<u8>, name: String) -> Result<Vec<u8>, Error> {
        unsafe { machine::compile(&source, &name) }
    }

    fn start(program: Program) -> Status {
        unsafe { machine::start(program) }
    }

    fn step(events: Vec<Event>) -> Status {
        unsafe { machine::step(events) }
    }
}

#[cfg(target_arch = "wasm32")]
mod exports {
    #![allow(unreachable_pub, reason = "generated")]

    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}
