//! TCP and TLS connections: to TURN servers, and between peers (ICE-TCP). What goes over them is the state machine's
//! to know.
//!
//! Limits: the state machine asks for a bounded number of them; each holds [`BACKLOG`] bytes and one batch on the way
//! out, nothing on the way in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use peer::{StreamId, StreamSecurity};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Configuration;

/// How long a connection may take to open, TLS included.
const OPENING: Duration = Duration::from_secs(10);

/// How long what is left may take to be sent after closing.
const CLOSING: Duration = Duration::from_secs(2);

/// With so many bytes waiting, no more are asked for.
const BACKLOG: usize = 64 << 10;

/// How many reads from a connection before everything else has its turn.
const READS: usize = 8;

/// A connection that is open.
#[derive(Debug)]
pub(crate) enum Connection {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

#[derive(Debug)]
struct Stream {
    id: StreamId,
    state: State,
    unsent: BytesMut,
    /// The state machine was told that no more is taken.
    is_full: bool,
}

#[derive(Debug)]
enum State {
    /// Being opened by a task of its own.
    Opening(AbortHandle),
    Open(Connection),
}

/// All connections of a peer connection.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    list: Vec<Stream>,
    buffer: Vec<u8>,
}

/// What became of a connection that was to be opened.
pub(crate) type Opened = io::Result<(Connection, SocketAddr)>;

/// What happens to connections.
pub(crate) enum StreamEvent<'a> {
    Bytes(&'a mut [u8]),
    /// It takes bytes again.
    Ready,
    Closed,
}

impl Streams {
    /// Waits for a connection that a task opens.
    pub(crate) fn opening(&mut self, id: StreamId, task: AbortHandle) {
        self.add(id, State::Opening(task));
    }

    fn add(&mut self, id: StreamId, state: State) {
        self.list.push(Stream { id, state, unsent: BytesMut::new(), is_full: false });
    }

    /// Takes what was opened. False: nobody wants it any more.
    pub(crate) fn opened(&mut self, id: StreamId, connection: Connection) -> bool {
        let Some(stream) = self.list.iter_mut().find(|stream| stream.id == id) else { return false };
        stream.state = State::Open(connection);
        true
    }

    /// Takes what was accepted.
    pub(crate) fn accepted(&mut self, id: StreamId, connection: TcpStream) {
        self.add(id, State::Open(Connection::Plain(connection)));
    }

    /// Closes a connection, once what was handed out for it is sent.
    pub(crate) fn close(&mut self, id: StreamId) {
        let Some(index) = self.list.iter().position(|stream| stream.id == id) else { return };
        let stream = self.list.swap_remove(index);
        match stream.state {
            State::Opening(task) => task.abort(),
            State::Open(mut connection) => {
                tokio::spawn(async move {
                    let rest = async {
                        connection.write_all(&stream.unsent).await?;
                        connection.shutdown().await
                    };
                    // Whoever does not take it in time does not get it.
                    let _ = tokio::time::timeout(CLOSING, rest).await;
                });
            }
        }
    }

    /// Closes all.
    pub(crate) fn close_all(&mut self) {
        for id in self.list.iter().map(|stream| stream.id).collect::<Vec<_>>() {
            self.close(id);
        }
    }

    /// Queues bytes; says whether more are taken.
    pub(crate) fn write(&mut self, id: StreamId, bytes: &[u8]) -> bool {
        let Some(stream) = self.list.iter_mut().find(|stream| stream.id == id) else { return true };
        stream.unsent.extend_from_slice(bytes);
        stream.is_full = stream.unsent.len() >= BACKLOG;
        !stream.is_full
    }

    /// Moves bytes; says whether anything happened that the state machine must know.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(StreamId, StreamEvent<'_>),
    ) -> bool {
        if self.list.is_empty() {
            return false;
        }
        self.buffer.resize(BACKLOG, 0);
        let (mut any, buffer) = (false, &mut self.buffer);
        self.list.retain_mut(|stream| {
            let State::Open(connection) = &mut stream.state else { return true };
            let mut connection = Pin::new(connection);
            while !stream.unsent.is_empty() {
                match connection.as_mut().poll_write(context, &stream.unsent) {
                    Poll::Ready(Ok(count)) if count > 0 => stream.unsent.advance(count),
                    Poll::Ready(_) => {
                        any = true;
                        each(stream.id, StreamEvent::Closed);
                        return false;
                    }
                    Poll::Pending => break,
                }
            }
            if stream.unsent.is_empty() {
                // TLS may still hold some; an error shows when reading.
                let _ = connection.as_mut().poll_flush(context);
                if std::mem::take(&mut stream.is_full) {
                    any = true;
                    each(stream.id, StreamEvent::Ready);
                }
            }
            for _ in 0..READS {
                let mut read = ReadBuf::new(buffer);
                match connection.as_mut().poll_read(context, &mut read) {
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                        any = true;
                        each(stream.id, StreamEvent::Bytes(read.filled_mut()));
                    }
                    Poll::Ready(_) => {
                        any = true;
                        each(stream.id, StreamEvent::Closed);
                        return false;
                    }
                    Poll::Pending => break,
                }
            }
            true
        });
        any
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        for stream in &self.list {
            if let State::Opening(task) = &stream.state {
                task.abort();
            }
        }
    }
}

/// Opens a connection, within [`OPENING`].
pub(crate) async fn open(
    local: Option<IpAddr>,
    remote: SocketAddr,
    security: StreamSecurity,
    tls: &Tls,
) -> Opened {
    let opened = tokio::time::timeout(OPENING, connect(local, remote, security, tls)).await;
    opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn connect(local: Option<IpAddr>, remote: SocketAddr, security: StreamSecurity, tls: &Tls) -> Opened {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(local) = local {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    let stream = socket.connect(remote).await?;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let StreamSecurity::Tls { domain } = security else { return Ok((Connection::Plain(stream), local)) };
    let name = ServerName::try_from(String::from(domain))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let secure = TlsConnector::from(tls.client().await?).connect(name, stream).await?;
    Ok((Connection::Secure(Box::new(secure)), local))
}

/// How TLS is done; the platform's roots are read when they are needed for the first time.
#[derive(Debug)]
pub(crate) struct Tls {
    client: OnceCell<Arc<rustls::ClientConfig>>,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
}

impl Tls {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let client = OnceCell::new_with(configuration.tls.clone());
        Self { client, roots: configuration.tls_roots.clone() }
    }

    async fn client(&self) -> io::Result<Arc<rustls::ClientConfig>> {
        let make = || async {
            let own = self.roots.clone();
            tokio::task::spawn_blocking(move || client(own)).await.map_err(io::Error::other)?
        };
        self.client.get_or_try_init(make).await.cloned()
    }
}

fn client(own: Vec<rustls::pki_types::CertificateDer<'static>>) -> io::Result<Arc<rustls::ClientConfig>> {
    let mut roots = rustls::RootCertStore::empty();
    // One that cannot be read is one authority less.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for root in own {
        roots.add(root).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client))
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
