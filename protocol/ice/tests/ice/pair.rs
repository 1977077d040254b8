//! Two agents, their signaling and the network between them; time jumps to whatever is next.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use twocan_ice::{Config, Event, Incoming, LocalCandidate, Protocol, RelayProtocol, Role, State};
use wire::{Received, Transmit};

use crate::nat::Flavour;
use crate::network::{Conditions, Network, Packet};
use crate::rolls::Rolls;
use crate::side::Side;
pub(crate) use crate::side::Step;

pub(crate) struct Pair {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) network: Network,
    pub(crate) sides: [Side; 2],
    /// How long signaling takes.
    pub(crate) signaling: Duration,
    /// Signaled messages of one moment arrive in any order.
    pub(crate) shuffled: bool,
    steps: BTreeMap<(Instant, u64), (usize, Step)>,
    order: u64,
    pub(crate) rolls: Rolls,
}

const STUN_SERVER: &str = "198.51.100.1:3478";

impl Pair {
    pub(crate) fn new(seed: u64, conditions: Conditions, configs: [Config; 2]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "an origin for virtual time")]
        let start = Instant::now();
        Self {
            start,
            now: start,
            network: Network::new(seed, conditions),
            sides: configs.map(Side::new),
            signaling: Duration::ZERO,
            shuffled: false,
            steps: BTreeMap::new(),
            order: 0,
            rolls: Rolls::new(seed ^ 0xABCD),
        }
    }

    /// Without renomination, so that what is nominated first stays.
    pub(crate) fn plain(seed: u64, conditions: Conditions) -> Self {
        Self::new(seed, conditions, configs(seed, [Role::Controlling, Role::Controlled], false))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub(crate) fn later(&mut self, side: usize, after: Duration, step: Step) {
        self.order += 1;
        let order = if self.shuffled { self.rolls.next() } else { self.order };
        self.steps.insert((self.now + after, order), (side, step));
    }

    /// A host candidate of a side, at once.
    pub(crate) fn host(&mut self, side: usize, address: &str) {
        let address: SocketAddr = address.parse().unwrap();
        self.network.places[side].addresses.push(address.ip());
        self.later(side, Duration::ZERO, Step::Local(LocalCandidate::host(address)));
    }

    /// Its reflexive candidate, after a round trip.
    pub(crate) fn reflexive(&mut self, side: usize, address: &str) {
        let (base, server): (SocketAddr, SocketAddr) =
            (address.parse().unwrap(), STUN_SERVER.parse().unwrap());
        let mapped = self.network.reflect(side, base, server);
        let after = self.network.conditions.delay * 2;
        let candidate = LocalCandidate::server_reflexive(mapped, base, server.ip());
        self.later(side, after, Step::Local(candidate));
    }

    /// A relayed one, after two.
    pub(crate) fn relay(&mut self, side: usize) {
        let relayed = SocketAddr::new(STUN_SERVER.parse::<SocketAddr>().unwrap().ip(), 60_000 + side as u16);
        self.network.places[side].relayed = Some(relayed);
        let mapped = format!("203.0.113.{}:9999", side + 1).parse().unwrap();
        let candidate = LocalCandidate::relayed(relayed, mapped, relayed.ip(), RelayProtocol::Udp);
        self.later(side, self.network.conditions.delay * 4, Step::Local(candidate));
    }

    /// Ends gathering, after everything above.
    pub(crate) fn gathered(&mut self, side: usize) {
        self.later(side, self.network.conditions.delay * 5, Step::Gathered);
    }

    /// Everything that a browser gathers behind a NAT, or none.
    pub(crate) fn gather(&mut self, side: usize, flavour: Option<Flavour>) {
        match flavour {
            Some(flavour) => {
                self.network.put_behind(side, flavour);
                let address = format!("10.0.{side}.2:1000");
                self.host(side, &address);
                self.reflexive(side, &address);
            }
            None => self.host(side, &format!("192.0.2.{}:1000", side + 1)),
        }
        self.relay(side);
        self.gathered(side);
    }

    /// Tells each side the other's credentials.
    pub(crate) fn introduce(&mut self) {
        for side in [0, 1] {
            let parameters = self.sides[1 - side].parameters();
            self.later(side, self.signaling, Step::Remote(parameters));
        }
    }

    fn tell(&mut self, side: usize, step: Step) {
        self.later(1 - side, self.signaling, step);
    }

    fn take(&mut self, side: usize, step: Step) {
        let (now, agent) = (self.now, &mut self.sides[side].agent);
        match step {
            Step::Remote(parameters) => agent.set_remote(now, &parameters).unwrap(),
            // The other generation's are refused, and none harms.
            Step::Candidate(candidate) => drop(agent.add_remote(now, candidate)),
            Step::End => agent.end_of_remote_candidates(now),
            Step::Resolved(id, addresses) => agent.handle_resolved(now, id, &addresses),
            Step::Connected(id, local) => agent.handle_connected(now, id, local),
            Step::ConnectFailed(id) => agent.handle_connect_failed(now, id),
            Step::Local(candidate) => {
                if let Ok(candidate) = agent.add_local(now, candidate) {
                    // As it crosses signaling.
                    let candidate = candidate.to_string().parse().unwrap();
                    self.tell(side, Step::Candidate(candidate));
                }
            }
            Step::Gathered => {
                agent.set_gathered(now, true);
                // After the candidates, as RFC 8838 §14 demands, whatever their order.
                self.later(1 - side, self.signaling + Duration::from_nanos(1), Step::End);
            }
        }
    }

    fn drain(&mut self) {
        for side in [0, 1] {
            while let Some(event) = self.sides[side].agent.poll_event() {
                self.handle_event(side, event);
            }
            let mut bytes = Vec::new();
            while let Some(sent) = self.sides[side].agent.poll_transmit(self.now, &mut bytes) {
                self.send(side, Protocol::Udp, sent, &mut bytes);
            }
            while let Some(sent) = self.sides[side].agent.poll_frame(self.now, &mut bytes) {
                self.send(side, Protocol::Tcp, sent, &mut bytes);
            }
            // A driver sends first; what comes of that it takes next.
            while let Some(event) = self.sides[side].agent.poll_event() {
                self.handle_event(side, event);
            }
        }
    }

    fn send(&mut self, side: usize, protocol: Protocol, sent: Transmit, bytes: &mut Vec<u8>) {
        let bytes = std::mem::take(bytes);
        self.sides[side].sent.push((self.now - self.start, sent, bytes.clone()));
        let packet = Packet { protocol, source: sent.source, destination: sent.destination, bytes };
        self.network.send(self.now, side, packet);
    }

    fn handle_event(&mut self, side: usize, event: Event) {
        let elapsed = self.elapsed();
        let it = &mut self.sides[side];
        match event {
            Event::State(state) => it.states.push((elapsed, state)),
            Event::Selected(selected) => it.selected.push((elapsed, *selected)),
            Event::Lost => it.lost.push(elapsed),
            Event::Role(role) => it.roles.push(role),
            Event::Embedded(embedded) => it.embedded.push(embedded),
            Event::Resolve { id, name } => {
                let addresses = self.sides[1 - side].names.get(&name).cloned().unwrap_or_default();
                self.later(side, Duration::from_millis(20), Step::Resolved(id, addresses));
            }
            Event::Connect { id, local, remote } => {
                let listens = self.sides[1 - side].listens.contains(&remote);
                let it = &mut self.sides[side];
                it.next_port += 1;
                let local = SocketAddr::new(local.ip(), it.next_port);
                let step = if listens { Step::Connected(id, local) } else { Step::ConnectFailed(id) };
                self.later(side, self.network.conditions.delay * 2, step);
            }
        }
    }

    /// Goes on to whatever is next, but not past `until`. Whether there was something.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        self.drain();
        let timeouts = self.sides.iter().filter_map(|side| side.agent.poll_timeout());
        for (at, reason) in timeouts.clone() {
            assert!(at > self.now, "what is due ({reason:?}) was not done");
        }
        let timeout = timeouts.map(|(at, _)| at).min();
        let steps = self.steps.keys().next().map(|(at, _)| *at);
        let next = [timeout, steps, self.network.next()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        self.now = self.now.max(next);
        if self.sides.iter().any(|side| side.is_due(self.now)) {
            for side in self.sides.iter_mut().filter(|side| side.is_due(self.now)) {
                // Only when it is told to.
                side.agent.handle_timeout(self.now);
            }
        } else if let Some(entry) = self.steps.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (side, step) = entry.remove();
            self.take(side, step);
        } else if let Some((side, mut packet)) = self.network.receive(self.now) {
            self.deliver(side, &mut packet);
        }
        true
    }

    fn deliver(&mut self, side: usize, packet: &mut Packet) {
        let agent = &mut self.sides[side].agent;
        let Packet { source, destination, .. } = *packet;
        let received = Received { source, destination, bytes: &mut packet.bytes };
        let result = match packet.protocol {
            Protocol::Udp => agent.handle_datagram(self.now, received),
            Protocol::Tcp => agent.handle_frame(self.now, received),
        };
        assert_ne!(result, Ok(Incoming::NotStun));
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
    }

    /// Runs until the condition holds; how long that took.
    pub(crate) fn until(
        &mut self,
        limit: Duration,
        what: &str,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Duration {
        let (from, end) = (self.now, self.now + limit);
        loop {
            self.drain();
            if holds(self) {
                return self.now - from;
            }
            let went_on = self.step(end);
            assert!(
                went_on || holds(self),
                "not within {limit:?}: {what}; {:?} and {:?}",
                self.sides[0].agent,
                self.sides[1].agent
            );
        }
    }

    pub(crate) fn until_states(&mut self, limit: Duration, state: State) -> Duration {
        self.until(limit, &format!("both {state:?}"), |pair| {
            pair.sides.iter().all(|side| side.agent.state() == state)
        })
    }

    pub(crate) fn have_paths(&self) -> bool {
        self.sides.iter().all(|side| side.agent.path().is_some())
    }

    /// Sends a byte each way on the paths that both have: whether each arrives where the other sends from.
    pub(crate) fn paths_meet(&mut self) -> bool {
        let paths = [0, 1].map(|side| self.sides[side].agent.path());
        [0, 1].into_iter().all(|side| {
            let (Some(ours), Some(theirs)) = (paths[side], paths[1 - side]) else { return false };
            let bytes = vec![0x80];
            let (source, destination) = (ours.local, ours.remote);
            let packet = Packet { protocol: ours.protocol, source, destination, bytes };
            self.network.trace(side, packet).is_some_and(|(reached, packet)| {
                reached == 1 - side
                    && packet.destination == theirs.local
                    && packet.source == theirs.remote
                    && self.sides[reached].agent.is_valid_source(packet.source)
            })
        })
    }
}

pub(crate) fn configs(seed: u64, roles: [Role; 2], renomination: bool) -> [Config; 2] {
    let mut rolls = Rolls::new(seed);
    roles.map(|role| {
        let mut config = Config::new(role, rolls.seed());
        config.renomination = renomination;
        config
    })
}

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
