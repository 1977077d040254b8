//! The TURN server as a whole, under clients that know the protocol and mean no good (RFC 8656): data goes
//! only where a permission leads, answers go only to who asked and are no weapon, every relay socket is
//! opened and closed in order, and time ends everything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use stun::attribute::{ErrorCode, Nonce};
use stun::client::LongTerm;
use stun::{Class, Message, Method, TransactionId};
use turn::attribute::Icmp;
use turn::server::{
    Client, Config, Event, Ledger, Limits, OpenError, PeerPolicy, RelayId, Server, ToPeer, Transport,
};

mod commands;

use commands::{Command, Request};

const REALM: &str = "twocan";
/// RFC 8656 §9: a permission's lifetime.
const PERMISSION: Duration = Duration::from_secs(300);
/// Longer than any allocation lives.
const FOR_EVER: Duration = Duration::from_secs(2 * 3600);
const CLIENTS: usize = 4;

struct World {
    now: Instant,
    server: Server,
    ledger: Arc<Ledger>,
    peers: PeerPolicy,
    /// What each client knows of the server's challenge.
    credentials: [LongTerm; CLIENTS],
    /// The open relay sockets, and whose they are.
    relays: BTreeMap<RelayId, usize>,
    /// Which permissions the server has granted, and until when.
    granted: BTreeMap<(usize, IpAddr), Instant>,
    transactions: u64,
    failing: u8,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((failing, limited)) = input.arbitrary::<(u8, bool)>() else { return };
    let mut world = World::new(failing, limited);
    // Everybody has been challenged once, so that commands get past that gate at once.
    (0..CLIENTS as u8).for_each(|from| world.request(from, &Request::anonymous_allocate()));
    while !input.is_empty() {
        let Ok(command) = input.arbitrary::<Command>() else { break };
        world.obey(command);
        world.check();
    }
    world.end();
}

fn client(number: u8) -> (usize, Client) {
    let index = usize::from(number) % CLIENTS;
    let (transport, local, remote) = [
        (Transport::Udp, "203.0.113.1:3478", "198.18.0.1:1000"),
        (Transport::Udp, "[2001:4860::1]:3478", "[2001:4860::2]:1000"),
        (Transport::Tcp, "203.0.113.1:3478", "198.18.0.3:1000"),
        (Transport::Tls, "203.0.113.1:5349", "198.18.0.4:1000"),
    ][index];
    let parse = |text: &str| text.parse().expect("an address");
    (index, Client { transport, local: parse(local), remote: parse(remote) })
}

fn index_of(wanted: Client) -> usize {
    (0..=u8::MAX).map(client).find(|(_, client)| *client == wanted).expect("one of ours").0
}

impl World {
    fn new(failing: u8, limited: bool) -> Self {
        let now = Instant::now();
        let unix = Duration::from_secs(1_700_000_000);
        let mut config = Config::new(REALM, now, unix, [7; 32]).expect("a good realm");
        let names = ["ada", "bob", "ada", "eve"];
        for name in names {
            config.credentials.add_user(REALM, name, "pw");
        }
        config.peers.own = vec![[203, 0, 113, 1].into()];
        config.peers.own_ports = vec![3478, 5349];
        config.peers.relay_ports = Some(50_000..=50_015);
        config.fallback = [Some([203, 0, 113, 1].into()), Some("2001:4860::1".parse().expect("an address"))];
        let limits = if limited {
            Limits {
                allocations: 2,
                permissions: 2,
                channels: 2,
                ports: 50_000..=50_003,
                ..Limits::default()
            }
        } else {
            Limits { ports: 50_000..=50_015, bandwidth_per_user: Some(5000), ..Limits::default() }
        };
        let peers = config.peers.clone();
        let ledger = Arc::new(Ledger::new(limits, now));
        Self {
            now,
            server: Server::new(Arc::new(config), ledger.clone()),
            ledger,
            peers,
            credentials: names.map(|name| LongTerm::new(name, "pw").expect("plain text")),
            relays: BTreeMap::new(),
            granted: BTreeMap::new(),
            transactions: 0,
            failing,
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Request { from, request } => self.request(from, &request),
            Command::Send { from, peer, length } => {
                let bytes = commands::send(&self.next_id(), commands::peer(peer), usize::from(length) % 1500);
                self.arrive(from, &bytes);
            }
            Command::ChannelData { from, channel, length, padded } => {
                let bytes = commands::channel_data(channel, usize::from(length) % 1500, padded);
                self.arrive(from, &bytes);
            }
            Command::Noise { from, bytes } => self.arrive(from, &bytes),
            Command::Damaged { from, request, position, value } => {
                let (index, _) = client(from);
                let mut bytes = request.write(&self.next_id(), &self.credentials[index]);
                let position = usize::from(position) % bytes.len();
                if bytes[position] == value {
                    // No damage done: a request like any other.
                    return self.request(from, &request);
                }
                bytes[position] = value;
                self.arrive(from, &bytes);
            }
            Command::PeerData { relay, peer, length } => self.peer_data(relay, peer, length),
            Command::Icmp { relay, peer, kind, code } => {
                if let Some(relay) = self.relay(relay) {
                    let icmp = Icmp { kind, code, data: 1280 };
                    let _ = self.server.handle_icmp(self.now, relay, commands::peer(peer), icmp);
                    self.drain(None);
                }
            }
            Command::Disconnect { from } => {
                self.server.handle_disconnect(&client(from).1);
                self.drain(None);
            }
            Command::Wait { seconds } => self.wait(Duration::from_secs(seconds.into())),
        }
    }

    fn request(&mut self, from: u8, request: &Request) {
        let (index, _) = client(from);
        let id = self.next_id();
        let bytes = request.write(&id, &self.credentials[index]);
        let relays_before = self.relays.len();
        let Some(answer) = self.arrive_for_answer(from, &bytes) else { return };
        let answer = Message::parse(&answer).expect("a server sends messages");
        if let Ok(Some(code)) = answer.get::<ErrorCode<'_>>() {
            assert_eq!(self.relays.len(), relays_before, "{} leaves no socket behind", code.code());
            if matches!(code.code(), 401 | 438) && answer.has::<Nonce<'_>>() {
                let _ = self.credentials[index].challenge(&answer, code.code(), None);
            }
            return;
        }
        assert_eq!(answer.class(), Class::Success);
        assert!(answer.has_integrity() || answer.method() == Method::BINDING, "a grant is proven");
        if matches!(answer.method(), Method::CREATE_PERMISSION | Method::CHANNEL_BIND) {
            for ip in request.peers(&bytes) {
                self.granted.insert((index, ip), self.now + PERMISSION);
            }
        }
    }

    /// Whatever it is, it goes nowhere that nobody may send to.
    fn arrive(&mut self, from: u8, bytes: &[u8]) {
        let _ = self.arrive_for_answer(from, bytes);
    }

    fn arrive_for_answer(&mut self, from: u8, bytes: &[u8]) -> Option<Vec<u8>> {
        let (index, client) = client(from);
        if let Ok(Some(to_peer)) = self.server.handle_client(self.now, &client, bytes) {
            self.check_to_peer(index, &to_peer, bytes);
        }
        self.drain(Some((client, bytes)))
    }

    fn check_to_peer(&self, index: usize, to_peer: &ToPeer, bytes: &[u8]) {
        assert!(bytes.get(to_peer.payload.clone()).is_some(), "the payload is in the datagram");
        assert_eq!(
            self.relays.get(&to_peer.relay),
            Some(&index),
            "data goes through the client's own socket"
        );
        assert!(self.peers.permits(to_peer.peer), "{} is denied", to_peer.peer);
        let granted = self.granted.get(&(index, to_peer.peer.ip()));
        assert!(granted.is_some_and(|expiry| *expiry > self.now), "{} was never permitted", to_peer.peer);
    }

    fn peer_data(&mut self, relay: u8, peer: u8, length: u16) {
        let Some(relay) = self.relay(relay) else { return };
        let (peer, length) = (commands::peer(peer), usize::from(length));
        let Ok(to_client) = self.server.handle_peer(self.now, relay, peer, length) else { return };
        let index = self.relays[&relay];
        assert_eq!(to_client.client, client(index as u8).1, "data goes to the socket's owner");
        let granted = self.granted.get(&(index, peer.ip()));
        assert!(granted.is_some_and(|expiry| *expiry > self.now), "{peer} was never permitted");
        // What the client gets is a message, or ChannelData.
        let mut bytes = to_client.prefix.to_vec();
        bytes.resize(bytes.len() + length + to_client.padding, 0);
        match bytes.first().map(|first| first >> 6) {
            Some(0) => {
                let message = Message::parse(&bytes).expect("a Data indication is a message");
                assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
            }
            _ => assert_eq!(turn::channel::parse(&bytes).expect("ChannelData").1.len(), length),
        }
    }

    /// Does what the server wants; returns the answer to what was just received.
    fn drain(&mut self, received: Option<(Client, &[u8])>) -> Option<Vec<u8>> {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Open { relay, address } => {
                    assert!(!self.relays.contains_key(&relay), "a name is used again only after it is free");
                    let outcome = self.open(address);
                    if outcome.is_ok() {
                        let (owner, _) = received.expect("sockets are opened on request");
                        self.relays.insert(relay, index_of(owner));
                    }
                    self.server.handle_opened(self.now, relay, outcome);
                }
                Event::Close { relay } => {
                    let owner = self.relays.remove(&relay).expect("only what is open is closed");
                    // Permissions end with their socket.
                    let others = self.relays.values().any(|other| *other == owner);
                    self.granted.retain(|(index, _), _| others || *index != owner);
                }
            }
        }
        let (mut answer, mut bytes) = (None, Vec::new());
        while let Some(to) = self.server.poll_transmit(&mut bytes) {
            let message = Message::parse(&bytes).expect("a server sends messages");
            if message.class() != Class::Indication {
                let (client, request) = received.expect("nobody asked anything");
                check_answer(&message, to, client, request);
                assert!(answer.replace(bytes.clone()).is_none(), "one request, one answer");
            }
            bytes.clear();
        }
        answer
    }

    /// Now and then the system refuses.
    fn open(&mut self, address: SocketAddr) -> Result<(), OpenError> {
        assert!((50_000..=50_015).contains(&address.port()));
        self.failing = self.failing.rotate_left(1);
        match self.failing & 0b1000_0001 {
            0b1000_0001 => Err(OpenError::Failed),
            0b0000_0001 if self.failing & 2 != 0 => Err(OpenError::InUse),
            _ => Ok(()),
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.server.handle_timeout(self.now);
        self.drain(None);
        assert!(self.server.poll_timeout().is_none_or(|(at, _)| at > self.now), "what is due is done");
    }

    fn check(&self) {
        let allocations = self.server.allocations();
        assert!(allocations <= self.ledger.limits().allocations && allocations <= CLIENTS);
        assert_eq!(allocations, self.ledger.allocations());
        assert!(self.relays.len() <= 2 * allocations, "a socket without an allocation");
    }

    fn end(&mut self) {
        self.wait(FOR_EVER);
        assert_eq!(self.server.allocations(), 0, "every allocation ends");
        assert_eq!(self.ledger.allocations(), 0);
        assert_eq!(self.relays.keys().collect::<BTreeSet<_>>(), BTreeSet::new(), "every socket is closed");
        assert_eq!(self.server.poll_timeout(), None);
    }

    fn relay(&self, number: u8) -> Option<RelayId> {
        let open: Vec<_> = self.relays.keys().collect();
        open.get(usize::from(number) % open.len().max(1)).map(|relay| **relay)
    }

    fn next_id(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId(id)
    }
}

fn check_answer(answer: &Message<'_>, to: Client, client: Client, request: &[u8]) {
    let asked = Message::parse(request).expect("only messages are answered");
    assert_eq!(to, client, "the answer goes to who asked");
    assert_eq!((answer.transaction(), answer.method()), (asked.transaction(), asked.method()));
    assert_eq!(asked.class(), Class::Request);
    if !answer.has_integrity() && client.transport == Transport::Udp {
        let headers = if client.remote.is_ipv4() { 28 } else { 48 };
        let (ours, theirs) = (answer.bytes().len() + headers, request.len() + headers);
        assert!(2 * ours <= 3 * theirs, "{theirs} bytes from anybody draw {ours}, headers included");
    }
}
