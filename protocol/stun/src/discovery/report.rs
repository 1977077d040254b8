//! What was found out, in types and in words (RFC 4787 §4.1, §5, §6; RFC 5780 §4).

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Something found out, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding<T> {
    /// It is so, at least today and for this port.
    Known(T),
    /// It could not be found out.
    Unknown(Why),
}

/// Why something could not be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No datagram came back from the server at all.
    NoConnectivity,
    /// The server refused with this error code.
    Refused(u16),
    /// The server has no second address.
    NoOtherAddress,
    /// The server named a second address that does not answer.
    OtherAddressSilent,
    /// The server does not answer from its second address on request.
    NoChangeRequest,
    /// The server does not answer to another port on request.
    NoResponsePort,
    /// Nothing came back to our second port.
    SecondPortSilent,
    /// The server tells our address in one form only, so that nothing can be compared.
    OneForm,
    /// There is no NAT that could do it.
    NoNat,
    /// It was not asked for.
    NotAsked,
}

/// Which public address our port gets when it sends to different destinations (RFC 4787 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// Always the same.
    EndpointIndependent,
    /// Another for each destination address.
    AddressDependent,
    /// Another for each destination address and port: a "symmetric" NAT.
    AddressAndPortDependent,
    /// The same for two ports of one address; other addresses could not be tried.
    PortIndependent,
    /// Another for another destination; whether its port matters could not be tried.
    Dependent,
}

/// From whom datagrams are let in to a port that sent to somebody (RFC 4787 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filtering {
    /// From anybody.
    EndpointIndependent,
    /// From any port of an address that was sent to.
    AddressDependent,
    /// Only from an address and port that was sent to.
    AddressAndPortDependent,
    /// From another port of an address that was sent to; other addresses could not be tried.
    PortIndependent,
}

/// How long a binding stays that nothing is sent through (RFC 4787 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It was still there after the longest time that was tried.
    AtLeast(Duration),
    /// It was there after the first and gone after the second.
    Between(Duration, Duration),
    /// It was gone after the shortest time that was tried.
    LessThan(Duration),
}

/// All that was found out in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The server that was asked.
    pub server: SocketAddr,
    /// The server's second address, if it named one (or the second server that was given).
    pub other: Option<SocketAddr>,
    /// The local port that was examined.
    pub local: SocketAddr,
    /// Where the server saw that port. None: nothing came back.
    pub mapped: Option<SocketAddr>,
    /// Which public address our port gets.
    pub mapping: Finding<Mapping>,
    /// From whom datagrams are let in.
    pub filtering: Finding<Filtering>,
    /// Whether two ports behind the NAT reach each other by their public addresses, both of them trying.
    pub hairpinning: Finding<bool>,
    /// How long an idle binding stays.
    pub lifetime: Finding<Lifetime>,
    /// Whether something on the path rewrites addresses inside datagrams.
    pub rewriting: Finding<bool>,
}

impl Report {
    /// Whether our address is changed on the way; unknown when nothing came back.
    pub fn is_nat(&self) -> Option<bool> {
        self.mapped.map(|mapped| mapped != self.local)
    }
}

impl<T> Finding<T> {
    /// What was found, if anything.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn why(&self) -> Option<Why> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(*why),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Finding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Unknown(why) => write!(f, "not known: {why}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConnectivity => "no datagram came back from the server",
            Self::Refused(code) => return write!(f, "the server refused with error {code}"),
            Self::NoOtherAddress => "the server has no second address to compare with",
            Self::OtherAddressSilent => "the server's second address does not answer",
            Self::NoChangeRequest => "the server does not answer from its second address",
            Self::NoResponsePort => "the server does not answer to another port on request",
            Self::SecondPortSilent => "nothing came back to the second local port",
            Self::OneForm => "the server tells our address in one form only",
            Self::NoNat => "there is no NAT",
            Self::NotAsked => "not asked for",
        })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent: the same public address towards everyone",
            Self::AddressDependent => "address-dependent: another public port for each remote address",
            Self::AddressAndPortDependent => {
                "address- and port-dependent (symmetric): another public port for each remote address and port"
            }
            Self::PortIndependent => "does not depend on the remote port; other addresses could not be tried",
            Self::Dependent => "depends on the remote address, perhaps also on its port",
        })
    }
}

impl fmt::Display for Filtering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent: an open port lets everyone in",
            Self::AddressDependent => "address-dependent: only addresses that were sent to get in",
            Self::AddressAndPortDependent => {
                "address- and port-dependent: only the very address and port that was sent to gets in"
            }
            Self::PortIndependent => "does not depend on the remote port; other addresses could not be tried",
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(alive) => write!(f, "at least {} s", alive.as_secs()),
            Self::Between(alive, gone) => write!(f, "between {} and {} s", alive.as_secs(), gone.as_secs()),
            Self::LessThan(gone) => write!(f, "less than {} s", gone.as_secs()),
        }
    }
}
