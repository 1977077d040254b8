//! The machine against a plain reference, over random commands of several clients and users, with hostile
//! bytes between them: RFC 8656 as a whole. And: same seed, same inputs, same bytes; nothing is left over.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use stun::Method;

use super::super::nonce::Size;
use super::super::{Limits, OpenError, Transport};
use super::stage::{Stage, UDP, With};

mod reference;

use reference::{Ask, Families, Port, Reference};

const CLIENTS: [&str; 5] = ["ada", "bob", "cyd", "tom", "tim"];
const STREAMS: [&str; 2] = ["tom", "tim"];
const USERS: [&str; 3] = ["ada", "bob", "cyd"];
const PEERS: [&str; 7] = [
    "203.0.113.1:1",
    "203.0.113.1:2",
    "203.0.113.2:1",
    "203.0.113.3:1",
    "[2001:db8:5::1]:1",
    "[2001:db8:5::2]:1",
    "10.0.0.1:1",
];

#[derive(Clone, Debug)]
enum Command {
    Allocate {
        user: usize,
        lifetime: Option<u32>,
        families: Families,
        port: Port,
        fails: bool,
    },
    /// The client's last Allocate request once more.
    Repeat,
    Refresh {
        user: usize,
        lifetime: Option<u32>,
        family: Option<u8>,
    },
    Permit {
        user: usize,
        peers: Vec<usize>,
    },
    Bind {
        user: usize,
        number: u16,
        peer: usize,
    },
    Send {
        peer: usize,
        length: usize,
    },
    Channel {
        number: u16,
        length: usize,
    },
    Arrive {
        relay: usize,
        peer: usize,
        length: usize,
    },
    Icmp {
        relay: usize,
        peer: usize,
        kind: u8,
    },
    Disconnect,
    Wait {
        seconds: u64,
        woken: bool,
    },
    /// A request with some bytes changed.
    Mutated {
        method: u8,
        changes: Vec<(usize, u8)>,
    },
    Noise {
        bytes: Vec<u8>,
    },
}

/// Who acts does so as its own user more often than not.
fn user() -> impl Strategy<Value = usize> {
    0..12_usize
}

fn lifetime() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(0)), 3 => (590..620_u32).prop_map(Some), 1 => any::<u32>().prop_map(Some)]
}

fn command() -> impl Strategy<Value = Command> {
    let families = prop_oneof![
        4 => Just(Families::Unsaid),
        1 => Just(Families::One(4)),
        2 => Just(Families::One(6)),
        3 => Just(Families::Both),
    ];
    let port = prop_oneof![
        5 => Just(Port::Any),
        1 => Just(Port::Even),
        2 => Just(Port::Pair),
        2 => Just(Port::Token),
    ];
    let number = prop_oneof![9 => 0x4000..0x4003_u16, 1 => Just(0x5000_u16)];
    let peer = || 0..PEERS.len();
    let length = || 0..6_usize;
    let seconds = prop_oneof![0..5_u64, 55..65_u64, 295..305_u64, 595..605_u64];
    prop_oneof![
        6 => (user(), lifetime(), families, port, prop::bool::weighted(0.1)).prop_map(
            |(user, lifetime, families, port, fails)| Command::Allocate { user, lifetime, families, port, fails }
        ),
        1 => Just(Command::Repeat),
        3 => (user(), lifetime(), prop::option::of(prop_oneof![Just(4_u8), Just(6)]))
            .prop_map(|(user, lifetime, family)| Command::Refresh { user, lifetime, family }),
        4 => (user(), prop::collection::vec(peer(), 0..4)).prop_map(|(user, peers)| Command::Permit { user, peers }),
        6 => (user(), number.clone(), peer()).prop_map(|(user, number, peer)| Command::Bind { user, number, peer }),
        4 => (peer(), length()).prop_map(|(peer, length)| Command::Send { peer, length }),
        4 => (number, length()).prop_map(|(number, length)| Command::Channel { number, length }),
        4 => (0..5_usize, peer(), length())
            .prop_map(|(relay, peer, length)| Command::Arrive { relay, peer, length }),
        1 => (0..5_usize, peer(), 0..12_u8).prop_map(|(relay, peer, kind)| Command::Icmp { relay, peer, kind }),
        1 => Just(Command::Disconnect),
        3 => (seconds, any::<bool>()).prop_map(|(seconds, woken)| Command::Wait { seconds, woken }),
        2 => (0..5_u8, prop::collection::vec((any::<usize>(), 1..=255_u8), 1..4))
            .prop_map(|(method, changes)| Command::Mutated { method, changes }),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| Command::Noise { bytes }),
    ]
}

fn commands() -> impl Strategy<Value = Vec<(usize, Command)>> {
    prop::collection::vec((0..CLIENTS.len(), command()), 1..120)
}

fn limits() -> Limits {
    Limits {
        allocations: 4,
        allocations_per_user: 2,
        allocations_per_address: 3,
        permissions: 3,
        channels: 2,
        ports: 50_000..=50_005,
        ..Limits::default()
    }
}

struct Play {
    stage: Stage,
    reference: Reference,
    /// Each client's last Allocate request: its bytes, what it asks, when its nonce was made.
    asked: BTreeMap<&'static str, (Vec<u8>, Ask, u64)>,
}

impl Play {
    fn new() -> Self {
        let mut stage = Stage::with(|_, its| *its = limits());
        // At ada's address and at cyd's.
        stage.sit("tom", Transport::Tcp, "192.0.2.1:3478", "198.51.100.1:4001");
        stage.sit("tim", Transport::Tls, "[2001:db8::1]:5349", "[2001:db8:9::3]:4001");
        let places = CLIENTS.map(|name| (name, stage.seat(name).client.remote)).into();
        Self { stage, reference: Reference::new(limits(), places), asked: BTreeMap::new() }
    }

    /// What the machine answers, and what the reference does.
    fn step(&mut self, name: &'static str, command: &Command) -> (Vec<String>, Vec<String>) {
        let address = |peer: &usize| -> SocketAddr { PEERS[*peer].parse().unwrap() };
        let data = |length: &usize| "x".repeat(*length);
        match command {
            Command::Allocate { user, lifetime, families, port, fails } => {
                let user = self.speak_as(name, *user);
                let mut with = vec![UDP];
                with.extend(lifetime.map(With::Lifetime));
                match families {
                    Families::Unsaid => {}
                    Families::One(family) => with.push(With::Family(if *family == 4 { 1 } else { 2 })),
                    Families::Both => with.push(With::Additional(2)),
                }
                match port {
                    Port::Any => {}
                    Port::Even => with.push(With::Even),
                    Port::Pair => with.push(With::EvenAndNext),
                    Port::Token => with.push(With::Token(self.stage.token)),
                }
                let request = self.stage.request(name, Method::ALLOCATE, &with);
                let ask = Ask {
                    user,
                    transaction: request[8],
                    lifetime: *lifetime,
                    families: *families,
                    port: *port,
                    fails: *fails,
                };
                self.asked.insert(name, (request.clone(), ask, self.reference.now));
                self.allocate(name, &request, ask)
            }
            Command::Repeat => {
                let Some((request, ask, made)) = self.asked.get(name).cloned() else {
                    return Default::default();
                };
                // The token in it is not the last one any more, and its nonce may be stale.
                if ask.port == Port::Token || made + 600 < self.reference.now {
                    return Default::default();
                }
                self.speak_as(name, USERS.iter().position(|user| *user == ask.user).unwrap());
                self.allocate(name, &request, Ask { fails: false, ..ask })
            }
            Command::Refresh { user, lifetime, family } => {
                let user = self.speak_as(name, *user);
                let mut with: Vec<_> = lifetime.map(With::Lifetime).into_iter().collect();
                with.extend(family.map(|family| With::Family(if family == 4 { 1 } else { 2 })));
                (self.stage.refresh(name, &with), self.reference.refresh(name, user, *lifetime, *family))
            }
            Command::Permit { user, peers } => {
                let user = self.speak_as(name, *user);
                let said: Vec<_> = peers.iter().map(|peer| PEERS[*peer]).collect();
                let addresses: Vec<_> = peers.iter().map(address).collect();
                (self.stage.permit(name, &said), self.reference.permit(name, user, &addresses))
            }
            Command::Bind { user, number, peer } => {
                let user = self.speak_as(name, *user);
                let said = self.stage.bind(name, *number, PEERS[*peer]);
                (said, self.reference.bind(name, user, *number, address(peer)))
            }
            Command::Send { peer, length } => {
                let data = data(length);
                let said = self.stage.send(name, PEERS[*peer], data.as_bytes());
                (said, self.reference.send(name, address(peer), &data))
            }
            Command::Channel { number, length } => {
                let data = data(length);
                let said = self.stage.channel(name, *number, data.as_bytes());
                (said, self.reference.channel(name, *number, &data))
            }
            Command::Arrive { relay, peer, length } => {
                let data = data(length);
                let said = self.stage.arrive(*relay, PEERS[*peer], data.as_bytes());
                (said, self.reference.arrive(*relay, address(peer), &data, &STREAMS))
            }
            Command::Icmp { relay, peer, kind } => {
                let said = self.stage.icmp(*relay, PEERS[*peer], *kind, 0, 7);
                (said, self.reference.icmp(*relay, address(peer), *kind))
            }
            Command::Disconnect => (self.stage.disconnect(name), self.reference.disconnect(name)),
            Command::Wait { seconds, woken: true } => {
                self.reference.now += seconds;
                (self.stage.wait(*seconds), self.reference.expire())
            }
            Command::Wait { seconds, woken: false } => {
                self.reference.now += seconds;
                self.stage.oversleep(*seconds);
                (Vec::new(), Vec::new())
            }
            Command::Mutated { method, changes } => {
                self.speak_as(name, 0);
                let method = Method::new([1, 3, 4, 8, 9][usize::from(*method)]).unwrap();
                let mut bytes = self.stage.request(name, method, &[UDP, With::Peer(PEERS[0])]);
                for (position, change) in changes {
                    let length = bytes.len();
                    bytes[position % length] ^= change;
                }
                self.hostile(name, &bytes)
            }
            Command::Noise { bytes } => self.hostile(name, bytes),
        }
    }

    fn allocate(&mut self, name: &'static str, request: &[u8], ask: Ask) -> (Vec<String>, Vec<String>) {
        self.stage.outcomes.clear();
        self.stage.outcomes.extend(ask.fails.then_some(Err(OpenError::Failed)));
        let before = self.stage.wanted.len();
        let said = self.stage.feed(name, request);
        self.stage.outcomes.clear();
        let opened: Vec<_> = self.stage.wanted[before..].iter().map(SocketAddr::port).collect();
        (said, self.reference.allocate(name, ask, &opened))
    }

    /// Bytes that may draw an error and must change nothing; what follows shows that they did not.
    fn hostile(&mut self, name: &'static str, bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        // Data needs no proof: it is not this command's business.
        let is_data = bytes.first().is_some_and(|first| *first >= 0x40)
            || bytes.get(1).is_some_and(|second| second & 0x10 != 0);
        let (mut said, expected) = (self.stage.wait(0), self.reference.expire());
        if !is_data {
            let reply = self.stage.feed(name, bytes);
            let harmless = |line: &String| {
                line.starts_with("dropped") || line.contains(" error 4") || line.contains("Binding success")
            };
            said.extend(reply.into_iter().filter(|line| !harmless(line)));
        }
        (said, expected)
    }

    /// Sets as whom a client speaks, with a nonce of now; returns the user's name.
    fn speak_as(&mut self, name: &'static str, user: usize) -> &'static str {
        let own = CLIENTS.iter().position(|client| *client == name).unwrap_or(0) % USERS.len();
        let user = USERS.get(user).copied().unwrap_or(USERS[own]);
        let client = self.stage.seat(name).client;
        let unix = self.stage.server.config.unix(self.stage.now);
        let nonce = self.stage.server.nonces.make(&client, unix, Size::Full);
        let seat = self.stage.seat(name);
        seat.nonce = nonce;
        seat.username = user.to_owned();
        seat.password = user.chars().rev().collect();
        user
    }

    /// Everything ends with its time, and nothing is left.
    fn end(&mut self) {
        self.stage.wait(4000);
        let server = &mut self.stage.server;
        assert_eq!(server.allocations(), 0);
        assert!(server.expiries.is_empty());
        assert_eq!(server.relays.free.len(), server.relays.entries.len());
        assert_eq!(server.allocations.free.len(), server.allocations.entries.len());
        assert!(server.answers.is_empty() && server.answer_bytes.is_empty() && server.events.is_empty());
        // No more than were ever needed at the same time.
        assert!(server.relays.entries.len() <= 7, "{}", server.relays.entries.len());
        assert!(self.stage.ledger.is_empty(self.stage.now + Duration::from_secs(60)));
    }
}

/// The machine gives reasons for what it drops; the reference does not.
fn without_reasons(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| if line.starts_with("dropped") { "dropped".into() } else { line }).collect()
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 5000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_machine_does_what_the_reference_says(commands in commands()) {
        let mut play = Play::new();
        for (number, (client, command)) in commands.iter().enumerate() {
            let (said, expected) = play.step(CLIENTS[*client], command);
            prop_assert_eq!(
                without_reasons(said), expected,
                "command {} of {}: {:?} at {} s", number, CLIENTS[*client], command, play.reference.now
            );
        }
        play.end();
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes(commands in commands()) {
        let transcript = || {
            let mut play = Play::new();
            for (client, command) in &commands {
                play.step(CLIENTS[*client], command);
            }
            play.end();
            play.stage.transcript
        };
        prop_assert_eq!(transcript(), transcript());
    }
}
