//! libFuzzer feeds the guest's codec: what was read is written so that it reads the same.
#![no_main]

mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::codec(bytes));
