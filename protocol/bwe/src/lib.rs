//! Bandwidth estimation and pacing (draft-ietf-rmcat-gcc, RFC 8888).
//!
//! A protocol crate: no clock, no I/O.
