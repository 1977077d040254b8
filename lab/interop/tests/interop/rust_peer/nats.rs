//! Our peer in the place of one browser, behind NATs: what is selected.

use natlab::{Carrier, Firewall, Home, Lab, Nat, SERVER};
use serde_json::{Value, json};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Browser, NAME, Scene, begin};

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

/// One row: theirs, ours, and how data goes.
struct Row(Browser, Home, Home, Way);

fn row(browser: Browser, theirs: impl Into<Home>, ours: impl Into<Home>, way: Way) -> Row {
    Row(browser, theirs.into(), ours.into(), way)
}

/// By what we may reach our relay, where what we select is one of ours.
fn relay_protocols(firewall: Firewall) -> &'static [&'static str] {
    match firewall {
        Firewall::Open => &["Udp"],
        // What a browser prefers, we do not have to: both get through.
        Firewall::UdpBlocked => &["Tcp", "Tls"],
        Firewall::OnlyTcp443 => &["Tls"],
    }
}

fn servers() -> Value {
    let turn = |url: String| json!({ "urls": [url], "username": "lab", "credential": "lab" });
    json!([
        { "urls": [format!("stun:{SERVER}:3478")] },
        turn(format!("turn:{SERVER}:3478")),
        turn(format!("turn:{SERVER}:3478?transport=tcp")),
        turn(format!("turns:{NAME}:443")),
    ])
}

/// Calls of each row, offered by `offerers`.
#[track_caller]
fn check(name: &str, mut lab: Lab, rows: &[Row], offerers: impl Fn(usize) -> Vec<bool>) {
    // One place for all rows with the same home on the same side: a browser's start takes seconds.
    let (mut pages, mut ends) = (Vec::new(), Vec::new());
    for Row(_, theirs, ours, _) in rows {
        for (homes, home) in [(&mut pages, theirs), (&mut ends, ours)] {
            if !homes.contains(home) {
                homes.push(home.clone());
            }
        }
    }
    for (side, homes) in [("page", &pages), ("ours", &ends)] {
        for (index, home) in homes.iter().enumerate() {
            lab = lab.client(&format!("{side}{index}"), home.clone());
        }
    }
    let mut scene = Scene::new(name, lab);
    for (index, Row(browser, theirs, ours, way)) in rows.iter().enumerate() {
        let place = |side: &str, homes: &[Home], home: &Home| {
            format!("{side}{}", homes.iter().position(|known| known == home).expect("placed above"))
        };
        let (page, own) = (place("page", &pages, theirs), place("ours", &ends, ours));
        for they_offer in offerers(index) {
            println!("{browser} in {theirs} with us in {ours}, they offer: {they_offer}");
            let mut call = Call::between(&mut scene, (&page, *browser), &own, &servers(), true);
            call.connect(they_offer);
            // ICE may take a first way that works, and a better one when that has been found.
            let mut line = Value::Null;
            call.signal_until("the way is what it should be", |call| {
                call.ours.last_line("selected").is_some_and(|last| {
                    line = last;
                    let over = line["over"].as_str();
                    way.is(&line["selected"])
                        && over.is_none_or(|over| relay_protocols(ours.firewall()).contains(&over))
                })
            });
            println!("  {line}");
            call.talk(100_000);
            scene.clear();
        }
    }
}

#[test]
fn we_select_what_browsers_would() {
    let Some(_turn) = begin("our peer behind NATs", &[Chromium]) else { return };
    let blocked = || Nat::PortRestricted.udp_blocked();
    let home = || Nat::PortRestricted.behind("isp");
    let rows = [
        row(Chromium, Nat::None, Nat::None, Way::Host),
        row(Chromium, Nat::FullCone, Nat::PortRestricted, Way::Direct),
        row(Chromium, Nat::PortRestricted, Nat::PortRestricted, Way::Direct),
        row(Chromium, Nat::PortRestricted, Nat::Symmetric, Way::Relay),
        row(Chromium, Nat::PortRestricted, blocked(), Way::Relay),
        row(Chromium, Nat::Symmetric, Nat::Symmetric, Way::Relay),
        row(Chromium, Nat::Symmetric, Nat::AddressRestricted, Way::Direct),
        row(Chromium, blocked(), Nat::PortRestricted, Way::Relay),
        row(Chromium, home(), home(), Way::Relay),
        row(Chromium, Nat::AddressRestricted, Nat::Symmetric, Way::Direct),
    ];
    // Each is offered from one side, by turns; from both where there is time: `TWOCAN_INTEROP_BOTH=1`.
    let both = std::env::var_os("TWOCAN_INTEROP_BOTH").is_some();
    check("rust-peer-nats", Lab::new().carrier("isp", Carrier::NoHairpin), &rows, |index| {
        if both { vec![true, false] } else { vec![index % 2 == 0] }
    });
}

#[test]
fn we_meet_firefox_behind_nats_and_get_through_where_little_does() {
    let Some(_turn) = begin("our peer behind NATs and firewalls", &[Chromium, Firefox]) else { return };
    let blocked = || Nat::PortRestricted.udp_blocked();
    let only_443 = || Nat::PortRestricted.only_tcp_443();
    let home = || Nat::PortRestricted.behind("isp");
    let rows = [
        row(Firefox, Nat::PortRestricted, Nat::PortRestricted, Way::Direct),
        row(Firefox, Nat::PortRestricted, Nat::Symmetric, Way::Relay),
        row(Firefox, Nat::PortRestricted, blocked(), Way::Relay),
        row(Firefox, Nat::PortRestricted, only_443(), Way::Relay),
        row(Chromium, Nat::PortRestricted, only_443(), Way::Relay),
        row(Chromium, only_443(), only_443(), Way::Relay),
        row(Chromium, only_443(), Nat::Symmetric, Way::Relay),
        row(Firefox, only_443(), Nat::PortRestricted, Way::Relay),
        row(Chromium, home(), home(), Way::Direct),
        row(Firefox, home(), home(), Way::Direct),
    ];
    // Each is offered from one side: what is gathered and checked is the same.
    check("rust-peer-nats-more", Lab::new().carrier("isp", Carrier::Hairpin), &rows, |index| {
        vec![index % 2 == 0]
    });
}
