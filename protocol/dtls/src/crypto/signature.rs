//! Signature schemes: RFC 8446 §4.2.3; in DTLS 1.2 the same numbers mean a hash and a kind of key (RFC 5246
//! §7.4.1.4.1, RFC 8422 §5.1.3), so that the curve is not fixed by them.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::Version;

macro_rules! schemes {
    ($($name:ident = $code:literal,)*) => {
        /// How something is signed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum SignatureScheme {
            $($name = $code,)*
        }

        impl SignatureScheme {
            /// What we accept, in the order of our liking.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

schemes! {
    EcdsaSecp256r1Sha256 = 0x0403,
    EcdsaSecp384r1Sha384 = 0x0503,
    Ed25519 = 0x0807,
    RsaPssRsaeSha256 = 0x0804,
    RsaPssRsaeSha384 = 0x0805,
    RsaPssRsaeSha512 = 0x0806,
    RsaPkcs1Sha256 = 0x0401,
    RsaPkcs1Sha384 = 0x0501,
    RsaPkcs1Sha512 = 0x0601,
}

impl SignatureScheme {
    pub(crate) const fn code(self) -> u16 {
        self as u16
    }

    pub(crate) fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|scheme| scheme.code() == code)
    }

    /// PKCS#1 v1.5 does not sign DTLS 1.3's messages (RFC 8446 §4.2.3).
    pub(crate) const fn signs_in(self, version: Version) -> bool {
        match version {
            Version::Dtls13 => {
                !matches!(self, Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512)
            }
            Version::Dtls12 => true,
        }
    }
}

/// What kind of key a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSigned {
    /// The scheme is not one for such a key.
    WrongScheme,
    /// The bytes were not signed with that key.
    BadSignature,
}

/// Checks that `message` was signed with the key, whose bytes are those of the certificate.
pub(crate) fn verify(
    kind: KeyKind,
    key: &[u8],
    version: Version,
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> Result<(), NotSigned> {
    let algorithm = algorithm(kind, version, scheme).ok_or(NotSigned::WrongScheme)?;
    UnparsedPublicKey::new(algorithm, key).verify(message, signature).map_err(|_| NotSigned::BadSignature)
}

fn algorithm(
    kind: KeyKind,
    version: Version,
    scheme: SignatureScheme,
) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureScheme as Scheme;
    if !scheme.signs_in(version) {
        return None;
    }
    Some(match (kind, scheme) {
        (KeyKind::P256, Scheme::EcdsaSecp256r1Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P384, Scheme::EcdsaSecp384r1Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::P256, Scheme::EcdsaSecp384r1Sha384) if version == Version::Dtls12 => {
            &signature::ECDSA_P256_SHA384_ASN1
        }
        (KeyKind::P384, Scheme::EcdsaSecp256r1Sha256) if version == Version::Dtls12 => {
            &signature::ECDSA_P384_SHA256_ASN1
        }
        (KeyKind::Ed25519, Scheme::Ed25519) => &signature::ED25519,
        (KeyKind::Rsa, Scheme::RsaPssRsaeSha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (KeyKind::Rsa, Scheme::RsaPssRsaeSha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (KeyKind::Rsa, Scheme::RsaPssRsaeSha512) => &signature::RSA_PSS_2048_8192_SHA512,
        (KeyKind::Rsa, Scheme::RsaPkcs1Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa, Scheme::RsaPkcs1Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa, Scheme::RsaPkcs1Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_belongs_to_a_key_and_a_version() {
        let fits = |kind, version, scheme| algorithm(kind, version, scheme).is_some();
        let (ecdsa256, ecdsa384) =
            (SignatureScheme::EcdsaSecp256r1Sha256, SignatureScheme::EcdsaSecp384r1Sha384);
        assert!(fits(KeyKind::P256, Version::Dtls13, ecdsa256));
        assert!(!fits(KeyKind::P256, Version::Dtls13, ecdsa384));
        assert!(fits(KeyKind::P256, Version::Dtls12, ecdsa384));
        assert!(!fits(KeyKind::Rsa, Version::Dtls13, SignatureScheme::RsaPkcs1Sha256));
        assert!(fits(KeyKind::Rsa, Version::Dtls12, SignatureScheme::RsaPkcs1Sha256));
        assert!(!fits(KeyKind::Ed25519, Version::Dtls13, ecdsa256));
        for scheme in SignatureScheme::ALL {
            assert_eq!(SignatureScheme::from_code(scheme.code()), Some(*scheme));
        }
    }
}
