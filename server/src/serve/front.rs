//! One TCP port and what it speaks: HTTP, with TLS or without.

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

use crate::tls::Tls;

/// A TLS handshake, or the first bytes that tell the protocol, may take so long.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// So long may an HTTP connection be idle, or its request's head take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The smallest that hyper allows; a request's head must fit.
const HEAD_BUFFER: usize = 16 * 1024;

/// What one port serves.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) http: Option<Router>,
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Front {
    /// Serves one connection until it ends.
    pub(crate) async fn serve(self, stream: TcpStream, remote: SocketAddr) {
        let served = match &self.tls {
            None => self.clone().serve_protocol(stream).await,
            Some(tls) => match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                Ok(Ok(Some(stream))) => self.serve_protocol(stream).await,
                Ok(Ok(None)) => Ok(()),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "TLS handshake")),
            },
        };
        if let Err(error) = served {
            tracing::debug!(%remote, "connection ended: {error}");
        }
    }

    async fn serve_protocol<S>(self, stream: S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.http {
            Some(router) => serve_http(stream, router).await,
            None => Ok(()),
        }
    }
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
