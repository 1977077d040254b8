//! Flows over one bottleneck, in virtual time, and what is measured of them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netsim::{Home, HostId, Link, Network};

use super::end::{End, Label, MEDIA};
use super::plan::{Beside, Plan};
use super::{Stack, ours, reno, str0m};

/// How long ends may take to connect.
const PATIENCE: Duration = Duration::from_secs(20);
/// When those beside begin.
const LATER: Duration = Duration::from_secs(10);
/// Calls of one end at the same moment after which it is taken to be stuck.
const MOST_CALLS: u32 = 100_000;

struct Side {
    end: Box<dyn End>,
    host: HostId,
    own: SocketAddr,
    peer: SocketAddr,
    deadline: Option<Instant>,
    calls: u32,
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Since the plan's beginning.
    pub(crate) at: Duration,
    /// Of the datagram.
    pub(crate) bytes: usize,
    pub(crate) is_media: bool,
    /// In the network beyond what it takes without a queue.
    pub(crate) queue: Duration,
    /// Since its frame was made, where it is of one.
    pub(crate) age: Duration,
}

/// What one flow did.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) seen: Vec<Seen>,
    pub(crate) sent: u64,
    under_way: HashMap<Label, Instant>,
}

struct World {
    now: Instant,
    origin: Instant,
    network: Network,
    sides: Vec<Side>,
    measured: Vec<Measured>,
    start: Option<Instant>,
    base: Duration,
}

/// Runs a plan; what each flow did, the one that is measured first.
pub(crate) fn run(plan: &Plan, stack: Stack, seed: u64, trace: bool) -> Vec<Measured> {
    let now = Instant::now();
    let mut network = Network::new(seed, now);
    let link = Link::of(Duration::from_millis(1));
    let sender = network.host(Home::public("192.0.2.1"));
    let receiver = network.host(Home::public("192.0.2.2").links(link.clone(), link));
    let mut world = World {
        now,
        origin: now,
        network,
        sides: Vec::new(),
        measured: Vec::new(),
        start: None,
        base: plan.path[0].1.delay,
    };
    let flows = if plan.beside == Beside::Nobody { 1 } else { 2 };
    for flow in 0..flows {
        let kind = if flow == 1 && plan.beside == Beside::Reno { None } else { Some(stack) };
        world.add(kind, [sender, receiver], flow, seed);
    }
    world.connect();
    let start = world.now;
    world.start = Some(start);
    let mut path = plan.path.iter().peekable();
    let mut limits = plan.limits.iter().peekable();
    let mut begun = 0;
    let mut traced = Duration::ZERO;
    loop {
        let since = world.now - start;
        while let Some((_, link)) = path.next_if(|(at, _)| *at <= since) {
            world.network.relink(receiver, plan.back.clone(), link.clone());
            world.base = link.delay;
        }
        while let Some((_, most)) = limits.next_if(|(at, _)| *at <= since) {
            world.sides[0].end.limit(world.now, *most);
        }
        while begun < flows && LATER * begun as u32 <= since {
            let now = world.now;
            world.sides[2 * begun].end.begin(now, plan.sizes);
            world.poll(2 * begun);
            begun += 1;
        }
        if trace && since >= traced {
            traced += Duration::from_millis(500);
            let end = &world.sides[0].end;
            println!("{:6.2} {:>6} kbit/s {}", since.as_secs_f64(), end.target() / 1000, end.trace());
        }
        if since >= plan.lasting {
            return world.measured;
        }
        let mut next = vec![plan.lasting];
        next.extend(path.peek().map(|(at, _)| *at));
        next.extend(limits.peek().map(|(at, _)| *at));
        next.extend((begun < flows).then(|| LATER * begun as u32));
        next.extend(trace.then_some(traced));
        let until = start + next.into_iter().min().unwrap_or(plan.lasting);
        while world.step(until) {}
    }
}

impl World {
    fn add(&mut self, stack: Option<Stack>, hosts: [HostId; 2], flow: usize, seed: u64) {
        let port = 5000 + flow as u16;
        let addresses = hosts.map(|host| SocketAddr::new(self.network.addresses(host)[0], port));
        let now = self.now;
        let seed = seed * 16 + flow as u64 + 1;
        let ends: [Box<dyn End>; 2] = match stack {
            Some(Stack::Twocan) => {
                [Box::new(ours::Sender::new(now, seed)), Box::new(ours::Receiver::new(now))]
            }
            Some(Stack::Str0m) => str0m::pair(now, addresses, seed).map(|end| Box::new(end) as Box<dyn End>),
            None => [Box::new(reno::Sender::new(now)), Box::new(reno::Receiver::new())],
        };
        for (index, end) in ends.into_iter().enumerate() {
            let (own, peer) = (addresses[index], addresses[1 - index]);
            self.sides.push(Side { end, host: hosts[index], own, peer, deadline: Some(now), calls: 0 });
        }
        self.measured.push(Measured::default());
    }

    fn connect(&mut self) {
        let end = self.now + PATIENCE;
        while !self.sides.iter().all(|side| side.end.is_open()) {
            assert!(self.step(end), "not connected after {PATIENCE:?}");
        }
    }

    /// Takes what an end gives.
    fn poll(&mut self, index: usize) {
        let side = &mut self.sides[index];
        side.calls += 1;
        assert!(side.calls < MOST_CALLS, "wants to be called again and again without time passing");
        let mut out = Vec::new();
        side.end.advance(self.now, &mut out);
        for datagram in out {
            if self.start.is_some()
                && index.is_multiple_of(2)
                && let Some(label) = Label::of(&datagram)
            {
                let measured = &mut self.measured[index / 2];
                measured.sent += 1;
                measured.under_way.insert(label, self.now);
            }
            self.network.send(self.now, side.host, side.own, side.peer, &datagram);
        }
        side.deadline = side.end.deadline();
    }

    /// Goes on to the next moment at which something happens, at most until then. False when that is reached.
    fn step(&mut self, until: Instant) -> bool {
        let deadlines = self.sides.iter().filter_map(|side| side.deadline);
        let next = deadlines.chain(self.network.next_arrival()).min();
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        if next > self.now {
            self.now = next;
            self.sides.iter_mut().for_each(|side| side.calls = 0);
        }
        let mut wants = 0_u64;
        while let Some(mut arrival) = self.network.receive(self.now) {
            let to = self
                .sides
                .iter()
                .position(|side| side.own == arrival.destination && side.host == arrival.host);
            let Some(index) = to else { continue };
            self.see(index, arrival.at, &arrival.bytes);
            self.sides[index].end.take(self.now, &mut arrival.bytes);
            wants |= 1 << index;
        }
        for index in 0..self.sides.len() {
            let is_due = self.sides[index].deadline.is_some_and(|deadline| deadline <= self.now);
            if is_due || wants & (1 << index) != 0 {
                self.poll(index);
            }
        }
        true
    }

    /// Looks at what arrives at a receiver.
    fn see(&mut self, index: usize, at: Instant, bytes: &[u8]) {
        let (Some(start), 1) = (self.start, index % 2) else { return };
        let measured = &mut self.measured[index / 2];
        let Some(label) = Label::of(bytes) else { return };
        let Some(sent_at) = measured.under_way.remove(&label) else { return };
        let (since_origin, made) = (at - self.origin, Duration::from_millis(u64::from(label.frame)));
        measured.seen.push(Seen {
            at: at - start,
            bytes: bytes.len(),
            is_media: matches!(label.ssrc, MEDIA | reno::SSRC),
            queue: (at - sent_at).saturating_sub(self.base),
            age: if label.ssrc == MEDIA { since_origin.saturating_sub(made) } else { Duration::ZERO },
        });
    }
}
