//! A call in which more speak than the server forwards.

use natlab::{Lab, Nat};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Page, Scene, begin_alone};

use super::{all_go, choose};

/// An expression for packets of sound that a page has sent, or received, over connections that are there.
fn sounds(way: &str, count: &str) -> String {
    format!(
        "Promise.all(lab.connections.filter((one) => one.connectionState !== 'closed').map((one) => one.getStats()))\
         .then((all) => all.flatMap((stats) => [...stats.values()])\
         .filter((one) => one.type === {way:?} && one.kind === 'audio')\
         .reduce((sum, one) => sum + (one.{count} ?? 0), 0))"
    )
}

fn number(page: &Page, sounds: &str) -> u64 {
    let all = page.eval(sounds);
    all.as_u64().unwrap_or_else(|| panic!("{sounds}: {all}"))
}

fn sent(page: &Page) -> u64 {
    number(page, &sounds("outbound-rtp", "packetsSent"))
}

fn received(page: &Page) -> u64 {
    number(page, &sounds("inbound-rtp", "packetsReceived"))
}

/// Waits until a page has sent so many more sounds.
#[track_caller]
fn speaks(page: &Page, more: u64) {
    let until = sent(page) + more;
    page.wait(&format!("{}.then((sum) => sum >= {until})", sounds("outbound-rtp", "packetsSent")));
}

#[test]
fn one_voice_at_a_time_is_forwarded_and_whoever_is_silent_makes_room() {
    let Some(_turn) = begin_alone("voices of a call", &[Chromium, Firefox]) else { return };
    let people = [("ada", Chromium), ("bob", Firefox), ("cleo", Chromium)];
    let lab = people.iter().fold(Lab::new(), |lab, (name, _)| lab.client(name, Nat::None));
    let mut scene = Scene::with_options("forwarded-voices", lab, &["--media-voices", "1"]);
    let pages =
        people.map(|(name, browser)| scene.visit(name, browser, &format!("/r/choir?name={name}&join=1")));
    choose(&pages[0], "sfu");
    all_go(&pages, "server");
    let heard = || pages.iter().map(received).sum::<u64>();

    // All three speak, one of them is forwarded, to both of the others.
    let (before, said) = (heard(), sent(&pages[0]));
    speaks(&pages[0], 150);
    let (came, said) = (heard() - before, sent(&pages[0]) - said);
    println!("{came} sounds came while each of three sent {said}");
    assert!(came * 3 > said * 4, "hardly any of 2 x {said} came: {came}");
    assert!(came < said * 3, "more than 2 x {said} came: {came}");

    // Whoever speaks alone is heard.
    for speaker in &pages {
        let others: Vec<&Page> = pages.iter().filter(|page| page.name() != speaker.name()).collect();
        for silent in &others {
            silent.click("mic");
            silent.wait("!twocan.local.mic");
        }
        for listener in &others {
            let before = received(listener);
            speaks(speaker, 100);
            let came = received(listener) - before;
            assert!(came > 50, "{} hears little of {}: {came}", listener.name(), speaker.name());
            listener.wait("lab.heard().then((levels) => levels.some((level) => level > 0.01))");
        }
        for silent in &others {
            silent.click("mic");
            silent.wait("twocan.local.mic");
        }
    }
}
