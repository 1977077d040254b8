//! One host's place in the network.

use std::net::IpAddr;

use crate::link::Link;
use crate::nat::Nat;

/// One host's place: its addresses, the NATs in front of it, its links.
#[derive(Clone, Debug)]
pub struct Home {
    pub(crate) addresses: Vec<IpAddr>,
    /// The host's own router with its public address.
    pub(crate) nat: Option<(Nat, IpAddr)>,
    /// The carrier in front of that, by its number.
    pub(crate) carrier: Option<usize>,
    pub(crate) up: Link,
    pub(crate) down: Link,
    pub(crate) udp_blocked: bool,
}

impl Home {
    /// A host with a public address.
    ///
    /// # Panics
    /// If that is no IP address.
    #[must_use]
    pub fn public(address: &str) -> Self {
        Self {
            addresses: vec![parse(address)],
            nat: None,
            carrier: None,
            up: Link::default(),
            down: Link::default(),
            udp_blocked: false,
        }
    }

    /// A host with a private address behind a NAT with a public one.
    ///
    /// # Panics
    /// If either is no IP address.
    #[must_use]
    pub fn behind(nat: Nat, public: &str, private: &str) -> Self {
        Self { nat: Some((nat, parse(public))), ..Self::public(private) }
    }

    /// One more address of the host itself: IPv6, or another interface.
    ///
    /// # Panics
    /// If it is no IP address.
    #[must_use]
    pub fn and(mut self, address: &str) -> Self {
        self.addresses.push(parse(address));
        self
    }

    /// Puts a carrier's NAT in front of it, by the number that [`Network::carrier`](crate::Network::carrier) gave.
    #[must_use]
    pub fn in_carrier(self, carrier: usize) -> Self {
        Self { carrier: Some(carrier), ..self }
    }

    /// Its link to the internet, up; the way down does nothing.
    #[must_use]
    pub fn link(self, up: Link) -> Self {
        Self { up, ..self }
    }

    /// Its links, up and down.
    #[must_use]
    pub fn links(self, up: Link, down: Link) -> Self {
        Self { up, down, ..self }
    }

    /// Lets no UDP through.
    #[must_use]
    pub fn udp_blocked(self) -> Self {
        Self { udp_blocked: true, ..self }
    }
}

fn parse(address: &str) -> IpAddr {
    address.parse().unwrap_or_else(|_| panic!("{address} is no IP address"))
}
