//! `HOST:PORT`, as a person types it: a name or an address, IPv6 in brackets, and the port if it is not 3478.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// STUN's port (RFC 8489 §18.6).
const DEFAULT_PORT: u16 = 3478;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// Asks the system's resolver. May take seconds.
    pub(super) fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        (self.host.as_str(), self.port).to_socket_addrs().map(Iterator::collect)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = "write HOST:PORT, such as stun.example.org:3478 or [2001:db8::1]:3478";
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: DEFAULT_PORT });
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return match address.port() {
                0 => Err(format!("0 is no port: {advice}")),
                port => Ok(Self { host: address.ip().to_string(), port }),
            };
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, DEFAULT_PORT),
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (host, port.ok_or_else(|| format!("the port must be 1 to 65535: {advice}"))?)
            }
        };
        let fits = |character: char| character.is_alphanumeric() || "-._".contains(character);
        if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
            return Err(format!("this is no host name: {advice}"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Place>().map(|place| place.to_string());
        assert_eq!(read("stun.example.org").as_deref(), Ok("stun.example.org:3478"));
        assert_eq!(read("stun.example.org:19302").as_deref(), Ok("stun.example.org:19302"));
        assert_eq!(read("192.0.2.1").as_deref(), Ok("192.0.2.1:3478"));
        assert_eq!(read("192.0.2.1:5").as_deref(), Ok("192.0.2.1:5"));
        assert_eq!(read("2001:db8::1").as_deref(), Ok("[2001:db8::1]:3478"));
        assert_eq!(read("[2001:db8::1]").as_deref(), Ok("[2001:db8::1]:3478"));
        assert_eq!(read("[2001:db8::1]:9").as_deref(), Ok("[2001:db8::1]:9"));
        for wrong in
            ["", ":3478", "host:", "host:0", "host:70000", "192.0.2.1:0", "stun://host", "a b", "host:x"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
