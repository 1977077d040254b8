//! User name fragment and password of one side (RFC 8445 §5.3; their form in RFC 8839 §5.4).

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use stun::attribute::Username;
use stun::{Class, Message, Method};

use crate::random::Random;

/// 48 bits: unlikely to meet among the thousands of agents behind one port.
const UFRAG_LEN: usize = 8;
/// 144 bits; RFC 8445 §5.3 wants 128.
const PASSWORD_LEN: usize = 24;

/// The user name fragment: 4 to 256 ice-chars.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ufrag(Box<str>);

/// The password: 22 to 256 ice-chars. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

/// What one side's checks are authenticated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Names the agent and its generation.
    pub ufrag: Ufrag,
    /// Proves who sends.
    pub password: Password,
}

/// Why a text is no user name fragment or password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCredentials {
    /// Fewer characters than 4 (fragment) or 22 (password).
    TooShort,
    /// More than 256 characters.
    TooLong,
    /// A character other than letters, digits, `+`, `/`, and what is tolerated beside: `-`, `_`, `=`, `#`.
    BadCharacter,
}

impl fmt::Display for BadCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "too short: a ufrag has at least 4 characters, a password 22",
            Self::TooLong => "longer than 256 characters",
            Self::BadCharacter => "only letters, digits, + and / may occur",
        })
    }
}

impl Error for BadCredentials {}

pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn check(text: &str, least: usize) -> Result<Box<str>, BadCredentials> {
    // Some servers write these too, and browsers take them.
    let is_tolerated = |byte| is_ice_char(byte) || b"-_=#".contains(&byte);
    if !text.bytes().all(is_tolerated) {
        return Err(BadCredentials::BadCharacter);
    }
    match text.len() {
        length if length < least => Err(BadCredentials::TooShort),
        length if length > 256 => Err(BadCredentials::TooLong),
        _ => Ok(text.into()),
    }
}

impl Ufrag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Ufrag {
    type Err = BadCredentials;

    fn from_str(text: &str) -> Result<Self, BadCredentials> {
        check(text, 4).map(Self)
    }
}

impl fmt::Display for Ufrag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Ufrag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Password {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Password {
    type Err = BadCredentials;

    fn from_str(text: &str) -> Result<Self, BadCredentials> {
        check(text, 22).map(Self)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Credentials {
    /// Takes both texts as they stand in a session description.
    pub fn new(ufrag: &str, password: &str) -> Result<Self, BadCredentials> {
        Ok(Self { ufrag: ufrag.parse()?, password: password.parse()? })
    }

    pub(crate) fn generate(random: &mut Random) -> Self {
        let mut chars = |count| random.ice_chars(count).into_boxed_str();
        Self { ufrag: Ufrag(chars(UFRAG_LEN)), password: Password(chars(PASSWORD_LEN)) }
    }
}

/// The user name fragments in a check: the receiver's, and the sender's (RFC 8445 §7.2.2).
///
/// A server with many agents behind one port finds the one that a check is for by the first; nothing is
/// proven by it.
pub fn addressee<'a>(message: &Message<'a>) -> Option<(&'a str, &'a str)> {
    if message.class() != Class::Request || message.method() != Method::BINDING {
        return None;
    }
    message.get::<Username<'_>>().ok().flatten()?.0.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_well_formed_and_differs() {
        let mut random = Random::new(&[7; 32]);
        let (one, two) = (Credentials::generate(&mut random), Credentials::generate(&mut random));
        assert_ne!(one, two);
        assert_eq!(Credentials::new(one.ufrag.as_str(), one.password.as_str()), Ok(one.clone()));
        assert_eq!(Credentials::generate(&mut Random::new(&[7; 32])), one);
    }

    #[test]
    fn the_form_is_checked() {
        assert_eq!("abc".parse::<Ufrag>(), Err(BadCredentials::TooShort));
        assert_eq!("a:bc".parse::<Ufrag>(), Err(BadCredentials::BadCharacter));
        assert_eq!("a".repeat(257).parse::<Ufrag>(), Err(BadCredentials::TooLong));
        assert_eq!("a".repeat(21).parse::<Password>(), Err(BadCredentials::TooShort));
        assert!("a+/9".parse::<Ufrag>().is_ok());
    }

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Credentials::new("abcd", "0123456789012345678901").unwrap();
        assert!(!format!("{credentials:?}").contains("0123"));
    }
}
