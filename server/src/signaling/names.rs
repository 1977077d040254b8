//! Names: of rooms, of people, of peers. A value of these types is valid.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// A room's or lobby's name: 1 to 64 of `a-z A-Z 0-9 - _ .`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct RoomName(Arc<str>);

impl RoomName {
    pub(crate) fn parse(text: &str, most_characters: usize) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let good = !text.is_empty() && text.len() <= most_characters && text.bytes().all(allowed);
        good.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person is called: 1 to 64 characters without surrounding white space and without characters
/// that control the terminal or the direction of the text around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DisplayName(Arc<str>);

impl DisplayName {
    pub(crate) fn parse(text: &str, most_characters: usize) -> Option<Self> {
        let text = text.trim();
        let good = !text.is_empty()
            && text.chars().count() <= most_characters
            && !text.chars().any(|c| c.is_control() || is_direction_control(c));
        good.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Embeddings, overrides and isolates of the Unicode bidirectional algorithm: they would let a name
/// rearrange the words that stand after it.
fn is_direction_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One person in one room. Random, so that a restarted server never gives it to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(pub(crate) u64);

/// Crockford's base 32: its characters sort by their value.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 13 characters of 5 bits hold 64.
const PEER_ID_CHARACTERS: usize = 13;

impl PeerId {
    /// Reads the form that `Display` writes, and no other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != PEER_ID_CHARACTERS {
            return None;
        }
        let mut value: u128 = 0;
        for byte in text {
            let digit = ALPHABET.iter().position(|letter| letter == byte)?;
            value = value << 5 | digit as u128;
        }
        u64::try_from(value).ok().map(Self)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..PEER_ID_CHARACTERS).rev() {
            let digit = self.0 >> (5 * place) & 31;
            write!(formatter, "{}", char::from(ALPHABET[digit as usize]))?;
        }
        Ok(())
    }
}

impl Serialize for PeerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn room_names() {
        for good in ["a", "Tea-time_2.0", &"x".repeat(64)] {
            assert!(RoomName::parse(good, 64).is_some(), "{good}");
        }
        for bad in ["", " ", "a b", "a/b", "é", "<b>", "a\0", &"x".repeat(65)] {
            assert!(RoomName::parse(bad, 64).is_none(), "{bad}");
        }
    }

    #[test]
    fn display_names_are_trimmed_and_counted_in_characters() {
        let name = |text: &str| DisplayName::parse(text, 64).map(|name| name.0.to_string());
        assert_eq!(name("  Ada Lovelace\t"), Some("Ada Lovelace".into()));
        assert_eq!(name("<b>Ada</b>"), Some("<b>Ada</b>".into()), "markup is the pages' business");
        assert!(name(&"é".repeat(64)).is_some());
        for bad in ["", "   ", "a\nb", "a\u{7f}", "a\u{202e}b", "\u{2066}", &"é".repeat(65)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn peer_ids_survive_writing_and_sort_as_their_text(a: u64, b: u64) {
            let (text_a, text_b) = (PeerId(a).to_string(), PeerId(b).to_string());
            prop_assert_eq!(PeerId::parse(&text_a), Some(PeerId(a)));
            prop_assert_eq!(a.cmp(&b), text_a.cmp(&text_b));
        }

        #[test]
        fn every_text_has_at_most_one_spelling(text in "[0-9a-z]{12,14}") {
            if let Some(peer) = PeerId::parse(&text) {
                prop_assert_eq!(peer.to_string(), text);
            }
        }
    }
}
