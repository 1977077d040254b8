//! What a forwarded call is like over lines that are slow, far and bad: figures are printed, and what must hold at the least is
//! asserted.

use std::time::Instant;

use natlab::{Lab, Nat};
use serde_json::Value;
use twocan_interop::Browser::Chromium;
use twocan_interop::{Page, Scene, begin_alone};

use super::line::Line;
use super::{all_go, camera, choose, sees};
use crate::call::sees_and_hears;

/// Packets of sound in eight seconds.
const WHILE: u64 = 400;
/// A picture that stands for so long, in ms, does so for another reason than a change of layers.
const FREEZE: u64 = 1_500;
/// A smaller picture that comes so late, in ms, waits behind what the line cannot carry; and so long a larger one stands at most
/// until then. Both take a fifth of it where the machine has nothing else to do.
const LESS: u128 = 6_000;
const STANDS: u64 = 3_000;

/// How long it takes until `expression` is true, ms.
#[track_caller]
fn until(page: &Page, expression: &str) -> u128 {
    let begin = Instant::now();
    page.wait(expression);
    begin.elapsed().as_millis()
}

#[test]
fn a_line_that_narrows_gets_less_and_more_again() {
    let Some(_turn) = begin_alone("a forwarded call over a line that narrows", &[Chromium]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("far", Nat::PortRestricted);
    let mut scene = Scene::new("forwarded-narrow", lab);
    let ada = scene.visit("ada", Chromium, "/r/narrow?name=ada&join=1&picture=large");
    let far = scene.visit("far", Chromium, "/r/narrow?name=far&join=1&camera=0");
    choose(&ada, "sfu");
    all_go(&[ada.clone(), far.clone()], "server");
    far.eval("Object.defineProperty(window, 'devicePixelRatio', { value: 2 })");
    far.click("speaker-view");
    let painted = format!("lab.painted({:?})", camera(&far, "ada"));
    far.wait(&format!("{painted}.width === 960"));
    sees(&far, &ada);
    // By then she sends no other size that would do.
    ada.wait("twocan.topology.wanted.camera?.[1] === false");
    far.eval("lab.reset()");
    scene.lab().limit("far", Some(600)).unwrap_or_else(|why| panic!("{why}"));
    let chosen = until(&far, "twocan.peers[0].layer?.why === 'bandwidth'");
    let less = chosen + until(&far, &format!("{painted}.width < 960"));
    // Slow as it is, it goes on.
    sees(&far, &ada);
    let down = far.eval(&painted);
    far.eval("lab.reset()");
    scene.lab().limit("far", None).unwrap_or_else(|why| panic!("{why}"));
    let more = until(&far, &format!("{painted}.width === 960"));
    sees(&far, &ada);
    let up = far.eval(&painted);
    println!(
        "600 kbit/s: the server sends less after {chosen} ms, a smaller picture is there after {less}; the large one again {more} ms \
         after their end"
    );
    println!("down: {down}");
    println!("up: {up}");
    assert!(less < LESS, "{less} ms: {down}");
    assert!(down["gap"].as_u64().is_some_and(|gap| gap < STANDS), "{down}");
    for change in up["switches"].as_array().into_iter().flatten() {
        assert!(change["freeze"].as_u64().is_some_and(|freeze| freeze < FREEZE), "{up}");
    }
}

/// What has come since.
fn since(now: &Value, before: &Value, kind: &str, name: &str) -> f64 {
    let of = |all: &Value| all[kind][name].as_f64().unwrap_or_default();
    of(now) - of(before)
}

/// How much of what was to be heard had to be made up, in per cent.
fn concealed(now: &Value, before: &Value) -> f64 {
    let heard = |name| since(now, before, "inbound-rtp audio", name);
    100.0 * heard("concealedSamples") / heard("totalSamplesReceived").max(1.0)
}

#[test]
fn a_far_and_bad_line_is_borne() {
    let Some(_turn) = begin_alone("a forwarded call over a far and bad line", &[Chromium]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::PortRestricted);
    // One port for all media, which the line is put before.
    let mut scene = Scene::with_options("forwarded-far", lab, &["--media-workers", "1"]);
    let mut line = Line::before(scene.lab(), "bob");
    let pages = ["ada", "bob"]
        .map(|name| scene.visit(name, Chromium, &format!("/r/far?name={name}&join=1&picture=large")));
    let [ada, bob] = &pages;
    choose(ada, "sfu");
    all_go(&pages, "server");
    sees_and_hears(ada, bob);
    sees_and_hears(bob, ada);
    let heard = "lab.media().then((media) => media['inbound-rtp audio'].packetsReceived)";
    let painted = format!("lab.painted({:?})", camera(bob, "ada"));
    bob.wait(&format!("{painted}.width"));
    line.change("delay 100\njitter 30\nloss 50");
    let [sent_first, first] = [ada, bob].map(|page| page.eval("lab.media()"));
    let packets = first["inbound-rtp audio"]["packetsReceived"].as_u64().unwrap_or_default();
    bob.wait(&format!("{heard}.then((packets) => packets >= {})", packets + WHILE));
    let [sent_second, second] = [ada, bob].map(|page| page.eval("lab.media()"));
    let worst = bob.eval(&format!("{painted}.gap"));
    bob.eval("lab.reset()");
    line.change("outage 2000");
    let packets = second["inbound-rtp audio"]["packetsReceived"].as_u64().unwrap_or_default();
    let back = until(bob, &format!("{heard}.then((packets) => packets >= {})", packets + 100));
    sees(bob, ada);
    sees_and_hears(bob, ada);
    sees_and_hears(ada, bob);
    let [sent_third, third] = [ada, bob].map(|page| page.eval("lab.media()"));
    let asked = |now, before| {
        let [asked, sent] =
            ["pliCount", "keyFramesEncoded"].map(|name| since(now, before, "outbound-rtp video", name));
        format!("{asked} key frames asked for, {sent} sent")
    };
    println!(
        "5 % loss, 200 ms there and back, 30 ms jitter: {:.1} % of the sound made up, {} pictures, no new one for {worst} ms at most, {}",
        concealed(&second, &first),
        since(&second, &first, "inbound-rtp video", "framesDecoded"),
        asked(&sent_second, &sent_first)
    );
    println!(
        "2 s of nothing: two seconds of sound after {back} ms, {:.1} % of all since then made up, no new picture for {} ms, {}",
        concealed(&third, &second),
        bob.eval(&format!("{painted}.gap")),
        asked(&sent_third, &sent_second)
    );
    assert!(concealed(&second, &first) < 50.0, "{second}");
    let frames = since(&second, &first, "inbound-rtp video", "framesDecoded");
    assert!(frames > 40.0, "{frames} frames in the time of {WHILE} packets of sound");
    let asked = since(&sent_third, &sent_first, "outbound-rtp video", "pliCount");
    assert!(asked < 60.0, "{asked} key frames asked for");
    for page in &pages {
        assert_eq!(
            page.eval("twocan.topology.generation"),
            1,
            "{}'s connection to the server lives",
            page.name()
        );
    }
}
