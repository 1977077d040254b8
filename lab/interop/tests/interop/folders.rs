//! Folders between a terminal and a page: they keep their structure, both ways.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use natlab::{Lab, Nat};
use serde_json::{Value, json};
use twocan_interop::Browser::Chromium;
use twocan_interop::{NAME, Page, Scene, begin};

use crate::terminal::{LONG, Terminal};

/// More than are offered at a time.
const SMALL: usize = 90;

/// Paths and lengths of what is sent; a folder that holds nothing has none.
fn holiday() -> BTreeMap<String, Option<u64>> {
    let mut files: BTreeMap<_, _> = [
        ("holiday/notes.txt", Some(7)),
        ("holiday/day 1/beach.jpg", Some(3 << 20)),
        ("holiday/day 2/", None),
    ]
    .map(|(path, length)| (path.to_owned(), length))
    .into();
    files.extend((0..SMALL).map(|number| (format!("holiday/small/{number}"), Some(number as u64))));
    files
}

fn write(folder: &Path, files: &BTreeMap<String, Option<u64>>) {
    for (path, length) in files {
        let place = folder.join(path);
        match length {
            None => fs::create_dir_all(place).expect("a folder"),
            Some(length) => {
                fs::create_dir_all(place.parent().expect("it is in one")).expect("a folder");
                fs::write(place, vec![7; usize::try_from(*length).expect("small")]).expect("a file");
            }
        }
    }
}

/// What lies on the disk.
fn read(folder: &Path) -> BTreeMap<String, Option<u64>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(current) = folders.pop() {
        let entries: Vec<_> =
            fs::read_dir(&current).expect("a folder").map(|entry| entry.expect("it")).collect();
        let name = |path: &Path| path.strip_prefix(folder).expect("below").display().to_string();
        if entries.is_empty() {
            found.insert(format!("{}/", name(&current)), None);
        }
        for path in entries.iter().map(fs::DirEntry::path) {
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(name(&path), Some(fs::metadata(&path).expect("it").len()))),
            }
        }
    }
    found
}

fn page(scene: &mut Scene, more: &str) -> Page {
    let page = scene.page_with_disk("bob", Chromium);
    page.goto(&format!("https://{NAME}/send?{more}"));
    // Instead of the dialog, which nobody could answer here: a folder of the page's own.
    page.eval(
        "(window.showDirectoryPicker = async () =>
            (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true }), true)",
    );
    page
}

fn lab() -> Lab {
    Lab::new().client("ada", Nat::None).client("bob", Nat::PortRestricted)
}

#[test]
fn a_folder_from_a_terminal_lies_in_the_page_as_it_lay() {
    let Some(_turn) = begin("a folder from a terminal to a page", &[Chromium]) else { return };
    let mut scene = Scene::new("folder-to-page", lab());
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &holiday());
    let path = folder.path().join("holiday").display().to_string();
    let mut ada = Terminal::start(scene.lab(), "ada", &["send", &path]);
    let code = ada.named("code")["code"].as_str().expect("a code").to_owned();
    let bob = page(&mut scene, &format!("#{code}"));
    bob.wait("twocan.batches[0]?.state === 'offered'");
    // One is there already, and is to stay.
    bob.eval(
        "showDirectoryPicker().then((folder) => folder.getDirectoryHandle('holiday', { create: true }))
            .then((folder) => folder.getFileHandle('notes.txt', { create: true })).then(() => true)",
    );
    bob.click("transfer-accept");
    bob.click("existing-keep-both");
    bob.wait_for(LONG, "twocan.batches[0].state === 'done'");
    assert_eq!(ada.exit_code(), Some(0));

    let found = bob.eval("lab.files().then((files) => files.map(([path, { size }]) => [path, size]))");
    let found: BTreeMap<String, Value> = serde_json::from_value(json!(found))
        .map(|pairs: Vec<(String, Value)>| {
            let inside = pairs
                .into_iter()
                .filter_map(|(path, size)| Some((path.strip_prefix("chosen/")?.to_owned(), size)));
            inside.collect()
        })
        .expect("paths and sizes");
    let mut expected: BTreeMap<String, Value> =
        holiday().into_iter().filter_map(|(path, length)| Some((path, json!(length?)))).collect();
    expected.insert("holiday/notes.txt".into(), json!(0));
    expected.insert("holiday/notes (2).txt".into(), json!(7));
    assert_eq!(found, expected);
    bob.wait(
        "showDirectoryPicker().then((folder) => folder.getDirectoryHandle('holiday'))
            .then((folder) => folder.getDirectoryHandle('day 2')).then(() => true, () => false)",
    );
}

#[test]
fn a_folder_that_is_dropped_on_the_page_lies_at_the_terminal_as_it_lay() {
    let Some(_turn) = begin("a folder from a page to a terminal", &[Chromium]) else { return };
    let mut scene = Scene::new("folder-to-terminal", lab());
    let bob = page(&mut scene, "files=opfs");
    let code = bob.wait("twocan.stage === 'joined' && location.hash.slice(1)");
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().display().to_string();
    let ada = Terminal::start(
        scene.lab(),
        "ada",
        &["receive", code.as_str().expect("a code"), "--output", &output],
    );
    bob.wait("twocan.peers[0]?.channel === 'open'");
    bob.eval(&format!("lab.drop('[data-testid=send-drop]', {})", json!(holiday())));
    assert_eq!(ada.exit_code(), Some(0));
    bob.wait("twocan.batches[0].state === 'done'");
    assert_eq!(read(folder.path()), holiday());
}
