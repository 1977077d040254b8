//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/jitter_buffer.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("jitter_buffer", bytes));
