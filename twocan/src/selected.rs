//! The way that data goes (W3C webrtc-pc §5.6, `getSelectedCandidatePair`).

use std::fmt;
use std::net::SocketAddr;

use ice::{Kind, Protocol, RelayProtocol};

/// The pair of candidates that data goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CandidatePair {
    /// Our end.
    pub local: PairEnd,
    /// The peer's end.
    pub remote: PairEnd,
    /// What carries it: UDP (also through a relay), or a TCP connection between the two.
    pub protocol: Protocol,
    /// How we reach our relay, where our end is relayed.
    pub relay_protocol: Option<RelayProtocol>,
}

/// One end of a [`CandidatePair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairEnd {
    /// How the address was found.
    pub kind: Kind,
    /// The address. It is the true one even where the candidate had a name in its place.
    pub address: SocketAddr,
}

impl CandidatePair {
    pub(crate) fn of(selected: &ice::Selected, agent: &ice::Agent) -> Self {
        let told = selected.local.address.ip();
        let is_relayed = selected.local.kind == Kind::Relayed;
        let relay_protocol = agent
            .local_candidates()
            .find(|local| is_relayed && local.candidate.kind == Kind::Relayed && Some(local.address) == told)
            .and_then(|local| local.relay_protocol);
        Self {
            local: PairEnd { kind: selected.local.kind, address: told.unwrap_or(selected.path.local) },
            remote: PairEnd { kind: selected.remote.kind, address: selected.path.remote },
            protocol: selected.path.protocol,
            relay_protocol,
        }
    }

    /// Whether a relay of either end is in between.
    pub fn is_relayed(&self) -> bool {
        self.local.kind == Kind::Relayed || self.remote.kind == Kind::Relayed
    }
}

impl fmt::Display for CandidatePair {
    /// Such as `host 192.0.2.1:5000 - srflx 198.51.100.7:6000, udp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
        };
        write!(f, "{} - {}, {protocol}", self.local, self.remote)?;
        match self.relay_protocol {
            Some(RelayProtocol::Udp) => f.write_str(", relay over udp"),
            Some(RelayProtocol::Tcp) => f.write_str(", relay over tcp"),
            Some(RelayProtocol::Tls) => f.write_str(", relay over tls"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PairEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Host => "host",
            Kind::ServerReflexive => "srflx",
            Kind::PeerReflexive => "prflx",
            Kind::Relayed => "relay",
        };
        write!(f, "{kind} {}", self.address)
    }
}
