//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/bwe_estimator.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("bwe_estimator", bytes));
