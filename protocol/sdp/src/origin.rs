//! Who made a description, and its number (RFC 8866 §5.2, RFC 9429 §5.2.1).

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::address::Address;
use crate::error::Malformed;
use crate::text::{Word, number};

/// The `o=` line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// A user's name; `-` for nobody in particular.
    pub username: Word,
    /// Tells this session from all others: random, below 2^63 in WebRTC.
    pub session_id: u64,
    /// Counts the descriptions of this session that differ.
    pub session_version: u64,
    /// Where it was made. WebRTC's ends do not tell.
    pub address: Address,
}

impl Origin {
    /// An origin that tells nothing of its maker. `session_id` should be random and below 2^63.
    ///
    /// ```
    /// # use twocan_sdp::Origin;
    /// assert_eq!(Origin::new(4962303333179871722).to_string(), "- 4962303333179871722 1 IN IP4 127.0.0.1");
    /// ```
    pub fn new(session_id: u64) -> Self {
        Self {
            username: Word::dash(),
            session_id,
            session_version: 1,
            // As browsers do: some ends of old take 0.0.0.0 for a call on hold.
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// The origin of the next description of the same session.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { session_version: self.session_version.wrapping_add(1), ..self.clone() }
    }
}

impl FromStr for Origin {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let mut parse = || {
            Some(Self {
                username: words.next()?.parse().ok()?,
                session_id: number(words.next()?)?,
                session_version: number(words.next()?)?,
                address: Address::parse(&mut words)?,
            })
        };
        let origin = parse();
        let expected = "a user name, two numbers below 2^64, IN, IP4 or IP6, and an address";
        origin.filter(|_| words.next().is_none()).ok_or(Malformed(expected))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, session_id, session_version, address } = self;
        write!(f, "{username} {session_id} {session_version} {address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_and_written() {
        let text = "mozilla...THIS_IS_SDPARTA-99.0 6331603034680102530 0 IN IP4 0.0.0.0";
        let origin: Origin = text.parse().unwrap();
        assert_eq!((origin.session_id, origin.session_version), (6331603034680102530, 0));
        assert_eq!(origin.to_string(), text);
        assert_eq!(origin.next().session_version, 1);
    }

    #[test]
    fn absurd_numbers_are_refused() {
        for text in
            ["- 18446744073709551616 1 IN IP4 a", "- -1 1 IN IP4 a", "- 1 IN IP4 a", "- 1 1 IN IP4 a b"]
        {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
