//! `a=ice-options` (RFC 8839 §5.6) and `a=ice-pacing` (§5.5).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Malformed;
use crate::text::{Word, number, parse_all, write_list};

/// The extensions of ICE that an end understands: `trickle`, `ice2`, `renomination`, …
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IceOptions {
    /// Each a word.
    pub tags: Vec<Word>,
}

impl IceOptions {
    /// Candidates may come later (RFC 8838).
    pub const TRICKLE: &str = "trickle";
    /// An agent of RFC 8445, not of 5245.
    pub const ICE2: &str = "ice2";
    /// Checks may carry the handshake of DTLS (draft-hancke-webrtc-sped §5).
    pub const SPED: &str = "sped";

    /// Whether an option is named.
    pub fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| *own == tag)
    }
}

impl FromStr for IceOptions {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Ok(Self { tags: parse_all(text.split_ascii_whitespace())? })
    }
}

impl fmt::Display for IceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.tags, " ")
    }
}

/// The shortest time between two of an end's connectivity checks, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IcePacing(pub u32);

impl IcePacing {
    /// As a time.
    pub fn interval(self) -> Duration {
        Duration::from_millis(self.0.into())
    }
}

impl FromStr for IcePacing {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).map(Self).ok_or(Malformed("milliseconds"))
    }
}

impl fmt::Display for IcePacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_words() {
        let options: IceOptions = "trickle ice2".parse().unwrap();
        assert!(options.has(IceOptions::TRICKLE) && options.has(IceOptions::ICE2) && !options.has("ice"));
        assert_eq!(options.to_string(), "trickle ice2");
    }

    #[test]
    fn pacing_is_in_milliseconds() {
        let pacing: IcePacing = "50".parse().unwrap();
        assert_eq!((pacing.interval(), pacing.to_string()), (Duration::from_millis(50), "50".into()));
        assert!("-1".parse::<IcePacing>().is_err());
    }
}
