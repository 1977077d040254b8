//! A NAT and a server to examine, in virtual time.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::attribute::{
    Attribute as _, ChangeRequest, ErrorCode, MappedAddress, OtherAddress, Padding, ResponseOrigin,
    ResponsePort, UnknownAttributes, XorMappedAddress,
};
use crate::{Class, Message, Writer};

/// On what a mapping or a filter depends (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depends {
    Nothing,
    Address,
    AddressAndPort,
}

impl Depends {
    fn same(self, one: SocketAddr, other: SocketAddr) -> bool {
        match self {
            Self::Nothing => true,
            Self::Address => one.ip() == other.ip(),
            Self::AddressAndPort => one == other,
        }
    }
}

/// A NAT; with `public` none, a firewall that changes no address.
#[derive(Clone, Debug)]
pub(super) struct Nat {
    pub(super) public: Option<IpAddr>,
    pub(super) mapping: Depends,
    pub(super) filtering: Depends,
    pub(super) hairpin: bool,
    pub(super) lifetime: Duration,
    pub(super) bindings: Vec<Binding>,
}

#[derive(Clone, Debug)]
pub(super) struct Binding {
    inside: SocketAddr,
    outside: SocketAddr,
    first_destination: SocketAddr,
    destinations: Vec<SocketAddr>,
    last_sent: Instant,
}

impl Nat {
    pub(super) fn new(mapping: Depends, filtering: Depends) -> Self {
        let public = Some([203, 0, 113, 1].into());
        let lifetime = Duration::from_secs(50);
        Self { public, mapping, filtering, hairpin: false, lifetime, bindings: Vec::new() }
    }

    fn expire(&mut self, now: Instant) {
        let lifetime = self.lifetime;
        self.bindings.retain(|binding| now < binding.last_sent + lifetime);
    }

    /// The public source of what `inside` sends to `destination`.
    fn outbound(&mut self, now: Instant, inside: SocketAddr, destination: SocketAddr) -> SocketAddr {
        self.expire(now);
        let mapping = self.mapping;
        let index = self.bindings.iter().position(|binding| {
            binding.inside == inside && mapping.same(binding.first_destination, destination)
        });
        let index = index.unwrap_or_else(|| {
            let port = 20_000
                + self.bindings.iter().map(|binding| binding.outside.port() % 20_000 + 1).max().unwrap_or(0);
            let outside = self.public.map_or(inside, |public| SocketAddr::new(public, port));
            let (first_destination, destinations) = (destination, Vec::new());
            self.bindings.push(Binding { inside, outside, first_destination, destinations, last_sent: now });
            self.bindings.len() - 1
        });
        let binding = &mut self.bindings[index];
        binding.last_sent = now;
        binding.destinations.push(destination);
        binding.outside
    }

    /// Who inside gets what `source` sends to the public address.
    fn inbound(&mut self, now: Instant, source: SocketAddr, outside: SocketAddr) -> Option<SocketAddr> {
        self.expire(now);
        let filtering = self.filtering;
        let binding = self.bindings.iter().find(|binding| binding.outside == outside)?;
        let open = binding.destinations.iter().any(|destination| filtering.same(*destination, source));
        open.then_some(binding.inside)
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        Some(address.ip()) == self.public
    }
}

/// What a server of RFC 5780 §6 offers.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) first: SocketAddr,
    pub(super) other: Option<SocketAddr>,
    pub(super) change: bool,
    /// Says nothing of `other`, as a server with one address must.
    pub(super) unnamed: bool,
    pub(super) response_port: bool,
    /// Silently ignores what it does not know, instead of answering 420.
    pub(super) lax: bool,
    /// Only the first address can be reached.
    pub(super) other_is_down: bool,
}

impl Server {
    fn hears(&self, address: SocketAddr) -> bool {
        let other = self.other.unwrap_or(self.first);
        let ip = address.ip() == self.first.ip() || address.ip() == other.ip();
        let port = address.port() == self.first.port() || address.port() == other.port();
        ip && port && (address == self.first || !self.other_is_down)
    }

    /// Answer, its source and its destination.
    fn answer(
        &self,
        bytes: &[u8],
        source: SocketAddr,
        at: SocketAddr,
    ) -> Option<(Vec<u8>, SocketAddr, SocketAddr)> {
        let message = Message::parse(bytes).ok().filter(|message| message.class() == Class::Request)?;
        let change = message.get::<ChangeRequest>().unwrap();
        let port = message.get::<ResponsePort>().unwrap();
        let mut known = vec![Padding::TYPE];
        known.extend(self.change.then_some(ChangeRequest::TYPE));
        known.extend(self.response_port.then_some(ResponsePort::TYPE));
        let unknown: UnknownAttributes = message.unknown(&known).collect();
        let mut answer = Vec::new();
        if !self.lax && !unknown.kinds().is_empty() {
            Writer::new(&mut answer, Class::Error, message.method(), message.transaction())
                .add(&ErrorCode::new(420, "Unknown Attribute"))
                .add(&unknown);
            return Some((answer, at, source));
        }
        let alternate = |at: SocketAddr| {
            let other = self.other?;
            let ip = if at.ip() == self.first.ip() { other.ip() } else { self.first.ip() };
            let port = if at.port() == self.first.port() { other.port() } else { self.first.port() };
            Some(SocketAddr::new(ip, port))
        };
        let mut origin = at;
        if let (Some(change), true, Some(alternate)) = (change, self.change, alternate(at)) {
            origin = SocketAddr::new(
                if change.address { alternate.ip() } else { at.ip() },
                if change.port { alternate.port() } else { at.port() },
            );
        }
        let mut destination = source;
        if let (Some(port), true) = (port, self.response_port) {
            destination.set_port(port.0);
        }
        let mut writer = Writer::new(&mut answer, Class::Success, message.method(), message.transaction());
        writer.add(&XorMappedAddress(source)).add(&MappedAddress(source)).add(&ResponseOrigin(origin));
        if let (Some(alternate), false) = (alternate(at), self.unnamed) {
            writer.add(&OtherAddress(alternate));
        }
        let sent = !self.other_is_down || origin == self.first;
        sent.then_some((answer, origin, destination))
    }
}

/// What a datagram becomes on its way through NAT, servers and back: what arrives inside, from where and at which port.
pub(super) fn carry(
    now: Instant,
    nat: Option<&mut Nat>,
    servers: &[Server],
    (source, destination): (SocketAddr, SocketAddr),
    bytes: &[u8],
) -> Option<(Vec<u8>, SocketAddr, SocketAddr)> {
    let Some(nat) = nat else {
        let server = servers.iter().find(|server| server.hears(destination))?;
        return server.answer(bytes, source, destination);
    };
    let outside = nat.outbound(now, source, destination);
    if nat.is_own(destination) {
        let inside = nat.hairpin.then(|| nat.inbound(now, outside, destination)).flatten()?;
        return Some((bytes.to_vec(), outside, inside));
    }
    let server = servers.iter().find(|server| server.hears(destination))?;
    let (answer, origin, back) = server.answer(bytes, outside, destination)?;
    let inside = nat.inbound(now, origin, back)?;
    Some((answer, origin, inside))
}
