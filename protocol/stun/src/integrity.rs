//! Who sent a message, and whether it is whole: MESSAGE-INTEGRITY (RFC 8489 §14.5),
//! MESSAGE-INTEGRITY-SHA256 (§14.6) and FINGERPRINT (§14.7).

use std::error::Error;
use std::fmt;

use aws_lc_rs::{constant_time, hmac};

use crate::credentials::Key;
use crate::message::Message;

pub(crate) const SHA1_LEN: usize = 20;
pub(crate) const SHA256_LEN: usize = 32;

/// Why a message's sender is not who it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrityError {
    /// No integrity attribute at all.
    Missing,
    /// The attribute has a length that no sender may use.
    BadLength,
    /// Made with another key, or the message was changed.
    Mismatch,
}

impl fmt::Display for IntegrityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the message proves nothing about its sender",
            Self::BadLength => "the integrity attribute has a wrong length",
            Self::Mismatch => "the message was made with another key, or changed",
        })
    }
}

impl Error for IntegrityError {}

impl Message<'_> {
    /// Checks MESSAGE-INTEGRITY-SHA256 if it is there, else MESSAGE-INTEGRITY (RFC 8489 §9.2.4).
    pub fn verify(&self, key: &Key) -> Result<(), IntegrityError> {
        if let Some(offset) = self.integrity_sha256_offset() {
            let received = self.value_at(offset);
            // May be truncated to no less than 16 bytes, in steps of four (§14.6).
            if !(16..=SHA256_LEN).contains(&received.len()) || !received.len().is_multiple_of(4) {
                return Err(IntegrityError::BadLength);
            }
            return self.compare(hmac::HMAC_SHA256, key, offset, received);
        }
        let offset = self.integrity_sha1_offset().ok_or(IntegrityError::Missing)?;
        let received = self.value_at(offset);
        if received.len() != SHA1_LEN {
            return Err(IntegrityError::BadLength);
        }
        self.compare(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key, offset, received)
    }

    fn compare(
        &self,
        algorithm: hmac::Algorithm,
        key: &Key,
        offset: usize,
        received: &[u8],
    ) -> Result<(), IntegrityError> {
        // The length field counts everything up to and including this attribute.
        let length = u16::try_from(offset - crate::HEADER_LEN + 4 + received.len()).unwrap_or(u16::MAX);
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key.bytes()));
        context.update(&self.bytes()[..2]);
        context.update(&length.to_be_bytes());
        context.update(&self.bytes()[4..offset]);
        let expected = context.sign();
        constant_time::verify_slices_are_equal(&expected.as_ref()[..received.len()], received)
            .map_err(|_| IntegrityError::Mismatch)
    }
}

pub(crate) fn sha1(key: &Key, message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.bytes()), message)
}

pub(crate) fn sha256(key: &Key, message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.bytes()), message)
}

/// CRC-32 of what comes before it, XORed so that it differs from other protocols' CRCs.
pub(crate) fn fingerprint(message: &[u8]) -> u32 {
    crc32fast::hash(message) ^ 0x5354_554e
}
