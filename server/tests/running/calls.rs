//! Calls of many through the media workers, signaled over WebSockets.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use rtp::{Timestamp, extension::AudioLevel};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::{net::UdpSocket, task::JoinHandle, time::timeout};
use twocan::{
    AddressFilter, Configuration, Direction, EncodingInit, MediaCapabilities, MediaKind, OutgoingPacket,
    PeerConnection, PeerConnectionState, Prefix, RtpSender, SessionDescription, Transceiver, TransceiverInit,
};

use crate::{
    client::Client,
    program::{DEADLINE, Program},
};

/// The word for everybody's connection.
pub(crate) const WORD: &str = "w1";

/// Bytes of a frame of each encoding, of which 30 are sent in a second: 150, 500 and 1,500 kbit/s in all.
const SIZES: [usize; 3] = [600, 2_000, 6_000];

/// Somebody with a microphone, a camera in three sizes, and sections to receive with.
pub(crate) struct Person {
    signaling: Option<Client>,
    joined: Value,
    /// What has come and was not asked for yet.
    came: VecDeque<Value>,
    pub(crate) id: String,
    peer: PeerConnection,
    pub(crate) slots: Vec<Transceiver>,
    sending: Vec<JoinHandle<()>>,
    senders: Vec<Transceiver>,
}

impl Person {
    /// Joins the room; what is sent says who it is of by `name`'s first letter.
    pub(crate) async fn join(server: &Program, name: &str, fields: Value) -> Self {
        let mut join = json!({"name": name});
        for (key, value) in fields.as_object().unwrap() {
            join[key] = value.clone();
        }
        let (signaling, joined) = Client::join(server.http(), join).await;
        assert_eq!(joined["capacity"], if joined["kind"] == "call" { 50 } else { 500 });
        let id = joined["peer"].as_str().unwrap().to_owned();
        Self {
            signaling: Some(signaling),
            came: VecDeque::new(),
            joined,
            id,
            peer: connection().await,
            slots: Vec::new(),
            sending: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// A program that knows no signaling but WHIP and WHEP.
    async fn alone() -> Self {
        Self {
            signaling: None,
            came: VecDeque::new(),
            joined: Value::Null,
            id: String::new(),
            peer: connection().await,
            slots: Vec::new(),
            sending: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// Offers over HTTP.
    async fn exchange(&mut self, server: &Program, path: &str) {
        let offer = self.peer.set_local_description(None).await.unwrap().sdp;
        let answer = server.ask("POST", path, &["Content-Type: application/sdp"], &offer);
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.follow(answer.body).await;
    }

    /// Goes where an answer leads.
    async fn follow(&mut self, sdp: String) {
        self.peer.set_remote_description(SessionDescription::answer(sdp)).await.unwrap();
        let connected = async {
            while self.peer.connection_state() != PeerConnectionState::Connected {
                self.peer.next_event().await.unwrap();
            }
        };
        timeout(DEADLINE, connected).await.unwrap();
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.signaling.as_mut().unwrap().send(message).await;
    }

    /// A microphone and a camera, and so many sections of each kind to receive with.
    pub(crate) async fn prepare(&mut self, publishes: bool, slots: usize) {
        if publishes {
            let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
            self.senders.push(self.peer.add_transceiver(MediaKind::Audio, init.clone()).await.unwrap());
            let encodings = ["l", "m", "h"].map(EncodingInit::named).to_vec();
            let init = TransceiverInit { encodings, ..init };
            self.senders.push(self.peer.add_transceiver(MediaKind::Video, init).await.unwrap());
        }
        for kind in [MediaKind::Audio, MediaKind::Video] {
            for _ in 0..slots {
                let init = TransceiverInit { direction: Direction::RecvOnly, ..TransceiverInit::default() };
                self.slots.push(self.peer.add_transceiver(kind, init).await.unwrap());
            }
        }
    }

    /// Offers, and goes where the answer leads; over a way that carries so many bits per second, where that is given.
    pub(crate) async fn offer(&mut self, connection: &str, rate: Option<u64>) {
        let offer = self.peer.set_local_description(None).await.unwrap().sdp;
        let mut publish = json!({});
        for (sender, source) in self.senders.iter().zip(["mic", "camera"]) {
            publish[&*sender.mid().unwrap()] = json!(source);
        }
        let mid = |slot: &Transceiver| slot.mid().unwrap().to_string();
        let of = |kind| self.slots.iter().filter(move |slot| slot.kind() == kind).map(mid);
        let seats: Vec<Vec<String>> =
            of(MediaKind::Audio).zip(of(MediaKind::Video)).map(|(audio, video)| vec![audio, video]).collect();
        let request = json!({
            "type": "media_offer", "id": 5, "connection": connection, "sdp": offer,
            "publish": publish, "seats": seats,
        });
        self.say(&request).await;
        let answer = self.hear("media_answer").await;
        assert_eq!((&answer["connection"], &answer["id"]), (&json!(connection), &json!(5)));
        let mut sdp = answer["sdp"].as_str().unwrap().to_owned();
        if !self.slots.is_empty() {
            assert_eq!(sdp.matches("a=msid:seat-0 ").count(), 2, "a seat is one stream");
        }
        if let Some(rate) = rate {
            sdp = narrowed(&sdp, rate).await;
        }
        self.follow(sdp).await;
    }

    /// Another connection in place of the one there is, which is left to the server to end.
    pub(crate) async fn begin_anew(&mut self, slots: usize) -> PeerConnection {
        self.sending.drain(..).for_each(|task| task.abort());
        (self.slots, self.senders) = (Vec::new(), Vec::new());
        let former = std::mem::replace(&mut self.peer, connection().await);
        self.prepare(true, slots).await;
        former
    }

    /// Sends sound and pictures, each packet marked with a letter, until it is dropped.
    pub(crate) fn talk(&mut self, letter: u8) {
        let (voice, camera) = (self.senders[0].sender.clone(), self.senders[1].sender.clone());
        self.sending.push(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(33));
            for number in 0.. {
                ticks.tick().await;
                // Ada is the loudest.
                let level = AudioLevel { level: letter - b'A' + 20, voice: true };
                speak(&voice, letter, number, level).await;
                for encoding in 0..SIZES.len() {
                    show(&camera, letter, number, encoding).await;
                }
            }
        }));
    }

    /// Sends sound alone, as loud as is said at any moment.
    fn speak(&mut self, letter: u8, level: &Arc<AtomicU8>) {
        let (voice, level) = (self.senders[0].sender.clone(), Arc::clone(level));
        self.sending.push(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(33));
            for number in 0.. {
                ticks.tick().await;
                let level = AudioLevel { level: level.load(Ordering::Relaxed), voice: true };
                speak(&voice, letter, number, level).await;
            }
        }));
    }

    /// The next sound of this letter's in a slot: its sequence number, and how many were sent before it.
    async fn hear_sound(&mut self, slot: usize, letter: u8) -> (u16, u32) {
        let sound = async {
            loop {
                let packet = self.slots[slot].receiver.recv_packet().await.unwrap();
                let packet = packet.read().unwrap();
                if let [of, number @ ..] = packet.payload()
                    && let (true, Ok(number)) = (*of == letter, number.try_into())
                {
                    return (packet.header().sequence_number().0, u32::from_be_bytes(number));
                }
            }
        };
        let what = char::from(letter);
        timeout(DEADLINE, sound).await.unwrap_or_else(|_| panic!("nothing of {what} in slot {slot}"))
    }

    /// Watches: one publication for each slot, in their order.
    pub(crate) async fn watch(&mut self, connection: &str, publications: &[Value]) {
        let all = self.slots.iter().zip(publications);
        let slots: Vec<Value> = all
            .map(|(slot, publication)| json!({"mid": &*slot.mid().unwrap(), "publication": publication}))
            .collect();
        let request = json!({"type": "media_watch", "id": 6, "connection": connection, "slots": slots});
        self.say(&request).await;
    }

    /// Waits until so many publications may be watched, and gives theirs: of each kind, in the order of these peers.
    pub(crate) async fn publications(&mut self, count: usize, peers: &[&str]) -> Vec<Value> {
        let is_it = |message: &Value| {
            let all = message["publications"].as_array().unwrap();
            all.len() == count && peers.iter().all(|peer| all.iter().any(|one| one["peer"] == **peer))
        };
        let message = self.hear_that("media_publications", is_it).await;
        let all = message["publications"].as_array().unwrap();
        let of = |kind: &str, peer: &&str| {
            let found = all.iter().find(|one| one["kind"] == kind && one["peer"] == **peer);
            found.unwrap_or_else(|| panic!("{kind} of {peer} in {message}"))["id"].clone()
        };
        ["audio", "video"].iter().flat_map(|kind| peers.iter().map(move |peer| of(kind, peer))).collect()
    }

    /// Waits for a packet of this letter's in a slot, of this encoding if that matters; everything that comes is read.
    pub(crate) async fn receive(&mut self, slot: usize, letter: u8, encoding: Option<u8>) {
        let arrived = async {
            loop {
                let packet = self.slots[slot].receiver.recv_packet().await.unwrap();
                let packet = packet.read().unwrap();
                let payload = packet.payload();
                let is_right = match payload {
                    [of, _, _, _, _] => *of == letter && encoding.is_none(),
                    [0x10, rest @ ..] => rest[10] == letter && encoding.is_none_or(|known| rest[11] == known),
                    _ => false,
                };
                if is_right {
                    return;
                }
            }
        };
        let what = char::from(letter);
        timeout(DEADLINE, arrived).await.unwrap_or_else(|_| panic!("nothing of {what} in slot {slot}"));
    }

    /// The next message of a type, whatever else comes before it.
    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        self.hear_that(kind, |_| true).await
    }

    pub(crate) async fn hear_that(&mut self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let at = self.came.iter().position(|message| message["type"] == kind && is_it(message));
            if let Some(message) = at.and_then(|at| self.came.remove(at)) {
                return message;
            }
            let message = self.signaling.as_mut().unwrap().next().await;
            self.came.push_back(message);
        }
    }
}

async fn connection() -> PeerConnection {
    connection_with(MediaCapabilities::default()).await
}

async fn connection_with(media: MediaCapabilities) -> PeerConnection {
    let configuration = Configuration {
        media: Some(media.into()),
        include_loopback: true,
        // One address, so that a way knows where it leads.
        address_filter: Some(AddressFilter::new(|_, ip| ip.is_loopback())),
        ..Configuration::default()
    };
    PeerConnection::new(configuration).await.unwrap()
}

/// 20 ms of sound.
async fn speak(sender: &RtpSender, letter: u8, number: u32, level: AudioLevel) {
    let payload = [&[letter][..], &number.to_be_bytes()].concat();
    if let Some(packet) = packet(sender, number.wrapping_mul(1_584), true, payload) {
        let _ = sender.send_sound(packet, level).await;
    }
}

/// A key frame of VP8.
async fn show(sender: &RtpSender, letter: u8, number: u32, encoding: usize) {
    let (width, height) = (320_u16 << encoding, 180_u16 << encoding);
    let count = SIZES[encoding].div_ceil(1_000);
    for index in 0..count {
        let mut payload = vec![if index == 0 { 0x10 } else { 0 }];
        if index == 0 {
            payload.extend([0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A]);
            payload.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
            payload.extend([letter, encoding as u8]);
        }
        payload.resize(SIZES[encoding].min(1_000), 0);
        if let Some(packet) = packet(sender, number.wrapping_mul(2_970), index + 1 == count, payload) {
            let _ = sender.send_packet(encoding, packet).await;
        }
    }
}

fn packet(sender: &RtpSender, timestamp: u32, marker: bool, payload: Vec<u8>) -> Option<OutgoingPacket> {
    Some(OutgoingPacket {
        payload_type: sender.agreement()?.preferred().unwrap().send,
        marker,
        timestamp: Timestamp(timestamp),
        sequence_number: None,
        prefix: Prefix::default(),
        payload: payload.into(),
    })
}

/// A call of people who are forwarded from the start, each with slots for the others.
async fn call(server: &Program, names: &[&str]) -> Vec<Person> {
    let mut people = Vec::new();
    for name in names {
        let mut person = Person::join(server, name, json!({"room": "tea"})).await;
        if people.is_empty() {
            person.say(&json!({"type": "topology", "policy": "sfu"})).await;
            assert_eq!(person.hear("topology").await["mode"], "sfu");
        }
        person.prepare(true, names.len() - 1).await;
        person.offer(WORD, None).await;
        person.talk(name.as_bytes()[0]);
        people.push(person);
    }
    people
}

#[tokio::test]
async fn three_see_and_hear_each_other() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--admin-token", "running well"]);
    let mut people = call(&server, &["Ada", "Bob", "Eve"]).await;
    let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    let mut known = Vec::new();
    for (own, person) in people.iter_mut().enumerate() {
        let others: Vec<&str> = ids.iter().filter(|id| **id != ids[own]).map(String::as_str).collect();
        let publications = person.publications(4, &others).await;
        person.watch(WORD, &publications).await;
        known.push(publications);
    }
    for (own, person) in people.iter_mut().enumerate() {
        let letters: Vec<u8> = b"ABE".iter().copied().filter(|letter| *letter != b"ABE"[own]).collect();
        for (slot, letter) in [(0, letters[0]), (1, letters[1]), (2, letters[0]), (3, letters[1])] {
            person.receive(slot, letter, None).await;
        }
        // On a good way it does not take long until it is as good as it comes.
        person.receive(2, letters[0], Some(2)).await;
        let layers = person.hear("media_layers").await;
        assert_eq!(layers["connection"], WORD, "{layers}");
        person.hear_that("media_speaker", |message| message["peer"] == *ids[0]).await;
    }

    // A slot changes its publication, without another offer.
    let ada = &mut people[0];
    let swapped: Vec<Value> = [1, 0, 3, 2].map(|at| known[0][at].clone()).to_vec();
    ada.watch(WORD, &swapped).await;
    for (slot, letter) in [(0, b'E'), (1, b'B'), (2, b'E'), (3, b'B')] {
        ada.receive(slot, letter, None).await;
    }

    // What does not exist is told; the rest counts.
    let wrong = [json!("nothing"), json!(null), known[0][2].clone()];
    ada.watch(WORD, &wrong).await;
    let error = ada.hear("error").await;
    assert_eq!((&error["code"], &error["id"]), (&json!("no_such_publication"), &json!(6)), "{error}");
    ada.receive(2, b'B', None).await;

    // Whom nobody watches is told so, by and by.
    people[2].watch(WORD, &[]).await;
    people[1].watch(WORD, &[]).await;
    let nobody = |message: &Value| {
        let mut encodings = message["encodings"].as_object().unwrap().values();
        encodings.all(|watched| *watched == json!([false, false, false]))
    };
    let wanted = people[2].hear_that("media_wanted", nobody).await;
    assert_eq!(wanted["connection"], WORD);

    // Whoever leaves takes their publications along.
    people[1].say(&json!({"type": "leave"})).await;
    let left = people[0].publications(2, &[ids[2].as_str()]).await;
    assert_eq!(left, [known[0][1].clone(), known[0][3].clone()], "the others stay what they are");
    let is_told = |message: &Value| {
        let mut slots = message["slots"].as_array().unwrap().iter();
        slots.any(|slot| {
            slot["publication"].is_null() && slot["encoding"].is_null() && slot["why"] == "source"
        })
    };
    people[0].hear_that("media_layers", is_told).await;
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_connections 2\n"), "{metrics}");
    assert_eq!(server.get("/api/admin", &["Authorization: Bearer wrong"]).status, 401);
    let report = server.get("/api/admin", &["Authorization: Bearer running well"]).body;
    let report: Value = serde_json::from_str(&report).unwrap();
    let room = &report["rooms"][0];
    assert_eq!((&room["kind"], room["people"].as_array().map(Vec::len)), (&json!("call"), Some(2)));
    let camera = room["tracks"].as_array().unwrap().iter().find(|track| track["source"] == "camera").unwrap();
    assert_eq!(camera["encodings"].as_array().map(Vec::len), Some(3), "{camera}");
    assert!(camera["peer"].is_string(), "{camera}");
    assert!(!metrics.contains("{kind=\"call\""), "rooms are told on request only");
    assert_eq!(server.get("/metrics?rooms=1", &[]).status, 401);
    let metrics = server.get("/metrics?rooms=1", &["Authorization: Bearer running well"]).body;
    let connections = "twocan_media_room_connections{kind=\"call\",room=\"tea\"} 2\n";
    assert!(metrics.contains(connections), "{metrics}");

    // An end that the client makes.
    people[2].say(&json!({"type": "media_close", "connection": WORD})).await;
    people[0].publications(0, &[]).await;
}

/// Everybody watches everybody.
async fn watch_all(people: &mut [Person], connection: &str) -> Vec<Vec<Value>> {
    let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    let mut known = Vec::new();
    for (own, person) in people.iter_mut().enumerate() {
        let others: Vec<&str> = ids.iter().filter(|id| **id != ids[own]).map(String::as_str).collect();
        let publications = person.publications(2 * others.len(), &others).await;
        person.watch(connection, &publications).await;
        known.push(publications);
    }
    known
}

#[tokio::test]
async fn a_connection_takes_the_place_of_another_and_changes_where_it_is() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut people = call(&server, &["Ada", "Bob"]).await;
    let known = watch_all(&mut people, WORD).await;
    people[1].receive(1, b'A', None).await;

    // Ada comes by another connection: to Bob it is the same microphone and the same camera.
    let _former = people[0].begin_anew(1).await;
    people[0].offer("w2", None).await;
    let closed = people[0].hear("media_closed").await;
    assert_eq!((&closed["connection"], &closed["reason"]), (&json!(WORD), &json!("replaced")));
    people[0].talk(b'C');
    people[1].receive(0, b'C', None).await;
    people[1].receive(1, b'C', None).await;
    let bob = people[1].id.clone();
    let publications = people[0].publications(2, &[bob.as_str()]).await;
    assert_eq!(publications, known[0]);
    people[0].watch("w2", &publications).await;
    people[0].receive(0, b'B', None).await;
    people[0].receive(1, b'B', None).await;
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_connections 2\n"), "{metrics}");
    assert!(people[1].came.iter().all(|message| message["type"] != "media_publications"));

    // Bob restarts ICE, with more sections: what comes goes on coming.
    people[1].peer.restart_ice();
    people[1].prepare(false, 2).await;
    people[1].offer(WORD, None).await;
    people[1].receive(0, b'C', None).await;
    people[1]
        .watch(WORD, &[json!(null), json!(null), known[1][0].clone(), json!(null), known[1][1].clone()])
        .await;
    people[1].receive(2, b'C', None).await;
    people[1].receive(4, b'C', None).await;
}

#[tokio::test]
async fn media_outlives_a_dropped_signaling_connection() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut people = call(&server, &["Ada", "Bob"]).await;
    let known = watch_all(&mut people, WORD).await;
    people[1].receive(1, b'A', None).await;
    let token = people[0].joined["token"].clone();
    // The connection breaks; what Ada sends goes on coming.
    people[0].signaling = None;
    people[1].receive(0, b'A', None).await;
    people[1].receive(1, b'A', None).await;
    let (signaling, joined) =
        Client::join(server.http(), json!({"room": "tea", "token": token, "received": 0})).await;
    assert_eq!(joined["resumed"], true, "{joined}");
    (people[0].signaling, people[0].came) = (Some(signaling), VecDeque::new());
    // It is the same connection to the same worker.
    people[0].watch(WORD, &[json!(null), known[0][1].clone()]).await;
    people[0].receive(1, b'B', None).await;
    assert!(people[1].came.iter().all(|message| message["type"] != "peer_left"));
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_connections 2\n"), "{metrics}");
    // A session that ends takes its connection along.
    people[0].say(&json!({"type": "leave"})).await;
    people[1].publications(0, &[]).await;
}

#[tokio::test]
async fn the_loudest_are_heard_and_others_pause() {
    const NOISE: u8 = 60;
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--media-voices", "1"]);
    let levels = [20, NOISE, 127].map(AtomicU8::new).map(Arc::new);
    let mut people = Vec::new();
    for (name, level) in ["Ada", "Bob", "Eve"].into_iter().zip(&levels) {
        let mut person = Person::join(&server, name, json!({"room": "tea"})).await;
        if people.is_empty() {
            person.say(&json!({"type": "topology", "policy": "sfu"})).await;
            assert_eq!(person.hear("topology").await["mode"], "sfu");
        }
        person.prepare(true, 2).await;
        person.offer(WORD, None).await;
        person.speak(name.as_bytes()[0], level);
        people.push(person);
    }
    let others: Vec<String> = people[..2].iter().map(|person| person.id.clone()).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let eve = &mut people[2];
    let publications = eve.publications(4, &others).await;
    eve.watch(WORD, &publications).await;
    let (mut sequence, mut number) = eve.hear_sound(0, b'A').await;

    // Bob is left out until Ada is silent for a while, and then Ada is.
    levels[0].store(127, Ordering::Relaxed);
    eve.hear_sound(1, b'B').await;
    levels[0].store(20, Ordering::Relaxed);
    let (passed, left_out) = loop {
        let (next, sent) = eve.hear_sound(0, b'A').await;
        let (passed, sent_since) = (next.wrapping_sub(sequence), sent - number);
        if u32::from(passed) < sent_since {
            break (passed, sent_since - 1);
        }
        (sequence, number) = (next, sent);
    };
    assert_eq!(passed, 1, "{left_out} were left out, and nothing is missing");
    let metrics = server.get("/metrics", &[]).body;
    let counted = metrics.lines().find_map(|line| line.strip_prefix("twocan_media_left_out_packets_total "));
    assert!(counted.unwrap().parse::<u32>().unwrap() > left_out, "{metrics}");
}

#[tokio::test]
async fn a_worker_that_fails_begins_anew_and_people_are_back() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--media-workers", "1"]);
    let mut people = call(&server, &["Ada", "Bob"]).await;
    watch_all(&mut people, WORD).await;
    people[0].receive(1, b'B', None).await;
    assert_eq!(server.ask("POST", "/debug/media-panic", &[], "").status, 204);
    for (person, letter) in people.iter_mut().zip(*b"AB") {
        let closed = person.hear("media_closed").await;
        assert_eq!((&closed["connection"], &closed["reason"]), (&json!(WORD), &json!("restart")));
        person.came.retain(|message| message["type"] != "media_publications");
        drop(person.begin_anew(1).await);
        person.offer("w2", None).await;
        person.talk(letter);
    }
    watch_all(&mut people, "w2").await;
    people[0].receive(0, b'B', None).await;
    people[0].receive(1, b'B', None).await;
    people[1].receive(1, b'A', None).await;
    let metrics = server.get("/metrics", &[]).body;
    assert!(metrics.contains("twocan_media_restarts_total 1\n"), "{metrics}");
    assert!(metrics.contains("twocan_media_connections 2\n"), "{metrics}");
}

#[tokio::test]
async fn a_live_room_is_the_same_for_pages_and_programs() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--mesh-capacity", "2"]);
    let live = json!({"room": "show", "kind": "live"});
    let mut people = Vec::new();
    for name in ["Bob", "Eve", "Joe"] {
        people.push(Person::join(&server, name, live.clone()).await);
    }
    let mut viewer = people.remove(0);
    viewer.hear_that("topology", |message| message["mode"] == "sfu").await;

    // A program streams in; it is nobody's in the room.
    let mut studio = Person::alone().await;
    studio.prepare(true, 0).await;
    studio.exchange(&server, "/whip/show").await;
    studio.talk(b'W');
    viewer.prepare(false, 1).await;
    viewer.offer(WORD, None).await;
    let message = viewer.hear("media_publications").await;
    let all = message["publications"].as_array().unwrap();
    assert!(all.len() == 2 && all.iter().all(|one| one["peer"].is_null()), "{message}");
    let ids: Vec<Value> = all.iter().map(|one| one["id"].clone()).collect();
    viewer.watch(WORD, &ids).await;
    viewer.receive(0, b'W', None).await;
    viewer.receive(1, b'W', Some(2)).await;

    // Viewers publish nothing.
    let offer =
        json!({"type": "media_offer", "id": 8, "connection": "x", "sdp": "", "publish": {"0": "mic"}});
    people[0].say(&offer).await;
    assert_eq!(people[0].hear("error").await["code"], "not_permitted");

    // The streamer's page streams in, and a program watches that.
    studio.peer.close();
    viewer.publications(0, &[]).await;
    let streaming = json!({"room": "show", "kind": "live", "role": "streamer"});
    let mut streamer = Person::join(&server, "Ada", streaming).await;
    streamer.prepare(true, 0).await;
    streamer.offer(WORD, None).await;
    streamer.talk(b'A');
    let mut program = Person::alone().await;
    program.prepare(false, 1).await;
    program.exchange(&server, "/whep/show").await;
    program.receive(0, b'A', None).await;
    program.receive(1, b'A', None).await;
    let publications = viewer.publications(2, &[streamer.id.as_str()]).await;
    viewer.watch(WORD, &publications).await;
    viewer.receive(1, b'A', None).await;
}

#[tokio::test]
async fn programs_do_not_come_into_rooms_with_a_password() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--watch-token", "tea-is-ready"]);
    let fields = json!({"room": "show", "kind": "live", "role": "streamer", "password": "sesame"});
    let mut streamer = Person::join(&server, "Ada", fields).await;
    streamer.say(&json!({"type": "topology", "policy": "sfu"})).await;
    streamer.prepare(true, 0).await;
    streamer.offer(WORD, None).await;
    let mut program = Person::alone().await;
    program.prepare(false, 1).await;
    let offer = program.peer.set_local_description(None).await.unwrap().sdp;
    let sdp = "Content-Type: application/sdp";
    let ask = |path: &str, head: &[&str]| server.ask("POST", path, head, &offer);
    assert_eq!(ask("/whip/show", &[sdp]).status, 403);
    assert_eq!(ask("/whep/show", &[sdp]).status, 401);
    // The operator's token opens them all.
    assert_eq!(ask("/whep/show", &[sdp, "Authorization: Bearer tea-is-ready"]).status, 201);
}

#[tokio::test]
async fn what_cannot_be_is_told() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let people = call(&server, &["Ada"]).await;
    let mut bob = Person::join(&server, "Bob", json!({"room": "tea"})).await;
    let offer = |sdp: &str| json!({"type": "media_offer", "id": 9, "connection": WORD, "sdp": sdp});
    let good = people[0].peer.local_description().await.unwrap().sdp;
    let many = good.clone() + &"m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n".repeat(129);
    for sdp in ["", "v=0\r\n", &many, &good.replace("a=fingerprint", "a=footprint")] {
        bob.say(&offer(sdp)).await;
        let error = bob.hear("error").await;
        assert_eq!((&error["code"], &error["id"]), (&json!("media_refused"), &json!(9)), "{error}");
    }
    bob.say(&json!({"type": "media_watch", "id": 7, "connection": WORD, "slots": []})).await;
    assert_eq!(bob.hear("error").await["code"], "media_refused", "nothing was offered");
    bob.say(&json!({"type": "media_close", "connection": WORD})).await;

    // Bob knows no VP8.
    let mut media = MediaCapabilities::default();
    media.video.retain(|capability| capability.codec.is("H264"));
    bob.peer = connection_with(media).await;
    bob.prepare(false, 1).await;
    bob.offer(WORD, None).await;
    let publications = bob.publications(2, &[people[0].id.as_str()]).await;
    bob.watch(WORD, &publications).await;
    let error = bob.hear("error").await;
    assert_eq!((&error["code"], &error["id"]), (&json!("unsupported_codec"), &json!(6)), "{error}");
    assert!(error["message"].as_str().unwrap().contains("VP8"), "{error}");
    bob.receive(0, b'A', None).await;
    // A wish for a section that does not receive, and one for pictures where there is sound.
    let audio = bob.slots[0].mid().unwrap();
    for slot in [json!({"mid": "none"}), json!({"mid": &*audio, "publication": publications[1]})] {
        bob.say(&json!({"type": "media_watch", "connection": WORD, "slots": [slot]})).await;
        assert_eq!(bob.hear("error").await["code"], "media_refused");
    }
}

#[tokio::test]
async fn a_server_without_media_is_for_few() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--media", "off", "--mesh-capacity", "3"]);
    let (mut ada, joined) = Client::join(server.http(), json!({})).await;
    assert_eq!((&joined["capacity"], joined.get("topology")), (&json!(3), None));
    ada.send(&json!({"type": "topology", "policy": "sfu"})).await;
    assert_eq!(ada.next().await["code"], "no_media");
}

/// A way to a peer that carries 600 kbit/s.
#[tokio::test]
async fn a_narrow_way_gets_a_low_layer() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut people = call(&server, &["Ada"]).await;
    let mut bob = Person::join(&server, "Bob", json!({"room": "tea"})).await;
    bob.prepare(false, 1).await;
    bob.offer(WORD, Some(600_000)).await;
    let publications = bob.publications(2, &[people[0].id.as_str()]).await;
    bob.watch(WORD, &publications).await;
    let is_low = |message: &Value| {
        let mut slots = message["slots"].as_array().unwrap().iter();
        slots.any(|slot| slot["encoding"].is_u64() && slot["encoding"] != 2 && slot["why"] == "bandwidth")
    };
    bob.hear_that("media_layers", is_low).await;
    bob.receive(1, b'A', Some(0)).await;
    people[0].hear("media_wanted").await;
}

/// An answer that leads to its end by a way that carries no more than so many bits per second.
async fn narrowed(sdp: &str, rate: u64) -> String {
    let candidate = |line: &str| {
        let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split(' ').collect();
        let end = format!("{}:{}", words[4], words[5]).parse::<SocketAddr>().ok();
        end.filter(|end| end.ip().is_loopback() && words[2].eq_ignore_ascii_case("udp"))
    };
    let end = sdp.lines().find_map(candidate).expect("the loopback is told");
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let way = near.local_addr().unwrap();
    tokio::spawn(carry(near, end, rate));
    let redirect = |line: &str| match candidate(line) {
        Some(_) => line.replace(&format!(" {} ", end.port()), &format!(" {} ", way.port())),
        None => line.to_owned(),
    };
    let is_other = |line: &&str| line.starts_with("a=candidate:") && candidate(line).is_none();
    sdp.lines().filter(|line| !is_other(line)).map(|line| redirect(line) + "\r\n").collect()
}

/// Carries datagrams both ways; those that come back queue for a fifth of a second at most.
async fn carry(near: UdpSocket, end: SocketAddr, rate: u64) {
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(end).await.unwrap();
    let (mut there, mut back) = ([0; 2048], [0; 2048]);
    let mut peer = None;
    let mut free = tokio::time::Instant::now();
    let mut queue: VecDeque<(tokio::time::Instant, Vec<u8>)> = VecDeque::new();
    loop {
        let due = queue.front().map(|(due, _)| *due);
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok((length, source)) = near.recv_from(&mut there) => {
                peer = Some(source);
                let _ = far.send(&there[..length]).await;
            }
            Ok(length) = far.recv(&mut back) => {
                let now = tokio::time::Instant::now();
                free = free.max(now);
                if free - now < Duration::from_millis(200) {
                    free += Duration::from_micros(length as u64 * 8_000_000 / rate);
                    queue.push_back((free, back[..length].to_vec()));
                }
            }
            () = wait => {
                if let Some((_, datagram)) = queue.pop_front()
                    && let Some(peer) = peer
                {
                    let _ = near.send_to(&datagram, peer).await;
                }
            }
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.sending.iter().for_each(JoinHandle::abort);
    }
}
