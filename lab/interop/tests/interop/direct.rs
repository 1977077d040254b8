//! Homes between which media goes directly.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::begin;

use crate::call::Way::{Direct, Host};
use crate::call::{check_pairs, pair};

#[test]
fn homes_that_can_meet_do() {
    let Some(_turn) = begin("calls on direct paths", &[Chromium, Firefox]) else { return };
    check_pairs(
        "direct",
        Lab::new(),
        &[
            pair((Nat::None, Chromium), (Nat::None, Chromium), Host),
            pair((Nat::None, Chromium), (Nat::None, Firefox), Host),
            pair((Nat::FullCone, Chromium), (Nat::PortRestricted, Chromium), Direct),
            pair((Nat::PortRestricted, Chromium), (Nat::PortRestricted, Chromium), Direct),
            pair((Nat::PortRestricted, Chromium), (Nat::PortRestricted, Firefox), Direct),
            pair((Nat::AddressRestricted, Chromium), (Nat::Symmetric, Chromium), Direct),
        ],
    );
}
