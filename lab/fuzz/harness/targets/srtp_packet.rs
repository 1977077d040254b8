//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/srtp_packet.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("srtp_packet", bytes));
