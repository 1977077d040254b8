//! Names in place of addresses, over real multicast (RFC 6762, draft-ietf-mmusic-mdns-ice-candidates): Chromium's, as it
//! is without permission for a camera, and ours. Of the two ends' candidates one's are lost on the way, so that the
//! other's names must be resolved.

use natlab::{Lab, Nat};
use serde_json::{Value, json};
use twocan_interop::Browser::ChromiumWithNames;
use twocan_interop::{DEADLINE, Scene, begin};

use super::Call;
use super::peer::Peer;

/// Where the candidates in these lines say that they are.
fn places(lines: &[Value]) -> Vec<String> {
    let texts = lines.iter().filter_map(|line| line["candidate"]["candidate"].as_str());
    texts.filter_map(|text| text.split(' ').nth(4)).map(ToOwned::to_owned).collect()
}

#[test]
fn names_lead_to_chromium_and_to_us() {
    let Some(_turn) = begin("names in place of addresses", &[ChromiumWithNames]) else { return };
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted);
    let mut scene = Scene::without_server("rust-peer-names", lab);
    scene.lab().gather(&["ada", "bob"]).unwrap_or_else(|why| panic!("{why}"));
    for (they_offer, loses) in [(true, [true, false]), (false, [false, true])] {
        println!("they offer: {they_offer}, theirs are lost: {}", loses[0]);
        let begin = json!({ "names": true });
        let mut call = Call::told(&mut scene, ("ada", ChromiumWithNames), "bob", true, begin);
        call.page.eval(
            "(globalThis.places = [], peer.addEventListener('icecandidate', ({ candidate }) => \
             candidate && places.push(candidate.address)))",
        );
        call.loses = loses;
        call.connect(they_offer);
        call.talk(10_000);
        let own = places(call.ours.log());
        let theirs = call.page.eval("places");
        println!("  ours: {own:?}, theirs: {theirs}");
        let is_hidden = |place: &str| place.ends_with(".local") || place == "127.0.0.1" || place == "::1";
        assert!(own.iter().all(|place| is_hidden(place)), "{own:?}");
        assert!(own.iter().any(|place| place.ends_with(".local")), "{own:?}");
        let theirs: Vec<_> = theirs.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(!theirs.is_empty() && theirs.iter().all(|place| place.ends_with(".local")), "{theirs:?}");
        // What was found is an address of the network that they share.
        let selected = call.ours.last_line("selected").expect("connected");
        let at = [&selected["at"][0], &selected["at"][1]].map(|at| at.as_str().unwrap_or_default());
        assert!(at[0].starts_with("192.168.77.3:") && at[1].starts_with("192.168.77.2:"), "{selected}");
        scene.clear();
    }
}

#[test]
fn names_lead_from_one_of_us_to_another() {
    if natlab::skipped("names of ours in place of addresses") {
        return;
    }
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted);
    let lab = lab.up().unwrap_or_else(|why| panic!("{why}"));
    lab.gather(&["ada", "bob"]).unwrap_or_else(|why| panic!("{why}"));
    let mut ends = ["ada", "bob"].map(|place| Peer::start(&lab, place));
    for end in &mut ends {
        end.tell(&json!({ "begin": { "trickle": true, "names": true } }));
    }
    ends[0].tell(&json!({ "offer": "chat" }));
    let end = std::time::Instant::now() + DEADLINE;
    while !ends.iter_mut().all(|end| end.has("open")) {
        assert!(std::time::Instant::now() < end, "{:#?} {:#?}", ends[0].log(), ends[1].log());
        for from in [0, 1] {
            while let Some(line) = ends[from].signal() {
                // Bob is told no candidate.
                if !(from == 0 && line["candidate"].is_object()) {
                    ends[1 - from].tell(&line);
                }
            }
        }
    }
    assert!(places(ends[1].log()).iter().any(|place| place.ends_with(".local")), "{:#?}", ends[1].log());
    assert!(!ends[1].log().iter().any(|line| line.to_string().contains("192.168.77.3 ")), "it is hidden");
    let at = ends[0].last_line("selected").expect("connected")["at"][1].take();
    assert!(at.as_str().is_some_and(|at| at.starts_with("192.168.77.3:")), "{at}");
}
