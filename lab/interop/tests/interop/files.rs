//! A large file between two people, from disk to disk, through a broken connection.

use std::env;
use std::time::{Duration, Instant};

use natlab::{Lab, Nat};
use twocan_interop::Browser::Chromium;
use twocan_interop::{Scene, begin_alone};

/// Size in MiB, to send 2 GB where there is time: `TWOCAN_INTEROP_FILE_MIB=2048`.
const SIZE: &str = "TWOCAN_INTEROP_FILE_MIB";
const ORDINARY_SIZE: u64 = 192;
const MIB: u64 = 1 << 20;
/// What a tab may grow by while the file goes through it, whatever its size. Beyond what the browser and its
/// collector hold back, a page that kept the file would be larger by all of it.
const GROWTH: u64 = 128 * MIB;
/// For a file of the ordinary size, many times over.
const DEADLINE: Duration = Duration::from_secs(600);

#[test]
fn a_large_file_arrives_whole_although_the_connection_breaks() {
    let Some(_turn) = begin_alone("a large file", &[Chromium]) else { return };
    let size = env::var(SIZE).ok().and_then(|mib| mib.parse().ok()).unwrap_or(ORDINARY_SIZE) * MIB;
    let lab = Lab::new().client("ada", Nat::PortRestricted).client("bob", Nat::PortRestricted);
    let mut scene = Scene::new("files", lab);
    let [ada, bob] = ["ada", "bob"].map(|name| {
        let page = scene.page_with_disk(name, Chromium);
        page.goto(&format!(
            "https://{}/r/files?name={name}&join=1&mic=0&camera=0&files=opfs",
            twocan_interop::NAME
        ));
        page
    });
    for page in [&ada, &bob] {
        page.wait("twocan.peers[0]?.channel === 'open'");
    }

    let sum = ada.eval(&format!("lab.choose('[data-testid=file-input]', 'film.bin', {size}, 7)"));
    bob.click("transfer-accept");
    bob.wait("twocan.transfers[0].state !== 'offered'");
    // What making the file left behind is not the page's.
    let before = [&ada, &bob].map(|page| {
        page.collect_garbage();
        page.memory().tab
    });
    let mut most = before;
    let mut broken = false;
    // And a second for each MiB more.
    let end = Instant::now() + DEADLINE + Duration::from_secs(size / MIB);
    loop {
        for (most, page) in most.iter_mut().zip([&ada, &bob]) {
            *most = (*most).max(page.memory().tab);
        }
        let transfer = bob.eval("twocan.transfers[0]");
        let state = transfer["state"].as_str().unwrap_or_default().to_owned();
        if state == "done" {
            break;
        }
        assert!(["active", "paused", "verifying"].contains(&state.as_str()), "{transfer}");
        assert!(Instant::now() < end, "it takes too long: {transfer}");
        if !broken && transfer["done"].as_u64() > Some(size / 5) {
            broken = true;
            scene.lab().cut("bob").unwrap();
            // Long enough for both pages to give the connection up.
            for page in [&ada, &bob] {
                page.wait_for(DEADLINE, "twocan.transfers[0].state === 'paused'");
            }
            scene.lab().mend("bob").unwrap();
        }
    }

    assert!(broken, "the file was through before the connection could be cut: take a larger one");
    ada.wait("twocan.transfers[0].state === 'done'");
    for page in [&ada, &bob] {
        assert!(
            page.eval("twocan.transfers[0].resumes").as_u64() >= Some(1),
            "it was resumed, not begun anew"
        );
    }
    let digest = ada.eval("twocan.transfers[0].digest");
    assert!(digest.as_str().is_some_and(|digest| digest.len() >= 64), "{digest}");
    assert_eq!(bob.eval("twocan.transfers[0].digest"), digest);
    // Not what the page says, but what is on the disk.
    let stored = bob.eval(&format!(
        "lab.files().then((files) => lab.sum(files.map(([, file]) => file).find((file) => file.size === {size})))"
    ));
    assert_eq!(stored, sum);

    println!("{size} bytes; tabs before {before:?}, at most {most:?}");
    for (most, before) in most.iter().zip(before) {
        assert!(most - before <= GROWTH, "a tab grew from {before} to {most} bytes");
    }
}
