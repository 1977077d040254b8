//! The URLs of STUN and TURN servers (RFC 7064 §3, RFC 7065 §3), as strict as W3C webrtc-pc §4.4.1.6.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use peer::ServerTransport;

/// RFC 8489 §8.
const PORT: u16 = 3478;
/// The same over TLS.
const TLS_PORT: u16 = 5349;
/// RFC 1035 §2.3.4.
const NAME_BOUND: usize = 253;

/// What a server does, and whether TLS is in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerScheme {
    /// Tells what our address is outside.
    Stun,
    /// The same over TLS.
    Stuns,
    /// Relays.
    Turn,
    /// Relays, over TLS.
    Turns,
}

/// What a URL says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IceUrl {
    /// What the server does.
    pub scheme: ServerScheme,
    /// A name, or an address without brackets.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
    /// How it is reached.
    pub transport: ServerTransport,
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It begins with none of `stun:`, `stuns:`, `turn:`, `turns:`.
    Scheme,
    /// There is no host, or it is no name and no address.
    Host,
    /// The port is no number from 1 to 65,535.
    Port,
    /// It has more than host and port: a path, a user, a fragment.
    Extra,
    /// Only TURN has a query, and only `transport=udp` or `transport=tcp`.
    Query,
    /// TURN over DTLS (`turns:` over UDP), which no browser does either.
    Dtls,
}

impl FromStr for IceUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "stun" => ServerScheme::Stun,
            "stuns" => ServerScheme::Stuns,
            "turn" => ServerScheme::Turn,
            "turns" => ServerScheme::Turns,
            _ => return Err(UrlError::Scheme),
        };
        if rest.contains(['/', '@', '#', '\\']) {
            return Err(UrlError::Extra);
        }
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let is_secure = matches!(scheme, ServerScheme::Stuns | ServerScheme::Turns);
        let is_turn = matches!(scheme, ServerScheme::Turn | ServerScheme::Turns);
        let transport = match query {
            Some(_) if !is_turn => return Err(UrlError::Query),
            Some("transport=udp") if is_secure => return Err(UrlError::Dtls),
            Some("transport=tcp") | None if is_secure => ServerTransport::Tls,
            Some("transport=udp") | None => ServerTransport::Udp,
            Some("transport=tcp") => ServerTransport::Tcp,
            Some(_) => return Err(UrlError::Query),
        };
        let (host, port) = split_authority(authority)?;
        let port = match port {
            Some(port) => parse_port(port)?,
            None if is_secure => TLS_PORT,
            None => PORT,
        };
        Ok(Self { scheme, host: host.into(), port, transport })
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split_authority(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| UrlError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(UrlError::Port),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || host.len() > NAME_BOUND || !host.bytes().all(is_name) {
        return Err(UrlError::Host);
    }
    // What ends in a number is an address, or nothing (the URL standard's "ends in a number").
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    if last.is_empty() || (last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<IpAddr>().is_err())
    {
        return Err(UrlError::Host);
    }
    Ok((host, port))
}

fn parse_port(port: &str) -> Result<u16, UrlError> {
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port != 0).ok_or(UrlError::Port)
}

impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ServerScheme::Stun => "stun",
            ServerScheme::Stuns => "stuns",
            ServerScheme::Turn => "turn",
            ServerScheme::Turns => "turns",
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}:{open}{}{close}:{}", self.host, self.port)?;
        match (self.scheme, self.transport) {
            (ServerScheme::Turn, ServerTransport::Udp) => f.write_str("?transport=udp"),
            (ServerScheme::Turn | ServerScheme::Turns, _) => f.write_str("?transport=tcp"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "it must begin with stun:, turn: or turns:",
            Self::Host => "it needs a host name or an address, IPv6 in brackets",
            Self::Port => "the port must be a number from 1 to 65535",
            Self::Extra => "it has host and port, no //, user, path or fragment",
            Self::Query => "only turn: and turns: have a query, ?transport=udp or ?transport=tcp",
            Self::Dtls => "TURN over DTLS is not supported: use turns: over TCP",
        })
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, UrlError> {
        text.parse::<IceUrl>().map(|url| url.to_string())
    }

    #[test]
    fn ports_and_transports_have_defaults() {
        for (given, meant) in [
            ("stun:example.org", "stun:example.org:3478"),
            ("STUN:example.org:19302", "stun:example.org:19302"),
            ("stun:[2001:db8::1]", "stun:[2001:db8::1]:3478"),
            ("stun:192.0.2.1:1", "stun:192.0.2.1:1"),
            ("stuns:example.org", "stuns:example.org:5349"),
            ("turn:example.org", "turn:example.org:3478?transport=udp"),
            ("turn:example.org:80?transport=tcp", "turn:example.org:80?transport=tcp"),
            ("turns:example.org", "turns:example.org:5349?transport=tcp"),
            ("turns:[::1]:443?transport=tcp", "turns:[::1]:443?transport=tcp"),
        ] {
            assert_eq!(parse(given).as_deref(), Ok(meant), "{given}");
        }
    }

    #[test]
    fn what_browsers_refuse_is_refused() {
        for (given, error) in [
            ("", UrlError::Scheme),
            ("example.org", UrlError::Scheme),
            ("https:example.org", UrlError::Scheme),
            ("stun:", UrlError::Host),
            ("stun:ex ample", UrlError::Host),
            ("stun:1.2.3", UrlError::Host),
            ("stun:1.2.3.256", UrlError::Host),
            ("stun:[1.2.3.4]", UrlError::Host),
            ("stun:[::1", UrlError::Host),
            ("stun:..", UrlError::Host),
            ("stun://example.org", UrlError::Extra),
            ("stun:user@example.org", UrlError::Extra),
            ("stun:example.org/path", UrlError::Extra),
            ("stun:example.org#there", UrlError::Extra),
            ("stun:example.org?transport=udp", UrlError::Query),
            ("turn:example.org?", UrlError::Query),
            ("turn:example.org?transport=sctp", UrlError::Query),
            ("turn:example.org?transport=TCP", UrlError::Query),
            ("turns:example.org?transport=udp", UrlError::Dtls),
            ("turn:example.org:", UrlError::Port),
            ("turn:example.org:0", UrlError::Port),
            ("turn:example.org:65536", UrlError::Port),
            ("turn:example.org:+80", UrlError::Port),
            ("turn:[::1]80", UrlError::Port),
        ] {
            assert_eq!(parse(given), Err(error), "{given}");
        }
    }
}
