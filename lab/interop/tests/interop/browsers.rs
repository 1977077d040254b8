//! The instrument itself: without twocan, a Chromium and a Firefox exchange the counting picture and the tone, and
//! the test carries their descriptions by hand.

use natlab::{Lab, Nat};
use twocan_interop::{Browser, Page, Scene, begin};

const EMPTY_PAGE: &str = "<!doctype html><title>Two cans</title><video autoplay muted playsinline></video>";

/// Makes the page's one connection, with camera and microphone.
const CONNECT: &str = "(async () => {
    window.peer = new RTCPeerConnection();
    peer.ontrack = ({ streams }) => { document.querySelector('video').srcObject = streams[0]; };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) peer.addTrack(track, stream);
    window.gathered = new Promise((resolve) => { peer.onicecandidate = ({ candidate }) => candidate || resolve(); });
})()";

#[test]
fn picture_and_sound_arrive_between_the_browsers() {
    let Some(_turn) = begin("Chromium and Firefox without twocan", &[Browser::Chromium, Browser::Firefox])
    else {
        return;
    };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::None);
    let mut scene = Scene::without_server("browsers", lab);
    let ada = scene.page("ada", Browser::Chromium);
    let bob = scene.page("bob", Browser::Firefox);
    for page in [&ada, &bob] {
        page.goto_own(EMPTY_PAGE);
        page.eval(CONNECT);
    }

    ada.eval("peer.setLocalDescription().then(() => gathered)");
    describe(&ada, &bob);
    bob.eval("peer.setLocalDescription().then(() => gathered)");
    describe(&bob, &ada);

    for (page, other) in [(&ada, &bob), (&bob, &ada)] {
        page.wait("lab.seen('video').frames > 30");
        assert_eq!(page.eval("lab.seen('video').source"), other.source(), "the other's picture, not its own");
        page.wait("lab.heard().then((levels) => levels.some((level) => level > 0.01))");
    }
}

/// Carries the description of `from` to `to`.
fn describe(from: &Page, to: &Page) {
    let description = from.eval("peer.localDescription.toJSON()");
    to.eval(&format!("peer.setRemoteDescription({description})"));
}
