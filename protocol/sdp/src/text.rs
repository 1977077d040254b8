//! Strings that are known to fit where they stand (RFC 8866 §9: byte-string, non-ws-string, token).
//!
//! None of them can hold a line break, so nothing that is written can smuggle in a line of its own.

use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;

use crate::error::Malformed;

/// Defines an immutable string whose content a function has checked.
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// What it says.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Malformed;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err($crate::error::Malformed($expected)) }
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == **other
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}
pub(crate) use checked_string;

checked_string! {
    /// Free text on one line, which may be empty: anything but NUL, CR and LF.
    Text, "text without NUL or line break", |text| !text.bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n'))
}

checked_string! {
    /// One word: at least one character, no space and no control character.
    Word, "a word: visible characters without a space", is_word
}

checked_string! {
    /// A token of RFC 8866: letters, digits and ``!#$%&'*+-.^_`{|}~``.
    Token, "a token: letters, digits and !#$%&'*+-.^_`{|}~", is_token
}

impl Text {
    /// `-`, for nothing in particular.
    pub(crate) fn dash() -> Self {
        Self("-".into())
    }

    /// Nothing at all.
    pub fn empty() -> Self {
        Self("".into())
    }
}

impl From<Word> for Text {
    fn from(word: Word) -> Self {
        Self(word.0)
    }
}

impl Word {
    /// `-`, for nothing in particular.
    pub(crate) fn dash() -> Self {
        Self("-".into())
    }

    /// The format of sections of data channels.
    pub(crate) fn webrtc_datachannel() -> Self {
        Self("webrtc-datachannel".into())
    }

    pub(crate) fn from_number(number: u64) -> Self {
        Self(number.to_string().into())
    }

    pub(crate) fn from_ip(ip: IpAddr) -> Self {
        Self(ip.to_string().into())
    }
}

impl From<Token> for Word {
    fn from(token: Token) -> Self {
        Self(token.0)
    }
}

impl Borrow<str> for Token {
    fn borrow(&self) -> &str {
        self
    }
}

pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte > b' ' && byte != 0x7F)
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_char)
}

fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte)
}

/// A spelling for which the type around it has no variant of its own: only reading makes one, so that the
/// same thing is never said in two ways.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unlisted(Box<str>);

impl Unlisted {
    pub(crate) fn new(checked: &str) -> Self {
        Self(checked.into())
    }
}

impl Deref for Unlisted {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unlisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Defines an enum of known spellings that also keeps the ones it does not know.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:expr, {
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// Any other.
            Other($crate::text::Unlisted),
        }

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Malformed;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                match text {
                    $($text => Ok(Self::$variant),)*
                    other if check(other) => Ok(Self::Other($crate::text::Unlisted::new(other))),
                    _ => Err($crate::error::Malformed($expected)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use open_enum;

/// A number of decimal digits only: no sign, no space, and not more than the type holds.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().next().filter(u8::is_ascii_digit)?;
    text.parse().ok()
}

/// The first word and what follows the one space after it, if there is a space.
pub(crate) fn first_word(text: &str) -> (&str, Option<&str>) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, Some(rest)),
        None => (text, None),
    }
}

/// A list with something between its items.
pub(crate) fn write_list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    between: &str,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Reads every item, or fails as the first one does that is malformed.
pub(crate) fn parse_all<'a, T: FromStr<Err = Malformed>>(
    items: impl Iterator<Item = &'a str>,
) -> Result<Vec<T>, Malformed> {
    items.map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_string_holds_a_line_break() {
        for text in ["a\rb", "a\nb", "\0", "a\r\na=setup:active"] {
            assert!(text.parse::<Text>().is_err(), "{text:?}");
            assert!(text.parse::<Word>().is_err(), "{text:?}");
            assert!(text.parse::<Token>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn words_and_tokens_are_of_their_characters() {
        assert_eq!("Zoë;1".parse::<Word>().unwrap(), "Zoë;1");
        assert!("a b".parse::<Word>().is_err());
        assert!("".parse::<Word>().is_err());
        assert_eq!("{a}-1".parse::<Token>().unwrap(), "{a}-1");
        assert!("a:b".parse::<Token>().is_err());
        assert!("ë".parse::<Token>().is_err());
        assert_eq!("".parse::<Text>().unwrap(), "");
    }

    #[test]
    fn numbers_are_digits_that_fit() {
        assert_eq!(number::<u16>("65535"), Some(65535));
        for text in ["65536", "+1", "-1", " 1", "1 ", "", "0x1", "1.0"] {
            assert_eq!(number::<u16>(text), None, "{text:?}");
        }
    }
}
