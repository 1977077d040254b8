//! A TURN client of a hostile server (RFC 8656 §5 to §12): it believes only what is proven, hears only peers that it
//! permitted, asks a bounded number of things, and whatever it is answered, time goes on.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use stun::attribute::{Attribute as _, ErrorCode, Nonce, Realm, Username, XorMappedAddress};
use stun::client::LongTerm;
use stun::{Algorithm, Class, Key, Message, Method, Writer};
use turn::attribute::{Data, Icmp, Lifetime, XorPeerAddress, XorRelayedAddress};
use turn::channel::{self, ChannelNumber};
use turn::client::{Client, Config, Event, Families, Transport};
use wire::Received;

use crate::machines::{self, Machines};

const KEPT: usize = 64;
const BURST: usize = 256;

#[derive(Arbitrary, Debug)]
enum Command {
    Allocate,
    Permit(u8),
    Bind(u8),
    Revoke(u8),
    Close,
    /// Where a redirection points, over a stream.
    Follow,
    Unreachable,
    /// The server answers one of the requests.
    Answer {
        which: u8,
        shape: Shape,
    },
    Noise(Vec<u8>),
    /// A peer's data, in an indication or a channel.
    Indication {
        peer: u8,
        data: Option<u8>,
        icmp: Option<(u8, u8)>,
    },
    Channel {
        number: u8,
        length: u8,
        cut: u8,
    },
    Wrap {
        peer: u8,
        length: u16,
    },
    Wait {
        seconds: u16,
    },
    Wake,
}

#[derive(Arbitrary, Debug)]
struct Shape {
    code: Option<u16>,
    relayed: Option<u8>,
    mapped: bool,
    lifetime: Option<u32>,
    alternate: Option<u8>,
    challenge: bool,
    proven: bool,
    extra: Option<(u16, Vec<u8>)>,
}

struct World {
    now: Instant,
    client: Client,
    stream: bool,
    requests: Vec<Vec<u8>>,
    /// Whom the client was told to hear, until it was told otherwise.
    wanted: BTreeSet<IpAddr>,
    redirected: Option<SocketAddr>,
    over: bool,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((stream, families, lifetime)) = input.arbitrary::<(bool, u8, Option<u16>)>() else { return };
    let mut world = World::new(stream, families, lifetime);
    machines::run(&mut world, input);
}

fn server(number: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, number % 4], 3478))
}

fn local() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5000))
}

/// More than the client takes.
fn peer(number: u8) -> SocketAddr {
    match number {
        250.. => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()], 4000)),
        _ => SocketAddr::from(([203, 0, 113, number / 2], 4000 + u16::from(number % 2))),
    }
}

impl Machines for World {
    type Command = Command;
    type Reason = turn::client::Reason;
    const COUNT: usize = 1;
    const END: Duration = Duration::from_secs(3600);
    const WAKE_UPS: usize = 20_000;

    fn now(&mut self) -> &mut Instant {
        &mut self.now
    }

    fn poll_timeout(&self, _: usize) -> Option<(Instant, Self::Reason)> {
        self.client.poll_timeout()
    }

    fn handle_timeout(&mut self, _: usize) {
        self.client.handle_timeout(self.now);
    }

    /// Nobody answers any more.
    fn finally(&mut self) {}

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Allocate => self.client.allocate(now),
            Command::Permit(number) => {
                if self.client.permit(now, peer(number).ip()).is_ok() {
                    self.wanted.insert(peer(number).ip());
                }
            }
            Command::Bind(number) => {
                // One that cannot be bound may be permitted all the same.
                let _ = self.client.bind(now, peer(number));
                self.wanted.insert(peer(number).ip());
            }
            Command::Revoke(number) => {
                self.client.revoke(peer(number).ip());
                self.wanted.remove(&peer(number).ip());
                assert!(!self.client.is_permitted(peer(number).ip()));
            }
            Command::Close => self.client.close(now),
            Command::Follow => {
                if let Some(server) = self.redirected.take() {
                    self.client.follow(now, local(), server);
                }
            }
            Command::Unreachable => self.client.handle_unreachable(now),
            Command::Answer { which, shape } => {
                // Counted from the newest, which is the likeliest to be outstanding.
                let index =
                    self.requests.len().checked_sub(1 + usize::from(which) % self.requests.len().max(1));
                if let Some(request) = index.and_then(|index| self.requests.get(index)) {
                    let answer = shape.answer(request);
                    self.arrive(answer);
                }
            }
            Command::Noise(bytes) => self.arrive(bytes),
            Command::Indication { peer: number, data, icmp } => {
                let mut bytes = Vec::new();
                let id = stun::TransactionId([9; 12]);
                let mut writer = Writer::new(&mut bytes, Class::Indication, Method::DATA, id);
                writer.add(&XorPeerAddress(peer(number)));
                if let Some((kind, code)) = icmp {
                    writer.add(&Icmp { kind, code, data: 1200 });
                }
                if let Some(length) = data {
                    writer.add(&Data(&[7; 255][..length.into()]));
                }
                self.arrive(bytes);
            }
            Command::Channel { number, length, cut } => {
                let number = ChannelNumber::new(ChannelNumber::FIRST.get() + u16::from(number % 80));
                let Some(number) = number else { return };
                let mut bytes = channel::header(number, length.into()).to_vec();
                bytes.resize(bytes.len() + usize::from(length) - usize::from(cut.min(length)), 7);
                self.arrive(bytes);
            }
            Command::Wrap { peer: number, length } => {
                let payload = vec![7; length.into()];
                let mut bytes = Vec::new();
                if self.client.wrap(peer(number), &payload, &mut bytes).is_ok() {
                    assert!(self.wanted.contains(&peer(number).ip()), "data to who was never permitted");
                    assert!(bytes.len() >= payload.len() + 4 && bytes.len() <= payload.len() + 64);
                } else {
                    assert!(bytes.is_empty(), "a refusal writes nothing");
                }
            }
            Command::Wait { seconds } => self.wait(Duration::from_secs((seconds % 1000).into())),
            Command::Wake => self.wake(0),
        }
    }

    fn drain(&mut self, _: usize) {
        let (mut bytes, mut count) = (Vec::new(), 0);
        while let Some(transmit) = self.client.poll_transmit(self.now, &mut bytes) {
            assert_eq!((transmit.source, transmit.destination), (local(), self.client.server()));
            let message = Message::parse(&bytes).expect("a client sends messages");
            // An indication keeps the way open.
            match message.class() {
                Class::Request => self.requests.push(std::mem::take(&mut bytes)),
                class => assert_eq!(class, Class::Indication),
            }
            bytes.clear();
            count += 1;
            assert!(count <= BURST, "{count} messages at once");
        }
        let many = self.requests.len().saturating_sub(KEPT);
        self.requests.drain(..many);
        let mut count = 0;
        while let Some(event) = self.client.poll_event() {
            count += 1;
            assert!(count <= BURST, "{count} events at once");
            match event {
                Event::Failed(_) | Event::Closed => {
                    assert!(!std::mem::replace(&mut self.over, true), "it ends once");
                    self.redirected = None;
                }
                Event::Allocated { relayed, .. } => assert!((1..=2).contains(&relayed.len())),
                Event::Redirected { server, .. } if self.stream => self.redirected = Some(server),
                _ => {}
            }
        }
    }
}

impl World {
    fn new(stream: bool, families: u8, lifetime: Option<u16>) -> Self {
        let config = Config {
            local: local(),
            server: server(0),
            transport: if stream { Transport::Stream } else { Transport::Datagrams },
            credentials: LongTerm::new("ada", "pw").expect("plain text"),
            families: [Families::Ipv4, Families::Ipv6, Families::Both][usize::from(families % 3)],
            lifetime: lifetime.map(|seconds| Duration::from_secs(seconds.into())),
            software: String::new(),
            seed: [1; 32],
        };
        Self {
            now: Instant::now(),
            client: Client::new(config),
            stream,
            requests: Vec::new(),
            wanted: BTreeSet::new(),
            redirected: None,
            over: false,
        }
    }

    fn arrive(&mut self, mut bytes: Vec<u8>) {
        let datagram = Received { source: self.client.server(), destination: local(), bytes: &mut bytes };
        if let Ok(Some(from)) = self.client.handle_datagram(self.now, datagram) {
            assert!(self.wanted.contains(&from.peer.ip()), "data of {}, whom nobody permitted", from.peer);
            assert!(bytes.get(from.payload).is_some(), "the payload is in the datagram");
        }
    }
}

impl Shape {
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let message = Message::parse(request).expect("a client sends messages");
        let class = if self.code.is_some() { Class::Error } else { Class::Success };
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, message.method(), message.transaction());
        if let Some(code) = self.code {
            // Mostly the codes that mean something to a client.
            let codes = [300, 400, 401, 403, 437, 438, 440, 441, 486, 508, code % 1024];
            writer.add(&ErrorCode::new(codes[usize::from(code % 11)], ""));
        }
        if let Some(number) = self.relayed {
            writer.add(&XorRelayedAddress(peer(number)));
        }
        if self.mapped {
            writer.add(&XorMappedAddress(local()));
        }
        if let Some(seconds) = self.lifetime {
            // Mostly short ones.
            let seconds = if seconds % 4 == 0 { seconds } else { seconds % 1000 };
            writer.add(&Lifetime(Duration::from_secs(seconds.into())));
        }
        if let Some(number) = self.alternate {
            writer.add(&stun::attribute::AlternateServer(server(number)));
        }
        if self.challenge {
            writer.add(&Realm("twocan")).add(&Nonce("obMatJos2gAAA"));
        }
        if let Some((kind, value)) = &self.extra {
            writer.add_raw(*kind, &value[..value.len().min(1000)]);
        }
        let named = message.attributes().any(|attribute| attribute.kind == Username::TYPE);
        if self.proven
            && named
            && let Ok(Some(realm)) = message.get::<Realm<'_>>()
        {
            writer.integrity_sha1(&Key::long_term(Algorithm::Md5, "ada", realm.0, "pw"));
        }
        bytes
    }
}
