//! Which peers a relay may speak to: not into networks that only the server can reach
//! (RFC 8656 §21.2.2, §21.3.2; the blocks of the IANA special-purpose address registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// Decides about peers.
#[derive(Clone, Debug, Default)]
pub struct PeerPolicy {
    /// Blocks that the operator opens explicitly.
    pub allowed: Vec<IpNet>,
    /// This host's own addresses, public ones included.
    pub own: Vec<IpAddr>,
    /// Ports of this host's own services. They stay closed, on `own` and on all loopback addresses, even
    /// where `allowed` opens the block.
    pub own_ports: Vec<u16>,
    /// Ports of this host's own services that everybody may speak to over UDP, on `own` addresses: whoever cannot reach
    /// them without a relay may through it, though they are among `own_ports`.
    pub open_ports: Vec<u16>,
    /// Ports of relayed addresses: on `own` addresses only these may be spoken to, because two relayed
    /// clients meet there; `None`: none.
    pub relay_ports: Option<RangeInclusive<u16>>,
}

impl PeerPolicy {
    /// Whether a permission may be installed: at this time only the address is known.
    pub fn permits_ip(&self, ip: IpAddr) -> bool {
        self.is_opened(ip) || self.is_own(ip) || !is_denied_by_default(ip)
    }

    /// Whether data may be sent.
    pub fn permits(&self, peer: SocketAddr) -> bool {
        let (ip, port) = (peer.ip(), peer.port());
        // All of 127/8 leads to what listens on the unspecified address.
        let here = self.is_own(ip) || ip.is_loopback();
        if self.is_own(ip) && self.open_ports.contains(&port) {
            return true;
        }
        if port == 0 || (here && self.own_ports.contains(&port)) {
            return false;
        }
        if self.is_own(ip) {
            return self.is_relay_port(port) || self.is_opened(ip);
        }
        self.is_opened(ip) || !is_denied_by_default(ip)
    }

    /// Whether relayed addresses of ours may have this port.
    pub fn is_relay_port(&self, port: u16) -> bool {
        self.relay_ports.as_ref().is_some_and(|ports| ports.contains(&port))
    }

    fn is_opened(&self, ip: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes is never a peer, whatever is opened.
        self.allowed.iter().any(|block| block.contains(&ip)) && embedded(ip).is_none()
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        self.own.contains(&ip) && !ip.is_unspecified()
    }
}

/// Whether an address is denied as a peer unless the operator opens its block: it is not a unicast
/// address of the public Internet.
pub fn is_denied_by_default(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_denied_v4(ip),
        IpAddr::V6(ip) => is_denied_v6(ip),
    }
}

fn is_denied_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        // "This network", loopback.
        (0 | 127, ..)
        // Private.
        | (10, ..)
        | (172, 16..=31, _)
        | (192, 168, _)
        // Carrier-grade NAT.
        | (100, 64..=127, _)
        // Link-local, cloud metadata (169.254.169.254) among it.
        | (169, 254, _)
        // IETF protocol assignments (which hold 192.0.0.192, another cloud's metadata), 6to4 relays.
        | (192, 0, 0)
        | (192, 88, 99)
        // Benchmarking.
        | (198, 18..=19, _)
        // Multicast, reserved, limited broadcast.
        | (224..=255, ..) => true,
        // Alibaba's metadata service (100.100.100.200) is inside of carrier-grade NAT's block above;
        // Azure's wire server is a public address.
        _ => ip == Ipv4Addr::new(168, 63, 129, 16),
    }
}

fn is_denied_v6(ip: Ipv6Addr) -> bool {
    if embedded(IpAddr::V6(ip)).is_some() {
        return true;
    }
    let segments = ip.segments();
    // Only 2000::/3 is public unicast; in it, benchmarking (2001:2::/48), ORCHID (2001:10::/28,
    // 2001:20::/28) and Teredo (2001::/32) are not. Documentation blocks, of either family, stay open:
    // they lead nowhere on the Internet, and test networks use them as if they did.
    segments[0] & 0xE000 != 0x2000
        || (segments[0] == 0x2001
            && (matches!(segments[1], 0 | 0x10..=0x2F) || (segments[1], segments[2]) == (2, 0)))
}

/// The IPv4 address that an IPv6 address carries: mapped, compatible, NAT64 or 6to4. It would let a
/// client name an IPv4 peer past the rules for IPv4.
fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(ip) = ip else { return None };
    let low = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xFFFF, g, h] if (g, h) > (0, 1) => Some(low(g, h)),
        [0, 0, 0, 0, 0xFFFF, 0, g, h] => Some(low(g, h)),
        [0x64, 0xFF9B, 0 | 1, _, _, _, g, h] => Some(low(g, h)),
        [0x2002, a, b, ..] => Some(low(a, b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_unicast_is_a_peer_by_default() {
        let denied = [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "169.254.169.254",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::a00:1",
            "64:ff9b::808:808",
            "2002:7f00:1::",
            "2002:808:808::",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "fec0::1",
            "::ffff:0:808:808",
        ];
        for ip in denied {
            assert!(is_denied_by_default(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "203.0.113.9", "2606:4700::1", "2001:4860::8888"] {
            assert!(!is_denied_by_default(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn own_addresses_are_open_for_relays_only() {
        let policy = PeerPolicy {
            allowed: vec!["127.0.0.0/8".parse().unwrap()],
            own: vec!["127.0.0.1".parse().unwrap(), "10.0.0.5".parse().unwrap()],
            own_ports: vec![3478, 8080, 8443],
            open_ports: vec![8443, 40_000],
            relay_ports: Some(49152..=65535),
        };
        let permits = |peer: &str| policy.permits(peer.parse().unwrap());
        assert!(permits("127.0.0.1:9000"));
        assert!(!permits("127.0.0.1:8080"));
        assert!(permits("127.0.0.2:9000"));
        assert!(!permits("127.0.0.2:8080"));
        assert!(permits("10.0.0.5:50000"));
        assert!(!permits("10.0.0.5:22"));
        assert!(!permits("10.0.0.5:3478"));
        assert!(permits("10.0.0.5:8443") && permits("10.0.0.5:40000"), "everybody may");
        assert!(!permits("127.0.0.2:8443") && !permits("10.0.0.6:40000"), "that is elsewhere");
        assert!(!permits("10.0.0.6:50000"));
        assert!(!permits("8.8.8.8:0"));
        assert!(permits("8.8.8.8:53"));
        assert!(policy.permits_ip("10.0.0.5".parse().unwrap()));
        assert!(!policy.permits_ip("10.0.0.6".parse().unwrap()));
    }

    #[test]
    fn without_relays_an_own_address_is_closed_unless_opened() {
        let own = vec!["203.0.113.1".parse().unwrap()];
        let mut policy = PeerPolicy { own, ..PeerPolicy::default() };
        assert!(!policy.permits("203.0.113.1:50000".parse().unwrap()));
        policy.allowed.push("203.0.113.1/32".parse().unwrap());
        assert!(policy.permits("203.0.113.1:50000".parse().unwrap()));
    }

    #[test]
    fn opening_everything_does_not_open_mapped_addresses() {
        let policy = PeerPolicy { allowed: vec!["::/0".parse().unwrap()], ..PeerPolicy::default() };
        assert!(policy.permits("[fd00::1]:9".parse().unwrap()));
        assert!(!policy.permits("[::ffff:10.0.0.1]:9".parse().unwrap()));
    }
}
