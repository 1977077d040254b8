//! What applications do over a connection: a bulk transfer, and small messages beside it.

use std::time::{Duration, Instant};

use super::path::Path;
use super::stack::{Lane, Stack};
use super::world::World;

/// A bulk message.
const BULK: usize = 64 << 10;
/// What an application keeps queued.
const QUEUED: usize = 1 << 20;
/// A small message, and how often there is one.
const SMALL: usize = 100;
const EVERY: Duration = Duration::from_millis(100);
/// What comes before that is not counted.
pub(crate) const SETTLING: Duration = Duration::from_secs(2);

/// What was measured of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Payload of the bulk lane that was received, in bytes a second.
    pub(crate) goodput: f64,
    /// Of each small message, from being sent to being received, in seconds.
    pub(crate) one_way: Vec<f64>,
    /// Of each small message, until its answer was received.
    pub(crate) round_trip: Vec<f64>,
}

/// A run of connections over one path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) path: Path,
    pub(crate) connections: u16,
    pub(crate) has_small: bool,
    /// How long bulk flows, and what of it is not counted.
    pub(crate) lasting: Duration,
    pub(crate) settling: Duration,
}

impl Run {
    pub(crate) fn new(path: Path) -> Self {
        Self { path, connections: 1, has_small: false, lasting: Duration::from_secs(10), settling: SETTLING }
    }

    /// What each connection did.
    pub(crate) fn of(&self, stack: Stack, seed: u64) -> Result<Vec<Measured>, String> {
        let mut world = World::new(stack, &self.path, self.connections, seed)?;
        world.connect()?;
        let mut flows: Vec<_> =
            (0..usize::from(self.connections)).map(|_| Flow::new(world.now, &self.path)).collect();
        let (from, until) = (world.now + self.settling, world.now + self.lasting);
        world.sides.iter_mut().for_each(|side| side.heard.clear());
        loop {
            for (index, flow) in flows.iter_mut().enumerate() {
                flow.act(&mut world, index * 2, self.has_small, from)?;
            }
            // Small messages are due by the clock, whatever else happens.
            let next = flows.iter().map(|flow| flow.next_small).min().filter(|_| self.has_small);
            let end = next.map_or(until, |next| next.min(until));
            if !world.step(end)? && world.now >= until {
                break;
            }
        }
        let seconds = (until - from).as_secs_f64();
        let measured = flows.into_iter().map(|flow| Measured {
            goodput: flow.bulk_bytes as f64 / seconds,
            one_way: flow.one_way,
            round_trip: flow.round_trip,
        });
        Ok(measured.collect())
    }
}

/// One connection's application.
struct Flow {
    bulk: Vec<u8>,
    bulk_bytes: u64,
    /// What the path and its buffer hold, in bytes.
    under_way: usize,
    next_small: Instant,
    /// When each small message was sent, by its number.
    small_sent: Vec<Instant>,
    /// Numbers of small messages that wait for the other end to answer.
    to_answer: Vec<u64>,
    one_way: Vec<f64>,
    round_trip: Vec<f64>,
}

impl Flow {
    fn new(now: Instant, path: &Path) -> Self {
        Self {
            bulk: vec![7; BULK],
            bulk_bytes: 0,
            under_way: path.holds() as usize,
            next_small: now,
            small_sent: Vec::new(),
            to_answer: Vec::new(),
            one_way: Vec::new(),
            round_trip: Vec::new(),
        }
    }

    /// Does what the applications at both ends do at this moment.
    fn act(&mut self, world: &mut World, ours: usize, has_small: bool, from: Instant) -> Result<(), String> {
        let theirs = ours + 1;
        self.hear(world, (ours, theirs), from);
        let now = world.now;
        let mut has_sent = false;
        while has_small && self.next_small <= now {
            let number = self.small_sent.len() as u64;
            if !world.sides[ours].end.send(now, Lane::Urgent, &small(number)) {
                return Err("a small message was refused".into());
            }
            self.small_sent.push(now);
            self.next_small += EVERY;
            has_sent = true;
        }
        let under_way = if world.sides[ours].end.counts_under_way() { self.under_way } else { 0 };
        while world.sides[ours].end.buffered() < QUEUED + under_way
            && world.sides[ours].end.send(now, Lane::Bulk, &self.bulk)
        {
            has_sent = true;
        }
        if has_sent {
            world.poll(ours)?;
        }
        if !self.to_answer.is_empty() {
            for number in self.to_answer.drain(..) {
                if !world.sides[theirs].end.send(now, Lane::Urgent, &small(number)) {
                    return Err("an answer was refused".into());
                }
            }
            world.poll(theirs)?;
        }
        Ok(())
    }

    fn hear(&mut self, world: &mut World, (ours, theirs): (usize, usize), from: Instant) {
        let now = world.now;
        for heard in world.sides[theirs].heard.drain(..) {
            if heard.lane == Lane::Bulk {
                self.bulk_bytes += if now >= from { heard.bytes as u64 } else { 0 };
                continue;
            }
            self.to_answer.push(heard.number);
            let sent = self.small_sent.get(heard.number as usize).filter(|sent| **sent >= from);
            self.one_way.extend(sent.map(|sent| (now - *sent).as_secs_f64()));
        }
        for heard in world.sides[ours].heard.drain(..) {
            let sent = self.small_sent.get(heard.number as usize).filter(|sent| **sent >= from);
            self.round_trip.extend(sent.map(|sent| (now - *sent).as_secs_f64()));
        }
    }
}

fn small(number: u64) -> [u8; SMALL] {
    let mut message = [1; SMALL];
    message[..8].copy_from_slice(&number.to_be_bytes());
    message
}
