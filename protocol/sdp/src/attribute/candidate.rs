//! `a=candidate` and `a=remote-candidates` (RFC 8839 §5.1, §5.2).
//!
//! What a candidate says is ICE's to understand; here only its outline is checked.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Word, checked_string, number, write_list};

checked_string! {
    /// A candidate without `candidate:` before it, unchanged:
    /// `1 1 UDP 2122260223 192.168.101.1 49170 typ host`.
    ///
    /// It has at least eight words, of which the seventh is `typ`, and at most 1,024 bytes. Its numbers and
    /// addresses are not looked at, because an agent skips candidates of kinds that it does not know
    /// (RFC 8839 §5.1).
    Candidate, "foundation, component, transport, priority, address, port, typ and type in at most 1,024 bytes",
    |text| {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        text.len() <= 1024
            && !text.starts_with(' ')
            && !text.ends_with(' ')
            && text.bytes().all(|byte| byte >= b' ' && byte != 0x7F)
            && words.nth(6) == Some("typ")
            && words.next().is_some()
    }
}

/// The candidates of the other side that an agent has chosen. Nobody reads them in WebRTC (RFC 9429 §5.8.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteCandidates {
    /// One for each component.
    pub candidates: Vec<RemoteCandidate>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteCandidate {
    /// 1 for RTP and everything that is one flow, 2 for RTCP.
    pub component: u16,
    /// Its address or name.
    pub host: Word,
    /// Its port.
    pub port: u16,
}

impl RemoteCandidate {
    fn parse<'a>(component: &str, words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(Self {
            component: number(component)?,
            host: words.next()?.parse().ok()?,
            port: number(words.next()?)?,
        })
    }
}

impl FromStr for RemoteCandidates {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let mut candidates = Vec::new();
        while let Some(component) = words.next() {
            let candidate = RemoteCandidate::parse(component, &mut words);
            candidates.push(candidate.ok_or(Malformed("component, address and port of each"))?);
        }
        Ok(Self { candidates })
    }
}

impl fmt::Display for RemoteCandidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.candidates, " ")
    }
}

impl fmt::Display for RemoteCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.component, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_of_a_candidate_is_checked() {
        let text = "3 1 UDP 1685987071 93.184.216.34 49172 typ srflx raddr 10.0.1.1 rport 49171";
        assert_eq!(text.parse::<Candidate>().unwrap(), text);
        for text in
            ["", "1 1 UDP 1 192.0.2.1 1", "1 1 UDP 1 192.0.2.1 1 typ", "1 1 UDP 1 192.0.2.1 1 tpy host"]
        {
            assert!(text.parse::<Candidate>().is_err(), "{text}");
        }
        assert!(format!("{text} x {}", "y".repeat(1024)).parse::<Candidate>().is_err());
        assert!(format!("{text}\r\na=x").parse::<Candidate>().is_err());
    }

    #[test]
    fn remote_candidates_come_in_threes() {
        let text = "1 192.0.2.3 45664 2 192.0.2.3 45665";
        let remote: RemoteCandidates = text.parse().unwrap();
        assert_eq!((remote.candidates.len(), remote.candidates[1].port), (2, 45665));
        assert_eq!(remote.to_string(), text);
        for text in ["1", "1 a", "1 a 65536", "1 a 1 2"] {
            assert!(text.parse::<RemoteCandidates>().is_err(), "{text}");
        }
    }
}
