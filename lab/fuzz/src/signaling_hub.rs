//! The room machine under clients that say anything (`docs/signaling.md`): every message it sends is one of the
//! protocol's, nothing leaks from room to room, a closed connection hears nothing, and what is left alone ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::conference::{Ending, LegName, Notice, Problem, Publication, Request, RoomKey, Source};
use crate::signaling::{ConnectionId, Gone, Hub, IceServers, Keys, Limits, Now, Output, Settings};

/// Longer than any session outlives its connection.
const FOR_EVER: Duration = Duration::from_secs(3600);
/// What a message may be longer than what its sender sent: names, the envelope.
const ENVELOPE: usize = 4096;

#[derive(Arbitrary, Debug)]
enum Command {
    Connect,
    Join { from: u8, join: Join },
    Signal { from: u8, to: u8 },
    Chat { from: u8, to: Option<u8>, length: u16 },
    Presence { from: u8, length: u16 },
    Next { from: u8 },
    Invite { from: u8, expires: u32 },
    Leave { from: u8 },
    Ping { from: u8, received: u8 },
    Text { from: u8, text: String },
    Binary { from: u8 },
    Disconnect { from: u8, why: u8 },
    Wait { milliseconds: u16 },
    Drain,
    Topology { from: u8, policy: u8 },
    MediaOffer { from: u8, connection: u8, publish: Option<u8>, seats: u8 },
    MediaWatch { from: u8, connection: u8, publication: Option<u8>, width: Option<f64> },
    MediaClose { from: u8, connection: u8 },
    Notice { which: u8, what: u8 },
}

#[derive(Arbitrary, Debug, Default)]
struct Join {
    room: u8,
    kind: u8,
    role: Option<bool>,
    password: Option<u8>,
    invitation: Option<u8>,
    token: Option<u8>,
    received: u8,
}

struct World {
    now: Now,
    hub: Hub,
    /// The open connections, and the room each is in.
    connections: BTreeMap<ConnectionId, Option<String>>,
    peers: Vec<Value>,
    tokens: Vec<Value>,
    invitations: Vec<Value>,
    /// What the media workers were asked for.
    legs: Vec<LegName>,
    is_draining: bool,
}

struct NoIce;

impl IceServers for NoIce {
    fn ice_servers(&self, _: &str, _: Now) -> Box<RawValue> {
        RawValue::from_string("[]".to_owned()).expect("JSON")
    }
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(invitation_required) = input.ratio(1_u8, 8) else { return };
    let mut world = World::new(invitation_required);
    while !input.is_empty() {
        let Ok(command) = input.arbitrary::<Command>() else { break };
        world.obey(command);
        world.drain();
    }
    world.end();
}

impl World {
    fn new(invitation_required: bool) -> Self {
        let limits =
            Limits { connections: 12, rooms: 4, queued_bytes: 20_000, mesh_capacity: 2, ..Limits::default() };
        let settings = Settings { limits, invitation_required, media: true, ..Settings::default() };
        let now = Now { instant: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        let hub = Hub::new(settings, Keys::new(b"secret", None), [7; 32], Box::new(NoIce));
        let connections = BTreeMap::new();
        let (peers, tokens, invitations) = (vec![json!("p0")], Vec::new(), Vec::new());
        let legs = Vec::new();
        let mut world = Self { now, hub, connections, peers, tokens, invitations, legs, is_draining: false };
        // Two rooms with two people each, so that commands have whom to reach from the start.
        for from in 0..4 {
            world.obey(Command::Connect);
            let join = Join { room: from / 2, ..Join::default() };
            world.obey(Command::Join { from, join });
            world.drain();
        }
        world
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Connect => {
                let id = self.hub.connect(self.now, "host");
                assert!(self.connections.insert(id, None).is_none(), "an identifier is used twice");
            }
            Command::Join { from, join } => {
                let message = join.message(&self.tokens, &self.invitations);
                self.say(from, &message);
            }
            Command::Signal { from, to } => {
                let data = self.marker(from);
                self.say(from, &json!({"type": "signal", "to": pick(&self.peers, to), "data": data}));
            }
            Command::Chat { from, to, length } => {
                // The marker comes first, so that a receiver can tell from which room it is.
                let text = self.marker(from) + "|" + &"x".repeat(usize::from(length) % 5000);
                let mut message = json!({"type": "chat", "text": text});
                if let Some(to) = to {
                    message["to"] = pick(&self.peers, to);
                }
                self.say(from, &message);
            }
            Command::Presence { from, length } => {
                let state = json!({"room": self.marker(from), "x": "x".repeat(usize::from(length) % 1100)});
                self.say(from, &json!({"type": "presence", "state": state}));
            }
            Command::Next { from } => self.say(from, &json!({"type": "next"})),
            Command::Invite { from, expires } => {
                self.say(from, &json!({"type": "invite", "expires_in": expires}));
            }
            Command::Leave { from } => self.say(from, &json!({"type": "leave"})),
            Command::Ping { from, received } => {
                self.say(from, &json!({"type": "ping", "received": received}));
            }
            Command::Text { from, text } => {
                if let Some(id) = self.connection(from) {
                    self.hub.handle_message(self.now, id, &text);
                }
            }
            Command::Binary { from } => {
                if let Some(id) = self.connection(from) {
                    self.hub.handle_binary(self.now, id);
                }
            }
            Command::Disconnect { from, why } => {
                if let Some(id) = self.connection(from) {
                    let why = [Gone::Closed, Gone::TooSlow, Gone::TooLarge][usize::from(why) % 3];
                    self.hub.handle_disconnect(self.now, id, why);
                    if why == Gone::Closed {
                        self.connections.remove(&id);
                    }
                }
            }
            Command::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds.into())),
            Command::Drain => {
                self.is_draining = true;
                self.hub.drain(self.now);
            }
            Command::Topology { from, policy } => {
                let policy = ["auto", "p2p", "sfu"][usize::from(policy) % 3];
                self.say(from, &json!({"type": "topology", "policy": policy}));
            }
            Command::MediaOffer { from, connection, publish, seats } => {
                let publish = publish.map_or(json!({}), |mid| json!({mid.to_string(): "camera"}));
                let seats = vec![["0", "1"]; usize::from(seats)];
                let connection = format!("x{}", connection % 4);
                self.say(
                    from,
                    &json!({
                        "type": "media_offer", "connection": connection, "sdp": "v=0",
                        "publish": publish, "seats": seats,
                    }),
                );
            }
            Command::MediaWatch { from, connection, publication, width } => {
                let publication = publication.map(|name| name.to_string());
                let slot = json!({"mid": "0", "publication": publication, "width": width, "height": width});
                let connection = format!("x{}", connection % 4);
                self.say(from, &json!({"type": "media_watch", "connection": connection, "slots": [slot]}));
            }
            Command::MediaClose { from, connection } => {
                let connection = format!("x{}", connection % 4);
                self.say(from, &json!({"type": "media_close", "connection": connection}));
            }
            Command::Notice { which, what } => {
                if let Some(leg) = self.legs.get(usize::from(which) % self.legs.len().max(1)) {
                    self.hub.handle_media(self.now, notice(leg.clone(), which, what));
                }
            }
        }
    }

    fn say(&mut self, from: u8, message: &Value) {
        if let Some(id) = self.connection(from) {
            self.hub.handle_message(self.now, id, &message.to_string());
        }
    }

    /// Checks what the machine says.
    fn drain(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Close { connection, .. } => {
                    assert!(self.connections.remove(&connection).is_some(), "closed twice");
                }
                Output::Media(request) => {
                    if let Request::Offer(offer) = request {
                        self.legs.push(offer.leg);
                    }
                }
                Output::Send { connection, text } => {
                    assert!(text.len() <= self.limit(), "a message of {} bytes", text.len());
                    let message: Value = serde_json::from_slice(&text).expect("every message is JSON");
                    self.hear(connection, &message);
                }
            }
        }
    }

    fn hear(&mut self, connection: ConnectionId, message: &Value) {
        let room = self.connections.get_mut(&connection).expect("a closed connection hears nothing");
        let marked = match message["type"].as_str().expect("every message has a type") {
            "joined" => {
                *room = message["room"].as_str().map(str::to_owned);
                self.peers.push(message["peer"].clone());
                self.tokens.push(message["token"].clone());
                let others = message["peers"].as_array().expect("a list").len() as u64;
                assert!(others < message["capacity"].as_u64().expect("a number"), "too many in a room");
                return;
            }
            "left" | "waiting" => {
                *room = None;
                return;
            }
            "invitation" => {
                self.invitations.push(message["invitation"].clone());
                return;
            }
            "chat" => message["text"].as_str().and_then(|text| text.split('|').next()),
            "signal" => message["data"].as_str(),
            "presence" => message["state"]["room"].as_str(),
            "media_publications" => message["publications"][0]["id"].as_str(),
            "media_answer" => message["sdp"].as_str(),
            "topology" | "media_wanted" | "media_layers" | "media_speaker" | "media_closed" => return,
            "welcome" | "peer_joined" | "peer_left" | "audience" | "pong" | "going_away" | "error" => return,
            other => panic!("{other} is no message of the protocol"),
        };
        // Arbitrary text may say anything of the protocol's, without a marker.
        if let Some(marked) = marked.filter(|marked| marked.starts_with("room:")) {
            assert_eq!(Some(&marked[5..]), room.as_deref(), "{message} comes from another room");
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix += time;
        self.hub.handle_timeout(self.now);
        assert!(self.hub.poll_timeout().is_none_or(|at| at > self.now.instant), "what is due is done");
    }

    /// All go, and after a while nothing of them is left.
    fn end(&mut self) {
        let before = self.hub.counters();
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.hub.handle_disconnect(self.now, id, Gone::Closed);
            self.connections.remove(&id);
        }
        self.drain();
        let begin = self.now.instant;
        while let Some(at) = self.hub.poll_timeout()
            && at < begin + FOR_EVER
        {
            self.wait(at.saturating_duration_since(self.now.instant));
            self.drain();
        }
        let left = self.hub.counters();
        assert_eq!((left.connections, left.waiting), (0, 0));
        // What is forwarded to those who are away goes on until a server that drains ends.
        if self.is_draining {
            assert!(
                left.sessions <= before.sessions && left.rooms <= before.rooms,
                "nobody comes in any more"
            );
        } else {
            assert_eq!((left.sessions, left.rooms), (0, 0));
        }
    }

    fn connection(&self, number: u8) -> Option<ConnectionId> {
        let open: Vec<_> = self.connections.keys().collect();
        open.get(usize::from(number) % open.len().max(1)).map(|id| **id)
    }

    /// What a connection says to be known by.
    fn marker(&self, from: u8) -> String {
        let room = self.connection(from).and_then(|id| self.connections[&id].clone());
        format!("room:{}", room.unwrap_or_default())
    }

    fn limit(&self) -> usize {
        Limits::default().message_bytes + ENVELOPE
    }
}

/// Something that a media worker says, with the room's name in it.
fn notice(leg: LegName, which: u8, what: u8) -> Notice {
    let (RoomKey::Call(name) | RoomKey::Live(name)) = &leg.room;
    let marker = format!("room:{name}");
    let (room, request, member) = (leg.room.clone(), None, Some(leg.member));
    let mid: Box<str> = which.to_string().into();
    match what % 7 {
        0 | 1 => Notice::Answer { leg, request, sdp: marker },
        2 => Notice::Refused { leg, request, problem: Problem::Busy, why: marker },
        3 => {
            let (id, codec, source) = (marker.into(), "VP8".into(), Source::Camera);
            let member = member.filter(|_| which.is_multiple_of(2));
            let publications = vec![Publication { id, member, source, is_audio: false, codec }];
            Notice::Publications { room, publications }
        }
        4 => Notice::Wanted { leg, encodings: vec![(mid, vec![true, false])] },
        5 => Notice::Speaker { room, member },
        _ => Notice::Closed { leg, reason: Ending::Failed },
    }
}

impl Join {
    fn message(&self, tokens: &[Value], invitations: &[Value]) -> Value {
        let kind = ["call", "live", "send", "lobby"][usize::from(self.kind) % 4];
        let room = ["tea", "coffee", "lobby", "a", "", "no such name!"][usize::from(self.room) % 6];
        let mut message = json!({"type": "join", "room": room, "name": "Ada", "kind": kind});
        if let Some(streamer) = self.role {
            message["role"] = json!(if streamer { "streamer" } else { "viewer" });
        }
        if let Some(password) = self.password {
            message["password"] = json!(["pw", "other", ""][usize::from(password) % 3]);
        }
        if let Some(invitation) = self.invitation {
            message["invitation"] = pick(invitations, invitation);
        }
        if let Some(token) = self.token {
            message["token"] = pick(tokens, token);
            message["received"] = json!(self.received);
        }
        message
    }
}

/// One of what was seen so far, the newest first.
fn pick(values: &[Value], number: u8) -> Value {
    values.iter().rev().cycle().nth(usize::from(number)).cloned().unwrap_or_else(|| json!("none"))
}
