//! Legs over TCP (RFC 6544): where UDP does not get through, a peer connects to the port that has the number of the UDP one.
//!
//! A connection is accepted elsewhere (`super::doorway`), and comes with its first frame, which says whose it is. From then on it is the
//! worker's. How bytes are cut into datagrams (RFC 4571) the peer connection knows. One that takes no more bytes for the
//! moment is given none: what is forwarded to its leg waits in the leg's own pacer, is bounded there, and is lost to this one
//! leg where that is full.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::{Interest, Registry, Token};
use peer::StreamId;
use tokio::sync::oneshot;

use super::legs::{Leg, LegId};
use super::worker::Worker;

/// Tokens of connections: beyond those of sockets.
const FIRST: usize = 1 << 16;

/// How often one connection is read before everything else has its turn, and bytes read at once.
const ROUNDS: usize = 4;
const READ: usize = 1 << 16;

/// A connection, and the first frame that came over it.
pub(super) struct Arrival {
    pub(super) stream: std::net::TcpStream,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// All that was read, with the frame's length before it.
    pub(super) first: Vec<u8>,
    /// Our fragment, by the frame's user name.
    pub(super) fragment: Box<str>,
    /// Dropped with the connection.
    pub(super) held: oneshot::Sender<()>,
}

/// One leg's connection.
pub(super) struct Pipe {
    stream: mio::net::TcpStream,
    leg: LegId,
    id: StreamId,
    /// What the system has not taken yet: at most what the peer connection gives at once.
    rest: Vec<u8>,
    _held: oneshot::Sender<()>,
}

/// All connections of a worker.
pub(super) struct Pipes {
    registry: Registry,
    places: Vec<Option<Pipe>>,
    /// Those that nobody has.
    free: Vec<usize>,
    most: usize,
    buffer: Vec<u8>,
    /// Bytes that were received and sent over all of them.
    pub(super) received: u64,
    pub(super) sent: u64,
    /// How often one took no more for the moment.
    pub(super) blocked: u64,
}

impl Pipes {
    /// Room for so many.
    pub(super) fn new(registry: Registry, most: usize) -> Self {
        let (places, free, buffer) = (Vec::new(), Vec::new(), Vec::new());
        Self { registry, places, free, most, buffer, received: 0, sent: 0, blocked: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The place of a connection that something has happened on.
    pub(super) fn place(token: usize) -> Option<usize> {
        token.checked_sub(FIRST)
    }

    /// Keeps one; its place, if there may be one more.
    fn put(&mut self, mut pipe: Pipe) -> Option<usize> {
        let place = self.free.last().copied().unwrap_or(self.places.len());
        if place >= self.most {
            return None;
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut pipe.stream, Token(FIRST + place), interest).ok()?;
        match self.free.pop() {
            Some(place) => self.places[place] = Some(pipe),
            None => self.places.push(Some(pipe)),
        }
        Some(place)
    }

    /// Closes one.
    fn close(&mut self, place: usize) {
        let Some(mut pipe) = self.places.get_mut(place).and_then(Option::take) else { return };
        self.free.push(place);
        // What the system does not know any more it need not forget.
        let _ = self.registry.deregister(&mut pipe.stream);
    }

    /// Closes one of a leg's.
    pub(super) fn close_one(&mut self, leg: &mut Leg, id: StreamId) {
        if let Some(at) = leg.pipes.iter().position(|(known, _)| *known == id) {
            self.close(leg.pipes.swap_remove(at).1);
        }
    }

    /// Closes all of a leg's.
    pub(super) fn close_all(&mut self, leg: &mut Leg) {
        for (_, place) in leg.pipes.drain(..) {
            self.close(place);
        }
    }

    /// Closes every one.
    pub(super) fn clear(&mut self) {
        for place in 0..self.places.len() {
            self.close(place);
        }
    }

    /// Sends what a leg has to send over its connections.
    pub(super) fn send_all(&mut self, now: Instant, leg: &mut Leg) {
        if leg.pipes.is_empty() {
            return;
        }
        let Leg { peer, pipes, .. } = leg;
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            buffer.clear();
            let Some(id) = peer.poll_stream(now, &mut buffer) else { break };
            let place = pipes.iter().find(|(known, _)| *known == id).map(|(_, place)| *place);
            let pipe = place.and_then(|place| self.places.get_mut(place)).and_then(Option::as_mut);
            let Some(pipe) = pipe else { continue };
            match pipe.write(&buffer) {
                Ok(taken) => {
                    self.sent += taken as u64;
                    if !pipe.rest.is_empty() {
                        self.blocked += 1;
                        peer.set_stream_ready(id, false);
                    }
                }
                // Reading finds out, too, and tells the peer connection.
                Err(_) => peer.set_stream_ready(id, false),
            }
        }
        self.buffer = buffer;
    }
}

impl Pipe {
    /// Writes as much as the system takes, and keeps the rest.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while !bytes.is_empty() && self.rest.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    taken += count;
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.rest.extend_from_slice(bytes);
        Ok(taken)
    }

    /// Writes what is left from before; true once nothing is.
    fn flush(&mut self) -> io::Result<bool> {
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest)?;
        Ok(self.rest.is_empty())
    }
}

impl Worker {
    /// Takes a connection of a leg's; given back where it is none of this worker's.
    pub(super) fn take_arrival(&mut self, now: Instant, arrival: Box<Arrival>) -> Option<Box<Arrival>> {
        let Some(number) = self.legs.of_fragment(&arrival.fragment) else { return Some(arrival) };
        let Arrival { stream, local, remote, mut first, held, .. } = *arrival;
        let leg = self.legs.get_mut(number)?;
        let id = leg.peer.handle_accepted(now, local, remote)?;
        let stream = mio::net::TcpStream::from_std(stream);
        let pipe = Pipe { stream, leg: number, id, rest: Vec::new(), _held: held };
        let Some(place) = self.pipes.put(pipe) else {
            leg.peer.handle_disconnected(now, id);
            return None;
        };
        leg.pipes.push((id, place));
        // A fault is counted by the connection.
        let _ = leg.peer.handle_stream(now, id, &mut first);
        self.feed.touch(number);
        // What has come since is not announced again.
        self.unfinished.push(FIRST + place);
        None
    }

    /// Something has happened on a connection.
    pub(super) fn attend(&mut self, now: Instant, place: usize) {
        let Some(Some(pipe)) = self.pipes.places.get_mut(place) else { return };
        let (number, id) = (pipe.leg, pipe.id);
        let flushed = if pipe.rest.is_empty() { Ok(true) } else { pipe.flush() };
        let Some(leg) = self.legs.get_mut(number) else {
            return self.pipes.close(place);
        };
        leg.peer.set_stream_ready(id, matches!(flushed, Ok(true)));
        self.feed.touch(number);
        let is_over = flushed.is_err() || !self.read_pipe(now, place, (number, id));
        if let Some(leg) = self.legs.get_mut(number).filter(|_| is_over) {
            self.pipes.close_one(leg, id);
            leg.peer.handle_disconnected(now, id);
        }
    }

    /// Reads what has come; false once nothing will any more.
    fn read_pipe(&mut self, now: Instant, place: usize, (number, id): (LegId, StreamId)) -> bool {
        let mut arena = std::mem::take(&mut self.arena);
        let mut is_open = true;
        for round in 0..ROUNDS {
            let Some(Some(pipe)) = self.pipes.places.get_mut(place) else { break };
            let Some(buffer) = arena.get_mut(..READ) else { break };
            match pipe.stream.read(buffer) {
                Ok(0) => is_open = false,
                Ok(count) => {
                    self.pipes.received += count as u64;
                    let Some(leg) = self.legs.get_mut(number) else { break };
                    // A fault is counted by the connection, which has this one closed where nothing can come of it.
                    let _ = leg.peer.handle_stream(now, id, buffer.get_mut(..count).unwrap_or_default());
                    self.forward(now, number);
                    if round + 1 == ROUNDS {
                        self.unfinished.push(FIRST + place);
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => is_open = error.kind() == io::ErrorKind::WouldBlock,
            }
            break;
        }
        self.arena = arena;
        is_open
    }
}
