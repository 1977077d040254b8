//! A client of a hostile server on a hostile path (RFC 8489 §6, §9.2, §10): every request ends exactly once, in
//! bounded time, with a bounded number of datagrams; a proven answer is the only one that is believed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use stun::attribute::{
    AlternateServer, Attribute as _, ErrorCode, Nonce, PasswordAlgorithms, Realm, UserHash, Username,
    XorMappedAddress,
};
use stun::client::{Binding, Client, Config, LongTerm, Outcome, RequestId};
use stun::transaction::Schedule;
use stun::{Algorithm, Class, Key, Message, Method, Writer};
use wire::Received;

const LIMIT: usize = 4;
/// Rc of every transaction, and one more transaction for each challenge.
const MOST_SENDINGS: usize = 7 * 4;
/// Longer than any request may take: each of its transactions in full.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

#[derive(Arbitrary, Debug)]
enum Command {
    /// Put a request.
    Ask,
    /// Let the client send; the datagrams are kept.
    Send,
    /// The path answers one of the datagrams.
    Answer { which: u8, shape: Shape },
    /// The path sends bytes.
    Noise(Vec<u8>),
    /// A datagram comes back as it was, changed at one place.
    Echo { which: u8, position: u8, value: u8 },
    /// Time passes.
    Wait { milliseconds: u16 },
    /// The client is told to go elsewhere.
    Follow(u8),
    /// The connection is lost.
    Unreachable,
}

#[derive(Arbitrary, Debug)]
struct Shape {
    class: u8,
    code: u16,
    realm: Option<u8>,
    nonce: Option<u8>,
    offer: Option<bool>,
    alternate: Option<u8>,
    extra: Option<(u16, Vec<u8>)>,
    /// With the real key, as the real server would.
    proven: bool,
    sha256: bool,
}

struct World {
    now: Instant,
    client: Client<Binding>,
    sent: Vec<Vec<u8>>,
    open: BTreeSet<RequestId>,
    sendings: usize,
    asked: usize,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((stream, authenticated)) = input.arbitrary::<(bool, bool)>() else { return };
    let mut world = World::new(stream, authenticated);
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        world.obey(command);
        world.check();
    }
    world.end();
}

fn server(number: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, number % 4], 3478))
}

fn local() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5000))
}

impl World {
    fn new(stream: bool, authenticated: bool) -> Self {
        let schedule = if stream { Schedule::STREAM } else { Schedule::DATAGRAMS };
        let credentials = authenticated.then(|| LongTerm::new("ada", "pw").expect("plain text"));
        let config =
            Config { schedule, credentials, limit: LIMIT, ..Config::new(local(), server(0), [1; 32]) };
        Self {
            now: Instant::now(),
            client: Client::new(config),
            sent: Vec::new(),
            open: BTreeSet::new(),
            sendings: 0,
            asked: 0,
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Ask => match self.client.request(self.now, Binding::default()) {
                Ok(id) => {
                    self.asked += 1;
                    assert!(self.open.insert(id), "an identifier is used twice");
                }
                Err(_) => assert_eq!(self.open.len(), LIMIT),
            },
            Command::Send => self.send(),
            Command::Answer { which, shape } => {
                if let Some(request) = self.pick(which) {
                    let answer = shape.answer(&request);
                    self.arrive(answer);
                }
            }
            Command::Noise(bytes) => self.arrive(bytes),
            Command::Echo { which, position, value } => {
                if let Some(mut bytes) = self.pick(which) {
                    let position = usize::from(position) % bytes.len();
                    bytes[position] = value;
                    self.arrive(bytes);
                }
            }
            Command::Wait { milliseconds } => {
                self.now += Duration::from_millis(milliseconds.into());
                self.client.handle_timeout(self.now);
            }
            Command::Follow(number) => self.client.follow(self.now, local(), server(number)),
            Command::Unreachable => self.client.handle_unreachable(),
        }
    }

    fn send(&mut self) {
        let mut bytes = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(self.now, &mut bytes) {
            assert_eq!(transmit.source, local());
            let message = Message::parse(&bytes).expect("a client sends messages");
            assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
            self.sent.push(std::mem::take(&mut bytes));
            self.sendings += 1;
        }
        // The last ones are enough to answer.
        let many = self.sent.len().saturating_sub(64);
        self.sent.drain(..many);
    }

    fn pick(&self, which: u8) -> Option<Vec<u8>> {
        // Counted from the newest, which is the likeliest to be outstanding.
        let index = self.sent.len().checked_sub(1 + usize::from(which) % self.sent.len().max(1))?;
        self.sent.get(index).cloned()
    }

    fn arrive(&mut self, mut bytes: Vec<u8>) {
        let source = self.client.server();
        let datagram = Received { source, destination: local(), bytes: &mut bytes };
        let _ = self.client.handle_datagram(self.now, datagram);
    }

    fn check(&mut self) {
        while let Some(event) = self.client.poll_event() {
            assert!(self.open.remove(&event.id), "a request ends once");
            if let Outcome::Success(message) | Outcome::Refused(message) = event.outcome {
                assert!(matches!(message.view().class(), Class::Success | Class::Error));
            }
        }
        self.client.handle_timeout(self.now);
        assert!(self.client.poll_timeout().is_none_or(|(at, _)| at > self.now), "what is due is done");
        while let Some(event) = self.client.poll_event() {
            assert!(self.open.remove(&event.id), "a request ends once");
        }
        assert!(self.sendings <= self.asked * MOST_SENDINGS, "a request is not sent for ever");
    }

    /// Whatever happened: time brings every request to its end.
    fn end(&mut self) {
        let begin = self.now;
        loop {
            self.send();
            let Some((at, _)) = self.client.poll_timeout() else { break };
            assert!(at > self.now, "time stands still");
            self.now = at;
            assert!(self.now - begin < PATIENCE, "a request takes for ever");
            self.client.handle_timeout(self.now);
        }
        self.check();
        assert!(self.open.is_empty(), "a request never ended");
    }
}

impl Shape {
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let message = Message::parse(request).expect("a client sends messages");
        let mut bytes = Vec::new();
        let class =
            [Class::Success, Class::Error, Class::Request, Class::Indication][usize::from(self.class % 4)];
        let mut writer = Writer::new(&mut bytes, class, message.method(), message.transaction());
        if class == Class::Error {
            // Mostly the codes that mean something to a client.
            let code = [300, 400, 401, 438, 420, 500, self.code % 1024][usize::from(self.code % 7)];
            writer.add(&ErrorCode::new(code, ""));
        } else {
            writer.add(&XorMappedAddress(local()));
        }
        if let Some(realm) = self.realm {
            writer.add(&Realm(["twocan", "other", "", "\u{ad}"][usize::from(realm % 4)]));
        }
        if let Some(nonce) = self.nonce {
            let nonces = ["n", "obMatJos2gAAA", "obMatJos2wAAAx", "obMatJos2QAAA", "obMatJos2", ""];
            writer.add(&Nonce(nonces[usize::from(nonce % 6)]));
        }
        if let Some(known) = self.offer {
            let unknown: &[u8] = &[0, 9, 0, 0];
            let offer = if known { PasswordAlgorithms::SHA256_MD5.bytes() } else { unknown };
            writer.add_raw(PasswordAlgorithms::TYPE, offer);
        }
        if let Some(alternate) = self.alternate {
            writer.add(&AlternateServer(server(alternate)));
        }
        if let Some((kind, value)) = &self.extra {
            writer.add_raw(*kind, value);
        }
        if self.proven {
            prove(&message, self.sha256, &mut writer);
        }
        bytes
    }
}

/// As the server that knows the password.
fn prove(request: &Message<'_>, sha256: bool, writer: &mut Writer<'_>) {
    let named = request.has::<Username<'_>>() || request.has::<UserHash>();
    let (true, Ok(Some(realm))) = (named, request.get::<Realm<'_>>()) else { return };
    let algorithm = if request.has::<PasswordAlgorithms<'_>>() { Algorithm::Sha256 } else { Algorithm::Md5 };
    let key = Key::long_term(algorithm, "ada", realm.0, "pw");
    if sha256 {
        writer.integrity_sha256(&key);
    } else {
        writer.integrity_sha1(&key);
    }
}
