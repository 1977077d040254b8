//! What a TURN server is, said as plainly as possible: maps that are searched from end to end, time in whole
//! seconds, an answer in words. Written from RFC 8656, not from the machine that it checks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::Limits;

/// One client program's allocation.
pub(super) struct Allocation {
    user: &'static str,
    transaction: u8,
    /// The token that its answer says, if it says one: port and family.
    token: Option<(u16, u8)>,
    missing: Option<&'static str>,
    /// By family, 4 and 6.
    relays: BTreeMap<u8, Relay>,
}

struct Relay {
    id: usize,
    port: u16,
    expiry: u64,
    permissions: BTreeMap<IpAddr, u64>,
    channels: BTreeMap<u16, (SocketAddr, u64)>,
}

/// The families that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Families {
    Unsaid,
    One(u8),
    Both,
}

/// What is asked of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Any,
    Even,
    Pair,
    /// The last token that anyone got.
    Token,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) user: &'static str,
    pub(super) transaction: u8,
    pub(super) lifetime: Option<u32>,
    pub(super) families: Families,
    pub(super) port: Port,
    /// Whether the first socket cannot be had.
    pub(super) fails: bool,
}

pub(super) struct Reference {
    pub(super) now: u64,
    limits: Limits,
    allocations: BTreeMap<&'static str, Allocation>,
    /// Where each client is.
    places: BTreeMap<&'static str, SocketAddr>,
    /// Ports that wait for a token: until when.
    reserved: BTreeMap<u16, u64>,
    /// The port of the last token, and its family.
    token: Option<(u16, u8)>,
    /// Relay numbers that may be used again, the last freed first; then the next new one.
    free: Vec<usize>,
    next: usize,
}

impl Reference {
    pub(super) fn new(limits: Limits, places: BTreeMap<&'static str, SocketAddr>) -> Self {
        Self {
            now: 0,
            limits,
            allocations: BTreeMap::new(),
            places,
            reserved: BTreeMap::new(),
            token: None,
            free: Vec::new(),
            next: 0,
        }
    }

    /// Ends what is over, the first to end first.
    pub(super) fn expire(&mut self) -> Vec<String> {
        let mut over: Vec<(u64, usize)> = self
            .allocations
            .values()
            .flat_map(|allocation| allocation.relays.values())
            .filter(|relay| relay.expiry <= self.now)
            .map(|relay| (relay.expiry, relay.id))
            .collect();
        over.sort_unstable();
        over.into_iter().map(|(_, id)| self.close(id)).collect()
    }

    fn close(&mut self, id: usize) -> String {
        for allocation in self.allocations.values_mut() {
            allocation.relays.retain(|_, relay| relay.id != id);
        }
        self.allocations.retain(|_, allocation| !allocation.relays.is_empty());
        self.free.push(id);
        format!("close #{id}")
    }

    pub(super) fn disconnect(&mut self, name: &'static str) -> Vec<String> {
        let ids: Vec<usize> = self
            .allocations
            .get(name)
            .map_or_else(Vec::new, |allocation| allocation.relays.values().map(|relay| relay.id).collect());
        ids.into_iter().map(|id| self.close(id)).collect()
    }

    fn used_ports(&self) -> BTreeSet<u16> {
        let relays = self.allocations.values().flat_map(|allocation| allocation.relays.values());
        relays.map(|relay| relay.port).chain(self.reserved.keys().copied()).collect()
    }

    /// Whether some port would do, beside those that are `taken`.
    fn has_port(&self, port: Port, taken: &BTreeSet<u16>) -> bool {
        self.limits.ports.clone().any(|candidate| self.is_fit(port, candidate, taken))
    }

    fn is_fit(&self, port: Port, candidate: u16, taken: &BTreeSet<u16>) -> bool {
        let free = |port: u16| self.limits.ports.contains(&port) && !taken.contains(&port);
        free(candidate)
            && match port {
                Port::Any | Port::Token => true,
                Port::Even => candidate.is_multiple_of(2),
                Port::Pair => candidate.is_multiple_of(2) && free(candidate + 1),
            }
    }

    /// `opened` are the ports that the machine chose; the reference judges whether it could choose them.
    pub(super) fn allocate(&mut self, name: &'static str, ask: Ask, opened: &[u16]) -> Vec<String> {
        let mut lines = self.expire();
        let now = self.now;
        self.reserved.retain(|_, expiry| *expiry > now);
        let refuse = |error: &str| format!("{name}: Allocate error {error}, software twocan, sha1");
        if let Some(allocation) = self.allocations.get(name) {
            let same = allocation.transaction == ask.transaction && allocation.user == ask.user;
            // What is said again says its token again.
            self.token = if same { allocation.token.or(self.token) } else { self.token };
            lines.push(if same { self.granted(name) } else { refuse("437 Allocation Mismatch") });
            return lines;
        }
        if let Err(error) = self.admit(name, ask) {
            lines.push(refuse(error));
            return lines;
        }
        let families: &[u8] = match ask.families {
            // A token is for an address, whichever family that has.
            Families::Unsaid if ask.port == Port::Token && self.token.is_some_and(|(_, of)| of == 6) => &[6],
            Families::Unsaid | Families::One(4) => &[4],
            Families::One(_) => &[6],
            Families::Both => &[4, 6],
        };
        let lifetime = ask.lifetime.map_or(600, |asked| u64::from(asked).clamp(600, 3600));
        let mut allocation = Allocation {
            user: ask.user,
            transaction: ask.transaction,
            token: None,
            missing: None,
            relays: BTreeMap::new(),
        };
        let mut taken = self.used_ports();
        let mut opened = opened.iter().copied();
        let mut failed = None;
        for family in families {
            let reserved = self.token.map(|(port, _)| port).filter(|port| self.reserved.contains_key(port));
            let possible = match ask.port {
                Port::Token => reserved.is_some(),
                port => self.has_port(port, &taken),
            };
            if !possible {
                allocation.missing = Some(if *family == 4 { "Ipv4" } else { "Ipv6" });
                continue;
            }
            let port = opened.next().expect("a port where one is to be had");
            match ask.port {
                Port::Token => {
                    assert_eq!(Some(port), reserved, "the reserved port");
                    self.reserved.remove(&port);
                }
                wish => assert!(self.is_fit(wish, port, &taken), "{port} for {wish:?} beside {taken:?}"),
            }
            taken.insert(port);
            let id = self.free.pop().unwrap_or_else(|| {
                self.next += 1;
                self.next - 1
            });
            let fails = ask.fails && failed.is_none() && *family == families[0];
            let ip = if *family == 4 { "192.0.2.1" } else { "[2001:db8::1]" };
            lines.push(format!("open #{id} {ip}:R{id}{}", if fails { ", failed" } else { "" }));
            if fails {
                failed = Some(id);
                allocation.missing = Some(if *family == 4 { "Ipv4" } else { "Ipv6" });
                continue;
            }
            if ask.port == Port::Pair {
                self.reserved.insert(port + 1, now + 60);
                allocation.token = Some((port + 1, *family));
                self.token = allocation.token;
            }
            let (permissions, channels) = (BTreeMap::new(), BTreeMap::new());
            allocation
                .relays
                .insert(*family, Relay { id, port, expiry: now + lifetime, permissions, channels });
        }
        assert_eq!(opened.next(), None, "no further port");
        // All sockets were asked for before the first outcome was known.
        self.free.extend(failed);
        if allocation.relays.is_empty() {
            lines.push(refuse("508 Insufficient Capacity"));
        } else {
            self.allocations.insert(name, allocation);
            lines.push(self.granted(name));
        }
        lines
    }

    fn admit(&self, name: &str, ask: Ask) -> Result<(), &'static str> {
        if ask.port == Port::Token && ask.families != Families::Unsaid {
            return Err("400 Bad Request");
        }
        if ask.port == Port::Pair && ask.families == Families::Both {
            return Err("400 Bad Request");
        }
        if self.allocations.len() >= self.limits.allocations {
            return Err("508 Insufficient Capacity");
        }
        let of_user = self.allocations.values().filter(|allocation| allocation.user == ask.user).count();
        let ip = self.places[name].ip();
        let of_address = self.allocations.keys().filter(|other| self.places[**other].ip() == ip).count();
        if of_user >= self.limits.allocations_per_user || of_address >= self.limits.allocations_per_address {
            return Err("486 Allocation Quota Reached");
        }
        Ok(())
    }

    fn granted(&self, name: &str) -> String {
        let allocation = &self.allocations[name];
        let mut words = format!("{name}: Allocate success");
        for (family, relay) in &allocation.relays {
            let ip = if *family == 4 { "192.0.2.1" } else { "[2001:db8::1]" };
            words += &format!(", relayed {ip}:R{}", relay.id);
        }
        let left = allocation.relays.values().map(|relay| relay.expiry - self.now).min().unwrap();
        words += &format!(", lifetime {left}");
        if allocation.token.is_some() {
            words += ", token";
        }
        words += &format!(", mapped {}", self.places[name]);
        if let Some(missing) = allocation.missing {
            words += &format!(", not {missing}: 508 Insufficient Capacity");
        }
        words + ", software twocan, sha1"
    }

    /// What every request on an allocation needs (§5).
    fn check(&self, name: &str, user: &str) -> Result<(), &'static str> {
        match self.allocations.get(name) {
            None => Err("437 Allocation Mismatch"),
            Some(allocation) if allocation.user != user => Err("441 Wrong Credentials"),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn refresh(
        &mut self,
        name: &'static str,
        user: &str,
        lifetime: Option<u32>,
        family: Option<u8>,
    ) -> Vec<String> {
        let mut lines = self.expire();
        let outcome = self.check(name, user).and_then(|()| {
            let relays = &mut self.allocations.get_mut(name).unwrap().relays;
            let named = |of: u8| family.is_none_or(|family| family == of);
            if !relays.keys().any(|of| named(*of)) {
                return Err("443 Peer Address Family Mismatch");
            }
            if lifetime == Some(0) {
                let ids: Vec<_> =
                    relays.iter().filter(|(of, _)| named(**of)).map(|(_, relay)| relay.id).collect();
                lines.extend(ids.into_iter().map(|id| self.close(id)));
                return Ok(0);
            }
            let lifetime = lifetime.map_or(600, |asked| u64::from(asked).clamp(600, 3600));
            for (_, relay) in relays.iter_mut().filter(|(of, _)| named(**of)) {
                relay.expiry = self.now + lifetime;
            }
            Ok(lifetime)
        });
        lines.push(match outcome {
            Ok(lifetime) => format!("{name}: Refresh success, lifetime {lifetime}, software twocan, sha1"),
            Err(error) => format!("{name}: Refresh error {error}, software twocan, sha1"),
        });
        lines
    }

    pub(super) fn permit(&mut self, name: &'static str, user: &str, peers: &[SocketAddr]) -> Vec<String> {
        let mut lines = self.expire();
        let outcome = self.check(name, user).and_then(|()| self.try_permit(name, peers));
        lines.push(answer(name, "CreatePermission", outcome));
        lines
    }

    fn try_permit(&mut self, name: &str, peers: &[SocketAddr]) -> Result<(), &'static str> {
        let (now, limit) = (self.now, self.limits.permissions);
        let relays = &mut self.allocations.get_mut(name).unwrap().relays;
        if peers.is_empty() {
            return Err("400 Bad Request");
        }
        if peers.iter().any(|peer| !relays.contains_key(&family(*peer))) {
            return Err("443 Peer Address Family Mismatch");
        }
        if peers.iter().any(|peer| is_forbidden(*peer)) {
            return Err("403 Forbidden");
        }
        for (of, relay) in relays.iter() {
            let mut after: BTreeSet<IpAddr> = live(&relay.permissions, now).collect();
            after.extend(peers.iter().filter(|peer| family(**peer) == *of).map(SocketAddr::ip));
            if after.len() > limit {
                return Err("508 Insufficient Capacity");
            }
        }
        for peer in peers {
            relays.get_mut(&family(*peer)).unwrap().permissions.insert(peer.ip(), now + 300);
        }
        Ok(())
    }

    pub(super) fn bind(
        &mut self,
        name: &'static str,
        user: &str,
        number: u16,
        peer: SocketAddr,
    ) -> Vec<String> {
        let mut lines = self.expire();
        let outcome = self.check(name, user).and_then(|()| self.try_bind(name, number, peer));
        lines.push(answer(name, "ChannelBind", outcome));
        lines
    }

    fn try_bind(&mut self, name: &str, number: u16, peer: SocketAddr) -> Result<(), &'static str> {
        let now = self.now;
        let (channels, permissions) = (self.limits.channels, self.limits.permissions);
        let relays = &mut self.allocations.get_mut(name).unwrap().relays;
        let bound: Vec<(u16, SocketAddr)> = relays
            .values()
            .flat_map(|relay| relay.channels.iter())
            .filter(|(_, (_, expiry))| *expiry > now)
            .map(|(number, (peer, _))| (*number, *peer))
            .collect();
        if !(0x4000..=0x4FFF).contains(&number)
            || bound.iter().any(|(other, its)| *other == number && *its != peer)
            || bound.iter().any(|(other, its)| *other != number && *its == peer)
        {
            return Err("400 Bad Request");
        }
        let relay = relays.get_mut(&family(peer)).ok_or("443 Peer Address Family Mismatch")?;
        if is_forbidden(peer) {
            return Err("403 Forbidden");
        }
        let known = bound.contains(&(number, peer));
        let count = relay.channels.values().filter(|(_, expiry)| *expiry > now).count();
        let mut after: BTreeSet<IpAddr> = live(&relay.permissions, now).collect();
        after.insert(peer.ip());
        if (!known && count >= channels) || after.len() > permissions {
            return Err("508 Insufficient Capacity");
        }
        relay.permissions.insert(peer.ip(), now + 300);
        relay.channels.insert(number, (peer, now + 600));
        Ok(())
    }

    pub(super) fn send(&mut self, name: &str, peer: SocketAddr, data: &str) -> Vec<String> {
        let mut lines = self.expire();
        let relay = self.allocations.get(name).and_then(|allocation| allocation.relays.get(&family(peer)));
        lines.push(match relay {
            Some(relay) if relay.permits(self.now, peer) => format!("#{} to {peer}: {data:?}", relay.id),
            _ => "dropped".into(),
        });
        lines
    }

    /// ChannelData does not make the server look at its clock's list; what is over is over all the same.
    pub(super) fn channel(&self, name: &str, number: u16, data: &str) -> Vec<String> {
        let relays = self.allocations.get(name).map(|allocation| allocation.relays.values());
        for relay in relays.into_iter().flatten() {
            if let Some((peer, expiry)) = relay.channels.get(&number)
                && *expiry > self.now
                && relay.permits(self.now, *peer)
            {
                return vec![format!("#{} to {peer}: {data:?}", relay.id)];
            }
        }
        vec!["dropped".into()]
    }

    pub(super) fn arrive(&self, id: usize, peer: SocketAddr, data: &str, streams: &[&str]) -> Vec<String> {
        let Some((name, relay)) = self.relay(id).filter(|(_, relay)| relay.permits(self.now, peer)) else {
            return vec!["dropped".into()];
        };
        let channel = relay.channels.iter().find(|(_, (its, expiry))| *its == peer && *expiry > self.now);
        vec![match channel {
            None => format!("{name}: Data indication, peer {peer}, {data:?}"),
            Some((number, _)) => {
                let padding = (4 - data.len() % 4) % 4;
                let padded = padding != 0 && streams.contains(&name);
                let padding = if padded { format!(" + {padding}") } else { String::new() };
                format!("{name}: channel {number:#06x} {data:?}{padding}")
            }
        }]
    }

    pub(super) fn icmp(&self, id: usize, peer: SocketAddr, kind: u8) -> Vec<String> {
        let heard = if peer.is_ipv4() { kind == 3 || kind == 11 } else { (1..=3).contains(&kind) };
        vec![match self.relay(id) {
            Some((name, relay)) if heard && relay.permits(self.now, peer) => {
                format!(
                    "{name}: Data indication, peer {peer}, icmp {kind}/0 {}",
                    if peer.is_ipv6() && kind == 2 { 7 } else { 0 }
                )
            }
            _ => "dropped".into(),
        }]
    }

    fn relay(&self, id: usize) -> Option<(&'static str, &Relay)> {
        let named = |(name, allocation): (&&'static str, &'_ Allocation)| {
            allocation.relays.values().position(|relay| relay.id == id).map(|_| *name)
        };
        let name = self.allocations.iter().find_map(named)?;
        let relay = self.allocations[name].relays.values().find(|relay| relay.id == id)?;
        Some((name, relay))
    }
}

impl Relay {
    fn permits(&self, now: u64, peer: SocketAddr) -> bool {
        self.expiry > now && self.permissions.get(&peer.ip()).is_some_and(|expiry| *expiry > now)
    }
}

fn live(permissions: &BTreeMap<IpAddr, u64>, now: u64) -> impl Iterator<Item = IpAddr> {
    permissions.iter().filter(move |(_, expiry)| **expiry > now).map(|(ip, _)| *ip)
}

fn family(peer: SocketAddr) -> u8 {
    if peer.is_ipv4() { 4 } else { 6 }
}

/// Of the peers that the test names, those that the policy denies.
fn is_forbidden(peer: SocketAddr) -> bool {
    peer.ip().is_loopback() || peer.to_string().starts_with("10.")
}

fn answer(name: &str, method: &str, outcome: Result<(), &'static str>) -> String {
    match outcome {
        Ok(()) => format!("{name}: {method} success, sha1"),
        Err(error) => format!("{name}: {method} error {error}, sha1"),
    }
}
