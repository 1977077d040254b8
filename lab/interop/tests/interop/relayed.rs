//! Homes between which media needs our relay, and how each gets to it.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::begin;

use crate::call::Way::Relay;
use crate::call::{check_pairs, pair};

#[test]
fn symmetric_nats_meet_at_the_relay_over_udp() {
    let Some(_turn) = begin("calls relayed over UDP", &[Chromium, Firefox]) else { return };
    check_pairs(
        "relayed-udp",
        Lab::new(),
        &[
            pair((Nat::PortRestricted, Chromium), (Nat::Symmetric, Chromium), Relay),
            pair((Nat::Symmetric, Chromium), (Nat::Symmetric, Chromium), Relay),
            pair((Nat::PortRestricted, Firefox), (Nat::Symmetric, Chromium), Relay),
        ],
    );
}

#[test]
fn whoever_has_no_udp_gets_to_the_relay_over_tcp() {
    let Some(_turn) = begin("calls relayed over TCP", &[Chromium, Firefox]) else { return };
    let blocked = || Nat::PortRestricted.udp_blocked();
    check_pairs(
        "relayed-tcp",
        Lab::new(),
        &[
            pair((blocked(), Chromium), (Nat::None, Chromium), Relay),
            pair((blocked(), Chromium), (Nat::FullCone, Chromium), Relay),
            pair((blocked(), Chromium), (Nat::AddressRestricted, Chromium), Relay),
            pair((blocked(), Chromium), (Nat::PortRestricted, Chromium), Relay),
            pair((blocked(), Chromium), (Nat::Symmetric, Chromium), Relay),
            pair((blocked(), Chromium), (blocked(), Chromium), Relay),
            pair((blocked(), Firefox), (blocked(), Chromium), Relay),
        ],
    );
}

#[test]
fn whoever_has_only_port_443_gets_to_the_relay_over_tls() {
    let Some(_turn) = begin("calls relayed over TLS", &[Chromium, Firefox]) else { return };
    let only_443 = || Nat::PortRestricted.only_tcp_443();
    check_pairs(
        "relayed-tls",
        Lab::new(),
        &[
            pair((only_443(), Chromium), (Nat::PortRestricted, Chromium), Relay),
            pair((only_443(), Chromium), (only_443(), Chromium), Relay),
            pair((only_443(), Firefox), (Nat::PortRestricted, Chromium), Relay),
        ],
    );
}
