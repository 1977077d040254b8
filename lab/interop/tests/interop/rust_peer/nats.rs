//! Our peer in the place of one browser, behind NATs: what is selected.

use natlab::{Carrier, Home, Lab, Nat, SERVER};
use serde_json::{Value, json};
use twocan_interop::Browser::Chromium;
use twocan_interop::{Scene, begin};

use super::Call;

/// What we may find to be selected, ours and theirs.
#[derive(Clone, Copy, Debug)]
enum Way {
    Host,
    /// Directly, through at least one NAT.
    Direct,
    Relay,
}

impl Way {
    fn is(self, selected: &Value) -> bool {
        let kinds = [&selected[0], &selected[1]].map(|kind| kind.as_str().unwrap_or_default());
        match self {
            Self::Host => kinds.iter().all(|kind| matches!(*kind, "host" | "prflx")),
            Self::Direct => !kinds.contains(&"relay") && kinds != ["host", "host"],
            // The other end may look like one that the relay has discovered.
            Self::Relay => kinds.contains(&"relay"),
        }
    }
}

fn servers() -> Value {
    json!([
        { "urls": [format!("stun:{SERVER}:3478")] },
        {
            "urls": [format!("turn:{SERVER}:3478"), format!("turn:{SERVER}:3478?transport=tcp")],
            "username": "lab",
            "credential": "lab",
        },
    ])
}

#[test]
fn we_select_what_browsers_would() {
    let Some(_turn) = begin("our peer behind NATs", &[Chromium]) else { return };
    let blocked = || Nat::PortRestricted.udp_blocked();
    let home = || Nat::PortRestricted.behind("isp");
    let pairs: [(Home, Home, Way); 10] = [
        (Nat::None.into(), Nat::None.into(), Way::Host),
        (Nat::FullCone.into(), Nat::PortRestricted.into(), Way::Direct),
        (Nat::PortRestricted.into(), Nat::PortRestricted.into(), Way::Direct),
        (Nat::PortRestricted.into(), Nat::Symmetric.into(), Way::Relay),
        (Nat::Symmetric.into(), Nat::Symmetric.into(), Way::Relay),
        (blocked(), Nat::PortRestricted.into(), Way::Relay),
        (Nat::PortRestricted.into(), blocked(), Way::Relay),
        (home(), home(), Way::Relay),
        (Nat::Symmetric.into(), Nat::AddressRestricted.into(), Way::Direct),
        (Nat::AddressRestricted.into(), Nat::Symmetric.into(), Way::Direct),
    ];
    let mut lab = Lab::new().carrier("isp", Carrier::NoHairpin);
    for (index, (theirs, ours, _)) in pairs.iter().enumerate() {
        lab =
            lab.client(&format!("page{index}"), theirs.clone()).client(&format!("ours{index}"), ours.clone());
    }
    let mut scene = Scene::new("rust-peer-nats", lab);
    for (index, (theirs, ours, way)) in pairs.iter().enumerate() {
        for they_offer in [true, false] {
            println!("Chromium in {theirs} with us in {ours}, they offer: {they_offer}");
            let (page, own) = (format!("page{index}"), format!("ours{index}"));
            let mut call = Call::between(&mut scene, (&page, Chromium), &own, &servers(), true);
            call.connect(they_offer);
            // ICE may take a first way that works, and a better one when that has been found.
            let mut selected = Value::Null;
            call.signal_until("the way is what it should be", |call| {
                call.ours.last("selected").is_some_and(|last| {
                    selected = last;
                    way.is(&selected)
                })
            });
            println!("  {selected}");
            call.talk(100_000);
            scene.clear();
        }
    }
}
