//! What DTLS needs of an X.509 certificate (RFC 5280 §4.1): its key, and when it ends. Who signed it means nothing
//! (RFC 8827 §6.5), so no signature is checked here.

use std::time::SystemTime;

use wire::Reader;

use super::der::{self, BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, VERSION};
use super::time;
use crate::codec::{self, Malformed};
use crate::crypto::signature::KeyKind;

pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey<'a> {
    pub(crate) kind: KeyKind,
    /// The point, or the RSAPublicKey of PKCS#1.
    pub(crate) bytes: &'a [u8],
}

/// A certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    pub(crate) key: PublicKey<'a>,
    pub(crate) expires: SystemTime,
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Reader::new(bytes);
        let mut certificate = der::enter(&mut outer, SEQUENCE)?;
        codec::end(outer)?;
        let mut signed = der::enter(&mut certificate, SEQUENCE)?;
        if signed.rest().first() == Some(&VERSION) {
            der::value(&mut signed, VERSION)?;
        }
        der::value(&mut signed, INTEGER)?;
        // The signature's algorithm and the issuer.
        der::value(&mut signed, SEQUENCE)?;
        der::value(&mut signed, SEQUENCE)?;
        let mut validity = der::enter(&mut signed, SEQUENCE)?;
        time::read(&mut validity)?;
        let expires = time::read(&mut validity)?;
        // The subject.
        der::value(&mut signed, SEQUENCE)?;
        let key = public_key(der::enter(&mut signed, SEQUENCE)?)?;
        Ok(Self { key, expires })
    }
}

/// SubjectPublicKeyInfo
fn public_key(mut info: Reader<'_>) -> Result<PublicKey<'_>, Malformed> {
    let mut algorithm = der::enter(&mut info, SEQUENCE)?;
    let kind = match der::value(&mut algorithm, OBJECT_IDENTIFIER)? {
        EC_PUBLIC_KEY => match der::value(&mut algorithm, OBJECT_IDENTIFIER)? {
            PRIME256V1 => KeyKind::P256,
            SECP384R1 => KeyKind::P384,
            _ => return Err(Malformed),
        },
        ED25519 => KeyKind::Ed25519,
        RSA_ENCRYPTION => KeyKind::Rsa,
        _ => return Err(Malformed),
    };
    // The first byte says how many bits of the last are not used: none.
    match der::value(&mut info, BIT_STRING)? {
        [0, bytes @ ..] => Ok(PublicKey { kind, bytes }),
        _ => Err(Malformed),
    }
}
