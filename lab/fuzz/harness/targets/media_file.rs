//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/media_file.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("media_file", bytes));
