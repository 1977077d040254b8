//! The hash of a cipher suite, and the running hash of the handshake (RFC 8446 §4.4.1).

use aws_lc_rs::{digest, hkdf, hmac, tls_prf};

/// The hash that a cipher suite names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    pub(crate) fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        }
    }

    pub(crate) fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }

    pub(crate) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(crate) fn prf(self) -> &'static tls_prf::Algorithm {
        match self {
            Self::Sha256 => &tls_prf::P_SHA256,
            Self::Sha384 => &tls_prf::P_SHA384,
        }
    }
}

/// The running hash of a DTLS 1.3 handshake's messages.
#[derive(Clone)]
pub(crate) struct Transcript {
    context: digest::Context,
}

impl Transcript {
    pub(crate) fn new(hash: Hash) -> Self {
        Self { context: digest::Context::new(hash.digest()) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The hash of what came so far.
    pub(crate) fn current(&self) -> digest::Digest {
        self.context.clone().finish()
    }
}
