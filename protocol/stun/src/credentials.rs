//! The keys that prove who sent a message: short-term (RFC 8489 §9.1.1) and long-term (§9.2.2), and the
//! ephemeral passwords that a web application hands out (the TURN REST scheme).

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};

/// How a long-term key is made from user name, realm and password (RFC 8489 §18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `MD5(username ":" realm ":" password)`, 0x0001.
    Md5,
    /// `SHA-256(username ":" realm ":" password)`, 0x0002.
    Sha256,
}

impl Algorithm {
    /// Its number in PASSWORD-ALGORITHM(S).
    pub const fn number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    /// The algorithm of a number, if it is known.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// The HMAC key of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256.
///
/// Names and passwords are used as given: prepare them with OpaqueString (RFC 8265 §4.2) beforehand.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Md5([u8; 16]),
    Sha256([u8; 32]),
    Password(Box<[u8]>),
}

impl Key {
    /// A short-term key: the password itself (RFC 8489 §9.1.1).
    pub fn short_term(password: &str) -> Self {
        Self(Repr::Password(password.as_bytes().into()))
    }

    /// A long-term key (RFC 8489 §9.2.2).
    pub fn long_term(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> Self {
        let parts = [username, ":", realm, ":", password];
        Self(match algorithm {
            Algorithm::Md5 => {
                let mut hash = Md5::new();
                parts.iter().for_each(|part| hash.update(part));
                Repr::Md5(hash.finalize().into())
            }
            Algorithm::Sha256 => Repr::Sha256(sha256(&parts)),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Md5(bytes) => bytes,
            Repr::Sha256(bytes) => bytes,
            Repr::Password(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What USERHASH carries instead of the user name: `SHA-256(username ":" realm)` (RFC 8489 §14.4).
pub fn user_hash(username: &str, realm: &str) -> [u8; 32] {
    sha256(&[username, ":", realm])
}

/// The password of an ephemeral user name such as `1700000000:ada`: base64 of HMAC-SHA1 under a secret
/// that the web application and the TURN server share (draft-uberti-behave-turn-rest-00 §2.2).
pub fn ephemeral_password(secret: &[u8], username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    BASE64.encode(hmac::sign(&key, username.as_bytes()))
}

fn sha256(parts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part.as_bytes()));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_term_key_of_rfc_8489_section_9_2_2() {
        let key = Key::long_term(Algorithm::Md5, "user", "realm", "pass");
        assert_eq!(
            key.bytes(),
            [0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb, 0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb]
        );
    }
}
