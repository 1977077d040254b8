//! Files between a terminal and a browser, sealed by a code, from behind NATs.

use std::fs;
use std::path::Path;
use std::time::Instant;

use natlab::{Lab, Nat};
use serde_json::Value;
use twocan_interop::Browser::Chromium;
use twocan_interop::{NAME, Page, Scene, begin};

use crate::terminal::{LONG, Terminal};

const MIB: u64 = 1 << 20;

/// Size in MiB, to send 10 GB where there is time: `TWOCAN_INTEROP_FILE_MIB=10240`.
const SIZE: &str = "TWOCAN_INTEROP_FILE_MIB";
/// MiB that cross directly, and through a relay.
const ORDINARY_SIZE: u64 = 96;
const RELAYED_SIZE: u64 = 24;
/// Larger files are all holes at their sender: disks have better things to hold.
const MOST_WRITTEN: u64 = 1_024 * MIB;

/// What a terminal may use at most, whatever the size.
const MOST_MEMORY: u64 = 160 * MIB;
/// What a tab may grow by, whatever the size.
const MOST_GROWTH: u64 = 192 * MIB;

/// Bytes of the files that are sent: so many MiB, unless others are asked for.
fn size(ordinary: u64) -> u64 {
    std::env::var(SIZE).ok().and_then(|mib| mib.parse().ok()).unwrap_or(ordinary) * MIB
}

/// What `lab.choose` makes a file of.
fn seed(size: u64) -> u64 {
    if size > MOST_WRITTEN { 0 } else { 7 }
}

/// The most memory that a process has had, bytes.
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// Waits until the file has crossed, whichever way, with little memory at both ends.
fn modest(page: &Page, terminal: &mut Terminal) -> Value {
    page.collect_garbage();
    let (began, before, id) = (Instant::now(), page.memory().tab, terminal.id());
    let (mut most, mut tab) = (0, before);
    let done = terminal.wait(|event| {
        most = peak(id).unwrap_or_default().max(most);
        tab = page.memory().tab.max(tab);
        event["event"] == "file_done"
    });
    println!(
        "across in {:?}; the terminal used at most {most} bytes, the tab {before} to {tab}",
        began.elapsed()
    );
    assert!((1..=MOST_MEMORY).contains(&most), "{most} bytes of memory");
    assert!(tab - before <= MOST_GROWTH, "the tab grew from {before} to {tab} bytes");
    done
}

fn progress(beyond: u64) -> impl FnMut(&Value) -> bool {
    move |event| event["event"] == "progress" && event["bytes"].as_u64() > Some(beyond)
}

fn lab() -> Lab {
    Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted)
}

fn open(scene: &mut Scene, client: &str, code: &str) -> Page {
    let page = scene.page_with_disk(client, Chromium);
    page.goto(&format!("https://{NAME}/send?files=opfs{code}"));
    page
}

/// The code that a page shows.
fn code_of(page: &Page) -> String {
    let code = page.wait("twocan.stage === 'joined' && location.hash.slice(1)");
    code.as_str().expect("a code").to_owned()
}

/// What lies on the page's disk, apart from what it says of it.
fn stored_sum(page: &Page, size: u64) -> Value {
    page.eval(&format!(
        "lab.files().then((files) => lab.sum(files.map(([, file]) => file).find((file) => file.size === {size})))"
    ))
}

#[test]
fn a_browser_sends_to_a_terminal_that_dies_and_comes_back() {
    let Some(_turn) = begin("a sealed drop from a browser to a terminal", &[Chromium]) else { return };
    let mut scene = Scene::new("sealed-to-terminal", lab());
    let ada = open(&mut scene, "ada", "");
    let code =
        ada.wait("document.querySelector('[data-testid=send-code]')?.textContent && location.hash.slice(1)");
    let code = code.as_str().expect("a code").to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_str().expect("a name");
    let size = size(ORDINARY_SIZE);
    let mut bob = Terminal::start(scene.lab(), "bob", &["receive", &code, "--output", output]);
    ada.wait("twocan.peers[0]?.channel === 'open'");
    let seed = seed(size);
    ada.eval(&format!("lab.choose('[data-testid=file-input]', 'film.bin', {size}, {seed})"));
    bob.wait(progress(4 * MIB));
    drop(bob);

    let mut bob = Terminal::start(scene.lab(), "bob", &["receive", &code, "--output", output]);
    let again = bob.named("file");
    assert!(again["offset"].as_u64() >= Some(4 * MIB), "{again}");
    let done = modest(&ada, &mut bob);
    assert_eq!(bob.exit_code(), Some(0));
    ada.wait_for(LONG, "twocan.transfers[0].state === 'done'");
    assert_eq!(done["digest"], ada.eval("twocan.transfers[0].digest"));
    assert_eq!(fs::metadata(folder.path().join("film.bin")).map(|file| file.len()).ok(), Some(size));
}

#[test]
fn a_terminal_sends_to_a_browser_and_dies_and_comes_back() {
    let Some(_turn) = begin("a sealed drop from a terminal to a browser", &[Chromium]) else { return };
    let mut scene = Scene::new("sealed-to-browser", lab());
    let folder = tempfile::tempdir().expect("a folder");
    let film = folder.path().join("film.bin");
    let size = size(ORDINARY_SIZE);
    write(&film, size);
    let path = film.to_str().expect("a name");
    let mut ada = Terminal::start(scene.lab(), "ada", &["send", path]);
    let code = ada.named("code")["code"].as_str().expect("a code").to_owned();
    let bob = open(&mut scene, "bob", &format!("#{code}"));
    bob.click("transfer-accept");
    ada.wait(progress(4 * MIB));
    drop(ada);

    let mut ada = Terminal::start(scene.lab(), "ada", &["send", path, "--code", &code]);
    let again = ada.named("file");
    assert!(again["offset"].as_u64() >= Some(4 * MIB), "{again}");
    let done = modest(&bob, &mut ada);
    assert_eq!(ada.exit_code(), Some(0));
    bob.wait_for(LONG, "twocan.transfers[0].state === 'done'");
    assert_eq!(done["digest"], bob.eval("twocan.transfers[0].digest"));
    if size <= MOST_WRITTEN {
        assert_eq!(stored_sum(&bob, size), sum_of(&film), "what is on the page's disk");
    }
}

#[test]
fn two_browsers_share_a_code_and_go_on_after_a_break() {
    let Some(_turn) = begin("a sealed drop between browsers", &[Chromium]) else { return };
    let mut scene = Scene::new("sealed-browsers", lab());
    let ada = open(&mut scene, "ada", "");
    let code = code_of(&ada);
    // As a person would type it.
    let bob = open(&mut scene, "bob", "");
    bob.wait("twocan.stage === 'joined'");
    bob.type_into("code-input", &code.to_uppercase().replace('-', " "));
    bob.click("code-open");
    bob.wait(&format!("location.hash === '#{code}' && window.twocan?.peers[0]?.channel === 'open'"));
    let size = 64 * MIB;
    let sum = ada.eval(&format!("lab.choose('[data-testid=file-input]', 'film.bin', {size}, 7)"));
    bob.click("transfer-accept");
    bob.wait(&format!("twocan.transfers[0].done > {}", 4 * MIB));
    // A fresh connection, not only a fresh path.
    scene.lab().cut("bob").unwrap_or_else(|why| panic!("{why}"));
    for page in [&ada, &bob] {
        page.wait_for(LONG, "twocan.transfers[0].state === 'paused'");
    }
    scene.lab().mend("bob").unwrap_or_else(|why| panic!("{why}"));
    for page in [&ada, &bob] {
        page.wait_for(LONG, "twocan.transfers[0].state === 'done'");
    }
    assert_eq!(stored_sum(&bob, size), sum);
}

#[test]
fn whoever_has_only_port_443_sends_through_the_relay_over_tls() {
    let Some(_turn) = begin("a sealed drop relayed over TLS", &[Chromium]) else { return };
    let only_443 = || Nat::PortRestricted.only_tcp_443();
    let lab = Lab::new().client("ada", only_443()).client("bob", only_443());
    let mut scene = Scene::new("sealed-relayed", lab);
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_str().expect("a name");
    let size = size(RELAYED_SIZE);

    let ada = open(&mut scene, "ada", "");
    let code = code_of(&ada);
    let mut bob = Terminal::start(scene.lab(), "bob", &["receive", &code, "--output", output]);
    assert_relayed_over_tls(&ada, &mut bob);
    let seed = seed(size);
    ada.eval(&format!("lab.choose('[data-testid=file-input]', 'film.bin', {size}, {seed})"));
    let done = modest(&ada, &mut bob);
    assert_eq!(bob.exit_code(), Some(0));
    ada.wait_for(LONG, "twocan.transfers[0].state === 'done'");
    assert_eq!(done["digest"], ada.eval("twocan.transfers[0].digest"));
    let film = folder.path().join("film.bin");
    assert_eq!(fs::metadata(&film).map(|file| file.len()).ok(), Some(size));
    scene.clear();

    let mut bob = Terminal::start(scene.lab(), "bob", &["send", film.to_str().expect("a name")]);
    let code = bob.named("code")["code"].as_str().expect("a code").to_owned();
    let ada = open(&mut scene, "ada", &format!("#{code}"));
    assert_relayed_over_tls(&ada, &mut bob);
    ada.click("transfer-accept");
    let done = modest(&ada, &mut bob);
    assert_eq!(bob.exit_code(), Some(0));
    ada.wait_for(LONG, "twocan.transfers[0].state === 'done'");
    assert_eq!(done["digest"], ada.eval("twocan.transfers[0].digest"));
    if size <= MOST_WRITTEN {
        assert_eq!(stored_sum(&ada, size), sum_of(&film), "what is on the page's disk");
    }
}

/// Both say so, in words.
fn assert_relayed_over_tls(page: &Page, terminal: &mut Terminal) {
    // The other one's relay may be found by a check before it is told.
    let path = terminal.wait(|event| event["event"] == "path" && event["relayed"] == true);
    assert!(path["words"].as_str().is_some_and(|words| words.contains("relay, over TLS")), "{path}");
    page.wait("twocan.peers[0]?.path?.relayProtocol === 'tls' && twocan.peers[0].path.relayed");
    page.wait("document.querySelector('[data-testid=person] .path-words').textContent === 'Through the relay, over TLS'");
}

#[test]
fn what_is_not_sealed_with_the_code_is_refused_by_the_page() {
    let Some(_turn) = begin("a sealed drop and somebody without the code", &[Chromium]) else { return };
    let mut scene = Scene::new("sealed-stranger", lab());
    let ada = open(&mut scene, "ada", "");
    ada.wait("twocan.stage === 'joined'");
    // Whoever runs the server knows the room's name, and can join it.
    let room = ada.eval("twocan.room.name");
    let bob = scene.visit("bob", Chromium, &format!("/send/{}?files=opfs", room.as_str().expect("a name")));
    ada.wait("document.querySelector('[data-testid=problem][data-code=tampered]') !== null");
    assert_eq!(ada.eval("twocan.stage"), "refused");
    assert_eq!(bob.eval("twocan.peers.filter((peer) => peer.channel === 'open').length"), 0);
    scene.clear();

    // A server that changes one letter of what is sealed.
    let ada = open(&mut scene, "ada", "");
    let code = code_of(&ada);
    ada.eval(CHANGE);
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_str().expect("a name");
    let _bob = Terminal::start(scene.lab(), "bob", &["receive", &code, "--output", output]);
    ada.wait("document.querySelector('[data-testid=problem][data-code=tampered]') !== null");
    assert_eq!(ada.eval("twocan.stage"), "refused");
}

/// The sum of `lab.sum` (lab/interop/driver/in-page.js), done here.
fn sum_of(path: &Path) -> String {
    let bytes = fs::read(path).expect("it is there");
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in &bytes {
        low = low.wrapping_mul(31).wrapping_add(u32::from(*byte));
        high = high.wrapping_add(low);
    }
    format!("{}:{low}:{high}", bytes.len())
}

/// Has the page read what the server sends as if one letter of every sealed signal had been changed.
const CHANGE: &str = "(() => {
    const parse = JSON.parse;
    JSON.parse = (text, ...more) => {
        const value = parse(text, ...more);
        const sealed = value?.data?.sealed;
        if (sealed) value.data.sealed = sealed.slice(0, 40) + (sealed[40] === 'A' ? 'B' : 'A') + sealed.slice(41);
        return value;
    };
    return true;
})()";

/// Bytes that do not repeat within a block; holes where that would be too much.
fn write(path: &Path, size: u64) {
    if size > MOST_WRITTEN {
        return fs::File::create(path).and_then(|file| file.set_len(size)).expect("a file");
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let block: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(MIB as usize / 8)
    .flatten()
    .collect();
    let mut file = fs::File::create(path).expect("a file");
    for number in 0..size / MIB {
        use std::io::Write as _;
        let mut block = block.clone();
        block[..8].copy_from_slice(&number.to_le_bytes());
        file.write_all(&block).expect("room on the disk");
    }
}
