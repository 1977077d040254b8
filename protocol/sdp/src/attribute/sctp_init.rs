//! `a=sctp-init` (draft-hancke-tsvwg-snap): SCTP's INIT chunk in the description, which saves round trips.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::Malformed;

/// An INIT chunk. What it says is SCTP's to understand; here only its length is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SctpInit(Box<[u8]>);

const EXPECTED: &str = "base64 of 20 to 4096 bytes";

impl SctpInit {
    /// The shortest there is (RFC 9260 §3.3.2), in bytes.
    pub const MIN: usize = 20;
    /// The longest that is read, in bytes.
    pub const MAX: usize = 4096;

    /// A chunk, with its header; refused unless its length is within bounds.
    pub fn new(chunk: impl Into<Box<[u8]>>) -> Result<Self, Malformed> {
        let chunk = chunk.into();
        if (Self::MIN..=Self::MAX).contains(&chunk.len()) {
            Ok(Self(chunk))
        } else {
            Err(Malformed(EXPECTED))
        }
    }

    /// The chunk, with its header.
    pub fn chunk(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for SctpInit {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() > Self::MAX.div_ceil(3) * 4 {
            return Err(Malformed(EXPECTED));
        }
        STANDARD.decode(text).map_err(|_| Malformed(EXPECTED)).and_then(Self::new)
    }
}

impl fmt::Display for SctpInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draft's own example.
    const EXAMPLE: &str = "AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA";

    #[test]
    fn a_chunk_is_read_and_written() {
        let init: SctpInit = EXAMPLE.parse().unwrap();
        assert_eq!(init.chunk()[..4], [1, 0, 0, 30]);
        assert_eq!(init.to_string(), EXAMPLE);
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for text in [
            "",
            "AQAA",
            "AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoL",
            "AQAAHols3R0AUAAA_____-B5ZR3AAAAEgAgABoLA",
        ] {
            assert!(text.parse::<SctpInit>().is_err(), "{text}");
        }
        assert!("A".repeat(8000).parse::<SctpInit>().is_err());
        assert!(SctpInit::new([0; 19]).is_err());
    }
}
