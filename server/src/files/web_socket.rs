//! A WebSocket to a twocan server, with or without TLS.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::address::ServerAddress;

/// The longest message taken, bytes: four times what the server sends at most.
const LONGEST: usize = 256 << 10;

/// Over TCP, or TLS over it.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects; an error says what to do.
pub(crate) async fn open(server: &ServerAddress, insecure: bool) -> Result<Socket, String> {
    let (scheme, connector) = if server.tls {
        ("wss", Connector::Rustls(Arc::new(configuration(insecure)?)))
    } else {
        ("ws", Connector::Plain)
    };
    let address = format!("{scheme}://{}/api/signaling", server.authority());
    let mut request = address.into_client_request().map_err(|error| error.to_string())?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("twocan.v1"));
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    // Latency counts here, not bytes.
    let without_delay = true;
    match connect_async_tls_with_config(request, Some(config), without_delay, Some(connector)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Io(error)) => Err(words(&error)),
        Err(error) => Err(format!("no twocan server answers there ({error}): compare its address, --server")),
    }
}

/// What is wrong, and what to do.
fn words(error: &std::io::Error) -> String {
    use rustls::Error::{InvalidCertificate, InvalidMessage};

    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let next = match tls {
        Some(InvalidCertificate(_)) => {
            "if its certificate is self-made, add --insecure (what is sent stays sealed all the same)"
        }
        Some(InvalidMessage(_)) => {
            "it speaks no TLS there; if that is how it should be, name it with http://"
        }
        _ if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "nothing listens there; start one with `twocan serve`, or name another with --server"
        }
        _ => "compare its address, --server, and see whether this computer is online",
    };
    format!("{error}: {next}")
}

/// How TLS is done here.
pub(crate) fn configuration(insecure: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    if insecure {
        let verifier = Arc::new(AnyCertificate(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    // Whatever this system trusts; some of it may be unreadable, and is left out.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "this system trusts no certificates: install ca-certificates, or add --insecure".to_owned()
        );
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Takes any certificate: `--insecure`. The sealing does not rest on TLS.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
