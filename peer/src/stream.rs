//! Connections over TCP and TLS: to TURN servers (RFC 8656 §2.1), and between peers (ICE-TCP, RFC 6544).
//!
//! The driver opens, accepts and closes them, and moves bytes; how the bytes are cut into datagrams is known here. What
//! is to be sent waits here while the driver says that a connection takes no more: datagrams beyond a bound are dropped,
//! as a full link would, and data of channels stays where it is.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::gather::{RelayKey, same};
use crate::limits;

pub(crate) mod framing;

use framing::Framing;

/// A connection between peers that brings nothing for so long is closed: on the one in use consent is asked for every
/// few seconds, and one that a stranger has opened must prove itself.
const IDLE: Duration = Duration::from_secs(60);
const UNPROVEN: Duration = Duration::from_secs(10);

/// Names a TCP or TLS connection, whoever opened it, whatever it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

/// How a connection is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamSecurity {
    /// Not at all: what it carries is.
    Plain,
    /// By TLS.
    Tls {
        /// The name that the server's certificate must bear.
        domain: Box<str>,
    },
}

/// What goes over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// Messages between us and a TURN server.
    Relay(RelayKey),
    /// Datagrams between us and the peer, over a connection that ICE asked for, or that was accepted.
    Ice(Option<ice::ConnectionId>),
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) carries: Carries,
    /// None while it opens.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) remote: SocketAddr,
    /// A frame that has not come whole.
    pub(crate) partial: Vec<u8>,
    /// What is to be sent, framed.
    pub(crate) queue: Vec<u8>,
    /// Whether the driver takes more.
    pub(crate) is_ready: bool,
    /// When it is closed unless something comes; not for relays, whose servers are asked.
    idle: Option<Instant>,
}

impl Stream {
    pub(crate) fn framing(&self) -> Framing {
        match self.carries {
            Carries::Relay(_) => Framing::Turn,
            Carries::Ice(_) => Framing::Rfc4571,
        }
    }

    /// Whether it is the one between these addresses, between us and the peer.
    pub(crate) fn is_between(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        matches!(self.carries, Carries::Ice(_))
            && self.local.is_some_and(|own| same(own, local))
            && same(self.remote, remote)
    }

    pub(crate) fn can_send(&self) -> bool {
        self.is_ready && self.local.is_some()
    }

    /// Queues a datagram between peers.
    pub(crate) fn push(&mut self, payload: &[u8]) {
        if self.has_room()
            && let Ok(length) = u16::try_from(payload.len())
        {
            self.queue.extend_from_slice(&length.to_be_bytes());
            self.queue.extend_from_slice(payload);
        }
    }

    /// Whether another datagram may be queued.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < limits::STREAM_QUEUE
    }

    /// Something came that is the peer's.
    pub(crate) fn proved(&mut self, now: Instant) {
        self.idle = self.idle.map(|_| now + IDLE);
    }
}

/// What the driver is to do.
#[derive(Debug)]
pub(crate) enum Event {
    Connect { id: StreamId, local: Option<IpAddr>, remote: SocketAddr, security: StreamSecurity },
    Disconnect(StreamId),
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    list: Vec<Stream>,
    next: u32,
    events: VecDeque<Event>,
}

impl Streams {
    /// Has the driver open one; false: there are too many.
    pub(crate) fn open(
        &mut self,
        carries: Carries,
        local: Option<IpAddr>,
        remote: SocketAddr,
        security: StreamSecurity,
    ) -> bool {
        let Some(id) = self.add(carries, None, remote, None) else { return false };
        self.events.push_back(Event::Connect { id, local, remote, security });
        true
    }

    /// Takes one that a peer has opened; none: there are too many.
    pub(crate) fn accept(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Option<StreamId> {
        self.add(Carries::Ice(None), Some(local), remote, Some(now + UNPROVEN))
    }

    fn add(
        &mut self,
        carries: Carries,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        idle: Option<Instant>,
    ) -> Option<StreamId> {
        if self.list.len() >= limits::STREAMS {
            return None;
        }
        self.next = self.next.wrapping_add(1);
        let id = StreamId(self.next);
        let (partial, queue) = (Vec::new(), Vec::new());
        self.list.push(Stream { id, carries, local, remote, partial, queue, is_ready: true, idle });
        Some(id)
    }

    /// One is open.
    pub(crate) fn connected(&mut self, now: Instant, id: StreamId, local: SocketAddr) -> Option<Carries> {
        let stream = self.get_mut(id).filter(|stream| stream.local.is_none())?;
        stream.local = Some(local);
        stream.idle = matches!(stream.carries, Carries::Ice(_)).then(|| now + IDLE);
        Some(stream.carries)
    }

    /// One is closed, by whomever.
    pub(crate) fn remove(&mut self, id: StreamId) -> Option<Stream> {
        let index = self.list.iter().position(|stream| stream.id == id)?;
        Some(self.list.swap_remove(index))
    }

    /// Has the driver close one.
    pub(crate) fn close(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.remove(id)?;
        self.events.push_back(Event::Disconnect(id));
        Some(stream)
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.list.iter_mut().find(|stream| stream.id == id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.list.iter_mut()
    }

    /// The one that a relay is reached over.
    pub(crate) fn of_relay(&mut self, key: RelayKey) -> Option<&mut Stream> {
        self.list.iter_mut().find(|stream| stream.carries == Carries::Relay(key))
    }

    /// The one between these addresses, between us and the peer.
    pub(crate) fn between(&mut self, local: SocketAddr, remote: SocketAddr) -> Option<&mut Stream> {
        self.list.iter_mut().find(|stream| stream.is_between(local, remote))
    }

    /// Those that have brought nothing for too long.
    pub(crate) fn idle(&self, now: Instant) -> Vec<StreamId> {
        let is_idle = |stream: &&Stream| stream.idle.is_some_and(|idle| idle <= now);
        self.list.iter().filter(is_idle).map(|stream| stream.id).collect()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.list.iter().filter_map(|stream| stream.idle).min()
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
