//! Keys out of other keys, and out of what people can remember: RFC 9605 §4.4.2, §5.1.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{KeyType, Salt};
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use crate::suite::CipherSuite;

/// Of the salt, and of a nonce (Nn).
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of the longest key that is derived.
pub(crate) const MAX_KEY_LEN: usize = 48;

/// Of the hash over a passphrase: what OWASP's advice of 2023 asks for with SHA-256. A few tenths of a second, once for
/// each room; who guesses passphrases pays as much for each guess. All ends must agree on it.
pub const PASSPHRASE_ITERATIONS: u32 = 600_000;

/// Of a key that a passphrase makes.
pub const PASSPHRASE_KEY_LEN: usize = 32;

const PASSPHRASE_SALT: &[u8] = b"twocan sframe 1\0";

/// The base key of a room that shares a passphrase: PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2), the room's name as the salt,
/// so that a table of guesses is good for one room only. `web/js/sframe.js` makes the same. Takes its time on purpose
/// ([`PASSPHRASE_ITERATIONS`]). The caller brings both into Unicode's normalization form C, as the browser's side does.
///
/// All senders of the room share it, so each must have a KID of its own, and another each time it begins anew: 56 random
/// bits, from a cryptographic generator.
pub fn key_from_passphrase(passphrase: &str, room: &str) -> Zeroizing<[u8; PASSPHRASE_KEY_LEN]> {
    let salt = [PASSPHRASE_SALT, room.as_bytes()].concat();
    let mut key = Zeroizing::new([0; PASSPHRASE_KEY_LEN]);
    let iterations = NonZeroU32::new(PASSPHRASE_ITERATIONS).unwrap_or(NonZeroU32::MAX);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, passphrase.as_bytes(), &mut key[..]);
    key
}

/// The next base key of a sender that ratchets its key forward (RFC 9605 §5.1): [`CipherSuite::hash_len`] bytes.
pub fn ratchet(suite: CipherSuite, base_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut next = Zeroizing::new(vec![0; suite.hash_len()]);
    expand(suite, base_key, &[b"SFrame 1.0 Ratchet"], &mut next).map_err(|_| KeyError)?;
    Ok(next)
}

/// The primitives refused a key: it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key can be made of this one; give at least 16 random bytes")
    }
}

impl std::error::Error for KeyError {}

/// What a base key makes for one KID.
pub(crate) struct Derived {
    pub(crate) key: Zeroizing<[u8; MAX_KEY_LEN]>,
    pub(crate) salt: [u8; NONCE_LEN],
}

impl Derived {
    pub(crate) fn new(suite: CipherSuite, kid: u64, base_key: &[u8]) -> Result<Self, Unspecified> {
        let (kid, id) = (kid.to_be_bytes(), suite.id().to_be_bytes());
        let mut derived = Self { key: Zeroizing::new([0; MAX_KEY_LEN]), salt: [0; NONCE_LEN] };
        let label = b"SFrame 1.0 Secret key ";
        expand(suite, base_key, &[label, &kid, &id], &mut derived.key[..suite.key_len()])?;
        expand(suite, base_key, &[b"SFrame 1.0 Secret salt ", &kid, &id], &mut derived.salt)?;
        Ok(derived)
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF (RFC 5869) with an empty salt.
fn expand(suite: CipherSuite, base_key: &[u8], label: &[&[u8]], out: &mut [u8]) -> Result<(), Unspecified> {
    Salt::new(suite.hkdf(), &[]).extract(base_key).expand(label, Length(out.len()))?.fill(out)
}

#[cfg(test)]
mod tests;
