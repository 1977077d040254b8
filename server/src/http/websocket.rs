//! One signaling WebSocket (RFC 6455): moves texts between the socket and the hub, nothing else.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::SinkExt;
use tokio::{sync::mpsc, time::timeout};

use super::{
    Site,
    actor::{Gauge, HubHandle, Inbox, Outgoing},
    answers::host,
};
use tracing::Instrument as _;

use crate::signaling::{CloseCode, Gone};

/// The name of the protocol and its version.
const SUBPROTOCOL: &str = "twocan.v1";

/// Per connection and always allocated; ten thousand idle ones are to be cheap.
const READ_BUFFER: usize = 2 * 1024;

/// Texts are gathered up to so much before they are written.
const WRITE_BUFFER: usize = 8 * 1024;

/// Bytes over the limit that are still read.
const OVER: usize = 64 * 1024;

/// A message that cannot be written for so long is a reader that has stopped.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a closing connection may take over its last words.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// `GET /api/signaling`.
pub(super) async fn upgrade(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    if !site.origins.admits(&headers) {
        let why =
            "This page may not use this server's signaling. Its operator can allow it: --allow-origin\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let socket = match socket {
        Ok(socket) => socket,
        Err(rejection) => return rejection.into_response(),
    };
    let socket = socket.protocols([SUBPROTOCOL]);
    if socket.selected_protocol().is_none() {
        // The version is in the name: whoever does not ask for this one would not understand us.
        let why = format!("Ask for the subprotocol {SUBPROTOCOL} (Sec-WebSocket-Protocol).\n");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let most = site.limits.message_bytes;
    let host: Box<str> = host(&headers).into();
    socket
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // A little more than the limit: a message over it is answered by the hub; one over this is not read at all.
        .max_message_size(most + OVER)
        .max_frame_size(most + OVER)
        .on_upgrade(move |socket| async move {
            let hub = site.hub.clone();
            drop(site);
            // On the heap only while it lives, and apart from what `on_upgrade` wraps around it.
            if let Some(inbox) = hub.connect(&host).await {
                drop(host);
                let span = tracing::debug_span!("signaling", connection = ?inbox.id);
                Box::pin(run(socket, hub, inbox).instrument(span)).await;
            }
        })
}

/// How a connection came to its end.
enum End {
    /// The hub closed it, and has forgotten it.
    ByHub(CloseCode),
    /// The client did, or the network, or it broke the rules.
    ByClient(Gone),
}

async fn run(mut socket: WebSocket, hub: HubHandle, mut inbox: Inbox) {
    let end = relay(&mut socket, &hub, &mut inbox).await;
    let code = match end {
        End::ByHub(code) => Some(code),
        End::ByClient(why) => {
            tracing::debug!(why = why.as_str(), "it has ended");
            hub.gone(inbox.id, why).await;
            match why {
                Gone::Closed => None,
                Gone::TooSlow => Some(CloseCode::TryAgainLater),
                Gone::TooLarge => Some(CloseCode::Policy),
            }
        }
    };
    if let Some(code) = code {
        let frame = CloseFrame { code: code as u16, reason: code.reason().into() };
        let goodbye = async {
            if socket.send(Message::Close(Some(frame))).await.is_ok() {
                // Until the client's own close frame: closing the socket before may lose ours.
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, goodbye).await;
    }
}

async fn relay(socket: &mut WebSocket, hub: &HubHandle, inbox: &mut Inbox) -> End {
    let Inbox { id, outgoing, gauge } = inbox;
    loop {
        tokio::select! {
            first = outgoing.recv() => {
                // No sender and no close: the queue ran over.
                let Some(first) = first else { return End::ByClient(Gone::TooSlow) };
                let written = tokio::select! {
                    written = timeout(WRITE_TIMEOUT, write(socket, outgoing, gauge, first)) => written,
                    () = gauge.overflow.notified() => return End::ByClient(Gone::TooSlow),
                };
                match written {
                    Ok(Ok(None)) => {}
                    Ok(Ok(Some(code))) => return End::ByHub(code),
                    Ok(Err(_)) => return End::ByClient(Gone::Closed),
                    Err(_) => return End::ByClient(Gone::TooSlow),
                }
            }
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Text(text))) => hub.text(*id, text).await,
                Some(Ok(Message::Binary(_))) => hub.binary(*id).await,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => return End::ByClient(why_broken(error)),
                Some(Ok(Message::Close(_))) | None => return End::ByClient(Gone::Closed),
            }
        }
    }
}

/// Writes all that waits, with one flush. Returns the code if the hub closes the connection.
async fn write(
    socket: &mut WebSocket,
    outgoing: &mut mpsc::UnboundedReceiver<Outgoing>,
    gauge: &Gauge,
    first: Outgoing,
) -> Result<Option<CloseCode>, axum::Error> {
    let mut next = Some(first);
    while let Some(out) = next {
        match out {
            Outgoing::Text(text) => {
                let bytes = text.len();
                socket.feed(Message::Text(text)).await?;
                gauge.bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
            Outgoing::Close(code) => {
                socket.flush().await?;
                return Ok(Some(code));
            }
        }
        next = outgoing.try_recv().ok();
    }
    socket.flush().await?;
    Ok(None)
}

/// What an error while reading says about the client.
fn why_broken(error: axum::Error) -> Gone {
    match error.into_inner().downcast_ref() {
        Some(tokio_tungstenite::tungstenite::Error::Capacity(_)) => Gone::TooLarge,
        _ => Gone::Closed,
    }
}
