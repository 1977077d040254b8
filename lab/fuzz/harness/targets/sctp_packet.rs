//! libFuzzer's entry to the target of this name: see `lab/fuzz/src/sctp_packet.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twocan_fuzz::run("sctp_packet", bytes));
