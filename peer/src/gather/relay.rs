//! One relay: an allocation at a TURN server, and the way of datagrams through it (RFC 8656 §9, §11, §12).
//!
//! What goes through it is wrapped where it is made, in front of the payload in the caller's buffer, once the peer has a
//! channel; before that it is copied into a Send indication. Nothing can be sent to an address that has no permission:
//! the few checks that come too early wait for it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use turn::channel::{self, ChannelNumber};
use turn::client::{Client, Reason, Transport, Unsent};
use wire::{Received, Transmit};

use super::{Base, Heard, same};
use crate::fault::Fault;
use crate::limits;
use crate::server::{IceServer, ServerTransport};

/// Names a relay while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RelayKey(pub(super) u32);

/// A datagram that waits for a permission.
#[derive(Debug)]
struct Held {
    peer: SocketAddr,
    payload: Vec<u8>,
}

/// What the server has lent.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    /// Its addresses, one of each family at most.
    pub(super) relayed: Vec<SocketAddr>,
    pub(super) mapped: Option<SocketAddr>,
    pub(super) since: Instant,
}

#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) key: RelayKey,
    pub(super) server: Arc<IceServer>,
    /// The socket; none over a stream.
    pub(super) base: Option<Base>,
    /// None while the connection opens for the first time.
    pub(super) client: Option<Client>,
    pub(super) lent: Option<Lent>,
    /// Whether the present round asks for it.
    pub(super) is_wanted: bool,
    /// Whether the present round waits for it.
    pub(super) is_awaited: bool,
    /// It is being given back.
    pub(super) is_closing: bool,
    /// Where a redirection over a stream has led to.
    pub(super) redirected: Option<SocketAddr>,
    held: VecDeque<Held>,
    /// Permitted by now, to be sent.
    released: VecDeque<Held>,
}

impl Relay {
    pub(super) fn new(
        key: RelayKey,
        server: Arc<IceServer>,
        base: Option<Base>,
        client: Option<Client>,
    ) -> Self {
        Self {
            key,
            server,
            base,
            client,
            lent: None,
            is_wanted: true,
            is_awaited: true,
            is_closing: false,
            redirected: None,
            held: VecDeque::new(),
            released: VecDeque::new(),
        }
    }

    /// A round begins: nobody has asked for it yet.
    pub(super) fn forsake(&mut self) {
        (self.is_wanted, self.is_awaited) = (false, false);
    }

    pub(super) fn close(&mut self, now: Instant) {
        (self.is_closing, self.is_wanted) = (true, false);
        self.client.iter_mut().for_each(|client| client.close(now));
    }

    pub(crate) fn is_on_stream(&self) -> bool {
        self.server.transport != ServerTransport::Udp
    }

    /// Whether these are its socket and its server.
    pub(super) fn is_between(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let is_ours = self.base.is_some_and(|base| same(base.address, local));
        is_ours && self.client.as_ref().is_some_and(|client| same(client.server(), remote))
    }

    pub(super) fn is_at(&self, address: SocketAddr) -> bool {
        self.lent.as_ref().is_some_and(|lent| lent.relayed.iter().any(|relayed| same(*relayed, address)))
    }

    /// Our address for a peer of this one's family.
    fn relayed_for(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let mut relayed = self.lent.iter().flat_map(|lent| lent.relayed.iter().copied());
        relayed.find(|relayed| relayed.is_ipv4() == peer.is_ipv4())
    }

    /// What is in a datagram or frame from the server.
    pub(super) fn hear(&mut self, now: Instant, bytes: &mut [u8]) -> Result<Heard, Fault> {
        use stun::client::Fault::{NotAnAnswer, NotStun, UnknownTransaction};
        use turn::client::Fault as Turn;
        let Some(client) = &mut self.client else { return Ok(Heard::NotOurs) };
        let (source, destination) = (client.server(), client.local());
        match client.handle_datagram(now, Received { source, destination, bytes }) {
            Ok(Some(from)) => {
                let relayed = self.relayed_for(from.peer).ok_or(Fault::Stranger)?;
                Ok(Heard::Data { peer: from.peer, relayed, payload: from.payload })
            }
            Ok(None) => Ok(Heard::Done),
            Err(Turn::Stun(NotAnAnswer | NotStun(_) | UnknownTransaction)) => Ok(Heard::NotOurs),
            Err(fault) => Err(Fault::Turn(fault)),
        }
    }

    /// Lets a peer's address send to us. Where there are too many, those that `keep` does not name make room.
    pub(crate) fn permit(&mut self, now: Instant, peer: IpAddr, keep: &dyn Fn(IpAddr) -> bool) {
        let has_family = |lent: &Lent| lent.relayed.iter().any(|relayed| relayed.is_ipv4() == peer.is_ipv4());
        if let Some(client) = &mut self.client
            && self.lent.as_ref().is_some_and(has_family)
            && client.permit(now, peer).is_err()
        {
            client.retain(keep);
            // Those that are kept are as many as there is room for: this one is left out.
            let _ = client.permit(now, peer);
        }
    }

    /// Gives a peer a channel.
    pub(crate) fn bind(&mut self, now: Instant, peer: SocketAddr) {
        if let Some(client) = &mut self.client {
            // Without a channel there still are Send indications.
            let _ = client.bind(now, peer);
        }
    }

    /// The channel to a peer, once it is bound.
    pub(crate) fn channel(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        self.client.as_ref()?.channel(peer)
    }

    /// From where and to where its datagrams go.
    pub(crate) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.client.as_ref().map(|client| (client.local(), client.server()))
    }

    /// Appends a datagram for a peer, wrapped; none: it waits for a permission, or is dropped for want of one.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        payload: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let client = self.client.as_mut()?;
        match client.wrap(peer, payload, buffer) {
            Ok(transmit) => return Some(transmit),
            Err(Unsent::NotPermitted) if !client.is_denied(peer.ip()) => {}
            Err(_) => return None,
        }
        // No room for another peer: its checks come to nothing.
        client.permit(now, peer.ip()).ok()?;
        if self.held.len() < limits::HELD_DATAGRAMS {
            self.held.push_back(Held { peer, payload: payload.to_vec() });
        }
        None
    }

    /// What waited for this address can be sent.
    pub(super) fn release(&mut self, peer: IpAddr) {
        for held in std::mem::take(&mut self.held) {
            let queue = if held.peer.ip() == peer { &mut self.released } else { &mut self.held };
            queue.push_back(held);
        }
    }

    /// What waited for this address never can be.
    pub(super) fn discard(&mut self, peer: IpAddr) {
        self.held.retain(|held| held.peer.ip() != peer);
    }

    /// Appends the next thing for the server.
    pub(crate) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let client = self.client.as_mut()?;
        if let Some(transmit) = client.poll_transmit(now, buffer) {
            return Some(transmit);
        }
        while let Some(Held { peer, payload }) = self.released.pop_front() {
            if let Ok(transmit) = client.wrap(peer, &payload, buffer) {
                return Some(transmit);
            }
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        self.client.as_ref()?.poll_timeout()
    }
}

/// Writes the header of ChannelData into the first bytes of `segment`, whose rest is the data.
pub(crate) fn write_channel_header(number: ChannelNumber, segment: &mut [u8]) {
    if let Some((header, data)) = segment.split_first_chunk_mut::<{ channel::HEADER_LEN }>() {
        // A datagram's length has sixteen bits.
        *header = channel::header(number, data.len() as u16);
    }
}

/// How the client is to speak to the server.
pub(super) fn transport(server: &IceServer) -> Transport {
    match server.transport {
        ServerTransport::Udp => Transport::Datagrams,
        ServerTransport::Tcp | ServerTransport::Tls => Transport::Stream,
    }
}
