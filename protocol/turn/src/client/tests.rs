//! The client against our own server machine, in virtual time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::attribute::{AlternateServer, ErrorCode};
use stun::client::LongTerm;
use stun::{Class, Message, Writer};
use wire::Received;

use super::{Client, Config, Event, Failure, Families, Fault, Transport, Unsent};
use crate::channel;
use crate::server::{self, Ledger, Limits, RelayId, Server};

const LOCAL: &str = "198.51.100.7:50000";
const SERVER: &str = "192.0.2.1:3478";
const PEER: &str = "203.0.113.9:4000";

#[expect(clippy::disallowed_methods, reason = "virtual time begins at some instant, whichever")]
fn start() -> Instant {
    Instant::now()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn config(password: &str) -> Config {
    Config {
        local: address(LOCAL),
        server: address(SERVER),
        transport: Transport::Datagrams,
        credentials: LongTerm::new("ada", password).unwrap(),
        families: Families::Ipv4,
        lifetime: None,
        software: String::new(),
        seed: [3; 32],
    }
}

struct World {
    now: Instant,
    client: Client,
    server: Server,
    relays: Vec<(RelayId, SocketAddr)>,
    /// What reached peers: from which relayed address, to whom, what.
    relayed: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Datagrams to and from the server that get lost, of those to come.
    lose: usize,
    requests: usize,
}

impl World {
    fn new(config: Config) -> Self {
        let now = start();
        let mut settings =
            server::Config::new("example", now, Duration::from_secs(1_700_000_000), [7; 32]).unwrap();
        settings.credentials.add_user("example", "ada", "secret");
        settings.fallback = ["192.0.2.1".parse().ok(), "2001:db8::1".parse().ok()];
        let ledger = Arc::new(Ledger::new(Limits::default(), now));
        let server = Server::new(Arc::new(settings), ledger);
        let client = Client::new(config);
        Self { now, client, server, relays: Vec::new(), relayed: Vec::new(), lose: 0, requests: 0 }
    }

    fn ours(&self) -> server::Client {
        server::Client { transport: server::Transport::Udp, local: address(SERVER), remote: address(LOCAL) }
    }

    fn lost(&mut self) -> bool {
        let lost = self.lose > 0;
        self.lose = self.lose.saturating_sub(1);
        lost
    }

    /// Carries datagrams to and fro until nothing is under way.
    fn carry(&mut self) {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            if self.client.poll_transmit(self.now, &mut buffer).is_some() {
                self.requests += 1;
                if !self.lost() {
                    self.reach_server(&buffer);
                }
                continue;
            }
            let Some(_) = self.server.poll_transmit(&mut buffer) else { return };
            if !self.lost() {
                self.reach_client(&mut buffer).unwrap();
            }
        }
    }

    fn reach_server(&mut self, bytes: &[u8]) {
        if let Ok(Some(to_peer)) = self.server.handle_client(self.now, &self.ours(), bytes) {
            let (_, from) = self.relays.iter().find(|(relay, _)| *relay == to_peer.relay).unwrap();
            self.relayed.push((*from, to_peer.peer, bytes[to_peer.payload].to_vec()));
        }
        while let Some(event) = self.server.poll_event() {
            match event {
                server::Event::Open { relay, address } => {
                    self.relays.push((relay, address));
                    self.server.handle_opened(self.now, relay, Ok(()));
                }
                server::Event::Close { relay } => self.relays.retain(|(known, _)| *known != relay),
            }
        }
    }

    fn reach_client(&mut self, bytes: &mut [u8]) -> Result<Option<(SocketAddr, Vec<u8>)>, Fault> {
        let copy = bytes.to_vec();
        let received = Received { source: address(SERVER), destination: address(LOCAL), bytes };
        let from = self.client.handle_datagram(self.now, received)?;
        Ok(from.map(|from| (from.peer, copy[from.payload].to_vec())))
    }

    /// Something from a peer to our relayed address; what the client makes of it.
    fn hear_peer(&mut self, peer: &str, data: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        let (relay, _) = self.relays[0];
        let to_client = self.server.handle_peer(self.now, relay, address(peer), data.len()).ok()?;
        let mut bytes = [&to_client.prefix[..], data, &[0; 3][..to_client.padding]].concat();
        self.reach_client(&mut bytes).unwrap()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    fn allocated(password: &str) -> Self {
        let mut world = Self::new(config(password));
        world.client.allocate(world.now);
        world.carry();
        world
    }

    /// Lets time pass, waking up when told to only.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((at, _)) = self.client.poll_timeout().filter(|(at, _)| *at <= end) {
            assert!(at >= self.now, "a deadline in the past");
            self.now = at;
            self.server.handle_timeout(at);
            self.client.handle_timeout(at);
            self.carry();
        }
        self.now = end;
        self.server.handle_timeout(end);
    }

    fn send(&mut self, peer: &str, data: &[u8]) -> Result<usize, Unsent> {
        let mut buffer = Vec::new();
        let transmit = self.client.wrap(address(peer), data, &mut buffer)?;
        assert_eq!((transmit.source, transmit.destination), (address(LOCAL), address(SERVER)));
        self.reach_server(&buffer);
        Ok(buffer.len() - data.len())
    }
}

#[test]
fn an_allocation_comes_after_a_challenge_and_says_both_addresses() {
    let mut world = World::allocated("secret");
    let (_, relayed) = world.relays[0];
    assert_eq!(world.events(), [Event::Allocated { relayed: vec![relayed], mapped: Some(address(LOCAL)) }]);
    assert_eq!(world.requests, 2);
}

#[test]
fn both_families_are_had_at_once() {
    let mut world = World::new(Config { families: Families::Both, ..config("secret") });
    world.client.allocate(world.now);
    world.carry();
    let events = world.events();
    let [Event::Allocated { relayed, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(relayed.iter().map(SocketAddr::is_ipv4).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    let mut world = World::allocated("wrong");
    let events = world.events();
    let [Event::Failed(failure)] = &events[..] else { panic!("{events:?}") };
    assert!(failure.to_string().contains("does not take this user name and password"), "{failure}");
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn data_needs_permission_and_is_shorter_over_a_channel() {
    let mut world = World::allocated("secret");
    world.events();
    assert_eq!(world.send(PEER, b"hi"), Err(Unsent::NotPermitted));
    assert_eq!(world.hear_peer(PEER, b"early"), None);

    world.client.permit(world.now, address(PEER).ip()).unwrap();
    world.carry();
    assert_eq!(world.events(), [Event::Permitted(address(PEER).ip())]);
    assert_eq!(world.send(PEER, b"hi!!"), Ok(36));
    assert_eq!(world.hear_peer(PEER, b"hello"), Some((address(PEER), b"hello".to_vec())));

    world.client.bind(world.now, address(PEER)).unwrap();
    world.carry();
    assert_eq!(world.events(), [Event::Bound(address(PEER))]);
    assert_eq!(world.send(PEER, b"hi!"), Ok(channel::HEADER_LEN));
    assert_eq!(world.hear_peer(PEER, b"hello"), Some((address(PEER), b"hello".to_vec())));
    let (_, relayed) = world.relays[0];
    assert_eq!(
        world.relayed,
        [(relayed, address(PEER), b"hi!!".to_vec()), (relayed, address(PEER), b"hi!".to_vec()),]
    );
}

#[test]
fn a_forbidden_peer_does_not_spoil_the_others() {
    let mut world = World::allocated("secret");
    world.events();
    for peer in ["203.0.113.9", "10.0.0.1", "203.0.113.10"] {
        world.client.permit(world.now, peer.parse().unwrap()).unwrap();
    }
    world.carry();
    let mut events = world.events();
    events.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(
        events,
        [
            Event::Denied("10.0.0.1".parse().unwrap()),
            Event::Permitted("203.0.113.10".parse().unwrap()),
            Event::Permitted("203.0.113.9".parse().unwrap()),
        ]
    );
}

#[test]
fn everything_is_kept_alive_for_hours_although_nonces_expire() {
    let mut world = World::allocated("secret");
    world.client.bind(world.now, address(PEER)).unwrap();
    world.carry();
    world.events();
    for _ in 0..60 {
        world.pass(Duration::from_secs(240));
        assert_eq!(world.events(), []);
        assert_eq!(world.send(PEER, b"hi"), Ok(channel::HEADER_LEN));
    }
    assert_eq!(world.relayed.len(), 60);
}

#[test]
fn lost_datagrams_are_sent_again() {
    let mut world = World::new(config("secret"));
    world.lose = 5;
    world.client.allocate(world.now);
    world.carry();
    world.pass(Duration::from_secs(30));
    let events = world.events();
    assert!(matches!(events[..], [Event::Allocated { .. }]), "{events:?}");
}

#[test]
fn a_server_that_is_gone_ends_it() {
    let mut world = World::allocated("secret");
    world.events();
    world.lose = usize::MAX;
    world.pass(Duration::from_secs(700));
    assert_eq!(world.events(), [Event::Failed(Failure::Stun(stun::client::Failure::TimedOut))]);
    assert_eq!(world.send(PEER, b"hi"), Err(Unsent::NoAllocation));
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_server_that_has_forgotten_us_ends_it() {
    let mut world = World::allocated("secret");
    world.events();
    let ours = world.ours();
    world.server.handle_disconnect(&ours);
    world.pass(Duration::from_secs(600));
    assert_eq!(world.events(), [Event::Failed(Failure::Refused(437))]);
}

#[test]
fn it_is_given_back_whenever_that_is_asked() {
    let mut world = World::allocated("secret");
    world.events();
    world.client.close(world.now);
    world.carry();
    assert_eq!((world.events(), world.relays.len()), (vec![Event::Closed], 0));

    let mut early = World::new(config("secret"));
    early.client.allocate(early.now);
    early.client.close(early.now);
    early.carry();
    assert_eq!((early.events(), early.relays.len()), (vec![Event::Closed], 0));
    assert_eq!(early.server.allocations(), 0);
}

#[test]
fn a_redirection_is_followed() {
    let mut client = Client::new(config("secret"));
    let now = start();
    client.allocate(now);
    let mut buffer = Vec::new();
    client.poll_transmit(now, &mut buffer).unwrap();
    let request = Message::parse(&buffer).unwrap();
    let other = address("192.0.2.2:3478");
    let mut answer = Vec::new();
    Writer::new(&mut answer, Class::Error, request.method(), request.transaction())
        .add(&ErrorCode::new(300, "Try Alternate"))
        .add(&AlternateServer(other));
    let received = Received { source: address(SERVER), destination: address(LOCAL), bytes: &mut answer };
    assert_eq!(client.handle_datagram(now, received), Ok(None));
    assert_eq!(client.poll_event(), Some(Event::Redirected { server: other, domain: None }));
    buffer.clear();
    assert_eq!(client.poll_transmit(now, &mut buffer).unwrap().destination, other);
}

#[test]
fn what_is_not_the_servers_or_makes_no_sense_is_dropped_and_counted() {
    let mut world = World::allocated("secret");
    world.events();
    fn received<'b>(source: &str, bytes: &'b mut [u8]) -> Received<'b> {
        Received { source: address(source), destination: address(LOCAL), bytes }
    }
    let now = world.now;
    let stranger = world.client.handle_datagram(now, received(PEER, &mut [0x40, 0, 0, 0]));
    assert_eq!(stranger, Err(Fault::NotTheServer));
    for bytes in [&mut [0x40, 0, 0, 9][..], &mut [0x4f, 0xff, 0, 0]] {
        assert_eq!(world.client.handle_datagram(now, received(SERVER, bytes)), Err(Fault::BadChannel));
    }
    let mut empty = Vec::new();
    Writer::new(&mut empty, Class::Indication, stun::Method::DATA, stun::TransactionId([0; 12]));
    assert_eq!(world.client.handle_datagram(now, received(SERVER, &mut empty)), Err(Fault::BadIndication));
    let counters = *world.client.counters();
    assert_eq!((counters.not_the_server, counters.bad_channel, counters.bad_indication), (1, 2, 1));
}

#[test]
fn peers_are_bounded() {
    let mut world = World::allocated("secret");
    let peers = |count: u8| (0..count).map(|last| SocketAddr::from(([203, 0, 113, last], 9)));
    assert!(peers(64).all(|peer| world.client.bind(world.now, peer).is_ok()));
    assert!(world.client.permit(world.now, "203.0.113.200".parse().unwrap()).is_err());
    world.carry();
    let bound = world.events().into_iter().filter(|event| matches!(event, Event::Bound(_))).count();
    assert_eq!(bound, 64);
    world.client.revoke("203.0.113.1".parse().unwrap());
    assert!(world.client.permit(world.now, "203.0.113.200".parse().unwrap()).is_ok());
}

#[test]
fn an_allocation_that_was_forgotten_here_is_given_back_first() {
    let before = World::allocated("secret");
    let mut world = World { client: Client::new(Config { seed: [4; 32], ..config("secret") }), ..before };
    world.client.allocate(world.now);
    world.carry();
    let events = world.events();
    assert!(matches!(events[..], [Event::Allocated { .. }]), "{events:?}");
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
}

#[test]
fn whether_the_server_knows_us_can_be_asked() {
    let mut world = World::allocated("secret");
    world.events();
    world.client.refresh(world.now);
    world.carry();
    assert_eq!(world.events(), [Event::Refreshed]);
    let ours = world.ours();
    world.server.handle_disconnect(&ours);
    world.client.refresh(world.now);
    world.carry();
    assert_eq!(world.events(), [Event::Failed(Failure::Refused(437))]);
}

#[test]
fn a_permission_outlives_a_request_that_is_lost() {
    let mut world = World::allocated("secret");
    world.client.permit(world.now, address(PEER).ip()).unwrap();
    world.carry();
    world.pass(Duration::from_secs(235));
    // Asked for at 240 s, given up at 279.5 s, asked for again.
    world.lose = usize::MAX;
    world.pass(Duration::from_secs(45));
    world.lose = 0;
    assert_eq!(world.send(PEER, b"hi!!"), Ok(36));
    world.pass(Duration::from_secs(30));
    assert_eq!(world.send(PEER, b"hi!!"), Ok(36));
    assert_eq!(world.relayed.len(), 2, "the server has renewed it");
}

#[test]
fn nobody_is_woken_for_renewals_that_wait_for_others() {
    let mut world = World::allocated("secret");
    let peers: Vec<SocketAddr> = (0..48).map(|last| SocketAddr::from(([203, 0, 113, last], 9))).collect();
    peers.iter().for_each(|peer| world.client.bind(world.now, *peer).unwrap());
    world.carry();
    world.pass(Duration::from_secs(235));
    // All are due at once, of which a few are asked for; nobody answers.
    world.lose = usize::MAX;
    world.now += Duration::from_secs(5);
    world.client.handle_timeout(world.now);
    world.carry();
    let (at, reason) = world.client.poll_timeout().unwrap();
    assert!(at > world.now, "{reason:?} wakes again at once");
    // The answer to one brings the next.
    world.lose = 0;
    world.pass(Duration::from_secs(100));
    assert!(peers.iter().all(|peer| world.send(&peer.to_string(), b"hi!!") == Ok(4)));
    assert_eq!(world.relayed.len(), peers.len(), "the server has renewed them all");
}

#[test]
fn the_way_to_the_server_is_kept_open() {
    let mut world = World::allocated("secret");
    let before = world.requests;
    world.pass(Duration::from_secs(61));
    assert_eq!(world.requests - before, 4);
}
