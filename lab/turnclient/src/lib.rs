//! A TURN client that blocks, for tests on real sockets (RFC 8656), and [`conformance`]: what a server must
//! do, as a table that runs against ours and others.
//!
//! It writes what a well-behaved client would not, and looks at every byte that comes back.

pub mod conformance;
mod session;
mod wire;

pub use session::{Answer, Proof, Session};
pub use wire::{Transport, Wire};

use std::net::SocketAddr;

/// A server under test, and what it is known to let in.
#[derive(Clone, Debug)]
pub struct Target {
    /// UDP and TCP.
    pub server: SocketAddr,
    /// The same over IPv6, if it listens there.
    pub server_v6: Option<SocketAddr>,
    /// TLS.
    pub tls: Option<SocketAddr>,
    /// Two users with their passwords.
    pub users: [(String, String); 2],
    /// Signs ephemeral names, if the server takes them.
    pub secret: Option<String>,
}
