//! `a=rtcp` (RFC 3605 §2.1) and `a=rtcp-xr` (RFC 3611 §5.1).

use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::error::Malformed;
use crate::text::{Word, number, parse_all, write_list};

/// Where RTCP goes. Superfluous with ICE (RFC 9429 §5.8.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rtcp {
    /// The port.
    pub port: u16,
    /// The address; that of the section if it is not said.
    pub address: Option<Address>,
}

impl FromStr for Rtcp {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (port, address) = text.split_once(' ').map_or((text, None), |(port, rest)| (port, Some(rest)));
        let port = number(port).ok_or(Malformed("a port, and IN, IP4 or IP6 and an address or nothing"))?;
        Ok(Self { port, address: address.map(str::parse).transpose()? })
    }
}

impl fmt::Display for Rtcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        self.address.iter().try_for_each(|address| write!(f, " {address}"))
    }
}

/// Extended reports that may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtcpXr {
    /// Each a word: `rcvr-rtt=all:10000`, `stat-summary=loss,dup`, `voip-metrics`, …
    pub formats: Vec<Word>,
}

impl RtcpXr {
    /// Whether reports of this name may be sent, and their parameters.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.formats.iter().find_map(|format| {
            let (own, parameters) = format.split_once('=').unwrap_or((format, ""));
            (own == name).then_some(parameters)
        })
    }
}

impl FromStr for RtcpXr {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Ok(Self { formats: parse_all(text.split_ascii_whitespace())? })
    }
}

impl fmt::Display for RtcpXr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.formats, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_with_and_without_addresses() {
        for text in ["9 IN IP4 0.0.0.0", "12312", "53020 IN IP6 2001:2345:6789:ABCD:EF01:2345:6789:ABCD"] {
            assert_eq!(text.parse::<Rtcp>().unwrap().to_string(), text);
        }
        for text in ["", "65536", "1 IN IP7 X", "1 IN IP4", "x"] {
            assert!(text.parse::<Rtcp>().is_err(), "{text}");
        }
    }

    #[test]
    fn reports_are_found_by_name() {
        let text = "rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics";
        let reports: RtcpXr = text.parse().unwrap();
        assert_eq!(reports.get("rcvr-rtt"), Some("all:10000"));
        assert_eq!((reports.get("voip-metrics"), reports.get("pkt-loss-rle")), (Some(""), None));
        assert_eq!(reports.to_string(), text);
    }
}
