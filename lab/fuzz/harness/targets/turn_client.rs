//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/turn_client.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("turn_client", bytes));
