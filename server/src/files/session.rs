//! The signaling client (`docs/signaling.md`): one session over as many WebSockets as it takes. It joins, counts, pings,
//! comes back with growing waits, and resumes by token. It never decides about connections: a lost server is an event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::address::ServerAddress;
use super::web_socket::{self, Socket};

/// A connection that has not come about by then is given up.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Without a word for so long after a ping, the connection counts as gone.
const PONG_PATIENCE: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// What is kept to be repeated; beyond, the oldest goes.
const KEPT: usize = 512;
/// Events that may wait.
const EVENTS: usize = 256;

/// Messages from the server that are not counted.
const UNCOUNTED: [&str; 6] = ["joined", "pong", "error", "welcome", "left", "going_away"];
/// Errors to a `join` that only want waiting: the seat of one who is gone is free after the grace time.
const WAITING_HELPS: [&str; 4] = ["draining", "server_full", "rate_limited", "room_full"];

/// What to join.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) server: ServerAddress,
    pub(crate) insecure: bool,
    pub(crate) room: String,
    pub(crate) invitation: Option<String>,
}

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// In the room, for the first time or again.
    Joined(Joined),
    PeerJoined(String),
    PeerLeft(String),
    Signal {
        from: String,
        data: Value,
    },
    /// The server is not there, with the reason; it is tried again.
    Away(String),
    /// It will not have us.
    Refused {
        code: String,
        message: String,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Joined {
    /// Our own name here.
    pub(crate) peer: String,
    pub(crate) peers: Vec<Peer>,
    token: String,
    #[serde(default)]
    pub(crate) resumed: bool,
    #[serde(default)]
    received: u64,
    #[serde(default)]
    pub(crate) ice_servers: Vec<IceServer>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Peer {
    pub(crate) id: String,
}

/// `RTCIceServer`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct IceServer {
    #[serde(default)]
    pub(crate) urls: Vec<String>,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default)]
    pub(crate) credential: Option<String>,
}

/// The handle; the session ends with it.
#[derive(Debug)]
pub(crate) struct Session {
    events: mpsc::Receiver<Event>,
    outgoing: mpsc::UnboundedSender<Value>,
    is_connected: Arc<AtomicBool>,
    is_over: bool,
}

impl Session {
    pub(crate) fn start(join: Join) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let (outgoing, inbox) = mpsc::unbounded_channel();
        let is_connected = Arc::new(AtomicBool::new(false));
        let task = Task {
            join,
            events: sender,
            inbox,
            is_connected: Arc::clone(&is_connected),
            token: None,
            received: 0,
            sent: 0,
            unconfirmed: VecDeque::new(),
        };
        tokio::spawn(task.run());
        Self { events, outgoing, is_connected, is_over: false }
    }

    /// The next event; `None`, once, when there will be none any more. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return std::future::pending().await;
        }
        let event = self.events.recv().await;
        self.is_over = event.is_none();
        event
    }

    /// Whether what is sent goes out now.
    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// Sends to a peer, now or when the server is there again.
    pub(crate) fn signal(&self, to: &str, data: &Value) {
        // Without a task there is no server any more.
        let _ = self.outgoing.send(json!({ "type": "signal", "to": to, "data": data }));
    }

    /// Leaves, so that the others see it at once.
    pub(crate) fn leave(&self) {
        let _ = self.outgoing.send(json!({ "type": "leave" }));
    }
}

/// Why a connection ended.
enum Ended {
    /// It is worth trying again, after that long at least.
    Retry(String, Duration),
    /// It is not.
    Final,
}

struct Task {
    join: Join,
    events: mpsc::Sender<Event>,
    inbox: mpsc::UnboundedReceiver<Value>,
    is_connected: Arc<AtomicBool>,
    token: Option<String>,
    /// Counted messages of the server that were handled.
    received: u64,
    /// Counted messages of ours in this session.
    sent: u64,
    unconfirmed: VecDeque<String>,
}

impl Task {
    async fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let opening = timeout(OPEN_PATIENCE, web_socket::open(&self.join.server, self.join.insecure));
            let ended = match opening.await {
                Ok(Ok(socket)) => self.talk(socket, &mut wait).await,
                Ok(Err(why)) => Ended::Retry(why, Duration::ZERO),
                Err(_) => Ended::Retry("it does not answer".to_owned(), Duration::ZERO),
            };
            self.is_connected.store(false, Ordering::Relaxed);
            let Ended::Retry(why, least) = ended else { return };
            if self.events.send(Event::Away(why)).await.is_err() {
                return;
            }
            sleep(wait.max(least)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn talk(&mut self, mut socket: Socket, wait: &mut Duration) -> Ended {
        let gone = |error: &tungstenite::Error| Ended::Retry(error.to_string(), Duration::ZERO);
        if let Err(error) = socket.send(self.join_message()).await {
            return gone(&error);
        }
        let mut is_joined = false;
        let mut next_ping = Instant::now() + PING_INTERVAL;
        let mut patience = Instant::now() + PONG_PATIENCE;
        loop {
            let message = tokio::select! {
                message = socket.next() => message,
                message = self.inbox.recv(), if is_joined => {
                    let Some(message) = message else { return Ended::Final };
                    let is_leaving = message["type"] == "leave";
                    let text = self.count(&message);
                    if let Err(error) = socket.send(Message::text(text)).await {
                        return gone(&error);
                    }
                    if is_leaving {
                        let _ = socket.close(None).await;
                        return Ended::Final;
                    }
                    continue;
                }
                () = sleep_until(next_ping), if is_joined => {
                    next_ping = Instant::now() + PING_INTERVAL;
                    patience = Instant::now() + PONG_PATIENCE;
                    let ping = json!({ "type": "ping", "received": self.received }).to_string();
                    if let Err(error) = socket.send(Message::text(ping)).await {
                        return gone(&error);
                    }
                    continue;
                }
                () = sleep_until(patience) => {
                    return Ended::Retry("it says nothing any more".to_owned(), Duration::ZERO);
                }
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    return match code {
                        Some(4000) => Ended::Final,
                        _ => Ended::Retry("it closed the connection".to_owned(), Duration::ZERO),
                    };
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return gone(&error),
                None => return Ended::Retry("it closed the connection".to_owned(), Duration::ZERO),
            };
            patience = next_ping + PONG_PATIENCE;
            let Ok(message) = serde_json::from_str::<Value>(text.as_str()) else { continue };
            match message["type"].as_str().unwrap_or_default() {
                "joined" => {
                    let Ok(joined) = serde_json::from_value::<Joined>(message) else {
                        return Ended::Retry("it speaks another protocol".to_owned(), LONGEST_WAIT);
                    };
                    is_joined = true;
                    *wait = FIRST_WAIT;
                    if let Err(error) = self.joined(&mut socket, joined).await {
                        return gone(&error);
                    }
                }
                "pong" => self.confirm(message["received"].as_u64().unwrap_or_default()),
                "error" if !is_joined => {
                    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
                    let (code, message_text) = (text("code"), text("message"));
                    if WAITING_HELPS.contains(&code.as_str()) {
                        let retry = message["retry"].as_u64().unwrap_or(1_000).min(60_000);
                        return Ended::Retry(message_text, Duration::from_millis(retry));
                    }
                    let _ = self.events.send(Event::Refused { code, message: message_text }).await;
                    return Ended::Final;
                }
                kind => {
                    if !UNCOUNTED.contains(&kind) {
                        self.received += 1;
                    }
                    let id = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let event = match kind {
                        "peer_joined" => Event::PeerJoined(id(&message["peer"]["id"])),
                        "peer_left" => Event::PeerLeft(id(&message["peer"])),
                        "signal" => {
                            Event::Signal { from: id(&message["from"]), data: message["data"].clone() }
                        }
                        _ => continue,
                    };
                    if self.events.send(event).await.is_err() {
                        return Ended::Final;
                    }
                }
            }
        }
    }

    fn join_message(&self) -> Message {
        // The others learn what we are called over the sealed connection, if at all.
        let mut join =
            json!({ "type": "join", "id": 1, "room": self.join.room, "name": "Guest", "kind": "send" });
        if let Some(invitation) = &self.join.invitation {
            join["invitation"] = invitation.as_str().into();
        }
        if let Some(token) = &self.token {
            join["token"] = token.as_str().into();
            join["received"] = self.received.into();
        }
        Message::text(join.to_string())
    }

    async fn joined(&mut self, socket: &mut Socket, joined: Joined) -> Result<(), tungstenite::Error> {
        self.token = Some(joined.token.clone());
        self.is_connected.store(true, Ordering::Relaxed);
        if joined.resumed {
            self.confirm(joined.received);
            for text in &self.unconfirmed {
                socket.feed(Message::text(text.clone())).await?;
            }
            socket.flush().await?;
        } else {
            self.unconfirmed.clear();
            (self.sent, self.received) = (0, 0);
        }
        // Nobody listens any more: the next send ends the task.
        let _ = self.events.send(Event::Joined(joined)).await;
        Ok(())
    }

    fn count(&mut self, message: &Value) -> String {
        let text = message.to_string();
        self.sent += 1;
        self.unconfirmed.push_back(text.clone());
        if self.unconfirmed.len() > KEPT {
            self.unconfirmed.pop_front();
        }
        text
    }

    /// The server has handled so many of ours.
    fn confirm(&mut self, count: u64) {
        let waiting = usize::try_from(self.sent.saturating_sub(count)).unwrap_or(usize::MAX);
        while self.unconfirmed.len() > waiting {
            self.unconfirmed.pop_front();
        }
    }
}
