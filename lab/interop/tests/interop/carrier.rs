//! Two homes behind one carrier's NAT.

use natlab::{Carrier, Lab, Nat};
use twocan_interop::Browser::Chromium;
use twocan_interop::begin;

use crate::call::Way::{Direct, Relay};
use crate::call::{check_pairs, pair};

#[test]
fn two_homes_of_one_carrier_meet_at_its_outside_if_it_hairpins() {
    let Some(_turn) = begin("calls behind one carrier", &[Chromium]) else { return };
    for (name, carrier, way) in
        [("carrier-hairpin", Carrier::Hairpin, Direct), ("carrier-no-hairpin", Carrier::NoHairpin, Relay)]
    {
        let home = || Nat::PortRestricted.behind("isp");
        check_pairs(
            name,
            Lab::new().carrier("isp", carrier),
            &[pair((home(), Chromium), (home(), Chromium), way)],
        );
    }
}
