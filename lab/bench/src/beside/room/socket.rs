//! A WebSocket that signaling goes over.

use std::io;
use std::net::SocketAddr;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(super) async fn open(
        server: SocketAddr,
        path: &str,
        protocol: Option<&'static str>,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{server}{path}").into_client_request().map_err(io::Error::other)?;
        if let Some(protocol) = protocol {
            request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
        }
        let (socket, _) = client_async(request, stream).await.map_err(io::Error::other)?;
        Ok(Self(socket))
    }

    pub(super) async fn send(&mut self, message: &Value) -> io::Result<()> {
        self.0.send(Message::text(message.to_string())).await.map_err(io::Error::other)
    }

    /// What has come, without waiting.
    pub(super) fn next(&mut self) -> io::Result<Option<Message>> {
        match self.0.next().now_or_never() {
            None => Ok(None),
            Some(Some(message)) => message.map(Some).map_err(io::Error::other),
            Some(None) => Err(io::Error::other("the server closed its signaling")),
        }
    }
}
