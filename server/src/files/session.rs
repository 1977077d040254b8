//! The signaling client (`docs/signaling.md`): one session over as many WebSockets as it takes. It joins, counts, pings,
//! comes back with growing waits, and resumes by token. It never decides about connections: a lost server is an event.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::address::ServerAddress;
use super::web_socket::{self, Socket};

/// A connection that has not come about by then is given up.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Without a word for so long after a ping, or if it takes nothing for as long, the connection counts as gone.
const PONG_PATIENCE: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// What is kept to be repeated; beyond, the oldest goes.
const KEPT: usize = 512;
/// Events that may wait.
const EVENTS: usize = 256;
/// And messages to the server, while it is away; beyond, they are lost, as what an old connection said is anyway.
const OUTGOING: usize = KEPT;
/// The close code by which the server says that another connection has this session now.
const TAKEN_OVER: u16 = 4000;

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

impl IceServer {
    /// Whether it is a TURN server, over anything.
    pub(crate) fn is_relay(&self) -> bool {
        self.urls.iter().any(|url| url.starts_with("turn"))
    }
}

/// The handle; the session ends with it.
#[derive(Debug)]
pub(crate) struct Session {
    events: mpsc::Receiver<Event>,
    outgoing: mpsc::Sender<Value>,
    is_connected: Arc<AtomicBool>,
    is_over: bool,
}

impl Session {
    pub(crate) fn start(join: Join) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let (outgoing, inbox) = mpsc::channel(OUTGOING);
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
        // Where too much waits, or without a task, nobody hears it: they are greeted again.
        let _ = self.outgoing.try_send(json!({ "type": "signal", "to": to, "data": data }));
    }

    /// Leaves, so that the others see it at once; until the server, if it is there, has been told.
    pub(crate) async fn leave(mut self) {
        if self.is_connected() && self.outgoing.try_send(json!({ "type": "leave" })).is_ok() {
            while self.events.recv().await.is_some() {}
        }
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
    inbox: mpsc::Receiver<Value>,
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
                Ok(Ok(socket)) => {
                    let Err(ended) = self.talk(socket, &mut wait).await;
                    ended
                }
                Ok(Err(why)) => again(why),
                Err(_) => again("it does not answer"),
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

    async fn talk(&mut self, mut socket: Socket, wait: &mut Duration) -> Result<Infallible, Ended> {
        say(&mut socket, self.join_message()).await?;
        let mut is_joined = false;
        let mut next_ping = Instant::now() + PING_INTERVAL;
        let mut patience = Instant::now() + PONG_PATIENCE;
        loop {
            let message = tokio::select! {
                message = socket.next() => message,
                message = self.inbox.recv(), if is_joined => {
                    let message = message.ok_or(Ended::Final)?;
                    let text = self.count(&message);
                    say(&mut socket, text).await?;
                    if message["type"] == "leave" {
                        let _ = timeout(PONG_PATIENCE, socket.close(None)).await;
                        return Err(Ended::Final);
                    }
                    continue;
                }
                () = sleep_until(next_ping), if is_joined => {
                    next_ping = Instant::now() + PING_INTERVAL;
                    patience = Instant::now() + PONG_PATIENCE;
                    let ping = json!({ "type": "ping", "received": self.received });
                    say(&mut socket, ping.to_string()).await?;
                    continue;
                }
                () = sleep_until(patience) => return Err(again("it says nothing any more")),
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == TAKEN_OVER => {
                    return Err(Ended::Final);
                }
                Some(Ok(Message::Close(_))) | None => return Err(again("it closed the connection")),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(again(error.to_string())),
            };
            patience = next_ping + PONG_PATIENCE;
            let Ok(message) = serde_json::from_str::<Value>(text.as_str()) else { continue };
            match message["type"].as_str().unwrap_or_default() {
                "joined" => {
                    self.joined(&mut socket, message).await?;
                    is_joined = true;
                    *wait = FIRST_WAIT;
                }
                "pong" => self.confirm(message["received"].as_u64().unwrap_or_default()),
                "error" if !is_joined => return Err(self.refused(&message).await),
                kind => self.heard(kind, &message).await?,
            }
        }
    }

    fn join_message(&self) -> String {
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
        join.to_string()
    }

    async fn joined(&mut self, socket: &mut Socket, message: Value) -> Result<(), Ended> {
        let Ok(joined) = serde_json::from_value::<Joined>(message) else {
            return Err(Ended::Retry("it speaks another protocol".to_owned(), LONGEST_WAIT));
        };
        self.token = Some(joined.token.clone());
        self.is_connected.store(true, Ordering::Relaxed);
        if joined.resumed {
            self.confirm(joined.received);
            for text in &self.unconfirmed {
                say(socket, text.clone()).await?;
            }
        } else {
            self.unconfirmed.clear();
            (self.sent, self.received) = (0, 0);
        }
        self.tell(Event::Joined(joined)).await
    }

    async fn refused(&mut self, message: &Value) -> Ended {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let (code, message_text) = (text("code"), text("message"));
        if WAITING_HELPS.contains(&code.as_str()) {
            let retry = message["retry"].as_u64().unwrap_or(1_000).min(60_000);
            return Ended::Retry(message_text, Duration::from_millis(retry));
        }
        let _ = self.tell(Event::Refused { code, message: message_text }).await;
        Ended::Final
    }

    async fn heard(&mut self, kind: &str, message: &Value) -> Result<(), Ended> {
        if !UNCOUNTED.contains(&kind) {
            self.received += 1;
        }
        let id = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match kind {
            "peer_joined" => self.tell(Event::PeerJoined(id(&message["peer"]["id"]))).await,
            "peer_left" => self.tell(Event::PeerLeft(id(&message["peer"]))).await,
            "signal" => {
                let (from, data) = (id(&message["from"]), message["data"].clone());
                self.tell(Event::Signal { from, data }).await
            }
            _ => Ok(()),
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Ended> {
        // Nobody listens any more.
        self.events.send(event).await.map_err(|_| Ended::Final)
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

/// A server that takes nothing is as good as gone.
async fn say(socket: &mut Socket, text: String) -> Result<(), Ended> {
    match timeout(PONG_PATIENCE, socket.send(Message::text(text))).await {
        Ok(sent) => sent.map_err(|error| again(error.to_string())),
        Err(_) => Err(again("it takes nothing any more")),
    }
}

fn again(why: impl Into<String>) -> Ended {
    Ended::Retry(why.into(), Duration::ZERO)
}

#[cfg(test)]
mod tests;
