//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/sdp_description.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("sdp_description", bytes));
