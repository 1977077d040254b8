//! Who has which address. Everything follows from a home's index, so that a trace can be read by eye.
//!
//! | network | who |
//! |---|---|
//! | 203.0.113.1, .2; 2001:db8::1, ::2 | the server, in the internet |
//! | 198.51.100.0/25, four addresses each | the links between the internet and routers or carriers |
//! | 198.51.100.128/25, four addresses each | clients without a NAT |
//! | 192.168.10+n.0/24 | behind home n's NAT |
//! | 100.64.n.0/24 | between a carrier and home n (RFC 6598) |
//! | 2001:db8:1:n::/64, 2001:db8:2:n::/64 | the IPv6 link and LAN of home n |

use std::net::{Ipv4Addr, Ipv6Addr};

/// The server's address in every lab.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Its second address: for tests of NAT behaviour, or a second port 443.
pub const SECOND_SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
/// The server's IPv6 address in every lab.
pub const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// Its second IPv6 address.
pub const SECOND_SERVER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

/// How many homes and carriers fit into a lab.
pub(crate) const LIMIT: usize = 31;

/// A network between a gateway (towards the internet) and one node (away from it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) gateway: Ipv4Addr,
    pub(crate) node: Ipv4Addr,
    pub(crate) prefix: u8,
}

impl Link {
    /// The network in `address/prefix` form.
    pub(crate) fn network(&self) -> String {
        let bits = u32::from(self.gateway) & (u32::MAX << (32 - self.prefix));
        format!("{}/{}", Ipv4Addr::from(bits), self.prefix)
    }
}

/// The link of the `index`-th router or carrier to the internet.
pub(crate) fn internet_link(index: usize) -> Link {
    four_addresses(0, index)
}

/// The LAN of home `index`, where its client has a public address.
pub(crate) fn public_lan(index: usize) -> Link {
    four_addresses(128, index)
}

/// The LAN of home `index`, behind a NAT.
pub(crate) fn private_lan(index: usize) -> Link {
    let network = [192, 168, 10 + small(index)];
    whole_network(network)
}

/// The link between a carrier and home `index`.
pub(crate) fn carrier_link(index: usize) -> Link {
    whole_network([100, 64, small(index)])
}

/// The IPv6 prefix of the link of home `index`; `::1` is the gateway, `::2` the router.
pub(crate) fn link_v6(index: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 1, small(index).into(), 0, 0, 0, 0)
}

/// The IPv6 prefix of the LAN of home `index`; `::1` is the router, `::2` the client.
pub(crate) fn lan_v6(index: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 2, small(index).into(), 0, 0, 0, 0)
}

/// The `host`-th address of a /64.
pub(crate) fn host_v6(network: Ipv6Addr, host: u16) -> Ipv6Addr {
    let mut segments = network.segments();
    segments[7] = host;
    segments.into()
}

fn four_addresses(base: u8, index: usize) -> Link {
    let first = base + 4 * small(index);
    Link {
        gateway: Ipv4Addr::new(198, 51, 100, first + 1),
        node: Ipv4Addr::new(198, 51, 100, first + 2),
        prefix: 30,
    }
}

fn whole_network([a, b, c]: [u8; 3]) -> Link {
    Link { gateway: Ipv4Addr::new(a, b, c, 1), node: Ipv4Addr::new(a, b, c, 2), prefix: 24 }
}

fn small(index: usize) -> u8 {
    assert!(index <= LIMIT, "Lab::up refuses more than {LIMIT} homes and carriers");
    u8::try_from(index).unwrap_or_default()
}
