//! Camera and screen at the same time: two videos, told apart.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Scene, begin};

use crate::call::{CAMERA, SCREEN, call, sees, sees_and_hears};

/// What a page's screen has more in its picture than its camera.
const OF_THE_SCREEN: u64 = 32;

#[test]
fn screen_and_camera_are_shown_together() {
    let Some(_turn) = begin("screen and camera together", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted);
    let mut scene = Scene::new("screen", lab);
    let [ada, bob] = call(&mut scene, "tea", [("ada", Chromium), ("bob", Firefox)]);
    sees_and_hears(&ada, &bob);
    sees_and_hears(&bob, &ada);

    ada.click("screen");
    sees(&bob, SCREEN, ada.source() + OF_THE_SCREEN);
    sees(&bob, CAMERA, ada.source());
    bob.click("screen");
    sees(&ada, SCREEN, bob.source() + OF_THE_SCREEN);
    sees(&ada, CAMERA, bob.source());

    ada.click("screen");
    bob.wait(&format!("!document.querySelector({SCREEN:?})"));
    sees_and_hears(&bob, &ada);
    sees(&ada, SCREEN, bob.source() + OF_THE_SCREEN);
}
