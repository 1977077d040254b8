//! `a=mid` and `a=group` (RFC 5888 §4, §5; RFC 9143 for BUNDLE).

use std::fmt;
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{checked_string, is_token, is_word, open_enum, parse_all};

checked_string! {
    /// The name of a media section, unlike all others of its description.
    ///
    /// The standard wants a token; any word of up to 255 bytes (the most that a header extension carries,
    /// RFC 9143 §15) is read.
    Mid, "a word of at most 255 bytes", |text| is_word(text) && text.len() <= 255
}

open_enum! {
    /// What sections of a group have in common.
    GroupSemantics, "a token", is_token, {
        /// One transport (RFC 9143).
        Bundle = "BUNDLE",
        /// Synchronised playing (RFC 5888 §7).
        LipSynchronization = "LS",
        /// One flow of media (RFC 5888 §8).
        FlowIdentification = "FID",
        /// The same, sent twice (RFC 7104).
        Duplication = "DUP",
    }
}

/// Media sections that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// In what way.
    pub semantics: GroupSemantics,
    /// Which, in order; none in an answer that accepts none.
    pub mids: Vec<Mid>,
}

impl Group {
    /// Sections that share a transport.
    pub fn bundle(mids: impl IntoIterator<Item = Mid>) -> Self {
        Self { semantics: GroupSemantics::Bundle, mids: mids.into_iter().collect() }
    }

    /// Whether a section belongs to it.
    pub fn has(&self, mid: &Mid) -> bool {
        self.mids.contains(mid)
    }
}

impl FromStr for Group {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut words = text.split_ascii_whitespace();
        let semantics = words.next().ok_or(Malformed("semantics and the mids of sections"))?.parse()?;
        Ok(Self { semantics, mids: parse_all(words)? })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.semantics)?;
        self.mids.iter().try_for_each(|mid| write!(f, " {mid}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_all_semantics_survive() {
        for text in ["BUNDLE 0 1 2", "LS first third", "X a", "BUNDLE"] {
            assert_eq!(text.parse::<Group>().unwrap().to_string(), text);
        }
        let bundle: Group = "BUNDLE 0 {1}".parse().unwrap();
        assert!(bundle.has(&"{1}".parse().unwrap()) && !bundle.has(&"2".parse().unwrap()));
        assert!("".parse::<Group>().is_err());
    }

    #[test]
    fn a_mid_is_a_word_of_bounded_length() {
        assert!("secondary;".parse::<Mid>().is_ok());
        for text in ["", "a b", &"m".repeat(256)] {
            assert!(text.parse::<Mid>().is_err(), "{text}");
        }
    }
}
