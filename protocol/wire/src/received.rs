//! What came in.

use std::net::SocketAddr;

/// A datagram that arrived, or one whole frame of a stream. The state machine may change its bytes in
/// place (decryption); they are worth nothing to the caller afterwards.
#[derive(Debug)]
pub struct Received<'a> {
    /// The remote address it came from.
    pub source: SocketAddr,
    /// The local address it arrived at.
    pub destination: SocketAddr,
    /// The payload.
    pub bytes: &'a mut [u8],
}
