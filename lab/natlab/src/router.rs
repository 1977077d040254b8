//! The rules of one router, as nftables text.
//!
//! Linux's own masquerading gives the mappings; two tables beside it give the filtering that Linux lacks:
//!
//! - `mapped`: external port to the inner address and port behind it, written after translation, so that it
//!   is true even where the kernel had to choose another port;
//! - `spoken`: which outside addresses each external port has spoken to.
//!
//! Unsolicited packets to the router itself are dropped in `input`. Were they accepted, connection tracking
//! would keep their tuple, and the client's own packet to that peer would have to leave from another
//! port: hole punching through a cone would then look as if the NAT were symmetric.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use crate::{Firewall, Nat};

/// One router: `wan` is its interface to the internet; those to the inside begin with `lan`.
pub(crate) struct Router<'a> {
    pub(crate) nat: Nat,
    pub(crate) firewall: Firewall,
    pub(crate) hairpin: bool,
    pub(crate) loss_per_mille: u16,
    /// The address of `wan`.
    pub(crate) outside: Ipv4Addr,
    /// The network (`address/prefix`) of everyone inside.
    pub(crate) inside: &'a str,
}

impl Router<'_> {
    pub(crate) fn ruleset(&self) -> String {
        let mut rules = String::new();
        if self.nat != Nat::None {
            self.write_nat(&mut rules);
        }
        self.write_filter(&mut rules);
        rules
    }

    fn write_nat(&self, rules: &mut String) {
        let ports = if self.nat == Nat::Symmetric { "fully-random" } else { "" };
        let unsolicited = match self.nat {
            Nat::FullCone => "iifname wan meta l4proto udp dnat ip to udp dport map @mapped",
            Nat::AddressRestricted => {
                "iifname wan ip saddr . udp dport @spoken dnat ip to udp dport map @mapped"
            }
            Nat::None | Nat::PortRestricted | Nat::Symmetric => "",
        };
        let (hairpin_in, hairpin_out) = if self.hairpin {
            (
                format!(
                    "iifname \"lan*\" ip daddr {} meta l4proto udp dnat ip to udp dport map @mapped",
                    self.outside
                ),
                format!("oifname \"lan*\" ip saddr {} snat to {}", self.inside, self.outside),
            )
        } else {
            (String::new(), String::new())
        };
        let noted = "oifname wan ct direction original meta l4proto udp update";
        let _ = write!(
            rules,
            "table ip nat {{
    map mapped {{ type inet_service : ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 1h; }}
    set spoken {{ type ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 1h; }}
    chain outward {{
        type nat hook postrouting priority srcnat;
        oifname wan masquerade {ports}
        {hairpin_out}
    }}
    chain note {{
        type filter hook postrouting priority srcnat + 10;
        {noted} @mapped {{ udp sport : ct original ip saddr . ct original proto-src }}
        {noted} @spoken {{ ip daddr . udp sport }}
    }}
    chain inward {{
        type nat hook prerouting priority dstnat;
        {unsolicited}
        {hairpin_in}
    }}
}}
"
        );
    }

    fn write_filter(&self, rules: &mut String) {
        let loss = if self.loss_per_mille > 0 {
            format!("numgen random mod 1000 < {} drop", self.loss_per_mille)
        } else {
            String::new()
        };
        let firewall = match self.firewall {
            Firewall::Open => "",
            Firewall::UdpBlocked => "meta l4proto udp drop",
            Firewall::OnlyTcp443 => "iifname \"lan*\" tcp dport != 443 drop; meta l4proto != tcp drop",
        };
        let unsolicited = if self.nat == Nat::None { "accept" } else { "ct status dnat accept" };
        let _ = write!(
            rules,
            "table inet filter {{
    chain input {{
        type filter hook input priority filter; policy drop;
        meta l4proto ipv6-icmp accept
        iifname \"lan*\" meta l4proto icmp accept
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        {loss}
        {firewall}
        ct state established,related accept
        iifname \"lan*\" oifname wan accept
        {unsolicited}
    }}
}}
"
        );
    }
}
