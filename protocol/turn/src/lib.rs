//! TURN: a relay for those whom no direct path joins (RFC 8656).
//!
//! A protocol crate: no clock, no I/O. [`server::Server`] is the relay as a state machine, [`client::Client`] one who
//! uses it; the attributes and [`channel`] headers serve both.

pub mod attribute;
pub mod channel;
pub mod client;
pub mod server;
