//! Two people in a room: joining, seeing, hearing, and the path between them.

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
