//! OpaqueString (RFC 8265 §4.2): the one form of a user name, realm or password, so that the same text
//! typed on two keyboards makes the same key (RFC 8489 §9.2.2, §14.3, §14.9).
//!
//! Apply it where a person's text enters, not to what arrives in a message.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;

/// Why a text can be no user name, realm or password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpaque {
    /// It has no characters.
    Empty,
    /// It has a character that looks like nothing or means nothing: control characters, soft hyphens,
    /// unassigned code points and the like (RFC 8264 §4.3).
    Disallowed,
}

impl fmt::Display for NotOpaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty: give it at least one character",
            Self::Disallowed => "it has an invisible, control or unassigned character: retype it without",
        })
    }
}

impl Error for NotOpaque {}

/// Prepares a text: other spaces become U+0020, the rest becomes Unicode's composed form (NFC). Case and
/// width stay.
///
/// Plain ASCII is returned as it is, unless it has control characters.
pub fn opaque_string(text: &str) -> Result<Cow<'_, str>, NotOpaque> {
    if text.is_empty() {
        return Err(NotOpaque::Empty);
    }
    if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Ok(Cow::Borrowed(text));
    }
    OpaqueString::enforce(text).map_err(|_| NotOpaque::Disallowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8265 §4.3, Table 4 (strings 12 to 18).
    #[test]
    fn the_examples_of_rfc_8265() {
        assert_eq!(
            opaque_string("correct horse battery staple").as_deref(),
            Ok("correct horse battery staple")
        );
        assert_eq!(
            opaque_string("Correct Horse Battery Staple").as_deref(),
            Ok("Correct Horse Battery Staple")
        );
        assert_eq!(opaque_string("\u{3c0}\u{df}\u{e5}").as_deref(), Ok("\u{3c0}\u{df}\u{e5}"));
        assert_eq!(opaque_string("Jack of \u{2666}s").as_deref(), Ok("Jack of \u{2666}s"));
        assert_eq!(opaque_string("foo\u{1680}bar").as_deref(), Ok("foo bar"));
        assert_eq!(opaque_string(""), Err(NotOpaque::Empty));
        assert_eq!(opaque_string("my cat is a \u{9}by"), Err(NotOpaque::Disallowed));
    }

    #[test]
    fn two_ways_to_type_a_letter_become_one() {
        assert_eq!(opaque_string("e\u{301}").as_deref(), Ok("\u{e9}"));
        assert!(matches!(opaque_string("マトリックス"), Ok(text) if text == "マトリックス"));
    }

    /// RFC 8489 Appendix B.1 says that OpaqueString makes "TheMatrIX" of this one. That was SASLprep's
    /// doing (RFC 5769 §2.4): RFC 8264 disallows the soft hyphen, and NFC leaves the other two alone.
    #[test]
    fn the_password_of_rfc_5769_is_no_opaque_string() {
        assert_eq!(opaque_string("The\u{ad}M\u{aa}tr\u{2168}"), Err(NotOpaque::Disallowed));
        assert_eq!(opaque_string("M\u{aa}tr\u{2168}").as_deref(), Ok("M\u{aa}tr\u{2168}"));
        assert_eq!(opaque_string("TheMatrIX").as_deref(), Ok("TheMatrIX"));
    }
}
