//! SCTP over DTLS (RFC 9260, RFC 8261) and WebRTC data channels (RFC 8831, RFC 8832).
//!
//! A protocol crate: no clock, no I/O, no randomness of its own.

mod association;
mod bits;
mod buffers;
mod config;
mod congestion;
mod event;
mod fault;
pub mod packet;
mod random;
mod receive;
mod recovery;
mod send;
mod serial;
mod slab;
mod time;

pub use association::{Association, BadInit, Stats, Transmit};
pub use config::Config;
pub use event::{CloseReason, Event, Reason, ReceivedMessage};
pub use fault::{Fault, Faults};
pub use send::{Options, Reliability, SendError};
