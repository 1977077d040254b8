//! The agent's own candidates, ranked (RFC 8445 §5.1.2, RFC 8421 §4), given foundations (§5.1.1.3) and joined
//! by those that answers show (§7.2.5.3.1).

use std::net::{IpAddr, SocketAddr};

use super::{LocalCandidate, NotAdded, RelayProtocol};
use crate::candidate::{Address, Candidate, Foundation, Kind, TcpType, Transport};
use crate::limits;
use crate::path::{Protocol, same};
use crate::priority::{Rank, candidate_priority, type_preference};

/// A candidate that the agent has.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) given: LocalCandidate,
    pub(crate) id: u32,
    pub(crate) foundation: usize,
    pub(crate) local_preference: u16,
    pub(crate) priority: u32,
    /// The interface went away.
    pub(crate) removed: bool,
}

impl Local {
    pub(crate) fn protocol(&self) -> Protocol {
        self.given.transport.protocol()
    }

    /// What PRIORITY says in checks from here (RFC 8445 §7.1.1).
    pub(crate) fn reflexive_priority(&self) -> u32 {
        let preference = type_preference(Kind::PeerReflexive, self.protocol(), None);
        candidate_priority(preference, self.local_preference)
    }

    /// The one that packets are sent from, rather than a reflection of it.
    pub(crate) fn is_base(&self) -> bool {
        matches!(self.given.kind, Kind::Host | Kind::Relayed)
    }
}

/// Kind, protocol, base address, server, and how that is reached.
type Origin = (Kind, Protocol, IpAddr, Option<IpAddr>, Option<RelayProtocol>);

/// All of a generation.
#[derive(Debug, Default)]
pub(crate) struct Locals {
    all: Vec<Local>,
    /// What makes a foundation.
    foundations: Vec<Origin>,
}

impl Locals {
    pub(crate) fn get(&self, index: usize) -> &Local {
        &self.all[index]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Local)> {
        self.all.iter().enumerate().filter(|(_, local)| !local.removed)
    }

    /// Removed ones too: pairs and reports still name them.
    pub(crate) fn all(&self) -> &[Local] {
        &self.all
    }

    /// The one that packets to `address` reach: a base, or where that was not given, its reflection.
    pub(crate) fn base(&self, protocol: Protocol, address: SocketAddr) -> Option<usize> {
        let at = |local: &Local| {
            local.protocol() == protocol
                && local.given.transport != Transport::Tcp(TcpType::Active)
                && same(local.given.base, address)
        };
        let mut bases = self.iter().filter(|(_, local)| at(local));
        let first = bases.next()?;
        let base = std::iter::once(first).chain(bases).find(|(_, local)| local.is_base());
        base.or(Some(first)).map(|(index, _)| index)
    }

    /// Whether checks are sent for this one: not where its base is a candidate itself (RFC 8445 §6.1.2.4),
    /// nor from one that waits for connections (RFC 6544 §6.2).
    pub(crate) fn is_paired(&self, index: usize) -> bool {
        let local = self.get(index);
        match local.given.transport {
            _ if local.given.kind == Kind::PeerReflexive => false,
            Transport::Tcp(tcp_type) => tcp_type == TcpType::Active,
            Transport::Udp => self.base(Protocol::Udp, local.given.base) == Some(index),
        }
    }

    /// Whether it is ours to open connections from here.
    pub(crate) fn opens(&self, index: usize) -> bool {
        self.get(index).given.transport == Transport::Tcp(TcpType::Active)
    }

    /// The candidate at `address` whose packets leave from `base`.
    pub(crate) fn reflected(&self, base: usize, address: SocketAddr) -> Option<usize> {
        let from = self.get(base);
        let mut alike = self.iter().filter(|(_, local)| {
            local.given.transport == from.given.transport
                && same(local.given.base, from.given.base)
                && same(local.given.address, address)
        });
        alike.next().map(|(index, _)| index)
    }

    /// Adds what the caller gathered; its place in the list.
    pub(crate) fn add(&mut self, id: u32, given: LocalCandidate) -> Result<usize, NotAdded> {
        given.check()?;
        let twin = |local: &Local| {
            local.given.transport == given.transport
                && same(local.given.address, given.address)
                && same(local.given.base, given.base)
        };
        if self.iter().any(|(_, local)| twin(local) && local.given.kind != Kind::PeerReflexive) {
            return Err(NotAdded::Redundant);
        }
        // RFC 8445 §5.1.3: a reflexive candidate that is its own base, where there is no NAT.
        if given.kind == Kind::ServerReflexive && same(given.address, given.base) {
            return Err(NotAdded::Redundant);
        }
        if self.all.len() >= limits::LOCAL_CANDIDATES {
            return Err(NotAdded::TooMany);
        }
        let preference = type_preference(given.kind, given.transport.protocol(), given.via);
        let local_preference = self.unique(preference, self.rank(&given), &given);
        let priority = candidate_priority(preference, local_preference);
        Ok(self.push(id, given, local_preference, priority))
    }

    /// Adds what an answer told us about the way from `base` (RFC 8445 §7.2.5.3.1).
    pub(crate) fn learn(&mut self, id: u32, address: SocketAddr, base: usize) -> Option<usize> {
        let learnt = self.all.iter().filter(|local| local.given.kind == Kind::PeerReflexive).count();
        if learnt >= limits::LOCAL_PEER_REFLEXIVE {
            return None;
        }
        let from = &self.all[base];
        let (local_preference, priority) = (from.local_preference, from.reflexive_priority());
        let mut given = from.given.clone();
        (given.kind, given.address, given.related, given.name, given.public) =
            (Kind::PeerReflexive, address, Some(given.base), None, None);
        Some(self.push(id, given, local_preference, priority))
    }

    fn push(&mut self, id: u32, given: LocalCandidate, local_preference: u16, priority: u32) -> usize {
        let key = (given.kind, given.transport.protocol(), given.base.ip(), given.server, given.via);
        let foundation = self.foundations.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.foundations.push(key);
            self.foundations.len() - 1
        });
        if self.all.len() < limits::FEW {
            self.all.reserve_exact(1);
        }
        self.all.push(Local { given, id, foundation, local_preference, priority, removed: false });
        self.all.len() - 1
    }

    fn rank(&self, given: &LocalCandidate) -> Rank {
        let mut interfaces: Vec<u32> = Vec::new();
        for local in &self.all {
            if !interfaces.contains(&local.given.interface) {
                interfaces.push(local.given.interface);
            }
        }
        let interface = interfaces.iter().position(|known| *known == given.interface);
        let is_ipv4 = given.base.is_ipv4();
        let alike = |local: &&Local| {
            (local.given.interface, local.given.kind, local.given.transport)
                == (given.interface, given.kind, given.transport)
                && local.given.base.is_ipv4() == is_ipv4
        };
        Rank {
            cost: given.cost,
            address: self.all.iter().filter(alike).count(),
            interface: interface.unwrap_or(interfaces.len()),
            is_ipv4,
        }
    }

    /// RFC 8445 §5.1.2.1: no two of a kind have the same preference.
    fn unique(&self, type_preference: u8, rank: Rank, given: &LocalCandidate) -> u16 {
        let mut preference = rank.local_preference(given.transport, given.kind);
        let taken = |preference| {
            let priority = candidate_priority(type_preference, preference);
            self.all.iter().any(|local| local.priority == priority)
        };
        while taken(preference) {
            preference -= 1;
        }
        preference
    }

    pub(crate) fn remove(&mut self, index: usize) {
        self.all[index].removed = true;
    }

    /// As it is told to the peer.
    pub(crate) fn describe(&self, index: usize) -> Candidate {
        let Local { given, foundation, priority, .. } = &self.all[index];
        let port = given.address.port();
        let address = match &given.name {
            Some(name) => Address::Name { name: name.clone(), port },
            None => Address::Ip(SocketAddr::new(given.public.unwrap_or(given.address.ip()), port)),
        };
        let is_hidden = |related: SocketAddr| {
            self.all.iter().any(|local| {
                let hides = local.given.name.is_some() || local.given.public.is_some();
                hides && local.given.base.ip() == related.ip()
            })
        };
        let related = given.related.map(|related| match related {
            // RFC 8839 §5.1: what may not be known.
            SocketAddr::V4(_) if is_hidden(related) => SocketAddr::from(([0; 4], 9)),
            SocketAddr::V6(_) if is_hidden(related) => SocketAddr::from(([0_u16; 8], 9)),
            _ => related,
        });
        Candidate {
            foundation: Foundation::numbered(foundation + 1),
            component: 1,
            transport: given.transport,
            priority: *priority,
            address,
            kind: given.kind,
            related: related.map(Address::Ip),
            ufrag: None,
            generation: None,
            extensions: Vec::new(),
        }
    }
}
