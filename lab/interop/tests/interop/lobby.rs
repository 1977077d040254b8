//! Five strangers in the lobby.

use std::collections::BTreeSet;

use natlab::{Lab, Nat};
use twocan_interop::Browser::Chromium;
use twocan_interop::{Page, Scene, begin};

use crate::call::sees_and_hears;

const NAMES: [&str; 5] = ["ada", "bob", "cleo", "dan", "eve"];
const PAIRED: &str = "twocan.stage === 'joined' && twocan.peers.length === 1 && \
                      twocan.peers[0].connection === 'connected'";

#[test]
fn five_strangers_meet_by_twos_and_meet_others_next() {
    let Some(_turn) = begin("the lobby", &[Chromium]) else { return };
    // All in one home: the paths are other tests' concern.
    let mut scene = Scene::new("lobby", Lab::new().client("home", Nat::None));
    let pages = NAMES.map(|name| scene.visit("home", Chromium, &format!("/random?name={name}&join=1")));

    let first = two_pairs(&pages, None);
    for (left, right) in &first {
        let [left, right] = [left, right].map(|name| page_of(&pages, name));
        sees_and_hears(left, right);
        sees_and_hears(right, left);
    }
    let waiting = pages.iter().filter(|page| page.eval("twocan.stage") == "waiting").count();
    assert_eq!(waiting, 1, "the fifth waits");

    // One moves on. The fifth is there for one of the two, so they may not meet each other again at once.
    let parted = first.iter().next().expect("two pairs");
    page_of(&pages, &parted.0).click("next");
    let second = two_pairs(&pages, Some(parted));
    assert_eq!(
        first.intersection(&second).count(),
        1,
        "the others stay together: {first:?}, then {second:?}"
    );

    // Whoever leaves is out of it.
    let (left, right) = second.iter().next().expect("two pairs");
    page_of(&pages, left).click("leave");
    page_of(&pages, left).wait("twocan.stage === 'left'");
    page_of(&pages, right).wait(&format!("twocan.peers.every(({{ name }}) => name !== {left:?})"));
}

/// Waits until two pairs are connected, as each side says, and `parted` is not among them; returns them with the
/// names in order.
#[track_caller]
fn two_pairs(pages: &[Page], parted: Option<&(String, String)>) -> BTreeSet<(String, String)> {
    let end = std::time::Instant::now() + twocan_interop::DEADLINE;
    loop {
        let mut found = BTreeSet::new();
        for page in pages {
            let partner = page.eval(&format!("{PAIRED} ? twocan.peers[0].name : null"));
            let Some(partner) = partner.as_str() else { continue };
            let own = name_of(pages, page);
            let back = page_of(pages, partner).eval(&format!("{PAIRED} ? twocan.peers[0].name : null"));
            if back == own {
                let (low, high) = if own < partner { (own, partner) } else { (partner, own) };
                found.insert((low.to_owned(), high.to_owned()));
            }
        }
        if found.len() == 2 && parted.is_none_or(|parted| !found.contains(parted)) {
            return found;
        }
        assert!(std::time::Instant::now() < end, "only {found:?} are paired");
    }
}

fn page_of<'a>(pages: &'a [Page], name: &str) -> &'a Page {
    &pages[NAMES.iter().position(|known| *known == name).unwrap_or_default()]
}

fn name_of(pages: &[Page], page: &Page) -> &'static str {
    NAMES[pages.iter().position(|known| known.source() == page.source()).unwrap_or_default()]
}
