//! A secret that wipes itself and does not show itself (RFC 8446 §7.1).

use std::fmt;

use zeroize::Zeroize;

/// The longest secret: an output of SHA-384, or a master secret of DTLS 1.2.
pub(crate) const MAX_LEN: usize = 48;

/// Up to 48 secret bytes.
#[derive(Clone)]
pub(crate) struct Secret {
    bytes: [u8; MAX_LEN],
    length: u8,
}

impl Secret {
    /// `length` zero bytes, for `fill` to write over.
    pub(crate) fn filled<E>(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        debug_assert!(length <= MAX_LEN);
        let length = length.min(MAX_LEN);
        let mut secret = Self { bytes: [0; MAX_LEN], length: u8::try_from(length).unwrap_or(0) };
        fill(&mut secret.bytes[..length])?;
        Ok(secret)
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length.into()]
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
