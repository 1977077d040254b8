//! Random people do random things, on connections that break; what must always hold, holds.
//!
//! Each client keeps the counts that the protocol asks of it, comes back with its token, and repeats what
//! the server has not processed. Its peers must then have got every chat exactly once and in order, and
//! nobody anything from another room.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{Seen, World, join};
use crate::conference::{Ending, LegName, Member, Notice, Problem, Publication, Request, RoomKey, Source};
use crate::signaling::ConnectionId;

/// One thing that one of the clients does.
#[derive(Clone, Debug)]
enum Step {
    Join(usize, u8),
    Chat(usize),
    Ping(usize),
    Drop(usize),
    Leave(usize),
    Wait(u16),
    Garbage(usize, String),
    Policy(usize, u8),
    /// A connection to a media worker, or a change of it.
    Offer(usize, u8),
    Watch(usize, u8),
    Close(usize, u8),
    /// A media worker says something about what it was asked, or about what was there once.
    Worker(usize, u8),
}

const CLIENTS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let who = 0..CLIENTS;
    prop_oneof![
        4 => (who.clone(), 0..2_u8).prop_map(|(who, room)| Step::Join(who, room)),
        6 => who.clone().prop_map(Step::Chat),
        2 => who.clone().prop_map(Step::Ping),
        3 => who.clone().prop_map(Step::Drop),
        1 => who.clone().prop_map(Step::Leave),
        2 => (0..9_000_u16).prop_map(Step::Wait),
        1 => (who.clone(), "[ -~]{0,30}").prop_map(|(who, text)| Step::Garbage(who, text)),
        1 => (who.clone(), 0..3_u8).prop_map(|(who, policy)| Step::Policy(who, policy)),
        2 => (who.clone(), 0..3_u8).prop_map(|(who, word)| Step::Offer(who, word)),
        1 => (who.clone(), 0..3_u8).prop_map(|(who, word)| Step::Watch(who, word)),
        1 => (who.clone(), 0..3_u8).prop_map(|(who, word)| Step::Close(who, word)),
        4 => (0..64_usize, 0..6_u8).prop_map(|(which, what)| Step::Worker(which, what)),
    ]
}

/// A client as the document describes it.
#[derive(Default)]
struct Client {
    connection: Option<ConnectionId>,
    room: Option<u8>,
    peer: String,
    token: Option<String>,
    /// Counted messages processed in this session.
    received: u64,
    /// Counted messages sent in this session.
    sent: Vec<Value>,
    /// By whom was said what, as seen by this client: `(sender, session of the sender, number)`.
    heard: Vec<(usize, u32, u32)>,
    session: u32,
    said: u32,
    /// Whether messages were repeated in this session: `peers` was ahead of those.
    resumed: bool,
    /// How media travels, by them.
    topology: Option<(Value, Value)>,
    /// Who is in the room, by this client's messages.
    peers: BTreeMap<String, String>,
}

struct Play {
    world: World,
    clients: Vec<Client>,
    /// All legs that were ever asked for.
    legs: Vec<LegName>,
    /// Whom the media workers know, by what they were asked.
    members: BTreeSet<(RoomKey, Member)>,
}

impl Play {
    fn new() -> Self {
        let world = World::with(|settings| {
            settings.media = true;
            settings.limits.mesh_capacity = 2;
            // What is asked is not to be refused for coming too often.
            settings.limits.messages_per_second = 1_000;
        });
        let clients = (0..CLIENTS).map(|_| Client::default()).collect();
        Self { world, clients, legs: Vec::new(), members: BTreeSet::new() }
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Join(who, room) => self.join(*who, *room),
            Step::Chat(who) => self.chat(*who),
            Step::Ping(who) => self.ping(*who),
            Step::Drop(who) => {
                if let Some(id) = self.clients[*who].connection.take() {
                    // What was under way to the client is lost with the connection.
                    self.world.take(id);
                    self.world.drop_connection(id);
                }
            }
            Step::Leave(who) => {
                if let Some(id) = self.clients[*who].connection.take() {
                    self.world.send(id, &json!({"type": "leave"}));
                    self.world.take(id);
                    let session = self.clients[*who].session;
                    let heard = std::mem::take(&mut self.clients[*who].heard);
                    self.clients[*who] = Client { heard, session, ..Client::default() };
                }
            }
            Step::Wait(milliseconds) => self.world.pass(Duration::from_millis((*milliseconds).into())),
            Step::Garbage(who, text) => {
                if let Some(id) = self.clients[*who].connection {
                    self.world.text(id, text);
                    self.clients[*who].sent.push(json!(null));
                }
            }
            Step::Policy(who, policy) => {
                let policy = ["auto", "p2p", "sfu"][usize::from(*policy)];
                self.say(*who, &json!({"type": "topology", "policy": policy}));
            }
            Step::Offer(who, word) => {
                let publish = json!({"0": "mic", "1": "camera"});
                let (connection, sdp) = (format!("x{word}"), "v=0");
                self.say(
                    *who,
                    &json!({"type": "media_offer", "connection": connection, "sdp": sdp, "publish": publish}),
                );
            }
            Step::Watch(who, word) => {
                let slots = json!([{"mid": "2", "publication": "a"}]);
                self.say(
                    *who,
                    &json!({"type": "media_watch", "connection": format!("x{word}"), "slots": slots}),
                );
            }
            Step::Close(who, word) => {
                self.say(*who, &json!({"type": "media_close", "connection": format!("x{word}")}));
            }
            Step::Worker(which, what) => self.hear_worker(*which, *what),
        }
        self.note_asked();
        self.read_all();
    }

    fn join(&mut self, who: usize, room: u8) {
        if self.clients[who].connection.is_some() {
            return;
        }
        // Back to the same room where there is one to come back to.
        let room = self.clients[who].room.unwrap_or(room);
        let id = self.world.connect();
        let client = &mut self.clients[who];
        client.connection = Some(id);
        client.room = Some(room);
        let mut request = join(&json!({"room": format!("room{room}"), "name": format!("client{who}")}));
        if let Some(token) = &client.token {
            request["token"] = json!(token);
            request["received"] = json!(client.received);
        }
        self.world.send(id, &request);
    }

    fn chat(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let Some(id) = client.connection else { return };
        let text = format!("{who} {} {} {}", client.session, client.said, client.room.unwrap());
        client.said += 1;
        let message = json!({"type": "chat", "text": text});
        client.sent.push(message.clone());
        self.world.send(id, &message);
    }

    /// Says something that is counted.
    fn say(&mut self, who: usize, message: &Value) {
        let client = &mut self.clients[who];
        let Some(id) = client.connection else { return };
        client.sent.push(message.clone());
        self.world.send(id, message);
    }

    fn note_asked(&mut self) {
        for request in self.world.asked() {
            match request {
                Request::Offer(offer) => {
                    self.members.insert((offer.leg.room.clone(), offer.leg.member));
                    self.legs.push(offer.leg);
                }
                Request::Leave { room, member } => {
                    assert!(self.members.remove(&(room, member)), "it had offered");
                }
                Request::Watch { .. } | Request::Close { .. } => {}
            }
        }
    }

    fn hear_worker(&mut self, which: usize, what: u8) {
        let Some(leg) = self.legs.get(which % self.legs.len().max(1)).cloned() else { return };
        let (request, why) = (None, String::from("Words."));
        let publication = Publication {
            id: format!("{which}").into(),
            member: (!which.is_multiple_of(3)).then_some(leg.member),
            source: Source::Camera,
            is_audio: false,
            codec: "VP8".into(),
        };
        self.world.notice(match what {
            0 => Notice::Answer { leg, request, sdp: String::from("v=0") },
            1 => Notice::Refused { leg, request, problem: Problem::Publication, why },
            2 => Notice::Publications { room: leg.room, publications: vec![publication] },
            3 => Notice::Wanted { leg, encodings: vec![("1".into(), vec![true])] },
            4 => Notice::Speaker { room: leg.room, member: Some(leg.member) },
            _ => Notice::Closed { leg, reason: Ending::Failed },
        });
    }

    fn ping(&mut self, who: usize) {
        if let Some(id) = self.clients[who].connection {
            let message = json!({"type": "ping", "received": self.clients[who].received});
            self.world.send(id, &message);
        }
    }

    fn read_all(&mut self) {
        for who in 0..CLIENTS {
            while let Some(id) = self.clients[who].connection {
                let seen = self.world.take(id);
                if seen.is_empty() {
                    break;
                }
                for seen in seen {
                    self.read(who, id, seen);
                }
            }
        }
    }

    fn read(&mut self, who: usize, id: ConnectionId, seen: Seen) {
        let client = &mut self.clients[who];
        let Seen::Message(message) = seen else {
            client.connection = None;
            return;
        };
        let kind = message["type"].as_str().unwrap().to_owned();
        match kind.as_str() {
            "joined" => self.read_joined(who, id, &message),
            "pong" => {
                let processed = message["received"].as_u64().unwrap();
                assert_eq!(processed, client.sent.len() as u64, "all that was sent was processed");
            }
            "error" => {
                let known = ["bad_message", "unknown_type", "not_permitted", "no_such_publication"];
                assert!(known.contains(&message["code"].as_str().unwrap()), "{message}");
            }
            _ => {
                client.received += u64::from(kind != "media_speaker");
                client.read_counted(&kind, &message);
            }
        }
    }

    fn read_joined(&mut self, who: usize, id: ConnectionId, message: &Value) {
        let client = &mut self.clients[who];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if client.token.is_some() {
            assert_eq!(client.peer, text(&message["peer"]), "a genuine token keeps its id");
        }
        client.peer = text(&message["peer"]);
        client.token = Some(text(&message["token"]));
        client.peers = (message["peers"].as_array().unwrap().iter())
            .map(|peer| (text(&peer["id"]), text(&peer["name"])))
            .collect();
        let topology = &message["topology"];
        client.topology = Some((topology["mode"].clone(), topology["policy"].clone()));
        client.resumed = message["resumed"] == json!(true);
        if client.resumed {
            let processed = usize::try_from(message["received"].as_u64().unwrap()).unwrap();
            for lost in client.sent.clone().into_iter().skip(processed) {
                self.world.send(id, &lost);
            }
        } else {
            client.received = 0;
            client.sent.clear();
            client.session += 1;
            client.said = 0;
        }
    }

    /// With every connection whole again, every client knows exactly who is in its room.
    fn settle(&mut self) {
        for who in 0..CLIENTS {
            if self.clients[who].room.is_some() {
                self.act(&Step::Join(who, 0));
                // Heard just now, nobody is idle before the grace time of whoever is away is over.
                self.act(&Step::Ping(who));
            }
        }
        self.world.pass(Duration::from_secs(31));
        self.read_all();
        for who in 0..CLIENTS {
            let client = &self.clients[who];
            let (Some(room), Some(_)) = (client.room, client.connection) else { continue };
            let others: BTreeMap<_, _> = (self.clients.iter().enumerate())
                .filter(|(other, client)| {
                    *other != who && client.room == Some(room) && client.connection.is_some()
                })
                .map(|(other, client)| (client.peer.clone(), format!("client{other}")))
                .collect();
            assert_eq!(client.peers, others, "client {who} knows its room");
            for other in
                self.clients.iter().filter(|other| other.room == Some(room) && other.connection.is_some())
            {
                assert_eq!(client.topology, other.topology, "all know how media travels");
            }
        }
        self.world.hub.check_invariants();
    }
}

impl Client {
    fn read_counted(&mut self, kind: &str, message: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match kind {
            "peer_joined" => {
                let peer = &message["peer"];
                self.peers.insert(text(&peer["id"]), text(&peer["name"]));
            }
            "peer_left" => {
                let known = self.peers.remove(&text(&message["peer"])).is_some();
                assert!(known || self.resumed, "who left was known: {message}");
            }
            "chat" => {
                let numbers: Vec<u32> = message["text"]
                    .as_str()
                    .unwrap()
                    .split(' ')
                    .map(|number| number.parse().unwrap())
                    .collect();
                let [who, session, number, room] = numbers[..] else { panic!("{message}") };
                assert_eq!(u8::try_from(room).ok(), self.room, "nothing from another room");
                self.hear(who as usize, session, number);
            }
            "topology" => self.topology = Some((message["mode"].clone(), message["policy"].clone())),
            "media_answer" | "media_publications" | "media_wanted" | "media_speaker" | "media_closed" => {}
            other => panic!("unexpected {other}"),
        }
    }

    /// Exactly once and in order: what one sender says in one session only counts up. Where one came in
    /// the middle or missed a session's end, numbers may be missing, but only then.
    fn hear(&mut self, who: usize, session: u32, number: u32) {
        let last = self.heard.iter().rfind(|(from, _, _)| *from == who);
        if let Some((_, last_session, last_number)) = last {
            assert!(
                (session, number) > (*last_session, *last_number),
                "client {who} said {session}.{number} after {last_session}.{last_number}"
            );
        }
        self.heard.push((who, session, number));
    }
}

proptest! {
    #[test]
    fn whatever_people_do(steps in proptest::collection::vec(step(), 1..120)) {
        let mut play = Play::new();
        for step in &steps {
            play.act(step);
            play.world.hub.check_invariants();
        }
        play.settle();
    }

    /// Two stay in a room for the whole play; whatever their connections do within the grace time, each
    /// hears all that the other says.
    #[test]
    fn nothing_is_lost_or_doubled_across_drops(
        steps in proptest::collection::vec((0..3_u8, 0..2_usize), 1..150),
    ) {
        let mut play = Play::new();
        for who in 0..2 {
            play.act(&Step::Join(who, 0));
        }
        for (what, who) in steps {
            play.act(&match what {
                0 => Step::Drop(who),
                1 => Step::Ping(who),
                _ => Step::Chat(who),
            });
            play.act(&Step::Join(who, 0));
            play.act(&Step::Wait(50));
        }
        for who in 0..2 {
            prop_assert_eq!(play.clients[who].session, 1, "the session went on");
            let heard: Vec<_> = play.clients[who].heard.iter().map(|(_, _, number)| *number).collect();
            let said: Vec<_> = (0..play.clients[1 - who].said).collect();
            prop_assert_eq!(heard, said);
        }
    }
}
