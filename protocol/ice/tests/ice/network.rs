//! Packets under way: delay, jitter (and so reordering), loss, NATs, relays.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use twocan_ice::Protocol;

use crate::nat::{Flavour, Nat};
use crate::rolls::Rolls;

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// One way.
    pub(crate) delay: Duration,
    /// Up to so much more.
    pub(crate) jitter: Duration,
    pub(crate) loss_percent: u64,
}

impl Conditions {
    pub(crate) const fn delay(milliseconds: u64) -> Self {
        Self { delay: Duration::from_millis(milliseconds), jitter: Duration::ZERO, loss_percent: 0 }
    }
}

pub(crate) struct Packet {
    pub(crate) protocol: Protocol,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// One side's place in the network.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) nat: Option<Nat>,
    /// The LAN that it is in: hosts of one LAN reach each other.
    pub(crate) lan: usize,
    pub(crate) relayed: Option<SocketAddr>,
    permissions: BTreeSet<IpAddr>,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) udp_blocked: bool,
}

pub(crate) struct Network {
    pub(crate) conditions: Conditions,
    pub(crate) places: [Place; 2],
    /// Local or remote addresses that nothing passes any more.
    pub(crate) dead: BTreeSet<IpAddr>,
    pub(crate) sent: u64,
    under_way: BTreeMap<(Instant, u64), Packet>,
    rolls: Rolls,
    order: u64,
}

impl Network {
    pub(crate) fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            conditions,
            places: [Place::default(), Place { lan: 1, ..Place::default() }],
            dead: BTreeSet::new(),
            sent: 0,
            under_way: BTreeMap::new(),
            rolls: Rolls::new(seed),
            order: 0,
        }
    }

    pub(crate) fn put_behind(&mut self, side: usize, flavour: Flavour) {
        let public = format!("203.0.113.{}", side + 1).parse().unwrap();
        self.places[side].nat = Some(Nat::new(flavour, public));
    }

    /// What a server outside sees of a socket.
    pub(crate) fn reflect(&mut self, side: usize, socket: SocketAddr, server: SocketAddr) -> SocketAddr {
        self.places[side].nat.as_mut().map_or(socket, |nat| nat.leave(socket, server))
    }

    pub(crate) fn send(&mut self, now: Instant, side: usize, mut packet: Packet) {
        self.sent += 1;
        let Some(mut delay) = self.leave(side, &mut packet) else { return };
        let is_datagram = packet.protocol == Protocol::Udp;
        if is_datagram && self.rolls.chance(self.conditions.loss_percent) {
            return;
        }
        let jitter = self.conditions.jitter.as_micros() as u64;
        if is_datagram && jitter > 0 {
            delay += Duration::from_micros(self.rolls.below(jitter));
        }
        self.order += 1;
        self.under_way.insert((now + delay, self.order), packet);
    }

    /// Where a packet would arrive, and as whose, if it were not lost.
    pub(crate) fn trace(&mut self, side: usize, mut packet: Packet) -> Option<(usize, Packet)> {
        self.leave(side, &mut packet)?;
        let (reached, destination) =
            [0, 1].into_iter().find_map(|side| Some((side, self.destination(side, &packet)?)))?;
        packet.destination = destination;
        Some((reached, packet))
    }

    /// A packet leaves its host, and the NAT before it: how long it will take, if it gets out.
    fn leave(&mut self, side: usize, packet: &mut Packet) -> Option<Duration> {
        let place = &mut self.places[side];
        let mut delay = self.conditions.delay;
        let ends = [packet.source.ip(), packet.destination.ip()];
        if ends.iter().any(|end| self.dead.contains(end)) {
            return None;
        }
        if place.relayed == Some(packet.source) {
            place.permissions.insert(packet.destination.ip());
            delay *= 2;
        } else if packet.protocol == Protocol::Udp && place.udp_blocked {
            return None;
        } else if is_private(packet.destination.ip()) {
            let other = &self.places[1 - side];
            let is_near =
                other.lan == self.places[side].lan && other.addresses.contains(&packet.destination.ip());
            if !is_near {
                return None;
            }
        } else if let Some(nat) = &mut place.nat {
            if nat.public() == packet.destination.ip() {
                return None; // No hairpin.
            }
            packet.source = nat.leave(packet.source, packet.destination);
        }
        Some(delay)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// The next packet that has arrived by `now`, with the side it reached.
    pub(crate) fn receive(&mut self, now: Instant) -> Option<(usize, Packet)> {
        while self.next().is_some_and(|at| at <= now) {
            let (_, mut packet) = self.under_way.pop_first()?;
            for side in [0, 1] {
                if let Some(destination) = self.destination(side, &packet) {
                    packet.destination = destination;
                    return Some((side, packet));
                }
            }
        }
        None
    }

    fn destination(&self, side: usize, packet: &Packet) -> Option<SocketAddr> {
        let place = &self.places[side];
        if self.dead.contains(&packet.destination.ip()) {
            return None;
        }
        if place.relayed == Some(packet.destination) {
            return place.permissions.contains(&packet.source.ip()).then_some(packet.destination);
        }
        if packet.protocol == Protocol::Udp && place.udp_blocked {
            return None;
        }
        match &place.nat {
            Some(nat) if nat.public() == packet.destination.ip() => {
                nat.enter(packet.source, packet.destination.port())
            }
            _ => place.addresses.contains(&packet.destination.ip()).then_some(packet.destination),
        }
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
