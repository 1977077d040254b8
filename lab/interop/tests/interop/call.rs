//! Two people in a room: joining, seeing, hearing, and the path between them.

use std::fmt;

use natlab::{Firewall, Home, Lab};
use twocan_interop::{Browser, Page, Scene};

/// The other person's camera.
pub(crate) const CAMERA: &str = "[data-testid=tile][data-kind=camera]:not([data-peer=self]) video";
/// The other person's screen.
pub(crate) const SCREEN: &str = "[data-testid=tile][data-kind=screen]:not([data-peer=self]) video";

/// Both ends join a room with camera and microphone on.
#[track_caller]
pub(crate) fn call(scene: &mut Scene, room: &str, people: [(&str, Browser); 2]) -> [Page; 2] {
    let pages =
        people.map(|(name, browser)| scene.visit(name, browser, &format!("/r/{room}?name={name}&join=1")));
    for page in &pages {
        page.wait("twocan.peers.length === 1 && twocan.peers[0].connection === 'connected'");
    }
    pages
}

/// The picture of the one is shown to the other and moves on by half a second's worth, and sound is decoded.
#[track_caller]
pub(crate) fn sees_and_hears(page: &Page, other: &Page) {
    sees(page, CAMERA, other.source());
    page.wait("lab.heard().then((levels) => levels.some((level) => level > 0.01))");
}

/// The picture numbered `source` is shown where `selector` finds it, and moves on.
#[track_caller]
pub(crate) fn sees(page: &Page, selector: &str, source: u64) {
    let before = page.eval(&format!("lab.seen({selector:?}).frames"));
    page.wait(&format!(
        "lab.seen({selector:?}).source === {source} && lab.seen({selector:?}).frames >= {before} + 15"
    ));
}

/// How media should travel between two homes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From address to address, nothing translated.
    Host,
    /// Directly, through at least one NAT.
    Direct,
    /// Through our relay; whoever is relayed gets to it over what the own firewall leaves.
    Relay,
}

/// One row of a table: who calls whom, and how the media should go.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) left: (Home, Browser),
    pub(crate) right: (Home, Browser),
    pub(crate) way: Way,
}

pub(crate) fn pair(left: (impl Into<Home>, Browser), right: (impl Into<Home>, Browser), way: Way) -> Pair {
    Pair { left: (left.0.into(), left.1), right: (right.0.into(), right.1), way }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} with {} in {}", self.left.0, self.left.1, self.right.0, self.right.1)
    }
}

/// Puts each row into one lab, calls, and checks media and path on both sides.
#[track_caller]
pub(crate) fn check_pairs(name: &str, mut lab: Lab, pairs: &[Pair]) {
    let mut homes: Vec<(&str, &Home)> = Vec::new();
    for Pair { left, right, .. } in pairs {
        for home in [("left", &left.0), ("right", &right.0)] {
            if !homes.contains(&home) {
                homes.push(home);
            }
        }
    }
    let client = |side: &str, home: &Home| {
        let index = homes.iter().position(|known| *known == (side, home)).unwrap_or_default();
        format!("{side}{index}")
    };
    for (side, home) in &homes {
        lab = lab.client(&client(side, home), (*home).clone());
    }
    let mut scene = Scene::new(name, lab);
    for (index, row) in pairs.iter().enumerate() {
        // Shown if the test fails: which row it was.
        println!("{row}");
        let (left, right) = (client("left", &row.left.0), client("right", &row.right.0));
        let pages = call(&mut scene, &format!("tea{index}"), [(&left, row.left.1), (&right, row.right.1)]);
        let [ada, bob] = &pages;
        sees_and_hears(ada, bob);
        sees_and_hears(bob, ada);
        for (page, (home, browser)) in pages.iter().zip([&row.left, &row.right]) {
            let expected = expected_path(row.way, home.firewall(), *browser);
            // ICE may take a first way that works, and a better one when that has been found.
            page.wait(&format!("(({{ path }}) => path && {expected})(twocan.peers[0])"));
            println!("  {}: {}", page.name(), page.eval("twocan.peers[0].path"));
        }
        scene.clear();
    }
}

/// What must be true of a page's `path` (docs/web.md), in JavaScript.
fn expected_path(way: Way, firewall: Firewall, browser: Browser) -> String {
    // A public address may be found twice: by looking at oneself, and by asking a STUN server.
    let own = "198.51.100.";
    let over = match (firewall, browser) {
        (Firewall::Open, _) => "udp",
        // To Firefox TLS is as good as bare TCP: the faster one wins.
        (Firewall::UdpBlocked, Browser::Firefox) => "tcp tls",
        (Firewall::UdpBlocked, _) => "tcp",
        (Firewall::OnlyTcp443, _) => "tls",
    };
    let relayed_here = "path.kind.startsWith('relay-')";
    match way {
        Way::Host => format!("!path.relayed && path.kind.includes('host') && path.local.startsWith('{own}')"),
        Way::Direct => "!path.relayed && path.kind !== 'host-host'".to_owned(),
        Way::Relay if firewall == Firewall::Open => {
            format!("path.relayed && (!{relayed_here} || path.relayProtocol === '{over}')")
        }
        Way::Relay => format!("{relayed_here} && '{over}'.split(' ').includes(path.relayProtocol)"),
    }
}
