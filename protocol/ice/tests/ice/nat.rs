//! The four NATs of old: how they map (RFC 4787 §4.1) and what they let in (§5).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
}

pub(crate) struct Nat {
    flavour: Flavour,
    public: IpAddr,
    next_port: u16,
    /// By internal address, and for a symmetric one by destination.
    mappings: BTreeMap<(SocketAddr, Option<SocketAddr>), u16>,
    /// To whom something was sent from a public port.
    spoken: BTreeSet<(u16, SocketAddr)>,
}

impl Nat {
    pub(crate) fn new(flavour: Flavour, public: IpAddr) -> Self {
        Self { flavour, public, next_port: 40_000, mappings: BTreeMap::new(), spoken: BTreeSet::new() }
    }

    pub(crate) fn public(&self) -> IpAddr {
        self.public
    }

    /// A packet leaves: its source as the world sees it.
    pub(crate) fn leave(&mut self, source: SocketAddr, destination: SocketAddr) -> SocketAddr {
        let key = (source, (self.flavour == Flavour::Symmetric).then_some(destination));
        let port = *self.mappings.entry(key).or_insert_with(|| {
            self.next_port += 7;
            self.next_port
        });
        self.spoken.insert((port, destination));
        SocketAddr::new(self.public, port)
    }

    /// A packet comes in: whom it is for, if it may.
    pub(crate) fn enter(&self, source: SocketAddr, port: u16) -> Option<SocketAddr> {
        let ((internal, _), _) = self.mappings.iter().find(|(_, mapped)| **mapped == port)?;
        let mut spoken = self.spoken.iter().filter(|(from, _)| *from == port).map(|(_, to)| *to);
        let allowed = match self.flavour {
            Flavour::FullCone => true,
            Flavour::AddressRestricted => spoken.any(|to| to.ip() == source.ip()),
            Flavour::PortRestricted | Flavour::Symmetric => spoken.any(|to| to == source),
        };
        allowed.then_some(*internal)
    }

    /// Forgets all bindings, as a router does that is switched off and on.
    pub(crate) fn reboot(&mut self) {
        self.mappings.clear();
        self.spoken.clear();
        self.next_port += 1000;
    }
}
