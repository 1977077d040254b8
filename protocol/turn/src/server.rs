//! The relay as a state machine: bytes and time in, bytes and events out (RFC 8656).
//!
//! [`Server`] also answers Binding requests (RFC 8489, RFC 5780), because they arrive at the same port.
//!
//! # Call order
//!
//! After each `handle_…` call, drain [`poll_event`](Server::poll_event) (open and close relay
//! sockets, answering each [`Event::Open`] with [`handle_opened`](Server::handle_opened)), then
//! [`poll_transmit`](Server::poll_transmit). Call [`handle_timeout`](Server::handle_timeout) at the time
//! that [`poll_timeout`](Server::poll_timeout) names.
//!
//! Relayed data never waits in a queue: [`handle_client`](Server::handle_client) and
//! [`handle_peer`](Server::handle_peer) return what to send and where, and the caller sends it from
//! the buffer it was received in.
//!
//! # What is not followed
//!
//! - DTLS between client and server (RFC 8656 §2.1, a SHOULD): no browser offers it.
//! - DSCP, ECN and DF of an incoming datagram are not copied to the outgoing one (RFC 8656 §14,
//!   preferred behaviour): what a batch has in common matters more; the alternate behaviour is followed.
//! - An answer to a sender that has not proven who it is stays below one and a half times what it sent. It
//!   leaves out, until it fits: SOFTWARE always, the reason phrase, PASSWORD-ALGORITHMS with the nonce's
//!   cookie and FINGERPRINT (RFC 8489 §9.2.4: such a client is left with MD5), and of a Binding answer
//!   MAPPED-ADDRESS, RESPONSE-ORIGIN, OTHER-ADDRESS and PADDING (RFC 5780 §6.1). A longer request gets them:
//!   every attribute counts, SOFTWARE too. What cannot be made to fit is not sent.
//!
//! # Error codes that belong elsewhere
//!
//! 405 (Mobility Forbidden) is of RFC 8016, 446 and 447 (Connection Already Exists, Connection Timeout or
//! Failure) are of TCP allocations, RFC 6062. RFC 8656 answers none of them; who asks for a TCP allocation
//! gets 442.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use stun::{Message, Method};
use wire::Table;

use crate::attribute::Icmp;

mod address;
mod allocate;
mod allocation;
mod answer;
mod authenticate;
mod binding;
mod change;
mod config;
mod fault;
mod ledger;
mod nonce;
mod random;
mod relay;
#[cfg(test)]
mod tests;

pub use address::{PeerPolicy, is_denied_by_default};
pub use authenticate::Credentials;
pub use binding::Discovery;
pub use config::{Alternate, Config, ConfigError, MAX_REALM_LEN, RelayIp};
pub use fault::{Counters, Fault};
pub use ledger::{Ledger, Limits};
pub use relay::{Prefix, ToClient, ToPeer};

use allocation::{Allocation, Relay};
use nonce::Nonces;
use random::Random;

/// How a client's messages reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

/// The 5-tuple that names an allocation (RFC 8656 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// How it speaks to us.
    pub transport: Transport,
    /// Our address, never unspecified.
    pub local: SocketAddr,
    /// Its address.
    pub remote: SocketAddr,
}

/// Names a relay socket between server and caller. Small numbers that are used again after
/// [`Event::Close`], fit to index a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId(u32);

impl RelayId {
    /// The name of an index that [`index`](Self::index) gave.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the caller must do with its sockets, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bind a UDP socket to `address`, then call [`Server::handle_opened`].
    Open {
        /// Its name from now on.
        relay: RelayId,
        /// The local address to bind.
        address: SocketAddr,
    },
    /// Close the socket. Nothing more may be handed in for it.
    Close {
        /// Its name until now.
        relay: RelayId,
    },
}

/// Why a relay socket could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another program has the port: the server tries another one.
    InUse,
    /// No socket can be had for this address at all: out of descriptors, no such address.
    Failed,
}

/// What [`Server::poll_timeout`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The allocation that ends first, unless it is refreshed.
    AllocationExpires,
}

/// Answers that wait for [`Server::poll_transmit`] at the same time; more are dropped and counted.
const MAX_WAITING_ANSWERS: usize = 1024;

/// A TURN and STUN server without sockets.
///
/// ```
/// # use twocan_turn::server;
/// # use std::{sync::Arc, time::{Duration, Instant}};
/// use server::{Client, Config, Ledger, Limits, Server, Transport};
///
/// let now = Instant::now();
/// let config = Config::new("example", now, Duration::from_secs(1_700_000_000), [7; 32]).unwrap();
/// let ledger = Ledger::new(Limits::default(), now);
/// let mut server = Server::new(Arc::new(config), Arc::new(ledger));
///
/// // A Binding request comes in, its answer goes out.
/// let client = Client {
///     transport: Transport::Udp,
///     local: "192.0.2.1:3478".parse().unwrap(),
///     remote: "198.51.100.7:50000".parse().unwrap(),
/// };
/// let request = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/// server.handle_client(now, &client, &request).unwrap();
/// let mut answer = Vec::new();
/// assert_eq!(server.poll_transmit(&mut answer), Some(client));
/// assert_eq!(answer.len(), 32);
/// ```
pub struct Server {
    config: Arc<Config>,
    ledger: Arc<Ledger>,
    random: Random,
    nonces: Nonces,
    clients: Table<Client, u32>,
    allocations: Slab<Allocation>,
    relays: Slab<Relay>,
    /// When which relay ends.
    expiries: BTreeSet<(Instant, RelayId)>,
    events: VecDeque<Event>,
    answers: VecDeque<(Client, Range<usize>)>,
    answer_bytes: Vec<u8>,
    counters: Counters,
}

impl Server {
    /// A server without allocations. Several servers that share the `ledger` share its limits, ports and
    /// reservations: one per thread.
    pub fn new(config: Arc<Config>, ledger: Arc<Ledger>) -> Self {
        let random = Random::new(&config.secret, ledger.next_machine());
        let limit = ledger.limits().allocations;
        Self {
            clients: Table::new(limit, random.table_seed()),
            nonces: Nonces::new(&config.secret, config.nonce_lifetime, config.features()),
            config,
            ledger,
            random,
            allocations: Slab::default(),
            relays: Slab::default(),
            expiries: BTreeSet::new(),
            events: VecDeque::new(),
            answers: VecDeque::new(),
            answer_bytes: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// A datagram, or one frame of a stream, from a client. `Ok(Some(…))` says what of it to send to
    /// which peer.
    ///
    /// A fault is already counted; the caller drops the datagram (and may close a stream that sent
    /// [`Fault::NotStun`]).
    pub fn handle_client(
        &mut self,
        now: Instant,
        client: &Client,
        bytes: &[u8],
    ) -> Result<Option<ToPeer>, Fault> {
        let outcome = match bytes.first().map(|first| first >> 6) {
            Some(0) => self.handle_stun(now, client, bytes),
            Some(1) => self.relay_channel_data(now, client, bytes).map(Some),
            _ => Err(Fault::NotStun),
        };
        outcome.inspect_err(|fault| self.counters.count(*fault))
    }

    fn handle_stun(&mut self, now: Instant, client: &Client, bytes: &[u8]) -> Result<Option<ToPeer>, Fault> {
        use stun::Class::{Indication, Request};
        let message = Message::parse(bytes).map_err(|_| Fault::Malformed)?;
        if message.has_fingerprint() && !message.has_valid_fingerprint() {
            return Err(Fault::BadFingerprint);
        }
        // What has ended is gone, even if the caller is late.
        self.handle_timeout(now);
        match (message.class(), message.method()) {
            (Request, Method::BINDING) => self.answer_binding(client, &message),
            (Request, Method::ALLOCATE) => self.handle_allocate(now, client, &message),
            (Request, Method::REFRESH) => self.handle_refresh(now, client, &message),
            (Request, Method::CREATE_PERMISSION) => self.handle_create_permission(now, client, &message),
            (Request, Method::CHANNEL_BIND) => self.handle_channel_bind(now, client, &message),
            (Indication, Method::SEND) => return self.relay_send(now, client, &message).map(Some),
            // Keeps a NAT binding alive; no answer (RFC 8489 §6.3.2).
            (Indication, Method::BINDING) => Ok(()),
            (Request | Indication, _) => Err(Fault::UnknownMethod),
            // Nobody asked anything of us that we would have to hear the answer to.
            _ => Err(Fault::UnexpectedClass),
        }?;
        Ok(None)
    }

    /// A datagram of `length` bytes from a peer at a relay socket: what to put before it and where to send it.
    pub fn handle_peer(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        length: usize,
    ) -> Result<ToClient, Fault> {
        self.relay_to_client(now, relay, peer, length).inspect_err(|fault| self.counters.count(*fault))
    }

    /// An ICMP error about a datagram that a relay socket sent to `peer` (RFC 8656 §11.5).
    pub fn handle_icmp(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        icmp: Icmp,
    ) -> Result<(), Fault> {
        self.relay_icmp(now, relay, peer, icmp).inspect_err(|fault| self.counters.count(*fault))
    }

    /// A client's stream ended, and its allocation with it (RFC 8656 §3.1: the 5-tuple is gone).
    pub fn handle_disconnect(&mut self, client: &Client) {
        if let Some(index) = self.clients.get(client).copied() {
            self.remove_allocation(index);
        }
    }

    /// Ends what has expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((expiry, relay)) = self.expiries.first().copied()
            && expiry <= now
        {
            self.counters.expired += 1;
            self.close_relay(relay);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.expiries.first().map(|(expiry, _)| (*expiry, Reason::AllocationExpires))
    }

    /// The next thing to do with relay sockets.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Appends the next answer to `buffer` and says to whom, and from which of our addresses, to send it.
    pub fn poll_transmit(&mut self, buffer: &mut Vec<u8>) -> Option<Client> {
        let (client, range) = self.answers.pop_front()?;
        buffer.extend_from_slice(&self.answer_bytes[range]);
        if self.answers.is_empty() {
            self.answer_bytes.clear();
        }
        Some(client)
    }

    /// What has happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many allocations there are now.
    pub fn allocations(&self) -> usize {
        self.clients.len()
    }

    fn allocation_of(&self, client: &Client) -> Option<(u32, &Allocation)> {
        let index = *self.clients.get(client)?;
        Some((index, self.allocations.get(index)?))
    }
}

/// Entries with small, reused indices.
struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn insert(&mut self, entry: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.entries[index as usize] = Some(entry);
            return index;
        }
        self.entries.push(Some(entry));
        u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
    }

    fn get(&self, index: u32) -> Option<&T> {
        self.entries.get(index as usize)?.as_ref()
    }

    fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.entries.get_mut(index as usize)?.as_mut()
    }

    fn remove(&mut self, index: u32) -> Option<T> {
        let entry = self.entries.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(entry)
    }
}
