//! Addresses, as `c=`, `o=` and `a=rtcp` give them (RFC 8866 §5.7).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::Word;

/// An address on the internet: `IN IP4 192.0.2.1`. The value of a `c=` line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// What is written before it. Some write `IP4` before a name, or even before an IPv6 address.
    pub family: Family,
    /// An address, a name, or a multicast address with its scope (`224.2.1.1/127/3`).
    pub host: Word,
}

/// The version of the internet protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `IP4`
    Ip4,
    /// `IP6`
    Ip6,
}

impl Address {
    /// `IN IP4 0.0.0.0`, which stands for no address: what offers say before they know any (RFC 9429 §5.2.1).
    pub fn unspecified() -> Self {
        Ipv4Addr::UNSPECIFIED.into()
    }

    /// The address, where the host is one and neither a name nor multicast with a scope.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Reads three words.
    pub(crate) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Self> {
        words.next().filter(|network| *network == "IN")?;
        let family = match words.next()? {
            "IP4" => Family::Ip4,
            "IP6" => Family::Ip6,
            _ => return None,
        };
        Some(Self { family, host: words.next()?.parse().ok()? })
    }
}

impl From<Ipv4Addr> for Address {
    fn from(ip: Ipv4Addr) -> Self {
        IpAddr::from(ip).into()
    }
}

impl From<Ipv6Addr> for Address {
    fn from(ip: Ipv6Addr) -> Self {
        IpAddr::from(ip).into()
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        let family = if ip.is_ipv4() { Family::Ip4 } else { Family::Ip6 };
        Self { family, host: Word::from_ip(ip) }
    }
}

impl FromStr for Address {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let address = Self::parse(&mut words).filter(|_| words.next().is_none());
        address.ok_or(Malformed("IN, IP4 or IP6, and an address"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Ip4 => "IP4",
            Family::Ip6 => "IP6",
        };
        write!(f, "IN {family} {}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_read_and_written() {
        for text in ["IN IP4 192.0.2.1", "IN IP6 fd00::2", "IN IP4 224.0.0.1/100/12", "IN IP4 host.example"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let address: Address = "IN IP6 fd00::2".parse().unwrap();
        assert_eq!(address, Address::from("fd00::2".parse::<IpAddr>().unwrap()));
        assert_eq!(address.ip(), Some("fd00::2".parse().unwrap()));
        assert_eq!("IN IP4 host.example".parse::<Address>().unwrap().ip(), None);
    }

    #[test]
    fn other_networks_are_refused() {
        for text in ["IN IP7 X", "TN RFC2543 +1-201-406-4090", "IN IP4", "IN IP4 192.0.2.1 x", ""] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
