//! What an agent tells its caller (the states are those of W3C webrtc-pc §5.6.4, `RTCIceTransportState`).

use std::net::SocketAddr;

use super::Role;
use crate::candidate::Candidate;
use crate::pair::PairId;
use crate::path::Path;
use crate::session::ResolveId;

/// How far the agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing to check yet.
    New,
    /// Checking, and no way found yet.
    Checking,
    /// There is a way; better ones are still looked for, or candidates may still come.
    Connected,
    /// There is a way, and it is the one.
    Completed,
    /// The peer does not answer for the moment; or nothing worked so far, and candidates may still come.
    Disconnected,
    /// No way was found, or consent ended. Only [`Agent::restart`](super::Agent::restart) helps.
    Failed,
    /// [`Agent::close`](super::Agent::close) was called.
    Closed,
}

/// The pair that data is sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Which one.
    pub pair: PairId,
    /// What to send on.
    pub path: Path,
    /// Our end.
    pub local: Candidate,
    /// The peer's end.
    pub remote: Candidate,
}

/// Names a connection that the caller opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(super) generation: u32,
    pub(super) pair: PairId,
}

/// Something that the caller must know, or do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state changed.
    State(State),
    /// Data goes this way from now on. Told once more of the same pair where its remote candidate, which a check has found,
    /// turns out to be one that the peer tells (RFC 8445 §7.3.1.3).
    Selected(Box<Selected>),
    /// There is no way to send data any more: consent ended (RFC 7675), or the interface or connection went away.
    Lost,
    /// A role conflict was repaired.
    Role(Role),
    /// Resolve a name by multicast DNS and call [`Agent::handle_resolved`](super::Agent::handle_resolved).
    Resolve {
        /// Which one.
        id: ResolveId,
        /// `….local`.
        name: Box<str>,
    },
    /// Open a TCP connection, framed by RFC 4571, and call
    /// [`Agent::handle_connected`](super::Agent::handle_connected) or
    /// [`Agent::handle_connect_failed`](super::Agent::handle_connect_failed).
    Connect {
        /// Which one.
        id: ConnectionId,
        /// The address to open it from; any port.
        local: SocketAddr,
        /// The address to open it to.
        remote: SocketAddr,
    },
    /// What the peer embedded in a check or an answer that proved to be its own: see
    /// [`Agent::embed`](super::Agent::embed). Empty when it embedded nothing.
    Embedded(Vec<(u16, Box<[u8]>)>),
}

/// What next calls for [`Agent::handle_timeout`](super::Agent::handle_timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The next check may be sent.
    Pacing,
    /// A check is repeated.
    Retransmission,
    /// A check is given up.
    GiveUp,
    /// A connection is not open in time.
    Connect,
    /// A valid pair has waited long enough for a better one.
    Nomination,
    /// Patience with a peer that cannot be reached ends.
    Patience,
    /// Consent is asked for, or a keepalive is sent.
    Consent,
    /// An answer is missed: other pairs are tried.
    Doubt,
    /// The peer has not answered for so long that it counts as disconnected.
    Disconnection,
    /// Consent ends.
    Expiry,
    /// Credentials from before a restart are forgotten.
    Linger,
}

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// STUN, and it was dealt with.
    Stun,
    /// Something else: see [`Agent::is_valid_source`](super::Agent::is_valid_source).
    NotStun,
}
