//! A hub with its clock in the test's hand.

use std::time::{Duration, Instant};

use serde_json::{Value, json, value::RawValue};

use crate::conference::{Notice, Request};
use crate::signaling::{CloseCode, ConnectionId, Gone, Hub, IceServers, Keys, Limits, Now, Output, Settings};

/// What happened to one connection, in order.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    Message(Value),
    Closed(CloseCode),
}

pub(super) struct World {
    pub(super) hub: Hub,
    now: Now,
    seen: Vec<(ConnectionId, Seen)>,
    /// What the media workers were asked.
    asked: Vec<Request>,
}

struct NoIce;

impl IceServers for NoIce {
    fn ice_servers(&self, host: &str, _: Now) -> Box<RawValue> {
        RawValue::from_string(json!([{"urls": format!("stun:{host}")}]).to_string()).unwrap()
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::seeded([7; 32], change)
    }

    pub(super) fn seeded(seed: [u8; 32], change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { server: "twocan/test".into(), ..Settings::default() };
        change(&mut settings);
        let hub = Hub::new(settings, Keys::new(b"secret", None), seed, Box::new(NoIce));
        let now = Now { instant: Instant::now(), unix: Duration::from_millis(1_700_000_000_123) };
        Self { hub, now, seen: Vec::new(), asked: Vec::new() }
    }

    /// The server was restarted: it remembers its secret only.
    pub(super) fn restart(&mut self) {
        let fresh = Self::seeded([8; 32], |_| {});
        self.hub = fresh.hub;
        self.seen.clear();
    }

    pub(super) fn limits(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(|settings| change(&mut settings.limits))
    }

    /// Connects, and takes the `welcome`.
    pub(super) fn connect(&mut self) -> ConnectionId {
        let id = self.connect_silently();
        let welcome = self.take(id);
        assert!(matches!(&welcome[0], Seen::Message(message) if message["type"] == "welcome"), "{welcome:?}");
        id
    }

    pub(super) fn connect_silently(&mut self) -> ConnectionId {
        let id = self.hub.connect(self.now, "host:1");
        self.collect();
        id
    }

    /// Connects and joins; returns the connection and the `joined`.
    pub(super) fn join(&mut self, fields: &Value) -> (ConnectionId, Value) {
        let id = self.connect();
        self.send(id, &join(fields));
        let joined = self.message(id);
        assert_eq!(joined["type"], "joined", "{joined}");
        (id, joined)
    }

    pub(super) fn send(&mut self, id: ConnectionId, message: &Value) {
        self.text(id, &message.to_string());
    }

    pub(super) fn text(&mut self, id: ConnectionId, text: &str) {
        self.hub.handle_message(self.now, id, text);
        self.collect();
    }

    pub(super) fn binary(&mut self, id: ConnectionId) {
        self.hub.handle_binary(self.now, id);
        self.collect();
    }

    pub(super) fn drop_connection(&mut self, id: ConnectionId) {
        self.gone(id, Gone::Closed);
    }

    pub(super) fn gone(&mut self, id: ConnectionId, why: Gone) {
        self.hub.handle_disconnect(self.now, id, why);
        self.collect();
    }

    pub(super) fn drain(&mut self) {
        self.hub.drain(self.now);
        self.collect();
    }

    /// What the media workers were asked since it was looked at last.
    pub(super) fn asked(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.asked)
    }

    /// The media workers say something.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.hub.handle_media(self.now, notice);
        self.collect();
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now.instant + time;
        while let Some(at) = self.hub.poll_timeout().filter(|at| *at <= until) {
            self.now.unix += at.saturating_duration_since(self.now.instant);
            self.now.instant = self.now.instant.max(at);
            self.hub.handle_timeout(self.now);
            self.collect();
        }
        self.now.unix += until.saturating_duration_since(self.now.instant);
        self.now.instant = until;
    }

    /// What a connection has seen since it was last asked.
    pub(super) fn take(&mut self, id: ConnectionId) -> Vec<Seen> {
        let (taken, rest) = self.seen.drain(..).partition(|(to, _)| *to == id);
        self.seen = rest;
        taken.into_iter().map(|(_, seen)| seen).collect()
    }

    /// The messages among that; no close may be there.
    pub(super) fn messages(&mut self, id: ConnectionId) -> Vec<Value> {
        self.take(id)
            .into_iter()
            .map(|seen| match seen {
                Seen::Message(message) => message,
                Seen::Closed(code) => panic!("closed with {code:?}"),
            })
            .collect()
    }

    /// The one message that was seen.
    pub(super) fn message(&mut self, id: ConnectionId) -> Value {
        let mut messages = self.messages(id);
        assert_eq!(messages.len(), 1, "{messages:#?}");
        messages.remove(0)
    }

    /// The code of the error that answered, and nothing else did.
    pub(super) fn error(&mut self, id: ConnectionId) -> String {
        let message = self.message(id);
        assert_eq!(message["type"], "error", "{message}");
        assert!(message["message"].as_str().is_some_and(|words| words.ends_with('.')), "{message}");
        message["code"].as_str().unwrap().to_owned()
    }

    fn collect(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            self.seen.push(match output {
                Output::Send { connection, text } => {
                    (connection, Seen::Message(serde_json::from_slice(&text).unwrap()))
                }
                Output::Close { connection, code } => (connection, Seen::Closed(code)),
                Output::Media(request) => {
                    self.asked.push(request);
                    continue;
                }
            });
        }
    }
}

/// A `join` with usual fields where none are given.
pub(super) fn join(fields: &Value) -> Value {
    let mut message = json!({"type": "join", "room": "tea", "name": "Ada"});
    for (key, value) in fields.as_object().unwrap() {
        message[key] = value.clone();
    }
    message
}
