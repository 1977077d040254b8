//! `a=ssrc` and `a=ssrc-group` (RFC 5576 §4): the RTP sources of a section.

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Text, Token, is_token, number, open_enum};

/// The number of an RTP source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

impl FromStr for Ssrc {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).map(Self).ok_or(Malformed("a number below 2^32"))
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something said about a source: `cname:…`, `msid:…`, …
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcAttribute {
    /// The source.
    pub ssrc: Ssrc,
    /// What is said.
    pub name: Token,
    /// Its value.
    pub value: Option<Text>,
}

open_enum! {
    /// What the sources of a group have in common.
    SsrcSemantics, "a token", is_token, {
        /// The second repeats what the first lost (RFC 4588 §8).
        FlowIdentification = "FID",
        /// The second protects the first (RFC 5956 §4).
        ForwardErrorCorrection = "FEC",
        /// The second protects the first (FlexFEC; RFC 5956 §4.3).
        FlexFec = "FEC-FR",
        /// Encodings of one source, smallest first.
        Simulcast = "SIM",
    }
}

/// Sources that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcGroup {
    /// In what way.
    pub semantics: SsrcSemantics,
    /// Which, in order.
    pub ssrcs: Vec<Ssrc>,
}

impl FromStr for SsrcAttribute {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (ssrc, attribute) = text.split_once(' ').ok_or(Malformed("a number and an attribute"))?;
        let (name, value) = match attribute.split_once(':') {
            Some((name, value)) => (name, Some(value.parse()?)),
            None => (attribute.trim_ascii_end(), None),
        };
        Ok(Self { ssrc: ssrc.parse()?, name: name.parse()?, value })
    }
}

impl fmt::Display for SsrcAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ssrc, self.name)?;
        self.value.iter().try_for_each(|value| write!(f, ":{value}"))
    }
}

impl FromStr for SsrcGroup {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let semantics = words.next().ok_or(Malformed("semantics and numbers of sources"))?.parse()?;
        Ok(Self { semantics, ssrcs: words.map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for SsrcGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.semantics)?;
        self.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_written() {
        for text in ["4294967295 cname:{1ecf-5049}", "1 msid:stream track", "1 baz", "1 foo-bar:"] {
            assert_eq!(text.parse::<SsrcAttribute>().unwrap().to_string(), text);
        }
        for text in ["4294967296 cname:x", "-1 cname:x", "5000", "x cname:x", "1 ", "1 a b"] {
            assert!(text.parse::<SsrcAttribute>().is_err(), "{text}");
        }
    }

    #[test]
    fn groups_are_read_and_written() {
        for text in ["FID 3814570633 1624170352", "SIM 1 2 3", "FEC-FR 1 2", "X 1", "FID"] {
            assert_eq!(text.parse::<SsrcGroup>().unwrap().to_string(), text);
        }
        for text in ["", "FID x", "FID 4294967296"] {
            assert!(text.parse::<SsrcGroup>().is_err(), "{text}");
        }
    }
}
