//! One connection to a server: datagrams, a stream, or a stream under TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS, whatever its certificate.
    Tls,
}

/// A connection that carries whole messages.
pub struct Wire {
    inner: Inner,
    local: SocketAddr,
    /// Bytes of a stream that are not a whole frame yet.
    buffer: Vec<u8>,
}

enum Inner {
    Udp(UdpSocket),
    Stream(Box<dyn Stream>),
}

trait Stream: Read + Write + Send {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

impl Wire {
    /// Connects.
    pub fn connect(transport: Transport, server: SocketAddr) -> io::Result<Self> {
        if transport == Transport::Udp {
            let socket = UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" })?;
            socket.connect(server)?;
            let local = socket.local_addr()?;
            return Ok(Self { inner: Inner::Udp(socket), local, buffer: Vec::new() });
        }
        let socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(Duration::from_secs(20)))?;
        let local = socket.local_addr()?;
        let stream: Box<dyn Stream> = if transport == Transport::Tls {
            let name = ServerName::IpAddress(server.ip().into());
            let connection = ClientConnection::new(tls()?, name).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(connection, socket))
        } else {
            Box::new(socket)
        };
        Ok(Self { inner: Inner::Stream(stream), local, buffer: Vec::new() })
    }

    /// Our address, as the server sees it on loopback.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends these bytes: one datagram, or so much of a stream.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.inner {
            Inner::Udp(socket) => socket.send(bytes).map(|_| ()),
            Inner::Stream(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// The next message, if it comes in time: a datagram, or a frame of a stream with its padding. A stream
    /// that has ended is an error.
    pub fn receive(&mut self, within: Duration) -> io::Result<Option<Vec<u8>>> {
        let deadline = Instant::now() + within;
        let mut chunk = vec![0; 70_000];
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(Some(frame));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let received = match &mut self.inner {
                Inner::Udp(socket) => {
                    socket.set_read_timeout(Some(left))?;
                    socket.recv(&mut chunk)
                }
                Inner::Stream(stream) => {
                    stream.socket().set_read_timeout(Some(left))?;
                    stream.read(&mut chunk)
                }
            };
            match (received, &self.inner) {
                (Ok(length), Inner::Udp(_)) => return Ok(Some(chunk[..length].to_vec())),
                (Ok(0), Inner::Stream(_)) => return Err(ErrorKind::UnexpectedEof.into()),
                (Ok(length), Inner::Stream(_)) => self.buffer.extend_from_slice(&chunk[..length]),
                (Err(error), _) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                // Nobody listens there yet.
                (Err(error), Inner::Udp(_)) if error.kind() == ErrorKind::ConnectionRefused => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    fn take_frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let frame = stun::framing::frame(&self.buffer).map_err(io::Error::other)?;
        let Some(frame) = frame.filter(|frame| self.buffer.len() >= frame.padded) else { return Ok(None) };
        let rest = self.buffer.split_off(frame.padded);
        Ok(Some(std::mem::replace(&mut self.buffer, rest)))
    }
}

fn tls() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let mut config = config;
    // RFC 7443 §3.
    config.alpn_protocols = vec![b"stun.turn".to_vec()];
    Ok(Arc::new(config))
}

/// The server under test made its certificate itself.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

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
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
