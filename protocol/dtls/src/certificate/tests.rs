use super::*;
use crate::Version;
use crate::crypto::signature::{KeyKind, verify};

fn time(days: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + 20_000 * DAY + days * DAY
}

#[test]
fn a_generated_certificate_is_one_for_its_key() {
    let certificate = Certificate::generate([1; 32], time(0)).unwrap();
    assert_eq!(certificate.expires(), time(30));
    let parsed = x509::Certificate::parse(certificate.der()).unwrap();
    assert_eq!((parsed.key.kind, parsed.expires), (KeyKind::P256, time(30)));
    let signature = certificate.sign(b"message").unwrap();
    let check = |message: &[u8]| {
        let key = parsed.key;
        verify(key.kind, key.bytes, Version::Dtls13, certificate.scheme(), message, &signature)
    };
    assert!(check(b"message").is_ok());
    assert!(check(b"another").is_err());
}

#[test]
fn the_same_seed_gives_the_same_key() {
    let key = |seed| {
        let certificate = Certificate::generate([seed; 32], time(0)).unwrap();
        x509::Certificate::parse(certificate.der()).unwrap().key.bytes.to_vec()
    };
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2));
}

#[test]
fn a_certificate_is_brought_along_with_its_key_only() {
    let (one, two) =
        (Certificate::generate([1; 32], time(0)).unwrap(), Certificate::generate([2; 32], time(0)).unwrap());
    let again = Certificate::from_der(one.der().to_vec(), &one.private_key().unwrap()).unwrap();
    assert_eq!(again.fingerprint(FingerprintHash::Sha512), one.fingerprint(FingerprintHash::Sha512));
    let error = |result: Result<Certificate, _>| result.map(|_| ()).unwrap_err();
    let mismatch = Certificate::from_der(one.der().to_vec(), &two.private_key().unwrap());
    assert_eq!(error(mismatch), CertificateError::KeyMismatch);
    assert_eq!(error(Certificate::from_der(one.der().to_vec(), b"key")), CertificateError::BadKey);
    assert_eq!(error(Certificate::from_der(vec![1], b"key")), CertificateError::BadCertificate);
    assert_eq!(error(Certificate::from_pem("", "")), CertificateError::BadCertificate);
    assert_eq!(error(Certificate::generate_valid([1; 32], time(1), time(1))), CertificateError::BadValidity);
}

#[test]
fn no_secret_is_shown() {
    let certificate = Certificate::generate([1; 32], time(0)).unwrap();
    let shown = format!("{certificate:?}");
    assert!(
        shown.starts_with("Certificate { fingerprint: Fingerprint(sha-256 ") && !shown.contains("key"),
        "{shown}"
    );
}

#[test]
fn no_certificate_cut_or_changed_makes_the_reader_fall() {
    let certificate = Certificate::generate([1; 32], time(0)).unwrap();
    let der = certificate.der();
    for length in 0..der.len() {
        assert!(x509::Certificate::parse(&der[..length]).is_err());
    }
    for at in 0..der.len() {
        for value in [0, 1, 0x7f, 0x80, 0x82, 0xff] {
            let mut changed = der.to_vec();
            changed[at] = value;
            let _: Result<_, _> = x509::Certificate::parse(&changed);
        }
    }
}
