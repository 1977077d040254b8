//! STUN and TURN servers, as the driver has resolved them (W3C webrtc-pc §4.2.4; RFC 7064, RFC 7065).

use std::fmt;
use std::net::SocketAddr;

/// One resolved address of one server, over one transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// What it does for us.
    pub kind: IceServerKind,
    /// How it is spoken to. STUN is asked over UDP only: what a server sees of a TCP connection helps nobody
    /// (RFC 6544 §5.2 needs simultaneous open for it).
    pub transport: ServerTransport,
    /// Where it is.
    pub address: SocketAddr,
    /// The name that was asked for, which a certificate must bear; or the address as text.
    pub domain: Box<str>,
}

/// What a server does.
#[derive(Clone, PartialEq, Eq)]
pub enum IceServerKind {
    /// It says how it sees us.
    Stun,
    /// It relays, for whom it knows (RFC 8489 §9.2; ephemeral credentials are just that).
    Turn {
        /// Who we are.
        username: Box<str>,
        /// The password.
        credential: Box<str>,
    },
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl IceServer {
    /// As events and statistics name it.
    pub fn url(&self) -> String {
        let is_stun = self.kind == IceServerKind::Stun;
        let (scheme, query) = match (is_stun, self.transport) {
            (true, ServerTransport::Udp) => ("stun", ""),
            (true, ServerTransport::Tcp) => ("stun", "?transport=tcp"),
            (true, ServerTransport::Tls) => ("stuns", ""),
            (false, ServerTransport::Udp) => ("turn", "?transport=udp"),
            (false, ServerTransport::Tcp) => ("turn", "?transport=tcp"),
            (false, ServerTransport::Tls) => ("turns", "?transport=tcp"),
        };
        let port = self.address.port();
        match self.domain.parse::<std::net::Ipv6Addr>() {
            Ok(ip) => format!("{scheme}:[{ip}]:{port}{query}"),
            Err(_) => format!("{scheme}:{}:{port}{query}", self.domain),
        }
    }
}

impl ServerTransport {
    pub(crate) fn relay_protocol(self) -> ice::RelayProtocol {
        match self {
            Self::Udp => ice::RelayProtocol::Udp,
            Self::Tcp => ice::RelayProtocol::Tcp,
            Self::Tls => ice::RelayProtocol::Tls,
        }
    }
}

/// Without the password, so that none is logged.
impl fmt::Debug for IceServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stun => f.write_str("Stun"),
            Self::Turn { username, .. } => {
                f.debug_struct("Turn").field("username", username).finish_non_exhaustive()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_rfc_7064_and_rfc_7065() {
        let turn = IceServerKind::Turn { username: "ada".into(), credential: "secret".into() };
        let url = |kind: &IceServerKind, transport, domain: &str| {
            let address = SocketAddr::from(([192, 0, 2, 1], 3478));
            IceServer { kind: kind.clone(), transport, address, domain: domain.into() }.url()
        };
        assert_eq!(url(&IceServerKind::Stun, ServerTransport::Udp, "example.org"), "stun:example.org:3478");
        assert_eq!(url(&turn, ServerTransport::Tls, "2001:db8::1"), "turns:[2001:db8::1]:3478?transport=tcp");
        assert_eq!(url(&turn, ServerTransport::Udp, "192.0.2.1"), "turn:192.0.2.1:3478?transport=udp");
        assert!(!format!("{turn:?}").contains("secret"));
    }
}
