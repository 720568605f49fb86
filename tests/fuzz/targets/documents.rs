//! libFuzzer feeds [`moonlet_fuzz::documents`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| moonlet_fuzz::documents::feed(bytes));
