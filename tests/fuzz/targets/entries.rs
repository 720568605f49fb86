//! libFuzzer feeds [`moonlet_fuzz::entries`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| moonlet_fuzz::entries::feed(bytes));
