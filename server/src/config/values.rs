//! The values that options take. A value of these types is valid.

use std::{fmt, net::IpAddr, ops::RangeInclusive, str::FromStr};

use ipnet::IpNet;

/// Where a service listens: `host:port`, `:port` or `port` (all addresses), or `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Off,
    /// On every address of this machine.
    Everywhere(u16),
    /// On what this name or address stands for.
    At(String, u16),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let wrong = || "give host:port, :port, a port, or off".to_owned();
        if let Ok(port) = text.parse() {
            return Ok(Self::Everywhere(port));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            _ if host.is_empty() => Ok(Self::Everywhere(port)),
            Some(Some(address)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                Ok(Self::At(address.to_owned(), port))
            }
            Some(_) => Err(wrong()),
            None if host.contains(':') => Err("an IPv6 address stands in brackets: [::1]:8080".to_owned()),
            None => Ok(Self::At(host.to_owned(), port)),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::Everywhere(port) => write!(formatter, ":{port}"),
            Self::At(host, port) if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::At(host, port) => write!(formatter, "{host}:{port}"),
        }
    }
}

/// A static user of the relay.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TurnUser {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl FromStr for TurnUser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((name, password)) if !name.is_empty() && !password.is_empty() => {
                // RFC 8489 §14.3 and §14.9.
                if name.len() > 508 {
                    return Err("a user's name is at most 508 bytes".to_owned());
                }
                Ok(Self { name: name.to_owned(), password: password.to_owned() })
            }
            _ => Err("give NAME:PASSWORD".to_owned()),
        }
    }
}

impl fmt::Debug for TurnUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:…", self.name)
    }
}

/// Something not to be printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() < 8 {
            return Err("give at least 8 characters; `openssl rand -hex 32` makes a good one".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// Who may look at the server's own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AdminToken {
    /// There is no such page.
    Off,
    /// Whoever has this.
    Of(Secret),
}

impl FromStr for AdminToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::Of) }
    }
}

/// The realm that the relay names. Short, since an unauthenticated client's answer contains it and
/// may not be much longer than its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Realm(pub(crate) String);

/// Bytes; over this the answer to the smallest Allocate would be more than one and a half times as large.
const LONGEST_REALM: usize = 12;

impl FromStr for Realm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > LONGEST_REALM {
            return Err(format!(
                "a realm is 1 to {LONGEST_REALM} bytes: a longer one would let strangers use this server to \
                 multiply traffic against others"
            ));
        }
        if text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
            return Err("a realm has no quotes, backslashes or control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// A range of addresses, `192.0.2.0/24`; a single address stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr(pub(crate) IpNet);

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(Self).map_err(|_| "give an address range such as 192.168.1.0/24 or fd00::/8".to_owned())
    }
}

/// Ports that relayed addresses are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortRange(pub(crate) RangeInclusive<u16>);

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give a range of ports such as 49152-65535".to_owned();
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let first: u16 = first.trim().parse().map_err(|_| wrong())?;
        let last: u16 = last.trim().parse().map_err(|_| wrong())?;
        if first < 1024 || last < first {
            return Err("give a range of ports from 1024 on, the lower one first".to_owned());
        }
        Ok(Self(first..=last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_at() {
        let listen = |text: &str| text.parse::<Listen>();
        assert_eq!(listen("off"), Ok(Listen::Off));
        assert_eq!(listen("8080"), Ok(Listen::Everywhere(8080)));
        assert_eq!(listen(":8080"), Ok(Listen::Everywhere(8080)));
        assert_eq!(listen("localhost:80"), Ok(Listen::At("localhost".into(), 80)));
        assert_eq!(listen("[::1]:80"), Ok(Listen::At("::1".into(), 80)));
        for bad in ["", "on", "localhost", "a:b", "1.2.3.4:99999", "::1:80", "[x]:80", "[::1:80", "-1"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
        for good in ["off", ":80", "localhost:80", "[::1]:80"] {
            assert_eq!(listen(good).unwrap().to_string(), good);
        }
    }

    #[test]
    fn address_ranges() {
        let cidr = |text: &str| text.parse::<Cidr>().map(|cidr| cidr.0.to_string());
        assert_eq!(cidr("10.0.0.0/8"), Ok("10.0.0.0/8".into()));
        assert_eq!(cidr("10.0.0.7"), Ok("10.0.0.7/32".into()));
        assert_eq!(cidr("fd00::/8"), Ok("fd00::/8".into()));
        for bad in ["", "10/8", "10.0.0.0/33", "fd00::/129", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert!(cidr(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn port_ranges_users_realms_and_secrets() {
        assert_eq!("5000-6000".parse(), Ok(PortRange(5000..=6000)));
        for bad in ["5000", "6000-5000", "80-90", "5000-70000", ""] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
        let user: TurnUser = "ada:pass:word".parse().unwrap();
        assert_eq!((user.name.as_str(), user.password.as_str()), ("ada", "pass:word"));
        assert!(!format!("{user:?}").contains("word"));
        for bad in ["ada", ":x", "ada:", ""] {
            assert!(bad.parse::<TurnUser>().is_err(), "{bad}");
        }
        assert!("twelve bytes".parse::<Realm>().is_ok());
        for bad in ["", "thirteen byte", "a\"b", "a\nb"] {
            assert!(bad.parse::<Realm>().is_err(), "{bad}");
        }
        assert!("1234567".parse::<Secret>().is_err());
        assert!("on".parse::<AdminToken>().is_err());
        assert_eq!("off".parse(), Ok(AdminToken::Off));
    }
}
