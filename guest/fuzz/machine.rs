//! libFuzzer feeds a Lua process with events.
#![no_main]

mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::machine(bytes));
