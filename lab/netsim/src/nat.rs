//! Address translation, as RFC 4787 describes it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::random::Random;

/// What a mapping or a filter looks at (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depends {
    /// Not at the remote end at all.
    Nothing,
    /// At its address.
    Address,
    /// At its address and port.
    AddressAndPort,
}

/// How a router translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nat {
    /// What a mapping depends on.
    pub mapping: Depends,
    /// What the filter looks at.
    pub filtering: Depends,
    /// Whether hosts behind it reach each other at its public address.
    pub hairpin: bool,
    /// How long an idle mapping lives.
    pub lifetime: Duration,
}

impl Nat {
    /// Everyone gets in where someone was let out.
    pub const FULL_CONE: Self = Self::cone(Depends::Nothing);
    /// Those addresses get in that were sent to.
    pub const ADDRESS_RESTRICTED: Self = Self::cone(Depends::Address);
    /// Those addresses and ports get in that were sent to: most home routers.
    pub const PORT_RESTRICTED: Self = Self::cone(Depends::AddressAndPort);
    /// Another public port for every remote end.
    pub const SYMMETRIC: Self =
        Self { mapping: Depends::AddressAndPort, ..Self::cone(Depends::AddressAndPort) };

    const fn cone(filtering: Depends) -> Self {
        Self { mapping: Depends::Nothing, filtering, hairpin: false, lifetime: Duration::from_secs(120) }
    }
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

/// At most so many mappings: a router's table.
const MAX_MAPPINGS: usize = 4096;

/// A router with its table.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) nat: Nat,
    pub(crate) public: IpAddr,
    mappings: Vec<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    outside: SocketAddr,
    /// Whom it was made for.
    first: SocketAddr,
    /// Who was sent to, for the filter.
    remotes: Vec<SocketAddr>,
    used: Instant,
}

impl Router {
    pub(crate) fn new(nat: Nat, public: IpAddr) -> Self {
        Self { nat, public, mappings: Vec::new() }
    }

    /// The public source of what goes out; none if the table is full.
    pub(crate) fn outbound(
        &mut self,
        now: Instant,
        inside: SocketAddr,
        remote: SocketAddr,
        random: &mut Random,
    ) -> Option<SocketAddr> {
        self.expire(now);
        let depends = self.nat.mapping;
        let known = |mapping: &&mut Mapping| mapping.inside == inside && depends.same(mapping.first, remote);
        if let Some(mapping) = self.mappings.iter_mut().find(known) {
            mapping.used = now;
            if !mapping.remotes.contains(&remote) {
                mapping.remotes.push(remote);
            }
            return Some(mapping.outside);
        }
        if self.mappings.len() >= MAX_MAPPINGS {
            return None;
        }
        let outside = self.free_port(random);
        self.mappings.push(Mapping { inside, outside, first: remote, remotes: vec![remote], used: now });
        Some(outside)
    }

    /// The host that something from outside is for, if it is let in.
    pub(crate) fn inbound(&mut self, now: Instant, remote: SocketAddr, at: SocketAddr) -> Option<SocketAddr> {
        self.expire(now);
        let mapping = self.mappings.iter().find(|mapping| mapping.outside == at)?;
        let filter = self.nat.filtering;
        mapping.remotes.iter().any(|known| filter.same(*known, remote)).then_some(mapping.inside)
    }

    /// Forgets everything, as a router does that is switched off and on.
    pub(crate) fn restart(&mut self) {
        self.mappings.clear();
    }

    fn expire(&mut self, now: Instant) {
        let lifetime = self.nat.lifetime;
        self.mappings.retain(|mapping| now.saturating_duration_since(mapping.used) < lifetime);
    }

    fn free_port(&self, random: &mut Random) -> SocketAddr {
        loop {
            let port = 10_000 + random.below(50_000) as u16;
            let outside = SocketAddr::new(self.public, port);
            if self.mappings.iter().all(|mapping| mapping.outside != outside) {
                return outside;
            }
        }
    }
}
