//! A server with clients and peers around it, in virtual time.
//!
//! What goes in is said in a line; what comes out is a list of lines, in the order in which a caller must
//! act on them: relay sockets, then answers, then relayed data. Ports are random, so a relayed address is
//! written `192.0.2.1:R0` after the number of its relay.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::attribute::{
    Attribute as _, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, UserHash, Username,
};
use stun::{Algorithm, Class, Key, Message, Method, TransactionId, Writer, user_hash};

use super::super::{
    Client, Config, Event, Ledger, Limits, OpenError, RelayId, Server, ToClient, ToPeer, Transport,
};
use super::reply;
use super::start;
use crate::attribute::{
    AdditionalAddressFamily, ChannelNumberAttribute, Data, DontFragment, EvenPort, Icmp, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken, XorPeerAddress,
};
use crate::channel;

pub(super) const REALM: &str = "example";

/// The Unix time at which the stage opens.
pub(super) const UNIX: u64 = 1_700_000_000;

/// An attribute of a request.
#[derive(Clone, Debug)]
pub(super) enum With<'a> {
    /// REQUESTED-TRANSPORT.
    Transport(u8),
    Lifetime(u32),
    Peer(&'a str),
    Channel(u16),
    Even,
    EvenAndNext,
    Token([u8; 8]),
    Family(u8),
    Additional(u8),
    DontFragment,
    Data(&'a [u8]),
    Raw(u16, &'a [u8]),
}

/// REQUESTED-TRANSPORT with UDP.
pub(super) const UDP: With<'_> = With::Transport(17);

/// One client program: where it is, as whom it speaks, how it proves it.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) name: &'static str,
    pub(super) client: Client,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    /// Says PASSWORD-ALGORITHMS and PASSWORD-ALGORITHM.
    pub(super) algorithm: Option<Algorithm>,
    /// MESSAGE-INTEGRITY-SHA256 instead of MESSAGE-INTEGRITY.
    pub(super) sha256: bool,
    /// USERHASH instead of USERNAME.
    pub(super) hashed: bool,
    pub(super) fingerprint: bool,
    last: Vec<u8>,
}

impl Seat {
    fn key(&self) -> Key {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        Key::long_term(algorithm, &self.username, &self.realm, &self.password)
    }
}

pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) ledger: Arc<Ledger>,
    pub(super) now: Instant,
    /// What becomes of the next sockets; all others open.
    pub(super) outcomes: VecDeque<Result<(), OpenError>>,
    /// Every address that the server wanted to open, in order.
    pub(super) wanted: Vec<SocketAddr>,
    /// The token of the last answer that had one.
    pub(super) token: [u8; 8],
    /// The last answer's bytes.
    pub(super) answer: Vec<u8>,
    /// Every byte that came out, in order.
    pub(super) transcript: Vec<u8>,
    seats: Vec<Seat>,
    open: Vec<(RelayId, SocketAddr)>,
    transactions: u8,
}

/// IPv4 `192.0.2.1:3478` for clients, relays in both families, users ada, bob and cyd with their names
/// backwards as passwords.
pub(super) fn config(now: Instant) -> Config {
    let mut config = Config::new(REALM, now, Duration::from_secs(UNIX), [7; 32]).unwrap();
    for name in ["ada", "bob", "cyd"] {
        config.credentials.add_user(REALM, name, &name.chars().rev().collect::<String>());
    }
    config.fallback = ["192.0.2.1".parse().ok(), "2001:db8::1".parse().ok()];
    config
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config, &mut Limits)) -> Self {
        let now = start();
        let (mut config, mut limits) = (config(now), Limits::default());
        change(&mut config, &mut limits);
        let ledger = Arc::new(Ledger::new(limits, now));
        let server = Server::new(Arc::new(config), Arc::clone(&ledger));
        let mut stage = Self {
            server,
            ledger,
            now,
            outcomes: VecDeque::new(),
            wanted: Vec::new(),
            token: [0; 8],
            answer: Vec::new(),
            transcript: Vec::new(),
            seats: Vec::new(),
            open: Vec::new(),
            transactions: 0,
        };
        stage.sit("ada", Transport::Udp, "192.0.2.1:3478", "198.51.100.1:4000");
        stage.sit("bob", Transport::Udp, "192.0.2.1:3478", "198.51.100.2:4000");
        stage.sit("cyd", Transport::Udp, "[2001:db8::1]:3478", "[2001:db8:9::3]:4000");
        stage
    }

    /// A further client, with its name as user name.
    pub(super) fn sit(&mut self, name: &'static str, transport: Transport, local: &str, remote: &str) {
        let client = Client { transport, local: local.parse().unwrap(), remote: remote.parse().unwrap() };
        self.seats.push(Seat {
            name,
            client,
            username: name.to_owned(),
            password: name.chars().rev().collect(),
            realm: REALM.to_owned(),
            nonce: String::new(),
            algorithm: None,
            sha256: false,
            hashed: false,
            fingerprint: false,
            last: Vec::new(),
        });
    }

    pub(super) fn seat(&mut self, name: &str) -> &mut Seat {
        self.seats.iter_mut().find(|seat| seat.name == name).expect("a client of this name")
    }

    /// A request that proves who sends it. A client without a nonce gets one first.
    pub(super) fn ask(&mut self, name: &str, method: Method, with: &[With<'_>]) -> Vec<String> {
        let request = self.request(name, method, with);
        self.feed(name, &request)
    }

    /// An Allocate request for UDP.
    pub(super) fn allocate(&mut self, name: &str, with: &[With<'_>]) -> Vec<String> {
        self.ask(name, Method::ALLOCATE, &[&[UDP], with].concat())
    }

    /// An Allocate request that must succeed.
    pub(super) fn allocated(&mut self, name: &str) -> &mut Self {
        let lines = self.allocate(name, &[]);
        assert!(lines.iter().any(|line| line.contains("Allocate success")), "{lines:?}");
        self
    }

    pub(super) fn refresh(&mut self, name: &str, with: &[With<'_>]) -> Vec<String> {
        self.ask(name, Method::REFRESH, with)
    }

    pub(super) fn permit(&mut self, name: &str, peers: &[&str]) -> Vec<String> {
        let peers: Vec<_> = peers.iter().map(|peer| With::Peer(peer)).collect();
        self.ask(name, Method::CREATE_PERMISSION, &peers)
    }

    pub(super) fn bind(&mut self, name: &str, number: u16, peer: &str) -> Vec<String> {
        self.ask(name, Method::CHANNEL_BIND, &[With::Channel(number), With::Peer(peer)])
    }

    /// The same bytes once more.
    pub(super) fn again(&mut self, name: &str) -> Vec<String> {
        let last = self.seat(name).last.clone();
        self.feed(name, &last)
    }

    /// The next request has the same transaction as the last one.
    pub(super) fn rewind(&mut self) {
        self.transactions -= 1;
    }

    /// A request that proves nothing.
    pub(super) fn bare(&mut self, name: &str, method: Method, with: &[With<'_>]) -> Vec<String> {
        let bytes = self.message(Class::Request, method, with, |_| {});
        self.feed(name, &bytes)
    }

    /// A Send indication.
    pub(super) fn send(&mut self, name: &str, peer: &str, data: &[u8]) -> Vec<String> {
        self.indicate(name, &[With::Peer(peer), With::Data(data)])
    }

    pub(super) fn indicate(&mut self, name: &str, with: &[With<'_>]) -> Vec<String> {
        let bytes = self.message(Class::Indication, Method::SEND, with, |_| {});
        self.feed(name, &bytes)
    }

    /// ChannelData without padding.
    pub(super) fn channel(&mut self, name: &str, number: u16, data: &[u8]) -> Vec<String> {
        let length = u16::try_from(data.len()).unwrap();
        let bytes = [&number.to_be_bytes()[..], &length.to_be_bytes(), data].concat();
        self.feed(name, &bytes)
    }

    /// The bytes of a request that proves who sends it.
    pub(super) fn request(&mut self, name: &str, method: Method, with: &[With<'_>]) -> Vec<u8> {
        if self.seat(name).nonce.is_empty() {
            self.bare(name, Method::ALLOCATE, &[UDP, With::Raw(0x8022, b"a client with a long name")]);
        }
        let seat = self.seat(name).clone();
        let bytes = self.message(Class::Request, method, with, |writer| {
            if seat.hashed {
                writer.add(&UserHash(user_hash(&seat.username, &seat.realm)));
            } else {
                writer.add(&Username(&seat.username));
            }
            writer.add(&Realm(&seat.realm)).add(&Nonce(&seat.nonce));
            if let Some(algorithm) = seat.algorithm {
                writer.add(&PasswordAlgorithms::SHA256_MD5).add(&PasswordAlgorithm(algorithm.number()));
            }
            if seat.sha256 {
                writer.integrity_sha256(&seat.key());
            } else {
                writer.integrity_sha1(&seat.key());
            }
            if seat.fingerprint {
                writer.fingerprint();
            }
        });
        self.seat(name).last.clone_from(&bytes);
        bytes
    }

    pub(super) fn message(
        &mut self,
        class: Class,
        method: Method,
        with: &[With<'_>],
        end: impl FnOnce(&mut Writer<'_>),
    ) -> Vec<u8> {
        self.transactions = self.transactions.wrapping_add(1);
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, method, TransactionId([self.transactions; 12]));
        with.iter().for_each(|with| add(&mut writer, with));
        end(&mut writer);
        bytes
    }

    /// Bytes from a client.
    pub(super) fn feed(&mut self, name: &str, bytes: &[u8]) -> Vec<String> {
        let client = self.seat(name).client;
        let outcome = self.server.handle_client(self.now, &client, bytes);
        let mut lines = self.drain(bytes);
        match outcome {
            Ok(None) => {}
            Ok(Some(ToPeer { relay, peer, payload, dont_fragment })) => {
                let data = String::from_utf8_lossy(&bytes[payload]).into_owned();
                let unfragmented = if dont_fragment { " unfragmented" } else { "" };
                let peer = self.name_address(peer);
                lines.push(format!("#{} to {peer}: {data:?}{unfragmented}", relay.index()));
            }
            Err(fault) => lines.push(format!("dropped: {}", fault.label())),
        }
        lines
    }

    /// A datagram from a peer at a relay, by its number.
    pub(super) fn arrive(&mut self, relay: usize, peer: &str, data: &[u8]) -> Vec<String> {
        let id = RelayId(u32::try_from(relay).unwrap());
        let mut lines = Vec::new();
        match self.server.handle_peer(self.now, id, peer.parse().unwrap(), data.len()) {
            Err(fault) => lines.push(format!("dropped: {}", fault.label())),
            Ok(ToClient { client, prefix, padding }) => {
                let mut bytes = [&prefix[..], data].concat();
                bytes.resize(bytes.len() + padding, 0);
                self.transcript.extend_from_slice(&bytes);
                let seat = self.name_client(client);
                lines.push(if bytes[0] < 0x40 {
                    format!(
                        "{seat}: {}",
                        reply::describe(&bytes, None, &|address| self.name_address(address))
                    )
                } else {
                    let (number, data) = channel::parse(&bytes).expect("well-formed ChannelData");
                    let data = String::from_utf8_lossy(data).into_owned();
                    let padding = if padding == 0 { String::new() } else { format!(" + {padding}") };
                    format!("{seat}: channel {number:?} {data:?}{padding}")
                });
            }
        }
        lines
    }

    pub(super) fn icmp(&mut self, relay: usize, peer: &str, kind: u8, code: u8, data: u32) -> Vec<String> {
        let id = RelayId(u32::try_from(relay).unwrap());
        let outcome = self.server.handle_icmp(self.now, id, peer.parse().unwrap(), Icmp { kind, code, data });
        let mut lines = self.drain(&[]);
        lines.extend(outcome.err().map(|fault| format!("dropped: {}", fault.label())));
        lines
    }

    pub(super) fn disconnect(&mut self, name: &str) -> Vec<String> {
        let client = self.seat(name).client;
        self.server.handle_disconnect(&client);
        self.drain(&[])
    }

    /// Time passes, and the server is woken when it wants to be.
    pub(super) fn wait(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        let mut lines = Vec::new();
        while let Some((at, _)) = self.server.poll_timeout()
            && at <= end
        {
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            lines.append(&mut self.drain(&[]));
        }
        self.now = end;
        lines
    }

    /// Time passes, and nobody wakes the server.
    pub(super) fn oversleep(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The port of an open relay.
    pub(super) fn port(&self, relay: u32) -> u16 {
        self.open.iter().find(|(id, _)| id.0 == relay).expect("an open relay").1.port()
    }

    /// What a caller does after each input.
    fn drain(&mut self, request: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Close { relay } => {
                    self.open.retain(|(open, _)| *open != relay);
                    lines.push(format!("close #{}", relay.index()));
                }
                Event::Open { relay, address } => {
                    self.wanted.push(address);
                    self.transcript.extend_from_slice(&address.port().to_be_bytes());
                    let outcome = self.outcomes.pop_front().unwrap_or(Ok(()));
                    let what = match outcome {
                        Ok(()) => "",
                        Err(OpenError::InUse) => ", in use",
                        Err(OpenError::Failed) => ", failed",
                    };
                    lines.push(format!("open #{0} {1}:R{0}{what}", relay.index(), ip(address)));
                    if outcome.is_ok() {
                        self.open.push((relay, address));
                    }
                    self.server.handle_opened(self.now, relay, outcome);
                }
            }
        }
        loop {
            let mut bytes = Vec::new();
            let Some(client) = self.server.poll_transmit(&mut bytes) else { return lines };
            let message = Message::parse(&bytes).expect("a well-formed answer");
            if message.class() != Class::Indication {
                assert_eq!(&bytes[8..20], &request[8..20], "the request's transaction");
            }
            let name = self.name_client(client);
            let seat = self.seats.iter_mut().find(|seat| seat.client == client);
            let key = seat.as_ref().map(|seat| seat.key());
            if let (Some(seat), Ok(Some(nonce))) = (seat, message.get::<Nonce<'_>>()) {
                nonce.0.clone_into(&mut seat.nonce);
            }
            if let Ok(Some(token)) = message.get::<ReservationToken>() {
                self.token = token.0;
            }
            let words = reply::describe(&bytes, key.as_ref(), &|address| self.name_address(address));
            lines.push(format!("{name}: {words}"));
            self.transcript.extend_from_slice(&bytes);
            self.answer = bytes;
        }
    }

    fn name_client(&self, client: Client) -> String {
        match self.seats.iter().find(|seat| seat.client == client) {
            Some(seat) => seat.name.to_owned(),
            None => format!("{:?} {} from {}", client.transport, client.remote, client.local),
        }
    }

    fn name_address(&self, address: SocketAddr) -> String {
        match self.open.iter().find(|(_, open)| open.port() == address.port()) {
            Some((relay, _)) => format!("{}:R{}", ip(address), relay.index()),
            None => address.to_string(),
        }
    }
}

fn ip(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn add(writer: &mut Writer<'_>, with: &With<'_>) {
    match with {
        With::Transport(protocol) => writer.add(&RequestedTransport(*protocol)),
        With::Lifetime(seconds) => writer.add(&Lifetime(Duration::from_secs((*seconds).into()))),
        With::Peer(peer) => writer.add(&XorPeerAddress(peer.parse().unwrap())),
        With::Channel(number) => writer.add(&ChannelNumberAttribute(*number)),
        With::Even => writer.add(&EvenPort { reserve_next: false }),
        With::EvenAndNext => writer.add(&EvenPort { reserve_next: true }),
        With::Token(token) => writer.add(&ReservationToken(*token)),
        With::Family(family) => writer.add_raw(RequestedAddressFamily::TYPE, &[*family, 0, 0, 0]),
        With::Additional(family) => writer.add_raw(AdditionalAddressFamily::TYPE, &[*family, 0, 0, 0]),
        With::DontFragment => writer.add(&DontFragment),
        With::Data(data) => writer.add(&Data(data)),
        With::Raw(kind, value) => writer.add_raw(*kind, value),
    };
}
