//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/fec_recovery.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("fec_recovery", bytes));
