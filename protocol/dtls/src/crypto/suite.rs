//! Cipher suites: RFC 8446 §B.4 (DTLS 1.3), RFC 5289 and 7905 (DTLS 1.2).

use super::hash::Hash;
use crate::Version;

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305: faster where the processor has no AES.
    ChaCha20Poly1305,
}

/// The key with which the server signs, which suites of DTLS 1.2 name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// ECDSA, and the Edwards curves (RFC 8422 §5.10).
    Elliptic,
    Rsa,
}

macro_rules! suites {
    ($(#[doc = $doc:literal] $name:ident = $code:literal, $version:ident, $aead:ident, $hash:ident, $signer:expr;)*) => {
        /// A cipher suite.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum CipherSuite {
            $(#[doc = $doc] $name = $code,)*
        }

        impl CipherSuite {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// For which version it is.
            pub fn version(self) -> Version {
                match self { $(Self::$name => Version::$version,)* }
            }

            /// How it protects records.
            pub fn aead(self) -> Aead {
                match self { $(Self::$name => Aead::$aead,)* }
            }

            pub(crate) fn hash(self) -> Hash {
                match self { $(Self::$name => Hash::$hash,)* }
            }

            pub(crate) fn signer(self) -> Option<Signer> {
                match self { $(Self::$name => $signer,)* }
            }

            /// The name that IANA has for it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $doc.trim_ascii(),)* }
            }
        }
    };
}

suites! {
    /// TLS_AES_128_GCM_SHA256
    Aes128GcmSha256 = 0x1301, Dtls13, Aes128Gcm, Sha256, None;
    /// TLS_AES_256_GCM_SHA384
    Aes256GcmSha384 = 0x1302, Dtls13, Aes256Gcm, Sha384, None;
    /// TLS_CHACHA20_POLY1305_SHA256
    ChaCha20Poly1305Sha256 = 0x1303, Dtls13, ChaCha20Poly1305, Sha256, None;
    /// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    EcdheEcdsaAes128GcmSha256 = 0xc02b, Dtls12, Aes128Gcm, Sha256, Some(Signer::Elliptic);
    /// TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    EcdheEcdsaAes256GcmSha384 = 0xc02c, Dtls12, Aes256Gcm, Sha384, Some(Signer::Elliptic);
    /// TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
    EcdheEcdsaChaCha20Poly1305Sha256 = 0xcca9, Dtls12, ChaCha20Poly1305, Sha256, Some(Signer::Elliptic);
    /// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    EcdheRsaAes128GcmSha256 = 0xc02f, Dtls12, Aes128Gcm, Sha256, Some(Signer::Rsa);
    /// TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
    EcdheRsaAes256GcmSha384 = 0xc030, Dtls12, Aes256Gcm, Sha384, Some(Signer::Rsa);
    /// TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    EcdheRsaChaCha20Poly1305Sha256 = 0xcca8, Dtls12, ChaCha20Poly1305, Sha256, Some(Signer::Rsa);
}

impl CipherSuite {
    pub(crate) const fn code(self) -> u16 {
        self as u16
    }

    /// What a client offers for a version, in the order of its AEADs: ECDSA first, as WebRTC's certificates are.
    pub(crate) fn offered(version: Version, aeads: &[Aead]) -> impl Iterator<Item = Self> {
        let signers: &[_] = match version {
            Version::Dtls13 => &[None],
            Version::Dtls12 => &[Some(Signer::Elliptic), Some(Signer::Rsa)],
        };
        signers.iter().flat_map(move |signer| {
            aeads.iter().filter_map(move |aead| {
                Self::ALL.iter().copied().find(|suite| {
                    suite.version() == version && suite.aead() == *aead && suite.signer() == *signer
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_offered_in_the_order_of_their_aeads() {
        let aeads = [Aead::ChaCha20Poly1305, Aead::Aes128Gcm];
        let names: Vec<_> = CipherSuite::offered(Version::Dtls13, &aeads).map(CipherSuite::name).collect();
        assert_eq!(names, ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]);
        let codes: Vec<_> = CipherSuite::offered(Version::Dtls12, &aeads).map(CipherSuite::code).collect();
        assert_eq!(codes, [0xcca9, 0xc02b, 0xcca8, 0xc02f]);
    }
}
