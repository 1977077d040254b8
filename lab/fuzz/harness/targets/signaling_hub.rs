//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/signaling_hub.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("signaling_hub", bytes));
