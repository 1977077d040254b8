//! `a=extmap` (RFC 8285 §5 to §8): header extensions of RTP.

use std::fmt;
use std::str::FromStr;

use crate::attribute::direction::Direction;
use crate::error::Malformed;
use crate::text::{Text, Word, first_word, number};

/// The number that stands for a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionId(u16);

impl ExtensionId {
    /// 1 to 256, or 4096 to 4351 in offers of more extensions than there are numbers.
    pub const fn new(number: u16) -> Option<Self> {
        if matches!(number, 1..=256 | 4096..=4351) { Some(Self(number)) } else { None }
    }

    /// As a number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether the short form of a header extension can carry it (RFC 8285 §4.2).
    pub const fn fits_one_byte(self) -> bool {
        self.0 <= 14
    }

    /// Whether it can be sent at all; those from 4096 are only for offers.
    pub const fn is_valid(self) -> bool {
        self.0 <= 256
    }
}

impl FromStr for ExtensionId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).and_then(Self::new).ok_or(Malformed("a number from 1 to 256 or 4096 to 4351"))
    }
}

impl fmt::Display for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extmap {
    /// The number.
    pub id: ExtensionId,
    /// Who sends it; as the section does if nothing is said.
    pub direction: Option<Direction>,
    /// The extension.
    pub uri: Word,
    /// What the extension has to say besides.
    pub attributes: Option<Text>,
}

impl Extmap {
    /// An extension that is sent both ways.
    pub fn new(id: ExtensionId, uri: Word) -> Self {
        Self { id, direction: None, uri, attributes: None }
    }

    /// The extension within, if this one is sent encrypted (RFC 6904 §4).
    pub fn encrypted(&self) -> Option<&str> {
        let attributes = self.attributes.as_deref().filter(|_| self.uri == Self::ENCRYPT)?;
        attributes.split(' ').next().filter(|uri| !uri.is_empty())
    }

    /// What an encrypted extension is called outside.
    pub const ENCRYPT: &str = "urn:ietf:params:rtp-hdrext:encrypt";
}

impl FromStr for Extmap {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (numbers, rest) = first_word(text);
        let rest = rest.ok_or(Malformed("a number, a direction or none, and a URI"))?;
        let (uri, attributes) = first_word(rest.trim_ascii_start());
        let (id, direction) = match numbers.split_once('/') {
            Some((id, direction)) => (id, Some(direction.parse()?)),
            None => (numbers, None),
        };
        let attributes = attributes.map(str::parse).transpose()?;
        Ok(Self { id: id.parse()?, direction, uri: uri.parse()?, attributes })
    }
}

impl fmt::Display for Extmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.direction.iter().try_for_each(|direction| write!(f, "/{direction}"))?;
        write!(f, " {}", self.uri)?;
        self.attributes.iter().try_for_each(|attributes| write!(f, " {attributes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_and_written() {
        for text in [
            "1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
            "3 some_other_extension some_params some more params",
            "4096 URI-gps-string",
        ] {
            assert_eq!(text.parse::<Extmap>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_encrypted_extension_tells_what_is_inside() {
        let text = "3 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:smpte-tc 25@600/24";
        let extmap: Extmap = text.parse().unwrap();
        assert_eq!(extmap.encrypted(), Some("urn:ietf:params:rtp-hdrext:smpte-tc"));
        assert_eq!("1 a b".parse::<Extmap>().unwrap().encrypted(), None);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in ["0 a", "257 a", "4095 a", "4352 a", "1", "1/both a", "a b", ""] {
            assert!(text.parse::<Extmap>().is_err(), "{text}");
        }
        let id = |number| ExtensionId::new(number).unwrap();
        assert!(id(14).fits_one_byte() && !id(15).fits_one_byte());
        assert!(id(256).is_valid() && !id(4096).is_valid());
    }
}
