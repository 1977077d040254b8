//! The keys of an AEAD, and the limits on their use (RFC 8446 §5.5, RFC 9147 §4.5.3).

use aws_lc_rs::aead::quic::{self, HeaderProtectionKey};
use aws_lc_rs::aead::{self, LessSafeKey, UnboundKey};

use super::CryptoError;
use super::suite::Aead;

/// Behind every record, in bytes.
pub(crate) const TAG_LEN: usize = 16;
/// Of the value that makes every record's encryption a different one, in bytes.
pub(crate) const NONCE_LEN: usize = 12;
/// Of the longest key, in bytes.
pub(crate) const MAX_KEY_LEN: usize = 32;

/// Records that fail to open before the connection must end: 2^36 for all of ours.
pub(crate) const FORGERY_LIMIT: u64 = 1 << 36;

impl Aead {
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of nonce that a record of DTLS 1.2 carries (RFC 5288 §3; RFC 7905 §2: none).
    pub(crate) const fn explicit_nonce_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 8,
            Self::ChaCha20Poly1305 => 0,
        }
    }

    /// Records after which the sender takes new keys. RFC 8446 §5.5 allows AES-GCM 2^24.5 full ones; this leaves the
    /// peer ample time to acknowledge the change.
    pub(crate) const fn rekey_after(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 1 << 23,
            Self::ChaCha20Poly1305 => 1 << 40,
        }
    }

    /// Records that may be sealed with one key, whatever happens.
    pub(crate) const fn seal_limit(self) -> u64 {
        match self {
            // 2^24.5, rounded down.
            Self::Aes128Gcm | Self::Aes256Gcm => 23_726_566,
            Self::ChaCha20Poly1305 => (1 << 48) - 1,
        }
    }

    pub(crate) fn key(self, bytes: &[u8]) -> Result<LessSafeKey, CryptoError> {
        let algorithm = match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        };
        Ok(LessSafeKey::new(UnboundKey::new(algorithm, bytes)?))
    }

    /// What hides the record numbers of DTLS 1.3 (RFC 9147 §4.2.3): the same computation as QUIC's header protection.
    pub(crate) fn mask_key(self, bytes: &[u8]) -> Result<HeaderProtectionKey, CryptoError> {
        let algorithm = match self {
            Self::Aes128Gcm => &quic::AES_128,
            Self::Aes256Gcm => &quic::AES_256,
            Self::ChaCha20Poly1305 => &quic::CHACHA20,
        };
        Ok(HeaderProtectionKey::new(algorithm, bytes)?)
    }
}
