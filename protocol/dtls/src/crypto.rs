//! What the handshake computes (RFC 8446 §7, RFC 5246 §5), on top of AWS-LC's primitives.

pub(crate) mod aead;
pub(crate) mod group;
pub(crate) mod hash;
pub(crate) mod key_exchange;
pub(crate) mod prf;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod signature;
pub(crate) mod suite;

/// AWS-LC could not do it: it has no memory, or a key is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CryptoError;

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for CryptoError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}
