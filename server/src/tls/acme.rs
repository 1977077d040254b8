//! A certificate from an ACME authority (RFC 8555) such as Let's Encrypt, which asks on our own TLS port
//! whether the domain is ours (TLS-ALPN-01, RFC 8737): no port 80 is needed.

use std::{io, sync::Arc};

use futures_util::StreamExt as _;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, pem::PemObject},
    server::ResolvesServerCert,
};
use rustls_acme::{AcmeConfig, EventError, EventOk, caches::DirCache};

use super::provider;
use crate::{
    config::{ConfigError, Options},
    serve::{DataDir, create_private_folder},
};

/// Starts the task that obtains and renews the certificate. Returns what shows it, and what answers the
/// authority's question.
pub(super) fn start(
    options: &Options,
    data: &DataDir,
) -> Result<(Arc<dyn ResolvesServerCert>, Arc<ServerConfig>), ConfigError> {
    for domain in &options.acme_domain {
        check_domain(domain)?;
    }
    check_directory(&options.acme_directory)?;
    let mut config = AcmeConfig::new_with_provider(&options.acme_domain, provider())
        .directory(&options.acme_directory)
        .contact(options.acme_email.iter().map(|email| format!("mailto:{email}")));
    if let Some(path) = &options.acme_ca {
        config = config.client_tls_config(trusting(path)?);
    }
    let folder = data.path("acme");
    if let Some(folder) = &folder
        && let Err(error) = create_private_folder(folder)
    {
        let shown = folder.display();
        return Err(ConfigError(format!(
            "{shown}: {error}: let the server write there, or choose another --data-dir"
        )));
    }
    let mut state = config.cache_option(folder.map(DirCache::new)).state();
    let resolver = state.resolver();
    let challenge = state.challenge_rustls_config_with_provider(provider());
    tokio::spawn(async move {
        while let Some(event) = state.next().await {
            tell(event);
        }
    });
    Ok((resolver, challenge))
}

/// Says how it goes. The library tries again by itself, with growing pauses.
fn tell(event: Result<EventOk, EventError<io::Error, io::Error>>) {
    match event {
        Ok(EventOk::DeployedNewCert) => tracing::info!("the server has a new certificate"),
        Ok(EventOk::DeployedCachedCert) => tracing::info!("the server has its kept certificate"),
        Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore) => {}
        Err(error @ (EventError::Order(_) | EventError::NewCertParse(_))) => tracing::error!(
            "the certificate authority gives no certificate: {error}; the domain must lead here, and its port 443 \
             to the HTTPS port; trying again"
        ),
        Err(error) => tracing::error!(
            "what is kept of the certificate authority cannot be read or written: {error}; look at acme/ in the \
             data directory"
        ),
    }
}

/// What is no URL would be found out only when it is asked for a certificate.
fn check_directory(url: &str) -> Result<(), ConfigError> {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if host.is_empty() || url.contains(|character: char| character.is_whitespace()) {
        let next = "give the address of a directory, which begins with https://";
        return Err(ConfigError(format!("--acme-directory {url}: {next}")));
    }
    Ok(())
}

/// An address or a wildcard cannot be proven by TLS-ALPN-01.
fn check_domain(domain: &str) -> Result<(), ConfigError> {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_address = domain.parse::<std::net::IpAddr>().is_ok();
    if is_address || domain.len() > 253 || !domain.split('.').all(label) {
        let next = "give a plain domain name such as talk.example.org";
        return Err(ConfigError(format!("--acme-domain {domain}: {next}")));
    }
    Ok(())
}

/// TLS towards a private authority's directory.
fn trusting(path: &std::path::Path) -> Result<Arc<ClientConfig>, ConfigError> {
    let wrong = |why: String| {
        ConfigError(format!("--acme-ca {}: {why}: name the authority's certificate in PEM", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(format!("{error:?}")))? {
        let certificate = certificate.map_err(|error| wrong(format!("{error:?}")))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_directories() {
        for good in ["https://acme.example/directory", "https://localhost:14000/dir"] {
            assert!(check_directory(good).is_ok(), "{good}");
        }
        for bad in
            ["", "acme.example", "http://acme.example/directory", "https://", "https:///x", "https://a b/"]
        {
            assert!(check_directory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_plain_domains() {
        for good in ["talk.example.org", "localhost", "a-b.example"] {
            assert!(check_domain(good).is_ok(), "{good}");
        }
        for bad in ["", "192.0.2.1", "*.example.org", "https://a.example", "a..b", "::1", "a b"] {
            assert!(check_domain(bad).is_err(), "{bad}");
        }
    }
}
