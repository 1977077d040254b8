//! `a=msid` and `a=msid-semantic` (RFC 8830 §2, and its drafts for the second).

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Text, Word};

/// The stream of tracks to which a section's track belongs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Msid {
    /// The stream; `-` for none.
    pub id: Word,
    /// The track, which JSEP ignores (RFC 9429 §5.8.2).
    pub track: Option<Word>,
}

impl Msid {
    /// The stream, if there is one.
    pub fn stream(&self) -> Option<&Word> {
        Some(&self.id).filter(|id| **id != "-")
    }
}

impl FromStr for Msid {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(id), track, None) => {
                Ok(Self { id: id.parse()?, track: track.map(str::parse).transpose()? })
            }
            _ => Err(Malformed("a stream, and a track or none")),
        }
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.track.iter().try_for_each(|track| write!(f, " {track}"))
    }
}

/// The streams of a description, which nobody needs any more. It is kept as it is written: Chromium puts a
/// space before it, Firefox does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MsidSemantic(pub Text);

impl MsidSemantic {
    /// `WMS`, and the streams, or `*` for all.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }
}

impl FromStr for MsidSemantic {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.parse().map(Self)
    }
}

impl fmt::Display for MsidSemantic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_tracks_are_read_and_written() {
        for text in ["- f83006c5", "{8affd34e} {77858582}", "foobar"] {
            assert_eq!(text.parse::<Msid>().unwrap().to_string(), text);
        }
        assert_eq!("- f8".parse::<Msid>().unwrap().stream(), None);
        assert_eq!(*"a f8".parse::<Msid>().unwrap().stream().unwrap(), "a");
        assert!("".parse::<Msid>().is_err());
        assert!("a b c".parse::<Msid>().is_err());
    }

    #[test]
    fn the_spelling_of_semantics_is_kept() {
        for text in [" WMS 759f373a", "WMS *", " WMS "] {
            let semantic: MsidSemantic = text.parse().unwrap();
            assert_eq!(semantic.to_string(), text);
            assert_eq!(semantic.words().next(), Some("WMS"));
        }
    }
}
