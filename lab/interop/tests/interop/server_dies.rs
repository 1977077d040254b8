//! The server is killed during a call, and started again.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Page, Scene, begin};

use crate::call::{CAMERA, call, sees_and_hears};

/// Frames drawn in half a second: the most that may be missed at once.
const HALF_A_SECOND: u64 = 10;

#[test]
fn a_call_goes_on_without_its_server_and_both_rejoin_it() {
    let Some(_turn) = begin("a call whose server dies", &[Chromium, Firefox]) else { return };
    for (name, other) in [("server-dies", Chromium), ("server-dies-firefox", Firefox)] {
        let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted);
        let mut scene = Scene::new(name, lab);
        let pages = call(&mut scene, "tea", [("ada", Chromium), ("bob", other)]);
        let [ada, bob] = &pages;
        sees_and_hears(ada, bob);
        sees_and_hears(bob, ada);

        for page in &pages {
            page.eval("lab.reset()");
        }
        scene.kill_server();
        for page in &pages {
            page.wait("twocan.signaling.state === 'reconnecting'");
        }
        unbroken_for_a_while(&pages);

        scene.restart_server();
        for page in &pages {
            page.wait("twocan.signaling.state === 'joined' && twocan.peers[0].listed");
            assert_eq!(page.eval("twocan.peers.length"), 1, "the same person, not a second one");
            assert_eq!(page.eval("twocan.peers[0].generation"), 1, "the connection was kept");
        }
        unbroken_for_a_while(&pages);

        // The way through the server works again: fresh ICE credentials reach the other side, and media follows.
        let fragment = "lab.connections.at(-1).currentRemoteDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]";
        let before = bob.eval(fragment);
        ada.eval("lab.connections.at(-1).restartIce()");
        bob.wait(&format!("{fragment} !== {before}"));
        for page in &pages {
            page.wait("twocan.peers[0].connection === 'connected'");
        }
        sees_and_hears(ada, bob);
        sees_and_hears(bob, ada);
    }
}

/// Five seconds' worth of frames more arrive on both sides, and of all since the reset never half a second's is missing.
#[track_caller]
fn unbroken_for_a_while(pages: &[Page; 2]) {
    for page in pages {
        let before = &page.eval(&format!("lab.seen({CAMERA:?}).frame"));
        page.wait(&format!("lab.seen({CAMERA:?}).frame >= {before} + 100"));
    }
    for page in pages {
        let seen = page.eval(&format!("lab.seen({CAMERA:?})"));
        println!("{}: {seen}", page.name());
        assert!(
            seen["missed"].as_u64().is_some_and(|missed| missed <= HALF_A_SECOND),
            "{}: {seen}",
            page.name()
        );
    }
}
