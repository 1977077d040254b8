//! One streams, five watch.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Page, Scene, begin_alone};

use crate::call::{CAMERA, sees};

#[test]
fn five_viewers_see_the_streamer_and_not_each_other() {
    let Some(_turn) = begin_alone("a live room", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("studio", Nat::None).client("home", Nat::None).client("fox", Nat::None);
    let mut scene = Scene::new("live", lab);
    let streamer = scene.visit("studio", Chromium, "/live/show?name=ada&role=streamer&join=1");
    streamer.wait("twocan.stage === 'joined' && twocan.room.role === 'streamer'");
    let mut viewers: Vec<Page> =
        (1..5).map(|n| scene.visit("home", Chromium, &format!("/live/show?name=viewer{n}&join=1"))).collect();
    viewers.push(scene.visit("fox", Firefox, "/live/show?name=viewer5&join=1"));

    for viewer in &viewers {
        sees(viewer, CAMERA, streamer.source());
        viewer.wait("lab.heard().then((levels) => levels.some((level) => level > 0.01))");
        let peers = viewer.eval("twocan.peers.map(({ name }) => name)");
        assert_eq!(peers, serde_json::json!(["ada"]), "viewers do not see each other");
        viewer.wait("twocan.room.audience === 5");
    }
    streamer.wait("twocan.peers.length === 5 && twocan.room.audience === 5");
    streamer.wait("document.querySelector('[data-testid=viewers]').dataset.count === '5'");

    // A second streamer is refused; a viewer who goes is no longer counted.
    let rival = scene.visit("home", Chromium, "/live/show?name=eve&role=streamer&join=1");
    rival.wait("document.querySelector('[data-testid=problem][data-code=role-taken]')?.innerText");
    viewers.pop().expect("five").close();
    streamer.wait("twocan.room.audience === 4");
    sees(&viewers[0], CAMERA, streamer.source());
}
