//! Camera and microphone changed during a call, unplugged and plugged in again: nothing is negotiated anew.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Page, Scene, begin};

use crate::call::{CAMERA, call, sees, sees_and_hears};

/// What a page's second camera has more in its picture than its first.
const OF_THE_SECOND: u64 = 16;
const CAMERAS: [&str; 2] = ["lab-videoinput", "lab-videoinput-2"];
const MICROPHONES: [&str; 2] = ["lab-audioinput", "lab-audioinput-2"];

#[test]
fn devices_are_changed_in_a_call_and_stand_in_for_each_other() {
    let Some(_turn) = begin("devices changed in a call", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::None);
    let mut scene = Scene::new("devices", lab);
    let [ada, bob] = call(&mut scene, "tea", [("ada", Chromium), ("bob", Firefox)]);
    sees_and_hears(&bob, &ada);
    let negotiations = ada.eval("twocan.counters.negotiations");
    ada.click("devices");

    // Chosen.
    ada.eval(&format!("lab.select('[data-testid=camera-select]', '{}')", CAMERAS[1]));
    sees(&bob, CAMERA, ada.source() + OF_THE_SECOND);
    ada.eval(&format!("lab.select('[data-testid=mic-select]', '{}')", MICROPHONES[1]));
    shows(&ada, MICROPHONES[1], "mic-select");
    sees_and_hears_second(&bob, &ada);

    // Unplugged: the other ones stand in, and a muted microphone stays muted.
    ada.eval(&format!("lab.unplug('{}')", CAMERAS[1]));
    sees(&bob, CAMERA, ada.source());
    ada.wait(
        "[...document.querySelectorAll('.toast')].some((toast) => toast.textContent.includes('is gone'))",
    );
    shows(&ada, CAMERAS[0], "camera-select");
    ada.click("mic");
    ada.wait("!twocan.local.mic");
    ada.eval(&format!("lab.unplug('{}')", MICROPHONES[1]));
    shows(&ada, MICROPHONES[0], "mic-select");
    assert_eq!(ada.eval("twocan.local.mic"), false, "nobody asked to be heard");
    ada.click("mic");
    sees_and_hears(&bob, &ada);

    // Plugged in again: what was chosen is taken up.
    ada.eval(&format!("lab.plug('{}')", CAMERAS[1]));
    sees(&bob, CAMERA, ada.source() + OF_THE_SECOND);

    // The last camera goes: words, and the call goes on.
    for camera in CAMERAS {
        ada.eval(&format!("lab.unplug('{camera}')"));
    }
    ada.wait("document.querySelector('[data-testid=problem][data-code=no-camera]')?.innerText");
    bob.wait("!twocan.peers[0].remote.camera && twocan.peers[0].remote.mic");
    assert_eq!(ada.eval("twocan.counters.negotiations"), negotiations, "nothing was negotiated anew");
}

/// The picker names the device that is in use.
#[track_caller]
fn shows(page: &Page, device: &str, picker: &str) {
    page.wait(&format!("document.querySelector('[data-testid={picker}]').value === '{device}'"));
}

#[track_caller]
fn sees_and_hears_second(page: &Page, other: &Page) {
    sees(page, CAMERA, other.source() + OF_THE_SECOND);
    page.wait("lab.heard().then((levels) => levels.some((level) => level > 0.01))");
}
