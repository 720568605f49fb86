//! Settings of the Wasm engine that machine code depends on. `build.rs` uses the same ones to compile the guest.

use wasmtime::Config;

/// Returns the settings shared by the build and the run.
pub(crate) fn base() -> Config {
    let mut config = Config::new();
    // setjmp and longjmp, hence Lua errors, are Wasm exceptions.
    config.wasm_exceptions(true);
    config.concurrency_support(false);
    // Slices end by epochs, not by fuel: fuel counts instructions, and one Lua instruction can be made to take milliseconds
    // (a long comparison, a table of colliding keys), which would stretch a slice a thousandfold.
    config.epoch_interruption(true);
    // Reservations of 4 GiB let the compiler leave out bounds checks; explicit ones cost a factor of 1.8 to 2.
    config.memory_reservation(1 << 32);
    config.memory_guard_size(GUARD_SIZE);
    config.memory_may_move(false);
    config.generate_address_map(false);
    config
}

/// Bytes after each memory that trap: enough for every constant offset the guest's code uses.
const GUARD_SIZE: u64 = 64 << 10;
