//! Our own certificate: made here or brought along. RFC 8827 §5: self-signed, known by its fingerprint alone.

mod build;
mod der;
mod key;
mod pem;
mod time;
pub(crate) mod x509;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_lc_rs::agreement::{self, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

pub(crate) use self::key::SigningKey;
use crate::crypto::CryptoError;
use crate::crypto::signature::SignatureScheme;
use crate::fingerprint::{Fingerprint, FingerprintHash};
use crate::random::Random;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate with its private key.
pub struct Certificate {
    der: Vec<u8>,
    key: SigningKey,
    expires: SystemTime,
    /// Each description tells it.
    sha256: Fingerprint,
}

impl Certificate {
    /// A fresh self-signed certificate with an ECDSA key on P-256. It holds from a day before `now`, as other people's
    /// clocks differ, to 30 days after, as browsers' do.
    ///
    /// The same seed gives the same key and serial number; the signature differs, as AWS-LC draws its own nonce.
    pub fn generate(seed: [u8; 32], now: SystemTime) -> Result<Self, CertificateError> {
        let start = now.checked_sub(DAY).unwrap_or(SystemTime::UNIX_EPOCH);
        let end = now.checked_add(30 * DAY).ok_or(CertificateError::BadValidity)?;
        Self::generate_valid(seed, start, end)
    }

    /// The same with a validity of one's own.
    pub fn generate_valid(
        seed: [u8; 32],
        start: SystemTime,
        end: SystemTime,
    ) -> Result<Self, CertificateError> {
        if end <= start {
            return Err(CertificateError::BadValidity);
        }
        let mut random = Random::new(seed);
        let key = generate_key(&mut random)?;
        let serial = random.bytes();
        let der = build::self_signed(&key, serial, start, end)?;
        Ok(Self::of(der, key, end))
    }

    /// Of a certificate in DER and its private key in PKCS#8: ECDSA on P-256 or P-384, or Ed25519.
    pub fn from_der(certificate: Vec<u8>, pkcs8: &[u8]) -> Result<Self, CertificateError> {
        let (matches, expires, key) = {
            let parsed =
                x509::Certificate::parse(&certificate).map_err(|_| CertificateError::BadCertificate)?;
            let key = SigningKey::from_pkcs8(pkcs8)?;
            (parsed.key == key.public_key(), parsed.expires, key)
        };
        if matches { Ok(Self::of(certificate, key, expires)) } else { Err(CertificateError::KeyMismatch) }
    }

    fn of(der: Vec<u8>, key: SigningKey, expires: SystemTime) -> Self {
        let sha256 = Fingerprint::of(FingerprintHash::Sha256, &der);
        Self { der, key, expires, sha256 }
    }

    /// Of PEM text that holds the certificate, and PEM text that holds its private key in PKCS#8; both may be the same
    /// text.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CertificateError> {
        let certificate = pem::decode(certificate, "CERTIFICATE").ok_or(CertificateError::BadCertificate)?;
        let key = zeroize::Zeroizing::new(pem::decode(key, "PRIVATE KEY").ok_or(CertificateError::BadKey)?);
        Self::from_der(certificate, &key)
    }

    /// Its DER encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The private key in PKCS#8, to keep it: whoever has it can be this peer.
    pub fn private_key(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, CertificateError> {
        self.key.to_pkcs8()
    }

    /// When it ceases to hold. A connection does not care: the fingerprint is what counts (RFC 8827 §6.5).
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// Its fingerprint for a session description.
    pub fn fingerprint(&self, hash: FingerprintHash) -> Fingerprint {
        if hash == FingerprintHash::Sha256 { self.sha256 } else { Fingerprint::of(hash, &self.der) }
    }

    /// How it signs.
    pub(crate) fn scheme(&self) -> SignatureScheme {
        self.key.scheme()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.key.sign(message)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint(FingerprintHash::Sha256))
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

fn generate_key(random: &mut Random) -> Result<SigningKey, CertificateError> {
    // One number in 2^32 is beyond the curve's order.
    for _ in 0..8 {
        let scalar = zeroize::Zeroizing::new(random.bytes::<32>());
        let Ok(private) = PrivateKey::from_private_key(&agreement::ECDH_P256, &*scalar) else { continue };
        let public = private.compute_public_key().map_err(|_| CertificateError::BadKey)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &*scalar,
            public.as_ref(),
        );
        return Ok(SigningKey::P256(pair.map_err(|_| CertificateError::BadKey)?));
    }
    Err(CertificateError::BadKey)
}

/// Why there is no such certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// Not an X.509 certificate with a key that is known.
    BadCertificate,
    /// Not a private key in PKCS#8 that is ECDSA on P-256 or P-384, or Ed25519.
    BadKey,
    /// The certificate belongs to another key.
    KeyMismatch,
    /// It would end before it begins, or lies outside of the years 1970 to 9999.
    BadValidity,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadCertificate => "not an X.509 certificate with an ECDSA, Ed25519 or RSA key; check the file",
            Self::BadKey => "not a PKCS#8 private key for ECDSA (P-256, P-384) or Ed25519; convert it with `openssl pkcs8`",
            Self::KeyMismatch => "the private key is not the certificate's; bring both of one pair",
            Self::BadValidity => "the validity must end after it begins, within the years 1970 to 9999",
        })
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests;
