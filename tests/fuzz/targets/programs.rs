//! libFuzzer feeds [`moonlet_fuzz::programs`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| moonlet_fuzz::programs::feed(bytes));
