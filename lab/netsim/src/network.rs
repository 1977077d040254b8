//! Hosts, and the way between any two of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::home::Home;
use crate::link::{Fate, Link, Wire};
use crate::nat::{Nat, Router};
use crate::random::Random;

/// Names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A datagram that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// In which order, where several arrive at the same time.
    order: u64,
    /// Where.
    pub host: HostId,
    /// From where, as the host sees it.
    pub source: SocketAddr,
    /// To which of the host's own addresses.
    pub destination: SocketAddr,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// What became of datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Given to [`Network::send`].
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Lost on a link: by chance, for want of room, too large, in an outage.
    pub lost: u64,
    /// Refused by a NAT or a firewall.
    pub filtered: u64,
    /// For nobody.
    pub unroutable: u64,
    /// Copies made.
    pub duplicated: u64,
}

#[derive(Debug)]
struct Host {
    addresses: Vec<IpAddr>,
    /// By its place among the routers.
    router: Option<usize>,
    carrier: Option<usize>,
    up: Wire,
    down: Wire,
    udp_blocked: bool,
}

/// A simulated network. See the [crate](crate).
#[derive(Debug)]
pub struct Network {
    start: Instant,
    random: Random,
    hosts: Vec<Host>,
    routers: Vec<Router>,
    carriers: Vec<Router>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    /// Out of a host's up link, at the internet, waiting for the time at which it gets there.
    crossing: BinaryHeap<Reverse<Arrival>>,
    order: u64,
    counters: Counters,
}

impl Network {
    /// An empty network. The same seed brings the same luck.
    pub fn new(seed: u64, start: Instant) -> Self {
        Self {
            start,
            random: Random::new(seed),
            hosts: Vec::new(),
            routers: Vec::new(),
            carriers: Vec::new(),
            arrivals: BinaryHeap::new(),
            crossing: BinaryHeap::new(),
            order: 0,
            counters: Counters::default(),
        }
    }

    /// Adds a host. Homes with the same public address are on one LAN, behind the router of the first.
    pub fn host(&mut self, home: Home) -> HostId {
        let Home { addresses, nat, carrier, up, down, udp_blocked } = home;
        let router = nat.map(|(nat, public)| {
            let known = self.routers.iter().position(|router| router.public == public);
            known.unwrap_or_else(|| {
                self.routers.push(Router::new(nat, public));
                self.routers.len() - 1
            })
        });
        self.hosts.push(Host {
            addresses,
            router,
            carrier,
            up: Wire::new(up, self.start),
            down: Wire::new(down, self.start),
            udp_blocked,
        });
        HostId(self.hosts.len() - 1)
    }

    /// Adds a carrier's NAT, for [`Home::in_carrier`].
    pub fn carrier(&mut self, nat: Nat, public: IpAddr) -> usize {
        self.carriers.push(Router::new(nat, public));
        self.carriers.len() - 1
    }

    /// A host's own addresses.
    pub fn addresses(&self, host: HostId) -> &[IpAddr] {
        &self.hosts[host.0].addresses
    }

    /// Gives a host another address in place of all it had, as when it moves to another network; its NAT forgets.
    pub fn readdress(&mut self, host: HostId, addresses: Vec<IpAddr>) {
        self.hosts[host.0].addresses = addresses;
        if let Some(router) = self.hosts[host.0].router {
            self.routers[router].restart();
        }
    }

    /// Changes a host's links from now on.
    pub fn relink(&mut self, host: HostId, up: Link, down: Link) {
        self.hosts[host.0].up.link = up;
        self.hosts[host.0].down.link = down;
    }

    /// What became of datagrams so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sends a datagram from one of a host's own addresses.
    pub fn send(
        &mut self,
        now: Instant,
        host: HostId,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        self.counters.sent += 1;
        self.counters.sent_bytes += bytes.len() as u64;
        let from = &mut self.hosts[host.0];
        if !from.addresses.contains(&source.ip()) {
            self.counters.unroutable += 1;
            return;
        }
        if from.addresses.contains(&destination.ip()) {
            // To itself: past every wire.
            self.arrive(now, host, source, destination, bytes.to_vec());
            return;
        }
        if from.udp_blocked {
            self.counters.filtered += 1;
            return;
        }
        let fate = from.up.carry(self.start, now, bytes.len(), &mut self.random);
        self.settle(fate, |network, at, order| {
            let crossing = Arrival { at, order, host, source, destination, bytes: bytes.to_vec() };
            network.crossing.push(Reverse(crossing));
        });
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&mut self) -> Option<Instant> {
        self.cross(None);
        self.arrivals.peek().map(|Reverse(arrival)| arrival.at)
    }

    /// The next datagram that has arrived by now.
    pub fn receive(&mut self, now: Instant) -> Option<Arrival> {
        self.cross(Some(now));
        let Reverse(next) = self.arrivals.peek()?;
        if next.at > now {
            return None;
        }
        self.arrivals.pop().map(|Reverse(arrival)| arrival)
    }

    /// Takes what has reached the internet by then (all that comes before the next arrival, without a time) on to
    /// its destination, in the order in which it got there.
    fn cross(&mut self, until: Option<Instant>) {
        while let Some(Reverse(next)) = self.crossing.peek() {
            let earlier = match (until, self.arrivals.peek()) {
                (Some(until), _) => next.at <= until,
                (None, Some(Reverse(arrival))) => next.at <= arrival.at,
                (None, None) => true,
            };
            if !earlier {
                return;
            }
            if let Some(Reverse(crossing)) = self.crossing.pop() {
                self.route(crossing);
            }
        }
    }

    /// Through the sender's NATs, to whoever has the destination, through that one's NATs.
    fn route(&mut self, crossing: Arrival) {
        let Arrival { at: now, host, source, destination, bytes, .. } = crossing;
        if let Some(neighbour) = self.neighbour(host, destination.ip()) {
            self.deliver(now, neighbour, source, destination, &bytes);
            return;
        }
        let (mut seen, carrier) = (source, self.hosts[host.0].carrier);
        let own = self.hosts[host.0].router.map(|router| &mut self.routers[router]);
        let mut hairpin = false;
        if let Some(router) = own.filter(|router| router.public.is_ipv4() == source.is_ipv4()) {
            hairpin = router.public == destination.ip();
            let allowed = !hairpin || router.nat.hairpin;
            match router.outbound(now, seen, destination, &mut self.random).filter(|_| allowed) {
                Some(outside) => seen = outside,
                None => return self.counters.filtered += 1,
            }
        }
        // Within a carrier, homes meet at the addresses that it gave them, untranslated.
        let within = carrier.is_some()
            && self
                .hosts
                .iter()
                .any(|other| other.carrier == carrier && self.public(other) == Some(destination.ip()));
        if let (Some(carrier), false) = (carrier, within || hairpin) {
            let router = &mut self.carriers[carrier];
            let allowed = router.public != destination.ip() || router.nat.hairpin;
            match router.outbound(now, seen, destination, &mut self.random).filter(|_| allowed) {
                Some(outside) => seen = outside,
                None => return self.counters.filtered += 1,
            }
        }
        self.enter(now, seen, destination, &bytes);
    }

    /// From the internet to whoever has the destination.
    fn enter(&mut self, now: Instant, source: SocketAddr, mut destination: SocketAddr, bytes: &[u8]) {
        if let Some(carrier) = self.carriers.iter_mut().find(|carrier| carrier.public == destination.ip()) {
            match carrier.inbound(now, source, destination) {
                Some(inside) => destination = inside,
                None => return self.counters.filtered += 1,
            }
        }
        let ip = destination.ip();
        let (mut host, mut at) = (None, destination);
        if let Some(router) = self.routers.iter_mut().position(|router| router.public == ip) {
            match self.routers[router].inbound(now, source, destination) {
                Some(inside) => at = inside,
                None => return self.counters.filtered += 1,
            }
            let inside = |host: &Host| host.router == Some(router) && host.addresses.contains(&at.ip());
            host = self.hosts.iter().position(inside);
        }
        // A host's own address is reachable from outside where no NAT of its family hides it.
        let bare = |host: &Host| self.public(host).is_none_or(|public| public.is_ipv4() != ip.is_ipv4());
        let reached = |host: &Host| host.addresses.contains(&ip) && bare(host);
        match host.or_else(|| self.hosts.iter().position(reached)) {
            Some(index) => self.deliver(now, HostId(index), source, at, bytes),
            None => self.counters.unroutable += 1,
        }
    }

    fn public(&self, host: &Host) -> Option<IpAddr> {
        host.router.map(|router| self.routers[router].public)
    }

    /// Another host behind the same public address: on the same LAN.
    fn neighbour(&self, host: HostId, ip: IpAddr) -> Option<HostId> {
        let router = self.hosts[host.0].router?;
        let near = |other: &Host| other.router == Some(router) && other.addresses.contains(&ip);
        self.hosts.iter().position(near).map(HostId)
    }

    fn deliver(
        &mut self,
        now: Instant,
        host: HostId,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        let to = &mut self.hosts[host.0];
        if to.udp_blocked || !to.addresses.contains(&destination.ip()) {
            self.counters.filtered += 1;
            return;
        }
        let fate = to.down.carry(self.start, now, bytes.len(), &mut self.random);
        self.settle(fate, |network, at, order| {
            let arrival = Arrival { at, order, host, source, destination, bytes: bytes.to_vec() };
            network.arrivals.push(Reverse(arrival));
        });
    }

    fn settle(&mut self, fate: Fate, put: impl Fn(&mut Self, Instant, u64)) {
        let (at, copies) = match fate {
            Fate::Lost => {
                self.counters.lost += 1;
                return;
            }
            Fate::Arrives(at) => (at, 1),
            Fate::ArrivesTwice(at) => (at, 2),
        };
        self.counters.duplicated += copies - 1;
        for _ in 0..copies {
            self.order += 1;
            put(self, at, self.order);
        }
    }

    fn arrive(
        &mut self,
        at: Instant,
        host: HostId,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: Vec<u8>,
    ) {
        self.order += 1;
        let order = self.order;
        self.arrivals.push(Reverse(Arrival { at, order, host, source, destination, bytes }));
    }
}
