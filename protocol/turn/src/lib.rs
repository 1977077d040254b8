//! TURN: a relay for those whom no direct path joins (RFC 8656).
//!
//! A protocol crate: no clock, no I/O. [`server::Server`] is the relay as a state machine, [`client::Client`] one who
//! uses it; the attributes and [`channel`] headers serve both.
//!
//! ```
//! use std::time::Instant;
//!
//! use stun::client::LongTerm;
//! use twocan_turn::client::{Client, Config, Families, Transport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Client::new(Config {
//!     local: "192.0.2.7:50000".parse()?,
//!     server: "203.0.113.1:3478".parse()?,
//!     transport: Transport::Datagrams,
//!     credentials: LongTerm::new("ada", "secret")?,
//!     families: Families::Ipv4,
//!     lifetime: None,
//!     software: String::new(),
//!     seed: [7; 32], // from a source of randomness
//! });
//! let now = Instant::now();
//! client.allocate(now);
//!
//! // The first request goes out without credentials; its answer brings realm and nonce.
//! let mut datagram = Vec::new();
//! let transmit = client.poll_transmit(now, &mut datagram).ok_or("nothing to send")?;
//! assert_eq!(transmit.destination, client.server());
//! # Ok(())
//! # }
//! ```

pub mod attribute;
pub mod channel;
pub mod client;
pub mod server;
