//! What goes out.

use std::net::SocketAddr;

/// Where the datagrams go that a state machine just appended to its caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The local address to send from.
    pub source: SocketAddr,
    /// The remote address to send to.
    pub destination: SocketAddr,
    /// Where several datagrams of equal size were appended (the last may be shorter): that size, in
    /// bytes. One system call (UDP GSO) can send them all.
    pub segment_size: Option<usize>,
}
