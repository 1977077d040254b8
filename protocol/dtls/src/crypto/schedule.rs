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
fn empty(hash: Hash) -> aws_lc_rs::digest::Digest {
    aws_lc_rs::digest::digest(hash.digest(), &[])
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
        let zeros = [0; super::secret::MAX_LEN];
        let early = extract(hash, &[], &zeros[..hash.len()])?;
        let derived = derive(hash, &early, b"derived", empty(hash).as_ref())?;
        Ok(Self { hash, secret: extract(hash, derived.as_ref(), shared)? })
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
        let derived = derive(self.hash, &self.secret, b"derived", empty(self.hash).as_ref())?;
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
    let secret = derive(hash, exporter, label, empty(hash).as_ref())?;
    let context = aws_lc_rs::digest::digest(hash.digest(), context);
    expand_label(hash, secret.as_ref(), b"exporter", context.as_ref(), out)
}

#[cfg(test)]
mod tests;
