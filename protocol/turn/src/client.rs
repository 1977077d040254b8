//! A client of one TURN server (RFC 8656 §5): an allocation with its permissions and channels, kept alive.
//!
//! Call order: [`allocate`](Client::allocate); send everything that [`poll_transmit`](Client::poll_transmit) gives;
//! give what arrives to [`handle_datagram`](Client::handle_datagram) and call
//! [`handle_timeout`](Client::handle_timeout) when [`poll_timeout`](Client::poll_timeout) says; after each of these,
//! take the events and send again. Once allocated, [`permit`](Client::permit) peers, [`bind`](Client::bind) a channel to
//! those that much is sent to, and [`wrap`](Client::wrap) what is for them.
//!
//! One client asks one server over one transport. Who has several servers runs several clients side by side. Over TCP
//! and TLS the caller cuts the stream into frames ([`stun::framing`]) and hands each over as a datagram.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use stun::client::LongTerm;
use stun::transaction::{Schedule, TransactionIds};
use stun::{Class, Message, Method, Writer};
use wire::{Received, Transmit};

use crate::attribute::{Data, Icmp, XorPeerAddress};
use crate::channel::{self, ChannelNumber};

mod failure;
mod keepalive;
mod outcome;
mod peers;
mod request;
#[cfg(test)]
mod tests;

pub use failure::{Counters, Failure, Fault};
use keepalive::Keepalive;
use peers::Peers;
pub use peers::TooManyPeers;
use request::Request;

/// Which relayed addresses to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
    /// One of each; a server that has one only gives that.
    Both,
}

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Datagrams,
    /// TCP or TLS.
    Stream,
}

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The local address to send from.
    pub local: SocketAddr,
    /// The server.
    pub server: SocketAddr,
    /// How it is spoken to.
    pub transport: Transport,
    /// Who we are.
    pub credentials: LongTerm,
    /// Which relayed addresses to ask for.
    pub families: Families,
    /// For how long at a time; without it, what the server likes.
    pub lifetime: Option<Duration>,
    /// What SOFTWARE says; not sent when empty.
    pub software: String,
    /// Secret randomness for transaction identifiers.
    pub seed: [u8; 32],
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is an allocation.
    Allocated {
        /// Our addresses at the server, one of each family at most.
        relayed: Vec<SocketAddr>,
        /// Our address as the server sees it.
        mapped: Option<SocketAddr>,
    },
    /// The server still knows us: what [`Client::refresh`] asked.
    Refreshed,
    /// A peer's address may send to us from now on.
    Permitted(IpAddr),
    /// The server refuses to relay to and from this address.
    Denied(IpAddr),
    /// A peer has a channel from now on.
    Bound(SocketAddr),
    /// Something on the way to this peer, or the peer itself, lost a datagram of ours (RFC 8656 §11.5).
    Icmp(SocketAddr, Icmp),
    /// Another server is to be asked. Over a stream: connect to it and call [`Client::follow`]; over datagrams
    /// that has happened.
    Redirected {
        /// That server.
        server: SocketAddr,
        /// The name its certificate bears, if not the same as the present server's.
        domain: Option<String>,
    },
    /// There is no allocation, or none any more: the end.
    Failed(Failure),
    /// The allocation was given back.
    Closed,
}

/// What the next deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A request is sent once more, or given up.
    Transaction(stun::transaction::Reason),
    /// The allocation is refreshed.
    Refresh,
    /// Permissions or channels are renewed.
    Renewal,
    /// The way to the server is kept open.
    Keepalive,
}

/// A peer's data in what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromPeer {
    /// Who sent it to our relayed address.
    pub peer: SocketAddr,
    /// Where in the datagram it is.
    pub payload: Range<usize>,
}

/// A datagram cannot be sent through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// There is no allocation.
    NoAllocation,
    /// The peer has no permission (yet): [`Client::permit`] it.
    NotPermitted,
    /// Longer than a message can say.
    TooLong,
}

#[derive(Debug)]
enum State {
    Idle,
    Allocating,
    /// What the server still holds for our address, from before, is given back first.
    Clearing,
    /// `refresh` is when, or `None` while it is being refreshed.
    Allocated {
        refresh: Option<Instant>,
    },
    Closing,
    Over,
}

/// The client's state.
#[derive(Debug)]
pub struct Client {
    config: Config,
    stun: stun::client::Client<Request>,
    state: State,
    peers: Peers,
    events: VecDeque<Event>,
    counters: Counters,
    /// For indications.
    ids: TransactionIds,
    keepalive: Keepalive,
    /// An allocation that was there before us was given back once: another one is somebody else's.
    has_cleared: bool,
    /// Whether the outcome of the next Refresh is to be told.
    tells_refresh: bool,
}

impl Client {
    /// A client that has sent nothing yet.
    pub fn new(config: Config) -> Self {
        let schedule = match config.transport {
            Transport::Datagrams => Schedule::DATAGRAMS,
            Transport::Stream => Schedule::STREAM,
        };
        let stun = stun::client::Client::new(stun::client::Config {
            schedule,
            credentials: Some(config.credentials.clone()),
            software: config.software.clone(),
            ..stun::client::Config::new(config.local, config.server, config.seed)
        });
        let mut other_seed = config.seed;
        other_seed[0] ^= 0xff;
        Self {
            stun,
            state: State::Idle,
            peers: Peers::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            ids: TransactionIds::new(&other_seed),
            keepalive: Keepalive::default(),
            has_cleared: false,
            tells_refresh: false,
            config,
        }
    }

    /// Asks for the allocation. Does nothing after the first time.
    pub fn allocate(&mut self, now: Instant) {
        if let State::Idle = self.state {
            self.state = State::Allocating;
            let Config { families, lifetime, .. } = self.config;
            self.ask(now, Request::Allocate { families, lifetime });
        }
    }

    /// Lets a peer's address send to us, for as long as the allocation lives or until it is revoked.
    pub fn permit(&mut self, now: Instant, peer: IpAddr) -> Result<(), TooManyPeers> {
        self.peers.permit(peer)?;
        self.pump(now);
        Ok(())
    }

    /// Gives a peer a channel, and with it permission.
    pub fn bind(&mut self, now: Instant, peer: SocketAddr) -> Result<(), TooManyPeers> {
        self.peers.bind(peer)?;
        self.pump(now);
        Ok(())
    }

    /// Lets a peer's permission and channels run out (within ten minutes: TURN knows no other way).
    pub fn revoke(&mut self, peer: IpAddr) {
        self.peers.revoke(peer);
    }

    /// Asks the server whether it still knows us: [`Event::Refreshed`], or [`Event::Failed`]. Does nothing where there
    /// is no allocation.
    pub fn refresh(&mut self, now: Instant) {
        if let State::Allocated { refresh } = &mut self.state {
            self.tells_refresh = true;
            if refresh.is_some() {
                *refresh = Some(now);
                self.pump(now);
            }
        }
    }

    /// Gives the allocation back.
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Allocated { .. } => {
                self.state = State::Closing;
                self.ask(now, Request::Refresh { lifetime: Some(Duration::ZERO) });
            }
            State::Idle => self.end(Event::Closed),
            // What is granted yet is given back at once.
            State::Allocating | State::Clearing => self.state = State::Closing,
            State::Closing | State::Over => {}
        }
    }

    /// Lets the permissions and channels of all peers run out that are not to be kept.
    pub fn retain(&mut self, keep: &dyn Fn(IpAddr) -> bool) {
        self.peers.retain(keep);
    }

    /// The local address that is sent from.
    pub fn local(&self) -> SocketAddr {
        self.config.local
    }

    /// The present server.
    pub fn server(&self) -> SocketAddr {
        self.stun.server()
    }

    /// What was thrown away, by reason.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The channel to a peer, once bound: four bytes ([`channel::header`]) before each datagram, which
    /// [`wrap`](Self::wrap) would put there.
    pub fn channel(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        self.peers.channel(peer)
    }

    /// Whether data can be sent to this peer's address.
    pub fn is_permitted(&self, peer: IpAddr) -> bool {
        self.peers.is_permitted(peer)
    }

    /// Whether the server refuses to relay to this address.
    pub fn is_denied(&self, peer: IpAddr) -> bool {
        self.peers.is_denied(peer)
    }

    /// Talks to another server from now on, after a redirection over a stream: `local` is the new connection's.
    pub fn follow(&mut self, now: Instant, local: SocketAddr, server: SocketAddr) {
        self.config.local = local;
        self.stun.follow(now, local, server);
        self.state = State::Idle;
        self.allocate(now);
    }

    /// The connection was lost, or the network says that there is no way.
    pub fn handle_unreachable(&mut self, now: Instant) {
        self.stun.handle_unreachable();
        self.settle(now);
        if !matches!(self.state, State::Over) {
            self.end(Event::Failed(Failure::Stun(stun::client::Failure::Unreachable)));
        }
    }

    /// Takes a datagram, or a frame of a stream; says where in it a peer's data is, if it is that.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: Received<'_>,
    ) -> Result<Option<FromPeer>, Fault> {
        let result = self.receive(now, datagram);
        if let Err(fault) = result {
            self.counters.count(fault);
        }
        result
    }

    /// Sends again what must be sent again, and renews what would run out.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.stun.handle_timeout(now);
        self.keepalive.handle_timeout(now);
        self.settle(now);
        self.pump(now);
    }

    /// Appends the next message that must be sent now.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let Self { stun, keepalive, ids, config, .. } = self;
        stun.poll_transmit(now, buffer).or_else(|| {
            keepalive.write(buffer, || ids.next_id()).then(|| Transmit {
                source: config.local,
                destination: stun.server(),
                segment_size: None,
            })
        })
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let transaction = self.stun.poll_timeout().map(|(at, reason)| (at, Reason::Transaction(reason)));
        let State::Allocated { refresh } = self.state else { return transaction };
        let refresh = refresh.map(|at| (at, Reason::Refresh));
        let renewal = self.peers.next_renewal().map(|at| (at, Reason::Renewal));
        let keepalive = self.keepalive.next().map(|at| (at, Reason::Keepalive));
        [transaction, refresh, renewal, keepalive].into_iter().flatten().min()
    }

    /// Appends a datagram for a peer, wrapped for the server: in a channel, or in a Send indication where there is none.
    pub fn wrap(
        &mut self,
        peer: SocketAddr,
        payload: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<Transmit, Unsent> {
        if !matches!(self.state, State::Allocated { .. }) {
            return Err(Unsent::NoAllocation);
        }
        if !self.peers.is_permitted(peer.ip()) {
            return Err(Unsent::NotPermitted);
        }
        let length = u16::try_from(payload.len()).map_err(|_| Unsent::TooLong)?;
        if let Some(number) = self.peers.channel(peer) {
            buffer.extend_from_slice(&channel::header(number, length));
            buffer.extend_from_slice(payload);
            if self.config.transport == Transport::Stream {
                // §12.5: only over streams.
                buffer.resize(buffer.len() + payload.len().wrapping_neg() % 4, 0);
            }
        } else {
            if payload.len() > usize::from(u16::MAX) - 64 {
                return Err(Unsent::TooLong);
            }
            let id = self.ids.next_id();
            Writer::new(buffer, Class::Indication, Method::SEND, id)
                .add(&XorPeerAddress(peer))
                .add(&Data(payload));
        }
        Ok(Transmit { source: self.config.local, destination: self.stun.server(), segment_size: None })
    }

    fn receive(&mut self, now: Instant, datagram: Received<'_>) -> Result<Option<FromPeer>, Fault> {
        if (datagram.source, datagram.destination) != (self.stun.server(), self.config.local) {
            return Err(Fault::NotTheServer);
        }
        // RFC 7983: 64 to 79 are channels.
        if let Some(0x40..=0x4f) = datagram.bytes.first() {
            let (number, data) = channel::parse(datagram.bytes).ok_or(Fault::BadChannel)?;
            let peer = self.peers.peer(number).ok_or(Fault::BadChannel)?;
            let payload = channel::HEADER_LEN..channel::HEADER_LEN + data.len();
            return Ok(Some(FromPeer { peer, payload }));
        }
        if let Ok(message) = Message::parse(datagram.bytes)
            && message.class() == Class::Indication
        {
            return self.indicated(&message);
        }
        let result = self.stun.handle_datagram(now, datagram).map_err(Fault::Stun);
        self.settle(now);
        self.pump(now);
        result.map(|()| None)
    }

    /// RFC 8656 §11.4, §11.6.
    fn indicated(&mut self, message: &Message<'_>) -> Result<Option<FromPeer>, Fault> {
        let peer = message.get::<XorPeerAddress>().ok().flatten().ok_or(Fault::BadIndication)?.0;
        if message.method() != Method::DATA {
            return Err(Fault::BadIndication);
        }
        if !self.peers.is_known(peer.ip()) {
            return Err(Fault::NotPermitted);
        }
        if let Ok(Some(icmp)) = message.get::<Icmp>() {
            if self.events.len() < peers::MAX_PEERS {
                self.events.push_back(Event::Icmp(peer, icmp));
            }
            return Ok(None);
        }
        let data =
            message.attributes().find(|attribute| attribute.kind == <Data<'_> as stun::Attribute<'_>>::TYPE);
        let payload = data.ok_or(Fault::BadIndication)?.value_range();
        Ok(Some(FromPeer { peer, payload }))
    }

    /// Asks for what is due.
    fn pump(&mut self, now: Instant) {
        let State::Allocated { refresh } = &mut self.state else { return };
        if refresh.is_some_and(|at| at <= now) {
            *refresh = None;
            let lifetime = self.config.lifetime;
            self.ask(now, Request::Refresh { lifetime });
        }
        while let Some(ips) = self.peers.next_permissions(now) {
            let peers = ips.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            self.ask(now, Request::CreatePermission { peers });
        }
        while let Some((number, peer)) = self.peers.next_channel(now) {
            self.ask(now, Request::ChannelBind { number, peer });
        }
    }

    fn ask(&mut self, now: Instant, request: Request) {
        // Two for the allocation, four for permissions and four for channels: the limit is ten.
        let asked = self.stun.request(now, request);
        debug_assert!(asked.is_ok(), "requests are bounded");
    }

    fn end(&mut self, event: Event) {
        self.state = State::Over;
        self.keepalive.end();
        self.stun.handle_unreachable();
        while self.stun.poll_event().is_some() {}
        self.events.push_back(event);
    }
}
