//! A candidate: an address where an agent may be reached, as it is told to the peer (RFC 8839 §5.1, RFC
//! 6544 §4.5).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::credentials::{Ufrag, is_ice_char};
use crate::path::Protocol;

#[cfg(test)]
mod tests;
mod text;

pub use text::ParseError;

/// An address where an agent may be reached, and what it is worth.
///
/// Its text form is the attribute of RFC 8839 §5.1 with its name, as in `RTCIceCandidate.candidate`:
///
/// ```
/// # use twocan_ice as ice;
/// let line = "candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998";
/// let candidate: ice::Candidate = line.parse().unwrap();
/// assert_eq!(candidate.kind, ice::Kind::ServerReflexive);
/// assert_eq!(candidate.to_string(), line);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Candidates of one foundation work, or fail, alike (RFC 8445 §5.1.1.3).
    pub foundation: Foundation,
    /// 1 to 256. With RTP and RTCP on one port there is only 1.
    pub component: u16,
    /// UDP, or TCP and who connects.
    pub transport: Transport,
    /// Higher is better (RFC 8445 §5.1.2).
    pub priority: u32,
    /// Where.
    pub address: Address,
    /// How the address was found.
    pub kind: Kind,
    /// For diagnostics: the base of a reflexive candidate, the mapped address of a relayed one.
    pub related: Option<Address>,
    /// Which generation it belongs to, by the sender's user name fragment (RFC 8839 §5.4, RFC 8838 §9).
    pub ufrag: Option<Ufrag>,
    /// libwebrtc's count of restarts.
    pub generation: Option<u32>,
    /// What else was said, in order: names and values.
    pub extensions: Vec<(Box<str>, Box<str>)>,
}

/// How an address was found (RFC 8445 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is an interface's.
    Host,
    /// A STUN server saw it.
    ServerReflexive,
    /// The peer saw it.
    PeerReflexive,
    /// A TURN server lends it.
    Relayed,
}

/// The transport protocol, and for TCP who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp(TcpType),
}

/// Who opens a TCP connection (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TcpType {
    /// The agent that has the candidate.
    Active,
    /// Its peer.
    Passive,
    /// Both at once.
    SimultaneousOpen,
}

/// Where a candidate is: an address, or a name that hides it (multicast DNS).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// Known.
    Ip(SocketAddr),
    /// To be resolved.
    Name {
        /// At most 255 letters, digits, `-`, `_` and dots.
        name: Box<str>,
        /// The port.
        port: u16,
    },
}

/// 1 to 32 ice-chars.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foundation(Box<str>);

/// A text is no foundation: 1 to 32 letters, digits, `+` and `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFoundation;

impl Foundation {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn numbered(number: usize) -> Self {
        Self(number.to_string().into())
    }

    /// Of a candidate that was learnt from a check: unlike any other (RFC 8445 §7.3.1.3), since no peer's
    /// has a dash.
    pub(crate) fn learnt(number: u32) -> Self {
        Self(format!("-{number}").into())
    }
}

impl FromStr for Foundation {
    type Err = BadFoundation;

    fn from_str(text: &str) -> Result<Self, BadFoundation> {
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(is_ice_char);
        fits.then(|| Self(text.into())).ok_or(BadFoundation)
    }
}

impl fmt::Display for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BadFoundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a foundation has 1 to 32 letters, digits, + and /")
    }
}

impl std::error::Error for BadFoundation {}

impl Transport {
    /// UDP or TCP.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Udp => Protocol::Udp,
            Self::Tcp(_) => Protocol::Tcp,
        }
    }
}

impl Address {
    /// The address, unless a name hides it.
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Name { .. } => None,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Ip(address) => address.port(),
            Self::Name { port, .. } => *port,
        }
    }
}
