//! A self-signed certificate: RFC 5280 §4.1.

use std::time::SystemTime;

use super::CertificateError;
use super::der::{self, BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, UTF8_STRING, VERSION};
use super::key::SigningKey;
use super::time;
use super::x509::{EC_PUBLIC_KEY, PRIME256V1};

const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// Says nothing about anybody (RFC 8827 §5 wants no identity in it).
const NAME: &[u8] = b"WebRTC";
/// Version 3 counts from zero.
const V3: u8 = 2;

/// For a key on P-256.
pub(super) fn self_signed(
    key: &SigningKey,
    mut serial: [u8; 16],
    start: SystemTime,
    end: SystemTime,
) -> Result<Vec<u8>, CertificateError> {
    // Positive, and of a fixed length.
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut validity = Vec::new();
    time::put(&mut validity, start).ok_or(CertificateError::BadValidity)?;
    time::put(&mut validity, end).ok_or(CertificateError::BadValidity)?;
    let mut signed = Vec::new();
    der::put(&mut signed, SEQUENCE, |out| {
        der::put(out, VERSION, |out| der::put(out, INTEGER, |out| out.push(V3)));
        der::put(out, INTEGER, |out| out.extend_from_slice(&serial));
        put_signature_algorithm(out);
        put_name(out);
        der::put(out, SEQUENCE, |out| out.extend_from_slice(&validity));
        put_name(out);
        put_public_key(out, key.public_key().bytes);
    });
    let signature = key.sign(&signed).map_err(|_| CertificateError::BadKey)?;
    let mut certificate = Vec::new();
    der::put(&mut certificate, SEQUENCE, |out| {
        out.extend_from_slice(&signed);
        put_signature_algorithm(out);
        put_bits(out, &signature);
    });
    Ok(certificate)
}

fn put_signature_algorithm(out: &mut Vec<u8>) {
    der::put(out, SEQUENCE, |out| put_identifier(out, ECDSA_WITH_SHA256));
}

fn put_name(out: &mut Vec<u8>) {
    der::put(out, SEQUENCE, |out| {
        der::put(out, SET, |out| {
            der::put(out, SEQUENCE, |out| {
                put_identifier(out, COMMON_NAME);
                der::put(out, UTF8_STRING, |out| out.extend_from_slice(NAME));
            });
        });
    });
}

fn put_public_key(out: &mut Vec<u8>, point: &[u8]) {
    der::put(out, SEQUENCE, |out| {
        der::put(out, SEQUENCE, |out| {
            put_identifier(out, EC_PUBLIC_KEY);
            put_identifier(out, PRIME256V1);
        });
        put_bits(out, point);
    });
}

fn put_identifier(out: &mut Vec<u8>, identifier: &[u8]) {
    der::put(out, OBJECT_IDENTIFIER, |out| out.extend_from_slice(identifier));
}

fn put_bits(out: &mut Vec<u8>, bytes: &[u8]) {
    der::put(out, BIT_STRING, |out| {
        out.push(0);
        out.extend_from_slice(bytes);
    });
}
