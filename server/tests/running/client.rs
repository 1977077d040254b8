//! A WebSocket client.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::program::DEADLINE;

pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Connects, and takes the `welcome`.
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        let mut client = Self::try_connect(server, None).await.unwrap();
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    pub(crate) async fn try_connect(server: SocketAddr, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{server}/api/signaling").into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "twocan.v1".parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().unwrap());
        }
        let (stream, answer) = timeout(DEADLINE, connect_async(request)).await.unwrap()?;
        assert_eq!(answer.headers()["sec-websocket-protocol"], "twocan.v1");
        Ok(Self(stream))
    }

    /// Connects and joins the room `tea`; returns the `joined` too.
    pub(crate) async fn join(server: SocketAddr, fields: Value) -> (Self, Value) {
        let mut client = Self::connect(server).await;
        let mut request = json!({"type": "join", "room": "tea", "name": "Ada"});
        for (key, value) in fields.as_object().unwrap() {
            request[key] = value.clone();
        }
        client.send(&request).await;
        let joined = client.next().await;
        assert_eq!(joined["type"], "joined", "{joined}");
        (client, joined)
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(message) => message,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next message, or the code that the server closed with.
    pub(crate) async fn next_or_close(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match timeout(DEADLINE, self.0.next()).await.expect("the server says something in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Reads until the server closes.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next_or_close().await {
                return code;
            }
        }
    }
}

/// Waits until a condition holds that takes asking for.
pub(crate) async fn eventually_async(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect("it holds in time");
}

/// Waits until a condition holds.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect("it holds in time");
}
