//! `a=ice-ufrag` and `a=ice-pwd` (RFC 8839 §5.4): who may check connectivity.
//!
//! Beside ice-chars, `-`, `_`, `=` and `#` are let through, as libwebrtc does for servers that send them.

use crate::text::checked_string;

checked_string! {
    /// A username fragment.
    Ufrag, "4 to 256 letters, digits, + or /", |text| (4..=256).contains(&text.len()) && is_ice(text)
}

checked_string! {
    /// A password.
    Password, "22 to 256 letters, digits, + or /", |text| (22..=256).contains(&text.len()) && is_ice(text)
}

/// Both of them, from the same level of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IceCredentials<'a> {
    /// The username fragment.
    pub ufrag: &'a Ufrag,
    /// The password.
    pub password: &'a Password,
}

fn is_ice(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=#".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_standard() {
        assert!("abc".parse::<Ufrag>().is_err());
        assert!("HIX9".parse::<Ufrag>().is_ok());
        assert!("a".repeat(256).parse::<Ufrag>().is_ok());
        assert!("a".repeat(257).parse::<Ufrag>().is_err());
        assert!("a".repeat(21).parse::<Password>().is_err());
        assert!("i+JLyrpjzXaQ6jYdkAkqENwW".parse::<Password>().is_ok());
        assert!("a".repeat(257).parse::<Password>().is_err());
    }

    #[test]
    fn other_characters_are_refused() {
        for text in ["abc:", "ab cd", "abcdë", "abc\r\n"] {
            assert!(text.parse::<Ufrag>().is_err(), "{text:?}");
        }
    }
}
