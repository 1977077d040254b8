//! TLS: which certificate the server shows, and the handshake.

mod acme;
mod files;
mod machine;
mod self_made;

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{Acceptor, ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

pub(crate) use machine::{local_addresses, machine_name};

use crate::{
    config::{ConfigError, Options},
    serve::DataDir,
};

/// How often certificates are looked at: those of files for a change, a self-made one for its names and
/// expiry.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// HTTP/1.1 (RFC 7301).
pub(crate) const ALPN_HTTP: &[u8] = b"http/1.1";

/// TURN over TLS (RFC 7443).
pub(crate) const ALPN_TURN: &[u8] = b"stun.turn";

/// Where the server's certificate comes from.
pub(crate) struct Certificate {
    resolver: Arc<dyn ResolvesServerCert>,
    /// Answers an ACME authority that asks whether the domain is ours (RFC 8737).
    challenge: Option<Arc<ServerConfig>>,
    /// Whether browsers warn of it.
    pub(crate) self_made: bool,
}

/// One port's TLS.
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    challenge: Option<Arc<ServerConfig>>,
}

impl Certificate {
    /// The operator's, an authority's, or a self-made one; and the task that keeps it fresh. Must be
    /// called within a tokio runtime.
    pub(crate) fn obtain(options: &Options, data: &DataDir) -> Result<Self, ConfigError> {
        if let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) {
            let (certificate, key) = (certificate.clone(), key.clone());
            let mut version = files::version(&certificate, &key);
            let current = Current::new(files::load(&certificate, &key)?);
            tokio::spawn(keep_fresh(Arc::clone(&current), move || {
                let newer = files::version(&certificate, &key);
                if newer == version {
                    return Ok(None);
                }
                // Until it succeeds: what is wrong may be mended without the files being written again.
                let loaded = files::load(&certificate, &key)?;
                version = newer;
                Ok(Some(loaded))
            }));
            return Ok(Self { resolver: current, challenge: None, self_made: false });
        }
        if !options.acme_domain.is_empty() {
            let (resolver, challenge) = acme::start(options, data)?;
            return Ok(Self { resolver, challenge: Some(challenge), self_made: false });
        }
        let mut maker = self_made::Maker::new(options.public_ip.clone(), data.path("self-made.pem"));
        let current = Current::new(maker.current()?);
        tokio::spawn(keep_fresh(Arc::clone(&current), move || maker.renewed()));
        Ok(Self { resolver: current, challenge: None, self_made: true })
    }

    /// TLS for a port that speaks HTTP, TURN or both.
    pub(crate) fn for_port(&self, http: bool, turn: bool) -> Result<Tls, ConfigError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError(format!("TLS cannot be set up: {error}")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.resolver));
        if http {
            config.alpn_protocols.push(ALPN_HTTP.to_vec());
        }
        if turn {
            config.alpn_protocols.push(ALPN_TURN.to_vec());
        }
        Ok(Tls { config: Arc::new(config), challenge: self.challenge.clone() })
    }
}

impl Tls {
    /// The handshake. `None`: it was only an ACME authority with its question.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<Option<TlsStream<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        if let Some(challenge) = &self.challenge
            && rustls_acme::is_tls_alpn_challenge(&start.client_hello())
        {
            let mut stream = start.into_stream(Arc::clone(challenge)).await?;
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
            return Ok(None);
        }
        start.into_stream(Arc::clone(&self.config)).await.map(Some)
    }
}

/// The cryptography of all of our TLS.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A certificate that can be exchanged while the server runs.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn new(key: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(key))))
    }
}

impl ResolvesServerCert for Current {
    /// The same for every name: browsers name none when they are given an address.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Exchanges the certificate whenever `look` finds a newer one. What goes wrong is told once.
async fn keep_fresh(
    current: Arc<Current>,
    mut look: impl FnMut() -> Result<Option<CertifiedKey>, ConfigError>,
) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        match look() {
            Ok(None) => told.clear(),
            Ok(Some(key)) => {
                told.clear();
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                tracing::info!("the server has a new certificate");
            }
            Err(ConfigError(words)) if words == told => {}
            Err(ConfigError(words)) => {
                tracing::error!("the old certificate stays: {words}");
                told = words;
            }
        }
    }
}
