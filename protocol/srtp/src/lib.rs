//! SRTP and SRTCP (RFC 3711) with WebRTC's profiles (RFC 5764, 7714).
//!
//! A protocol crate: no clock, no I/O.
