//! Connections over one path, in virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netsim::{Home, HostId, Network};

use super::path::Path;
use super::stack::{Addresses, End, Heard, Output, Stack};

/// How long ends may take to connect, in virtual time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Calls of one end at the same moment after which it is taken to be stuck.
const MOST_CALLS: u32 = 100_000;

/// One end of a connection.
pub(crate) struct Side {
    pub(crate) end: Box<dyn End>,
    host: HostId,
    own: SocketAddr,
    peer: SocketAddr,
    /// What was received since it was looked at.
    pub(crate) heard: Vec<Heard>,
    /// When it wants to be called next.
    deadline: Option<Instant>,
    calls: u32,
}

/// Connections of one stack that share a path.
pub(crate) struct World {
    pub(crate) now: Instant,
    network: Network,
    /// Two for each connection: the one that opened it, the other.
    pub(crate) sides: Vec<Side>,
    output: Output,
}

impl World {
    /// As many connections, that are not connected yet.
    pub(crate) fn new(stack: Stack, path: &Path, connections: u16, seed: u64) -> Result<Self, String> {
        let now = Instant::now();
        let mut network = Network::new(seed, now);
        let names = ["192.0.2.1", "192.0.2.2"];
        let hosts = names.map(|name| network.host(Home::public(name).link(path.link())));
        let mut sides = Vec::new();
        for connection in 0..connections {
            let addresses: Addresses =
                hosts.map(|host| SocketAddr::new(network.addresses(host)[0], 5000 + connection));
            let pair = stack.pair(now, addresses, seed * 64 + u64::from(connection));
            let pair = pair.ok_or_else(|| format!("built without {}: say --features rtc", stack.name()))?;
            for (index, end) in pair.into_iter().enumerate() {
                sides.push(Side {
                    end,
                    host: hosts[index],
                    own: addresses[index],
                    peer: addresses[1 - index],
                    heard: Vec::new(),
                    deadline: Some(now),
                    calls: 0,
                });
            }
        }
        Ok(Self { now, network, sides, output: Output::default() })
    }

    /// Lets time pass until all are connected.
    pub(crate) fn connect(&mut self) -> Result<(), String> {
        let end = self.now + PATIENCE;
        while !self.sides.iter().all(|side| side.end.is_open()) {
            if !self.step(end)? {
                return Err(format!("not connected after {PATIENCE:?}"));
            }
        }
        Ok(())
    }

    /// Takes what an end gives, after it was given something.
    pub(crate) fn poll(&mut self, index: usize) -> Result<(), String> {
        let Self { now, network, sides, output, .. } = self;
        let side = &mut sides[index];
        side.calls += 1;
        if side.calls > MOST_CALLS {
            return Err("wants to be called again and again without time passing".into());
        }
        output.clear();
        side.end.advance(*now, output);
        for datagram in output.datagrams() {
            network.send(*now, side.host, side.own, side.peer, datagram);
        }
        side.heard.append(&mut output.heard);
        side.deadline = side.end.deadline();
        Ok(())
    }

    /// Goes on to the next moment at which something happens, at most until then. False when that is reached.
    pub(crate) fn step(&mut self, until: Instant) -> Result<bool, String> {
        let deadlines = self.sides.iter().filter_map(|side| side.deadline);
        let next = deadlines.chain(self.network.next_arrival()).min();
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = until;
            return Ok(false);
        };
        if next > self.now {
            self.now = next;
            self.sides.iter_mut().for_each(|side| side.calls = 0);
        }
        let mut wants = 0_u64;
        while let Some(mut arrival) = self.network.receive(self.now) {
            let to = self.sides.iter_mut().position(|side| side.own == arrival.destination);
            let Some(index) = to else { continue };
            self.sides[index].end.take(self.now, &mut arrival.bytes);
            wants |= 1 << index;
        }
        for index in 0..self.sides.len() {
            let is_due = self.sides[index].deadline.is_some_and(|deadline| deadline <= self.now);
            if is_due || wants & (1 << index) != 0 {
                self.poll(index)?;
            }
        }
        Ok(true)
    }
}
