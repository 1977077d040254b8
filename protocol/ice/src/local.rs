//! The agent's own candidates, as the caller gathered them (RFC 8445 §5.1).

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::candidate::{Kind, TcpType, Transport};

mod list;

pub(crate) use list::Locals;

/// How the caller reaches the relay of a relayed candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelayProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP, or DTLS.
    Tls,
}

/// A candidate as the caller gathered it. Make one with [`host`](Self::host),
/// [`server_reflexive`](Self::server_reflexive), [`relayed`](Self::relayed) or [`tcp`](Self::tcp).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCandidate {
    pub(crate) kind: Kind,
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
    pub(crate) base: SocketAddr,
    pub(crate) related: Option<SocketAddr>,
    pub(crate) server: Option<IpAddr>,
    pub(crate) via: Option<RelayProtocol>,
    pub(crate) interface: u32,
    pub(crate) cost: u8,
    pub(crate) name: Option<Box<str>>,
    pub(crate) public: Option<IpAddr>,
    pub(crate) url: Option<Box<str>>,
}

/// Why a local candidate was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// There is one with this address and base already.
    Redundant,
    /// Nobody can be reached there: an unspecified, multicast or broadcast address, or port 0.
    BadAddress,
    /// TCP simultaneous open, which this agent does not do.
    SimultaneousOpen,
    /// A name to advertise has at most 255 letters, digits, `-`, `_` and dots.
    BadName,
    /// [`LOCAL_CANDIDATES`](crate::limits::LOCAL_CANDIDATES) of them are there.
    TooMany,
}

impl fmt::Display for NotAdded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redundant => "a candidate with this address and base is there already",
            Self::BadAddress => "nobody can be reached at this address: give a socket's real one",
            Self::SimultaneousOpen => "TCP simultaneous open is not done: offer active and passive",
            Self::BadName => "a name has at most 255 letters, digits, -, _ and dots",
            Self::TooMany => "the agent has as many local candidates as it may",
        })
    }
}

impl Error for NotAdded {}

impl LocalCandidate {
    fn new(kind: Kind, address: SocketAddr, base: SocketAddr) -> Self {
        Self {
            kind,
            transport: Transport::Udp,
            address,
            base,
            related: None,
            server: None,
            via: None,
            interface: 0,
            cost: 0,
            name: None,
            public: None,
            url: None,
        }
    }

    /// A UDP socket bound to an interface's address.
    pub fn host(address: SocketAddr) -> Self {
        Self::new(Kind::Host, address, address)
    }

    /// What a STUN server saw of the UDP socket at `base`.
    pub fn server_reflexive(address: SocketAddr, base: SocketAddr, server: IpAddr) -> Self {
        Self { related: Some(base), server: Some(server), ..Self::new(Kind::ServerReflexive, address, base) }
    }

    /// What a TURN server lends, and what it saw of us. The agent sends "from" `address`; the caller sees that
    /// in [`Transmit::source`](wire::Transmit::source) and sends through the relay.
    pub fn relayed(address: SocketAddr, mapped: SocketAddr, server: IpAddr, via: RelayProtocol) -> Self {
        let new = Self::new(Kind::Relayed, address, address);
        Self { related: Some(mapped), server: Some(server), via: Some(via), ..new }
    }

    /// An address that TCP connections are opened from (its port does not matter), or that listens for them.
    pub fn tcp(mut address: SocketAddr, tcp_type: TcpType) -> Self {
        if tcp_type == TcpType::Active {
            // RFC 6544 §4.5: the discard port stands for the one not yet known.
            address.set_port(9);
        }
        Self { transport: Transport::Tcp(tcp_type), ..Self::new(Kind::Host, address, address) }
    }

    /// Which interface it is on (any number that names it), and what using that costs the user: 0, the
    /// default, to 3. It decides the order among candidates of one kind.
    pub fn on_interface(self, interface: u32, cost: u8) -> Self {
        Self { interface, cost, ..self }
    }

    /// Advertises a name (`….local`) in place of the address (draft-ietf-mmusic-mdns-ice-candidates).
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Advertises another address with the same port: the one that a NAT which maps one to one has for it.
    pub fn advertised(self, public: IpAddr) -> Self {
        Self { public: Some(public), ..self }
    }

    /// Says which server it was learnt from, as a URL, for reports.
    pub fn learnt_from(self, url: &str) -> Self {
        Self { url: Some(url.into()), ..self }
    }

    /// How it was found.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// UDP, or TCP and who connects.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which interface it is on, and what that costs.
    pub fn interface(&self) -> (u32, u8) {
        (self.interface, self.cost)
    }
}

impl LocalCandidate {
    /// Whether it could be told, and somebody be reached there.
    fn check(&self) -> Result<(), NotAdded> {
        if self.transport == Transport::Tcp(TcpType::SimultaneousOpen) {
            return Err(NotAdded::SimultaneousOpen);
        }
        if !is_reachable(self.address) || !is_reachable(self.base) {
            return Err(NotAdded::BadAddress);
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        match &self.name {
            Some(name) if !(1..=255).contains(&name.len()) || !name.bytes().all(is_name) => {
                Err(NotAdded::BadName)
            }
            _ => Ok(()),
        }
    }
}

/// Whether one host could be there.
pub(crate) fn is_reachable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast
}
