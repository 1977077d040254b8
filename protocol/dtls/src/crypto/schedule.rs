//! The key schedule of DTLS 1.3: RFC 8446 §7.1 to §7.5, with the labels of RFC 9147 §5.9.

use aws_lc_rs::{hkdf, hmac};

use super::CryptoError;
use super::hash::Hash;
use super::secret::Secret;

/// An output of HKDF of any length.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// `HKDF-Expand-Label` (RFC 8446 §7.1). `label` has at most 249 bytes, `context` at most 255.
pub(crate) fn expand_label(
    hash: Hash,
    secret: &[u8],
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    expand_label_with(hash, secret, b"dtls13", label, context, out)
}

fn expand_label_with(
    hash: Hash,
    secret: &[u8],
    prefix: &[u8; 6],
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let length = u16::try_from(out.len()).map_err(|_| CryptoError)?.to_be_bytes();
    let label_len = u8::try_from(prefix.len() + label.len()).map_err(|_| CryptoError)?;
    let context_len = u8::try_from(context.len()).map_err(|_| CryptoError)?;
    let info: [&[u8]; 6] = [&length, &[label_len], prefix, label, &[context_len], context];
    let key = hkdf::Prk::new_less_safe(hash.hkdf(), secret);
    key.expand(&info, Length(out.len()))?.fill(out)?;
    Ok(())
}

/// A secret of the hash's length, expanded from another.
pub(crate) fn derive(
    hash: Hash,
    secret: &Secret,
    label: &[u8],
    context: &[u8],
) -> Result<Secret, CryptoError> {
    Secret::filled(hash.len(), |out| expand_label(hash, secret.as_ref(), label, context, out))
}

/// `HKDF-Extract`: HMAC with the salt as its key (RFC 5869 §2.2).
fn extract(hash: Hash, salt: &[u8], input: &[u8]) -> Result<Secret, CryptoError> {
    let tag = hmac::sign(&hmac::Key::new(hash.hmac(), salt), input);
    Secret::filled(hash.len(), |out| {
        out.copy_from_slice(tag.as_ref());
        Ok(())
    })
}

/// The hash of nothing.
fn empty(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => &EMPTY_SHA256,
        Hash::Sha384 => &EMPTY_SHA384,
    }
}

/// `Derive-Secret(Early Secret, "derived", "")` (RFC 8446 §7.1): always the same, as there are no pre-shared keys.
fn derived_of_early(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => &DERIVED_SHA256,
        Hash::Sha384 => &DERIVED_SHA384,
    }
}

/// The secrets of the two directions.
pub(crate) struct Traffic {
    pub(crate) client: Secret,
    pub(crate) server: Secret,
}

/// After ServerHello: the handshake's own keys are known.
pub(crate) struct HandshakeSecret {
    hash: Hash,
    secret: Secret,
}

impl HandshakeSecret {
    /// `shared` is what the key exchange gave. There are no pre-shared keys.
    pub(crate) fn new(hash: Hash, shared: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self { hash, secret: extract(hash, derived_of_early(hash), shared)? })
    }

    /// Of the hash of the transcript up to ServerHello.
    pub(crate) fn traffic(&self, transcript: &[u8]) -> Result<Traffic, CryptoError> {
        Ok(Traffic {
            client: derive(self.hash, &self.secret, b"c hs traffic", transcript)?,
            server: derive(self.hash, &self.secret, b"s hs traffic", transcript)?,
        })
    }

    pub(crate) fn master(&self) -> Result<MasterSecret, CryptoError> {
        let zeros = [0; super::secret::MAX_LEN];
        let derived = derive(self.hash, &self.secret, b"derived", empty(self.hash))?;
        Ok(MasterSecret {
            hash: self.hash,
            secret: extract(self.hash, derived.as_ref(), &zeros[..self.hash.len()])?,
        })
    }
}

/// After the server's Finished: the application's keys are known.
pub(crate) struct MasterSecret {
    hash: Hash,
    secret: Secret,
}

impl MasterSecret {
    /// Of the hash of the transcript up to the server's Finished.
    pub(crate) fn traffic(&self, transcript: &[u8]) -> Result<Traffic, CryptoError> {
        Ok(Traffic {
            client: derive(self.hash, &self.secret, b"c ap traffic", transcript)?,
            server: derive(self.hash, &self.secret, b"s ap traffic", transcript)?,
        })
    }

    /// Of the same transcript: what keys are exported from (§7.5).
    pub(crate) fn exporter(&self, transcript: &[u8]) -> Result<Secret, CryptoError> {
        derive(self.hash, &self.secret, b"exp master", transcript)
    }
}

/// The traffic secret of the next epoch, after a KeyUpdate (§7.2).
pub(crate) fn updated(hash: Hash, secret: &Secret) -> Result<Secret, CryptoError> {
    derive(hash, secret, b"traffic upd", &[])
}

/// `verify_data` of a Finished (§4.4.4) under the sender's handshake traffic secret.
pub(crate) fn finished(hash: Hash, secret: &Secret, transcript: &[u8]) -> Result<hmac::Tag, CryptoError> {
    Ok(hmac::sign(&finished_key(hash, secret)?, transcript))
}

/// Compares in constant time.
pub(crate) fn is_finished(
    hash: Hash,
    secret: &Secret,
    transcript: &[u8],
    data: &[u8],
) -> Result<bool, CryptoError> {
    Ok(hmac::verify(&finished_key(hash, secret)?, transcript, data).is_ok())
}

fn finished_key(hash: Hash, secret: &Secret) -> Result<hmac::Key, CryptoError> {
    let key = derive(hash, secret, b"finished", &[])?;
    Ok(hmac::Key::new(hash.hmac(), key.as_ref()))
}

/// `TLS-Exporter` (§7.5).
pub(crate) fn export(
    hash: Hash,
    exporter: &Secret,
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let secret = derive(hash, exporter, label, empty(hash))?;
    let context = aws_lc_rs::digest::digest(hash.digest(), context);
    expand_label(hash, secret.as_ref(), b"exporter", context.as_ref(), out)
}

/// The hash of nothing, of SHA-256.
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
/// The hash of nothing, of SHA-384.
const EMPTY_SHA384: [u8; 48] = [
    0x38, 0xb0, 0x60, 0xa7, 0x51, 0xac, 0x96, 0x38, 0x4c, 0xd9, 0x32, 0x7e, 0xb1, 0xb1, 0xe3, 0x6a, 0x21,
    0xfd, 0xb7, 0x11, 0x14, 0xbe, 0x07, 0x43, 0x4c, 0x0c, 0xc7, 0xbf, 0x63, 0xf6, 0xe1, 0xda, 0x27, 0x4e,
    0xde, 0xbf, 0xe7, 0x6f, 0x65, 0xfb, 0xd5, 0x1a, 0xd2, 0xf1, 0x48, 0x98, 0xb9, 0x5b,
];
/// What is derived from the early secret, of SHA-256.
const DERIVED_SHA256: [u8; 32] = [
    0xb1, 0x7b, 0xce, 0x94, 0x51, 0xee, 0x8b, 0xc6, 0xe8, 0xae, 0xbc, 0x0a, 0xa9, 0xe9, 0x82, 0x95, 0x67,
    0x7a, 0x4a, 0x6a, 0x91, 0xf7, 0x84, 0x40, 0x83, 0x31, 0x46, 0xe4, 0x65, 0xf2, 0xff, 0x95,
];
/// What is derived from the early secret, of SHA-384.
const DERIVED_SHA384: [u8; 48] = [
    0x27, 0x00, 0x86, 0x05, 0xd3, 0x39, 0x6f, 0x88, 0x44, 0x19, 0x75, 0x65, 0xca, 0xec, 0xc5, 0x92, 0xb3,
    0xe5, 0x8f, 0x2e, 0xae, 0x55, 0xf8, 0x41, 0xb5, 0x77, 0xcf, 0xbc, 0xab, 0xb4, 0x7e, 0x22, 0x1f, 0x67,
    0x4e, 0xd3, 0xa6, 0x8a, 0xa8, 0x93, 0x43, 0x9c, 0xf5, 0x57, 0xf1, 0x11, 0xc0, 0xfc,
];

#[cfg(test)]
mod tests;
