//! What candidates and pairs are worth (RFC 8445 §5.1.2, §6.1.2.3; RFC 6544 §4.2; RFC 8421 §4).

use crate::candidate::{Kind, TcpType, Transport};
use crate::local::RelayProtocol;
use crate::path::Protocol;

/// The best rank that a candidate can have among those of its kind.
const BEST: u32 = 0x1FFF;

/// The place of a candidate among the others of its kind: each part less is better.
///
/// Families alternate, IPv6 first, and so do interfaces, so that neither a host with many IPv6 addresses
/// nor one with many interfaces lets the others wait (RFC 8421 §4). Costly interfaces come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    /// What the interface costs its user, 0 to 3.
    pub(crate) cost: u8,
    /// The how-manieth address of its family on its interface.
    pub(crate) address: usize,
    /// The how-manieth interface.
    pub(crate) interface: usize,
    pub(crate) is_ipv4: bool,
}

impl Rank {
    /// RFC 8445 §5.1.2.1's local preference, in the layout of RFC 6544 §4.2: three bits for who connects,
    /// thirteen for the rest.
    pub(crate) fn local_preference(self, transport: Transport, kind: Kind) -> u16 {
        let rank = u32::from(self.cost.min(3)) << 11
            | (self.address.min(31) as u32) << 6
            | (self.interface.min(31) as u32) << 1
            | u32::from(self.is_ipv4);
        (direction(transport, kind) << 13 | (BEST - rank)) as u16
    }
}

/// RFC 6544 §4.2.
fn direction(transport: Transport, kind: Kind) -> u32 {
    let is_reflexive = matches!(kind, Kind::ServerReflexive | Kind::PeerReflexive);
    match transport {
        Transport::Udp => 7,
        Transport::Tcp(TcpType::Active) if is_reflexive => 4,
        Transport::Tcp(TcpType::Passive) if is_reflexive => 2,
        Transport::Tcp(TcpType::SimultaneousOpen) if is_reflexive => 6,
        Transport::Tcp(TcpType::Active) => 6,
        Transport::Tcp(TcpType::Passive) => 4,
        Transport::Tcp(TcpType::SimultaneousOpen) => 2,
    }
}

/// RFC 8445 §5.1.2.2's recommendations. TCP is worth less than any direct path over UDP (RFC 6544 §4.2), and
/// a relay that is reached over UDP more than one over TCP.
pub(crate) fn type_preference(kind: Kind, protocol: Protocol, via: Option<RelayProtocol>) -> u8 {
    match (kind, protocol) {
        (Kind::Host, Protocol::Udp) => 126,
        (Kind::PeerReflexive, Protocol::Udp) => 110,
        (Kind::ServerReflexive, Protocol::Udp) => 100,
        (Kind::Host, Protocol::Tcp) => 90,
        (Kind::PeerReflexive, Protocol::Tcp) => 80,
        (Kind::ServerReflexive, Protocol::Tcp) => 70,
        (Kind::Relayed, _) => match via {
            None | Some(RelayProtocol::Udp) => 2,
            Some(RelayProtocol::Tcp) => 1,
            Some(RelayProtocol::Tls) => 0,
        },
    }
}

/// RFC 8445 §5.1.2.1, for component 1.
pub(crate) fn candidate_priority(type_preference: u8, local_preference: u16) -> u32 {
    u32::from(type_preference) << 24 | u32::from(local_preference) << 8 | 255
}

/// RFC 8445 §6.1.2.3. A peer may say any 32 bits; RFC 8839 §5.1 gives candidates 31, more would overflow.
pub(crate) fn pair_priority(controlling: u32, controlled: u32) -> u64 {
    let limit = |priority: u32| u64::from(priority.min(i32::MAX as u32));
    let (g, d) = (limit(controlling), limit(controlled));
    (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(cost: u8, address: usize, interface: usize, is_ipv4: bool) -> u16 {
        Rank { cost, address, interface, is_ipv4 }.local_preference(Transport::Udp, Kind::Host)
    }

    #[test]
    fn the_formulas_of_rfc_8445() {
        assert_eq!(rank(0, 0, 0, false), 0xFFFF);
        assert_eq!(candidate_priority(126, 0xFFFF), 2_130_706_431);
        // 2^32*MIN + 2*MAX + (G>D)
        assert_eq!(pair_priority(3, 2), (2 << 32) + 6 + 1);
        assert_eq!(pair_priority(2, 3), (2 << 32) + 6);
        assert_eq!(pair_priority(u32::MAX, u32::MAX), pair_priority(i32::MAX as u32, i32::MAX as u32));
    }

    #[test]
    fn families_and_interfaces_take_turns_and_cost_comes_last() {
        let order = [
            rank(0, 0, 0, false),
            rank(0, 0, 0, true),
            rank(0, 0, 1, false),
            rank(0, 0, 1, true),
            rank(0, 1, 0, false),
            rank(0, 1, 0, true),
            rank(1, 0, 2, false),
            rank(3, 31, 31, true),
        ];
        assert!(order.is_sorted_by(|better, worse| better > worse), "{order:?}");
    }

    #[test]
    fn kinds_are_ordered() {
        use Kind::*;
        let preference = |kind, protocol| type_preference(kind, protocol, None);
        let order = [
            preference(Host, Protocol::Udp),
            preference(PeerReflexive, Protocol::Udp),
            preference(ServerReflexive, Protocol::Udp),
            preference(Host, Protocol::Tcp),
            preference(PeerReflexive, Protocol::Tcp),
            preference(ServerReflexive, Protocol::Tcp),
            type_preference(Relayed, Protocol::Udp, Some(RelayProtocol::Udp)),
            type_preference(Relayed, Protocol::Udp, Some(RelayProtocol::Tcp)),
            type_preference(Relayed, Protocol::Udp, Some(RelayProtocol::Tls)),
        ];
        assert!(order.is_sorted_by(|better, worse| better > worse), "{order:?}");
        let tcp = |tcp_type| {
            Rank { cost: 0, address: 0, interface: 0, is_ipv4: false }
                .local_preference(Transport::Tcp(tcp_type), Host)
        };
        assert_eq!(tcp(TcpType::Active), (6 << 13) + 8191);
        assert_eq!(tcp(TcpType::Passive), (4 << 13) + 8191);
    }
}
