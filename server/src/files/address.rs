//! Where the server is, and what a person types to receive: a code, or the whole link.

use std::fmt;
use std::str::FromStr;

use hyper::http::Uri;

use super::code::Code;

/// A twocan server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerAddress {
    pub(crate) tls: bool,
    /// An IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl ServerAddress {
    /// `host:port`, as requests name it.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The address of the page where a browser takes part.
    pub(crate) fn link(&self, code: &Code) -> String {
        format!("{self}/send#{code}")
    }

    /// Whether only this computer can open a link to it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = "write the server's address, such as https://call.example.org or http://localhost:8080";
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = with_scheme.parse().map_err(|_| advice.to_owned())?;
        let tls = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(advice.to_owned()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(advice)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if has_user || !matches!(uri.path(), "" | "/" | "/send" | "/send/") || uri.query().is_some() {
            return Err(advice.to_owned());
        }
        Ok(Self { tls, host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }) })
    }
}

/// What is typed behind `twocan receive`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) code: Code,
    /// Named by a link.
    pub(crate) server: Option<ServerAddress>,
}

impl FromStr for Invitation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (server, code) = match text.split_once('#') {
            Some((address, code)) => (Some(address.parse()?), code),
            None => (None, text),
        };
        let code = code.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { code, server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<ServerAddress>().map(|server| server.to_string());
        for (given, expected) in [
            ("https://call.example.org", "https://call.example.org"),
            ("https://call.example.org:443/", "https://call.example.org"),
            ("call.example.org", "https://call.example.org"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080/send", "http://[::1]:8080"),
            ("https://192.0.2.1:8443", "https://192.0.2.1:8443"),
        ] {
            assert_eq!(read(given).as_deref(), Ok(expected));
        }
        for wrong in ["", "ftp://a", "https://", "https://a/b", "https://a?b", "https://u@a", "a b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!("http://[::1]:80".parse::<ServerAddress>().unwrap().is_loopback());
        assert!(!"https://example.org".parse::<ServerAddress>().unwrap().is_loopback());
    }

    #[test]
    fn a_link_is_as_good_as_a_code() {
        let code: Invitation = "k3m9x-7qv2t-h4n80-2wx1z".parse().unwrap();
        assert_eq!(code.server, None);
        let link: Invitation = "https://a.example/send#k3m9x-7qv2t-h4n80-2wx1z".parse().unwrap();
        assert_eq!((link.code.to_string(), link.code == code.code), (code.code.to_string(), true));
        let server = link.server.unwrap();
        assert_eq!(server.link(&link.code), "https://a.example/send#k3m9x-7qv2t-h4n80-2wx1z");
        for wrong in ["", "k3m9x", "https://a.example/send#", "ftp://a/send#k3m9x-7qv2t-h4n80-2wx1z"] {
            assert!(wrong.parse::<Invitation>().is_err(), "{wrong}");
        }
    }
}
