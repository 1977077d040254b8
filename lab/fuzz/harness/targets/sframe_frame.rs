//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/sframe_frame.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("sframe_frame", bytes));
