//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/sfu_room.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("sfu_room", bytes));
