//! The candidate attribute as text (RFC 8839 §5.1; `tcptype` of RFC 6544 §4.5).

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::{Address, Candidate, Foundation, Kind, TcpType, Transport};

/// More extensions than browsers send by far.
const MAX_EXTENSIONS: usize = 32;
const MAX_NAME: usize = 255;

/// Why a text is no candidate that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// More than one line.
    NotOneLine,
    /// It ends before this part.
    Missing(&'static str),
    /// Not 1 to 32 letters, digits, `+` and `/`.
    BadFoundation,
    /// Not a number of 1 to 256.
    BadComponent,
    /// Neither `udp` nor `tcp`.
    UnknownTransport,
    /// Not a number of 0 to 4294967295.
    BadPriority,
    /// Neither an IP address nor a name.
    BadAddress,
    /// Not a number of 0 to 65535.
    BadPort,
    /// Other than `host`, `srflx`, `prflx` and `relay`.
    UnknownKind,
    /// Other than `active`, `passive` and `so`.
    UnknownTcpType,
    /// TCP without `tcptype`.
    NoTcpType,
    /// `raddr` without `rport`, or the other way round.
    HalfRelated,
    /// Not 4 to 256 letters, digits, `+` and `/`.
    BadUfrag,
    /// The last extension has a name and no value.
    ExtensionWithoutValue,
    /// More than 32 extensions.
    TooManyExtensions,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing(part) => return write!(f, "the candidate ends before its {part}"),
            Self::NotOneLine => "a candidate is one line",
            Self::BadFoundation => "the foundation is not 1 to 32 letters, digits, + and /",
            Self::BadComponent => "the component is not a number of 1 to 256",
            Self::UnknownTransport => "the transport is neither udp nor tcp: ignore the candidate",
            Self::BadPriority => "the priority is not a 32-bit number",
            Self::BadAddress => "neither an IP address nor a host name",
            Self::BadPort => "the port is not a number of 0 to 65535",
            Self::UnknownKind => "the type is none of host, srflx, prflx, relay: ignore the candidate",
            Self::UnknownTcpType => "the tcptype is none of active, passive, so: ignore the candidate",
            Self::NoTcpType => "a tcp candidate must say its tcptype",
            Self::HalfRelated => "raddr and rport come together or not at all",
            Self::BadUfrag => "the ufrag is not 4 to 256 letters, digits, + and /",
            Self::ExtensionWithoutValue => "the last extension has a name and no value",
            Self::TooManyExtensions => "more than 32 extensions",
        })
    }
}

impl Error for ParseError {}

impl FromStr for Candidate {
    type Err = ParseError;

    /// Reads the attribute, with or without `a=` and `candidate:` in front.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = text.strip_prefix("a=").unwrap_or(text);
        let text = text.strip_prefix("candidate:").unwrap_or(text).trim_end_matches(['\r', '\n']);
        // What an extension says goes into descriptions as it is.
        if text.contains(['\r', '\n']) {
            return Err(ParseError::NotOneLine);
        }
        let mut words = text.split(' ');
        let mut next = |part| words.next().filter(|word| !word.is_empty()).ok_or(ParseError::Missing(part));
        let foundation: Foundation = next("foundation")?.parse().map_err(|_| ParseError::BadFoundation)?;
        let component = number(next("component")?).filter(|number| (1..=256).contains(number));
        let component = component.ok_or(ParseError::BadComponent)?;
        let protocol = next("transport")?;
        let priority = number(next("priority")?).ok_or(ParseError::BadPriority)?;
        let (host, port) = (next("address")?, next("port")?);
        let address = address(host, port)?;
        if next("type")? != "typ" {
            return Err(ParseError::Missing("type"));
        }
        let kind = kind(next("type")?)?;
        let mut rest = Extensions::default();
        while let Some(name) = words.next() {
            let value = words.next().ok_or(ParseError::ExtensionWithoutValue)?;
            rest.take(name, value)?;
        }
        let transport = match rest.tcp_type {
            _ if protocol.eq_ignore_ascii_case("udp") => Transport::Udp,
            _ if !protocol.eq_ignore_ascii_case("tcp") => return Err(ParseError::UnknownTransport),
            Some(tcp_type) => Transport::Tcp(tcp_type),
            None => return Err(ParseError::NoTcpType),
        };
        let related = match rest.related {
            (Some(host), Some(port)) => Some(self::address(host, port)?),
            (None, None) => None,
            _ => return Err(ParseError::HalfRelated),
        };
        let (ufrag, generation, extensions) = (rest.ufrag, rest.generation, rest.others);
        Ok(Self {
            foundation,
            component,
            transport,
            priority,
            address,
            kind,
            related,
            ufrag,
            generation,
            extensions,
        })
    }
}

/// What stands behind the type, as pairs of words.
#[derive(Default)]
struct Extensions<'a> {
    related: (Option<&'a str>, Option<&'a str>),
    tcp_type: Option<TcpType>,
    ufrag: Option<crate::Ufrag>,
    generation: Option<u32>,
    others: Vec<(Box<str>, Box<str>)>,
}

impl<'a> Extensions<'a> {
    fn take(&mut self, name: &'a str, value: &'a str) -> Result<(), ParseError> {
        match (name, number(value)) {
            ("raddr", _) => self.related.0 = Some(value),
            ("rport", _) => self.related.1 = Some(value),
            ("tcptype", _) => self.tcp_type = Some(tcp_type(value)?),
            ("ufrag", _) => self.ufrag = Some(value.parse().map_err(|_| ParseError::BadUfrag)?),
            ("generation", Some(generation)) => self.generation = Some(generation),
            _ if self.others.len() == MAX_EXTENSIONS => return Err(ParseError::TooManyExtensions),
            _ => self.others.push((name.into(), value.into())),
        }
        Ok(())
    }
}

/// Digits only: no sign.
fn number<N: FromStr>(word: &str) -> Option<N> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

fn address(host: &str, port: &str) -> Result<Address, ParseError> {
    let port = number(port).ok_or(ParseError::BadPort)?;
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Address::Ip(SocketAddr::new(ip, port)));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&host.len()) && host.bytes().all(is_name);
    fits.then(|| Address::Name { name: host.into(), port }).ok_or(ParseError::BadAddress)
}

fn kind(word: &str) -> Result<Kind, ParseError> {
    match word {
        "host" => Ok(Kind::Host),
        "srflx" => Ok(Kind::ServerReflexive),
        "prflx" => Ok(Kind::PeerReflexive),
        "relay" => Ok(Kind::Relayed),
        _ => Err(ParseError::UnknownKind),
    }
}

fn tcp_type(word: &str) -> Result<TcpType, ParseError> {
    match word {
        "active" => Ok(TcpType::Active),
        "passive" => Ok(TcpType::Passive),
        "so" => Ok(TcpType::SimultaneousOpen),
        _ => Err(ParseError::UnknownTcpType),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        })
    }
}

impl fmt::Display for TcpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        })
    }
}

impl Address {
    fn host(&self) -> &dyn fmt::Display {
        match self {
            Self::Ip(SocketAddr::V4(address)) => address.ip(),
            Self::Ip(SocketAddr::V6(address)) => address.ip(),
            Self::Name { name, .. } => name,
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.transport == Transport::Udp { "udp" } else { "tcp" };
        let (host, port) = (self.address.host(), self.address.port());
        write!(f, "candidate:{} {} {protocol} ", self.foundation, self.component)?;
        write!(f, "{} {host} {port} typ {}", self.priority, self.kind)?;
        if let Some(related) = &self.related {
            write!(f, " raddr {} rport {}", related.host(), related.port())?;
        }
        if let Transport::Tcp(tcp_type) = self.transport {
            write!(f, " tcptype {tcp_type}")?;
        }
        if let Some(generation) = self.generation {
            write!(f, " generation {generation}")?;
        }
        if let Some(ufrag) = &self.ufrag {
            write!(f, " ufrag {ufrag}")?;
        }
        self.extensions.iter().try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}
