//! Calls whose media go through the server: many people, a change of way while they talk, and the server's end.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{self, Chromium, Firefox};
use twocan_interop::{Page, Scene, begin, begin_alone};

use crate::call::{call, sees_and_hears};

mod line;
mod quality;
mod voices;

/// Frames drawn in one and a half seconds: a change of way takes nothing like it, whatever else the machine does.
const MISSED: u64 = 30;

/// The camera of somebody with this name.
fn camera(page: &Page, name: &str) -> String {
    let id = page.wait(&format!("twocan.peers.find((peer) => peer.name === {name:?})?.id"));
    format!("[data-testid=tile][data-kind=camera][data-peer={:?}] video", id.as_str().unwrap_or_default())
}

/// The picture of the other is shown, and moves on.
#[track_caller]
fn sees(page: &Page, other: &Page) {
    let selector = camera(page, other.name());
    let before = page.eval(&format!("lab.seen({selector:?}).frames"));
    page.wait(&format!(
        "lab.seen({selector:?}).source === {} && lab.seen({selector:?}).frames >= {before} + 15",
        other.source()
    ));
}

#[track_caller]
fn choose(page: &Page, policy: &str) {
    page.eval("document.querySelector('[data-testid=details-panel]').hidden && document.querySelector('[data-testid=details]').click()");
    page.wait("!document.querySelector('[data-testid=way]').hidden");
    page.eval(&format!("lab.select('[data-testid=way-policy]', {policy:?})"));
}

/// Everybody's media go that way.
#[track_caller]
fn all_go(pages: &[Page], via: &str) {
    for page in pages {
        page.wait(&format!(
            "twocan.peers.length === {} && twocan.peers.every((peer) => peer.via === {via:?} && peer.connection === 'connected')",
            pages.len() - 1
        ));
    }
}

#[test]
fn a_call_goes_through_the_server_and_back_without_a_gap() {
    let Some(_turn) = begin("a call that changes its way", &[Chromium, Firefox]) else { return };
    for (name, other) in [("forwarded-two", Chromium), ("forwarded-firefox", Firefox)] {
        let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::Symmetric);
        let mut scene = Scene::new(name, lab);
        let pages = call(&mut scene, "tea", [("ada", Chromium), ("bob", other)]);
        sees_and_hears(&pages[0], &pages[1]);
        sees_and_hears(&pages[1], &pages[0]);
        for (page, of) in [(&pages[0], &pages[1]), (&pages[1], &pages[0])] {
            sees(page, of);
        }
        for (policy, via) in [("sfu", "server"), ("p2p", "direct"), ("sfu", "server")] {
            for page in &pages {
                page.eval("lab.reset()");
            }
            choose(&pages[0], policy);
            all_go(&pages, via);
            sees_and_hears(&pages[0], &pages[1]);
            sees_and_hears(&pages[1], &pages[0]);
            for (page, of) in [(&pages[0], &pages[1]), (&pages[1], &pages[0])] {
                let seen = page.eval(&format!("lab.seen({:?})", camera(page, of.name())));
                println!(
                    "{other}, to {via}: {} ms without a new frame at most, {} missed",
                    seen["gap"], seen["missed"]
                );
                assert!(seen["missed"].as_u64().is_some_and(|missed| missed < MISSED), "{seen}");
            }
        }
    }
}

#[test]
fn a_room_that_grows_goes_to_the_server_by_itself() {
    let Some(_turn) = begin_alone("a call of five", &[Chromium, Firefox]) else { return };
    let people: [(&str, Browser); 5] =
        [("ada", Chromium), ("bob", Chromium), ("cleo", Chromium), ("dan", Firefox), ("eve", Firefox)];
    let lab = people.iter().fold(Lab::new(), |lab, (name, _)| lab.client(name, Nat::PortRestricted));
    let mut scene = Scene::new("forwarded-five", lab);
    let mut pages: Vec<Page> = Vec::new();
    for (name, browser) in people {
        pages.push(scene.visit(name, browser, &format!("/r/garden?name={name}&join=1")));
        let mode = if pages.len() > 4 { "sfu" } else { "p2p" };
        for page in &pages {
            page.wait(&format!(
                "twocan.peers.length === {} && twocan.topology.mode === {mode:?}",
                pages.len() - 1
            ));
        }
    }
    all_go(&pages, "server");
    for page in &pages {
        for other in &pages {
            if page.name() != other.name() {
                sees(page, other);
            }
        }
        page.wait("lab.heard().then((levels) => levels.filter((level) => level > 0.01).length >= 2)");
    }
    // And back, once it has been small for a while.
    for page in pages.drain(3..) {
        page.close();
    }
    all_go(&pages, "direct");
    sees(&pages[0], &pages[1]);
    sees(&pages[2], &pages[0]);
}

#[test]
fn each_gets_what_fits_and_nobody_sends_what_nobody_watches() {
    let Some(_turn) = begin_alone("sizes of pictures in a call", &[Chromium]) else { return };
    let lab = Lab::new()
        .client("ada", Nat::None)
        .client("bob", Nat::None)
        .client("far", Nat::PortRestricted.kilobits_per_second(600));
    let mut scene = Scene::new("forwarded-sizes", lab);
    let ada = scene.visit("ada", Chromium, "/r/sizes?name=ada&join=1&picture=large");
    let bob = scene.visit("bob", Chromium, "/r/sizes?name=bob&join=1&camera=0");
    choose(&ada, "sfu");
    all_go(&[ada.clone(), bob.clone()], "server");
    // Large enough on the screen for the largest size.
    let enlarge = |page: &Page| {
        page.eval("Object.defineProperty(window, 'devicePixelRatio', { value: 2 })");
        page.click("speaker-view");
    };
    enlarge(&bob);
    let width = |page: &Page| format!("document.querySelector({:?}).videoWidth", camera(page, "ada"));
    bob.wait(&format!("{} === 960", width(&bob)));
    let far = scene.visit("far", Chromium, "/r/sizes?name=far&join=1&camera=0");
    far.wait("twocan.peers.length === 2 && twocan.peers.every((peer) => peer.via === 'server')");
    enlarge(&far);
    far.wait(&format!("{} > 0", width(&far)));
    sees(&far, &ada);
    far.wait("twocan.peers.find(({ name }) => name === 'ada').layer?.why === 'bandwidth'");
    far.wait(&format!("[240, 480].includes({})", width(&far)));
    assert_eq!(bob.eval(&width(&bob)), 960, "a slow line is nobody else's");
    far.close();
    // Who asks for a small picture gets one, and the large one is sent no more.
    bob.eval("document.querySelector('[data-testid=devices]').click()");
    bob.eval("lab.select('[data-testid=quality]', 'low')");
    bob.wait(&format!("{} === 240", width(&bob)));
    ada.wait("twocan.topology.wanted.camera?.[2] === false");
    sees(&bob, &ada);
    bob.eval("lab.select('[data-testid=quality]', 'none')");
    ada.wait("twocan.topology.wanted.camera?.every((one) => !one)");
    bob.eval("lab.select('[data-testid=quality]', '')");
    bob.wait(&format!("{} === 960", width(&bob)));
    sees(&bob, &ada);
}

#[test]
fn a_forwarded_call_forms_again_when_the_server_is_back() {
    let Some(_turn) = begin("a forwarded call whose server is restarted", &[Chromium]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::PortRestricted);
    let mut scene = Scene::new("forwarded-restart", lab);
    let pages = call(&mut scene, "tea", [("ada", Chromium), ("bob", Chromium)]);
    choose(&pages[0], "sfu");
    all_go(&pages, "server");
    scene.kill_server();
    // Who was connected directly before takes that way again.
    all_go(&pages, "direct");
    sees(&pages[0], &pages[1]);
    scene.restart_server();
    // What was chosen is remembered by those who are there.
    all_go(&pages, "server");
    sees_and_hears(&pages[0], &pages[1]);
    sees_and_hears(&pages[1], &pages[0]);
}

#[test]
fn a_sealed_call_is_forwarded_by_a_server_that_cannot_read_it() {
    let Some(_turn) = begin("a sealed call through the server", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::PortRestricted);
    let mut scene = Scene::new("forwarded-sealed", lab);
    let code = "k3m9x-7qv2t-h4n80-2wx1z";
    let pages = [("ada", Chromium), ("bob", Firefox)]
        .map(|(name, browser)| scene.visit(name, browser, &format!("/r/tea?name={name}&join=1#{code}")));
    for page in &pages {
        page.wait("twocan.peers.length === 1 && twocan.peers[0].connection === 'connected'");
        page.wait("document.querySelector('[data-testid=sealed]')?.innerText");
    }
    assert!(pages[0].eval("twocan.room.name").as_str().is_some_and(|name| name.starts_with("sealed-")));
    choose(&pages[0], "sfu");
    all_go(&pages, "server");
    sees_and_hears(&pages[0], &pages[1]);
    sees_and_hears(&pages[1], &pages[0]);
    // Whoever opens what they get without the code sees nothing: the same connection, its transforms taken off.
    pages[0]
        .eval("lab.connections.at(-1).getReceivers().forEach((receiver) => { receiver.transform = null; })");
    pages[0].eval("lab.reset()");
    pages[1].eval("lab.reset()");
    sees_and_hears(&pages[1], &pages[0]);
    let seen = pages[0].eval(&format!("lab.seen({:?}).frames", camera(&pages[0], "bob")));
    assert!(seen.as_u64().is_some_and(|frames| frames < 10), "{seen} frames of what cannot be read");
}

#[test]
fn every_codec_is_forwarded() {
    let Some(_turn) = begin("codecs of a call through the server", &[Chromium]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::None);
    let mut scene = Scene::new("forwarded-codecs", lab);
    for (codec, name) in [("vp8", "VP8"), ("vp9", "VP9"), ("h264", "H264"), ("av1", "AV1")] {
        let pages = ["ada", "bob"].map(|who| {
            let path = format!("/r/{codec}?name={who}&join=1&codec={codec}&picture=large");
            scene.visit(who, Chromium, &path)
        });
        for page in &pages {
            page.wait("twocan.peers.length === 1 && twocan.peers[0].connection === 'connected'");
        }
        choose(&pages[0], "sfu");
        all_go(&pages, "server");
        for (page, other) in [(&pages[0], &pages[1]), (&pages[1], &pages[0])] {
            sees(page, other);
            page.wait(&format!("twocan.peers[0].sample?.codec === {name:?}"));
        }
        scene.clear();
    }
}

#[test]
fn loss_and_a_worker_that_fails_are_survived() {
    let Some(_turn) = begin("a forwarded call over a bad network", &[Chromium]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::PortRestricted.loss_per_mille(50));
    let mut scene = Scene::new("forwarded-loss", lab);
    let pages = call(&mut scene, "tea", [("ada", Chromium), ("bob", Chromium)]);
    choose(&pages[0], "sfu");
    all_go(&pages, "server");
    sees_and_hears(&pages[0], &pages[1]);
    sees_and_hears(&pages[1], &pages[0]);
    for (page, other) in [(&pages[0], "bob"), (&pages[1], "ada")] {
        page.eval(&format!("lab.painted({:?}).gap", camera(page, other)));
        page.wait(&format!("lab.painted({:?}).width", camera(page, other)));
        page.eval("lab.reset()");
    }
    // In builds for tests only.
    let asked = pages[0].eval("fetch('/debug/media-panic', { method: 'POST' }).then(({ status }) => status)");
    if asked != 204 {
        return;
    }
    for page in &pages {
        page.wait("twocan.topology.generation > 1 && twocan.topology.connection === 'connected'");
    }
    all_go(&pages, "server");
    sees_and_hears(&pages[0], &pages[1]);
    sees_and_hears(&pages[1], &pages[0]);
    for (page, other) in [(&pages[0], "bob"), (&pages[1], "ada")] {
        let gap = page.eval(&format!("lab.painted({:?}).gap", camera(page, other)));
        println!("a media worker began anew: {} saw {other} stand still for {gap} ms", page.name());
    }
}
