//! Where packets go: a transport protocol and two addresses (the 5-tuple of RFC 8445 §2.1).

use std::net::SocketAddr;

/// What carries packets between two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Datagrams; also the path through a relay, whatever lies between us and the relay.
    Udp,
    /// A connection, framed by RFC 4571 (RFC 6544).
    Tcp,
}

/// A way to the peer, as the caller sends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// UDP or TCP.
    pub protocol: Protocol,
    /// The local address: a socket's, or a relayed one that the caller knows the relay of.
    pub local: SocketAddr,
    /// The remote address.
    pub remote: SocketAddr,
}

impl Path {
    /// Whether both are the same way, whatever IPv6 scope their addresses were written with.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.protocol == other.protocol && same(self.local, other.local) && same(self.remote, other.remote)
    }
}

/// Whether two addresses are one: flow labels do not matter, nor do scopes, which a candidate cannot say.
pub(crate) fn same(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && one.ip() == other.ip()
}

/// Whether an address is only meaningful on one link.
pub(crate) fn is_link_local(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(address) => address.ip().is_link_local(),
        SocketAddr::V6(address) => address.ip().is_unicast_link_local(),
    }
}

/// `remote` as it is written to be sent to from `local`: a link-local address needs the link's scope.
pub(crate) fn scoped(local: SocketAddr, mut remote: SocketAddr) -> SocketAddr {
    if let (SocketAddr::V6(local), SocketAddr::V6(remote)) = (local, &mut remote)
        && remote.ip().is_unicast_link_local()
        && remote.scope_id() == 0
    {
        remote.set_scope_id(local.scope_id());
    }
    remote
}
