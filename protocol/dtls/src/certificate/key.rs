//! The private key of our certificate (PKCS #8; ECDSA P-256 as RFC 8827 §6.5 wants it).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use zeroize::Zeroizing;

use super::CertificateError;
use super::x509::PublicKey;
use crate::crypto::CryptoError;
use crate::crypto::signature::{KeyKind, SignatureScheme};

/// A key that signs.
pub(crate) enum SigningKey {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, CertificateError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8)
            .map(Self::P256)
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8).map(Self::P384))
            .or_else(|_| Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519))
            .map_err(|_| CertificateError::BadKey)
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let document = match self {
            Self::P256(pair) | Self::P384(pair) => {
                pair.to_pkcs8v1().map(|document| document.as_ref().to_vec())
            }
            Self::Ed25519(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
        };
        document.map(Zeroizing::new).map_err(|_| CertificateError::BadKey)
    }

    pub(super) fn public_key(&self) -> PublicKey<'_> {
        match self {
            Self::P256(pair) => PublicKey { kind: KeyKind::P256, bytes: pair.public_key().as_ref() },
            Self::P384(pair) => PublicKey { kind: KeyKind::P384, bytes: pair.public_key().as_ref() },
            Self::Ed25519(pair) => PublicKey { kind: KeyKind::Ed25519, bytes: pair.public_key().as_ref() },
        }
    }

    pub(crate) fn scheme(&self) -> SignatureScheme {
        match self {
            Self::P256(_) => SignatureScheme::EcdsaSecp256r1Sha256,
            Self::P384(_) => SignatureScheme::EcdsaSecp384r1Sha384,
            Self::Ed25519(_) => SignatureScheme::Ed25519,
        }
    }

    /// ECDSA draws its nonce from AWS-LC's own generator: the one thing that does not follow from our seed.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = match self {
            Self::P256(pair) => pair.sign_digest(&digest::digest(&digest::SHA256, message))?,
            Self::P384(pair) => pair.sign_digest(&digest::digest(&digest::SHA384, message))?,
            Self::Ed25519(pair) => pair.try_sign(message)?,
        };
        Ok(signature.as_ref().to_vec())
    }
}
