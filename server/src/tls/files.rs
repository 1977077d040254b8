//! The operator's own certificate and key.

use std::{fs, path::Path, time::SystemTime};

use rustls::{
    Error, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use super::provider;
use crate::config::ConfigError;

/// Reads both files, and checks that they belong together.
pub(super) fn load(certificate: &Path, key: &Path) -> Result<CertifiedKey, ConfigError> {
    let (certificate_shown, key_shown) = (certificate.display(), key.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| ConfigError(format!("--tls-cert {certificate_shown}: {}", words(&error))))?;
    if chain.is_empty() {
        let next = "there is no certificate in it: name the file with BEGIN CERTIFICATE";
        return Err(ConfigError(format!("--tls-cert {certificate_shown}: {next}")));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| ConfigError(format!("--tls-key {key_shown}: {}", words(&error))))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        ConfigError(match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
                "the key {key_shown} does not belong to the certificate {certificate_shown}: give the pair \
                 that was made together"
            ),
            other => format!("{certificate_shown} with {key_shown} cannot be used: {other}"),
        })
    })
}

/// What tells that one of the files was written anew.
pub(super) fn version(certificate: &Path, key: &Path) -> [Option<(SystemTime, u64)>; 2] {
    [certificate, key].map(|path| {
        let data = fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}

fn words(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::Io(error) => format!("{error}: name a readable PEM file"),
        Pem::NoItemsFound => "there is nothing of the kind in it: name the right PEM file".to_owned(),
        other => format!("is not a good PEM file: {other:?}"),
    }
}
