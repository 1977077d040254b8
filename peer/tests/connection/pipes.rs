//! Connections over TCP in virtual time: bytes arrive in order, after a while, cut anywhere.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use twocan_peer::StreamId;

/// How long bytes take one way.
const DELAY: Duration = Duration::from_millis(10);

/// Who is at one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Peer(usize, StreamId),
    Server(usize),
}

#[derive(Debug)]
pub(crate) struct Pipe {
    /// Who has opened it, and to whom.
    pub(crate) parties: [Party; 2],
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// What arrives.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// A connection is asked for.
    Ask {
        end: usize,
        id: StreamId,
        local: SocketAddr,
        remote: SocketAddr,
    },
    /// It was accepted.
    Accepted(usize, StreamId, SocketAddr),
    /// It was refused, or is closed.
    Closed(usize, StreamId),
    Bytes {
        from: SocketAddr,
        to: Party,
        bytes: Vec<u8>,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Pipes {
    pub(crate) open: Vec<Pipe>,
    on_the_way: VecDeque<(Instant, Delivery)>,
    next_port: u16,
    /// In which pieces bytes arrive.
    luck: u64,
}

impl Pipes {
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        end: usize,
        id: StreamId,
        ip: std::net::IpAddr,
        remote: SocketAddr,
    ) {
        self.next_port += 1;
        let local = SocketAddr::new(ip, 20_000 + self.next_port);
        self.put(now, Delivery::Ask { end, id, local, remote });
    }

    pub(crate) fn put(&mut self, now: Instant, delivery: Delivery) {
        self.on_the_way.push_back((now + DELAY, delivery));
    }

    /// Sends bytes from one party, in pieces.
    pub(crate) fn send(&mut self, now: Instant, from: Party, address: Option<SocketAddr>, bytes: &[u8]) {
        let is_it = |pipe: &&Pipe| {
            pipe.parties.contains(&from) && address.is_none_or(|address| pipe.local == address)
        };
        let Some(pipe) = self.open.iter().find(is_it) else { return };
        let (to, source) = match pipe.parties {
            [one, other] if one == from => (other, pipe.local),
            [one, _] => (one, pipe.remote),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            self.luck =
                self.luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let size = 1 + (self.luck >> 33) as usize % rest.len().clamp(1, 3000);
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            self.put(now, Delivery::Bytes { from: source, to, bytes: piece.to_vec() });
        }
    }

    /// Closes the one of this party; its other party, and the address that opened it.
    pub(crate) fn close(&mut self, party: Party) -> Option<(Party, SocketAddr)> {
        let index = self.open.iter().position(|pipe| pipe.parties.contains(&party))?;
        let pipe = self.open.swap_remove(index);
        let other = if pipe.parties[0] == party { pipe.parties[1] } else { pipe.parties[0] };
        Some((other, pipe.local))
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.on_the_way.front().map(|(at, _)| *at)
    }

    pub(crate) fn receive(&mut self, now: Instant) -> Option<Delivery> {
        if self.next()? > now {
            return None;
        }
        self.on_the_way.pop_front().map(|(_, delivery)| delivery)
    }
}
