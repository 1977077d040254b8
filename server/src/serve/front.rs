//! One TCP port and what it speaks: HTTP, TURN, or both, with TLS or without, and media (RFC 6544).
//!
//! What begins as a frame's length does (RFC 4571) is media: neither HTTP nor TLS begins so.
//! Where a port has both, TLS clients say by ALPN which they want (`stun.turn`, RFC 7443); of one that
//! says nothing, the first bytes tell.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use turn::server::Transport;

use super::sniff::{Protocol, sniff};
use crate::{
    media, relay,
    tls::{ALPN_HTTP, ALPN_TURN, Tls},
};

/// A TLS handshake, or the first bytes that tell the protocol, may take so long.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// So long may an HTTP connection be idle, or its request's head take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A request's head must fit.
const HEAD_BUFFER: usize = 16 * 1024;

/// What one port serves.
#[derive(Clone, Default)]
pub(crate) struct Front {
    pub(crate) http: Option<Router>,
    pub(crate) turn: Option<Arc<relay::Handle>>,
    /// Never beside TURN without TLS.
    pub(crate) media: Option<Arc<media::Handle>>,
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Front {
    /// Serves one connection until it ends.
    pub(crate) async fn serve(self, stream: TcpStream, remote: SocketAddr) {
        if let Err(error) = self.try_serve(stream, remote).await {
            tracing::debug!(%remote, "connection ended: {error}");
        }
    }

    async fn try_serve(self, stream: TcpStream, remote: SocketAddr) -> io::Result<()> {
        let local = stream.local_addr()?;
        if let Some(media) = &self.media {
            let mut first = [0];
            if in_time(stream.peek(&mut first)).await? == 1 && media::Handle::is_frame(first[0]) {
                return media.accept(stream).await;
            }
        }
        let Some(tls) = &self.tls else {
            let ends = Ends { local, remote, transport: Transport::Tcp };
            return self.serve_protocol(stream, None, ends).await;
        };
        let Some(stream) = in_time(tls.accept(stream)).await? else { return Ok(()) };
        let chosen = match stream.get_ref().1.alpn_protocol() {
            Some(ALPN_TURN) => Some(Protocol::Turn),
            Some(ALPN_HTTP) => Some(Protocol::Http),
            _ => None,
        };
        let ends = Ends { local, remote, transport: Transport::Tls };
        // Boxed: a TLS stream is large, and most of the time these tasks wait.
        self.serve_protocol(Box::new(stream), chosen, ends).await
    }

    async fn serve_protocol<S>(self, stream: S, chosen: Option<Protocol>, ends: Ends) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match (self.http, self.turn, chosen) {
            (Some(router), None, _) | (Some(router), Some(_), Some(Protocol::Http)) => {
                serve_http(stream, router).await
            }
            (None, Some(relay), _) | (Some(_), Some(relay), Some(Protocol::Turn)) => {
                serve_turn(stream, &relay, ends).await
            }
            (Some(router), Some(relay), None) => match in_time(sniff(stream)).await? {
                (Protocol::Http, stream) => serve_http(stream, router).await,
                (Protocol::Turn, stream) => serve_turn(stream, &relay, ends).await,
            },
            (None, None, _) => Ok(()),
        }
    }
}

/// Both ends of a connection, and how it is protected.
struct Ends {
    local: SocketAddr,
    remote: SocketAddr,
    transport: Transport,
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(HANDSHAKE_TIMEOUT, step).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn serve_turn<S>(stream: S, relay: &relay::Handle, ends: Ends) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    relay.accept(stream, ends.local, ends.remote, ends.transport).await;
    Ok(())
}

async fn serve_http<S>(stream: S, router: Router) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades()
        .await
        .map_err(io::Error::other)
}
