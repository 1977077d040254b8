//! Cipher suites: RFC 9605 §4.5, §8.1.

use aws_lc_rs::hkdf;

/// How frames are encrypted and keys derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherSuite {
    /// AES-128 in counter mode, with a tag of 80 bits.
    Aes128CtrHmacSha256_80 = 1,
    /// AES-128 in counter mode, with a tag of 64 bits.
    Aes128CtrHmacSha256_64 = 2,
    /// AES-128 in counter mode, with a tag of 32 bits: for sound, of which one forged frame in four billion does no harm
    /// (RFC 9605 §7.5).
    Aes128CtrHmacSha256_32 = 3,
    /// AES-128-GCM, which browsers have, too.
    Aes128GcmSha256_128 = 4,
    /// AES-256-GCM, which browsers have, too.
    Aes256GcmSha512_128 = 5,
}

impl CipherSuite {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Aes128CtrHmacSha256_80,
        Self::Aes128CtrHmacSha256_64,
        Self::Aes128CtrHmacSha256_32,
        Self::Aes128GcmSha256_128,
        Self::Aes256GcmSha512_128,
    ];

    /// Its number.
    pub const fn id(self) -> u16 {
        self as u16
    }

    /// The suite of this number.
    pub fn of_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id() == id)
    }

    /// Bytes of the key that is derived (Nk).
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128CtrHmacSha256_80 | Self::Aes128CtrHmacSha256_64 | Self::Aes128CtrHmacSha256_32 => 48,
            Self::Aes128GcmSha256_128 => 16,
            Self::Aes256GcmSha512_128 => 32,
        }
    }

    /// Bytes of the tag behind every frame (Nt).
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Aes128CtrHmacSha256_80 => 10,
            Self::Aes128CtrHmacSha256_64 => 8,
            Self::Aes128CtrHmacSha256_32 => 4,
            Self::Aes128GcmSha256_128 | Self::Aes256GcmSha512_128 => 16,
        }
    }

    /// Bytes of the hash's output (Nh), and of a ratcheted key.
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Aes256GcmSha512_128 => 64,
            _ => 32,
        }
    }

    pub(crate) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Aes256GcmSha512_128 => hkdf::HKDF_SHA512,
            _ => hkdf::HKDF_SHA256,
        }
    }
}
