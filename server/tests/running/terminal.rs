//! What a person sees in a terminal, and is asked there: the addresses, one of them for a phone's camera, and what becomes
//! of files whose names are taken.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::tempdir;

use crate::{
    client::eventually,
    files::End,
    program::{Program, command},
};

/// A program in a terminal of its own, stopped when dropped.
struct Session {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Session {
    fn start(arguments: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let inside = File::options().read(true).write(true).open(Path::new(&name)).unwrap();
        let [input, output] = [(); 2].map(|()| Stdio::from(inside.try_clone().unwrap()));
        let child = command(arguments).stdin(input).stdout(output).stderr(inside).spawn().unwrap();
        let keyboard = File::from(terminal.try_clone().unwrap());
        let screen = Arc::<Mutex<String>>::default();
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut terminal = File::from(terminal);
            let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
            // Ends with an error once nobody has the other side open.
            while let Ok(count @ 1..) = terminal.read(&mut buffer) {
                bytes.extend(&buffer[..count]);
                *shown.lock().unwrap() = String::from_utf8_lossy(&bytes).into_owned();
            }
        });
        Self { child, keyboard, screen }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The modules of the QR code on a screen, each line of which draws two rows of it; `true` is dark.
fn modules(screen: &str) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in screen.lines() {
        let line = line.trim_end_matches('\r');
        // Black on white, whatever the terminal's own colours.
        let Some(line) = line.strip_prefix("\x1b[30;107m") else { continue };
        let line = line.strip_suffix("\x1b[0m").unwrap_or(line);
        rows.push(line.chars().map(|half| matches!(half, '█' | '▀')).collect());
        rows.push(line.chars().map(|half| matches!(half, '█' | '▄')).collect());
    }
    rows
}

/// What a camera reads.
fn read(modules: &[Vec<bool>]) -> Option<String> {
    const PIXELS: usize = 4;
    let (width, height) = (modules.first()?.len(), modules.len());
    let is_dark = |x: usize, y: usize| modules[y / PIXELS].get(x / PIXELS) == Some(&true);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * PIXELS, height * PIXELS, |x, y| {
        match is_dark(x, y) {
            true => 0,
            false => 255,
        }
    });
    let grids = image.detect_grids();
    grids.first()?.decode().ok().map(|(_, text)| text)
}

#[tokio::test]
async fn a_phone_reads_the_address_from_the_screen() {
    let data = tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let session = Session::start(&[
        "serve",
        "--data-dir",
        folder,
        "--http",
        "127.0.0.1:0",
        "--https",
        ":0",
        "--turns",
        "off",
        "--stun-turn",
        "off",
        "--public-ip",
        "203.0.113.7",
    ]);
    eventually(|| read(&modules(&session.screen())).is_some()).await;
    let screen = session.screen();
    let (_, rest) = screen.split_once("  on your network     ").unwrap();
    let address = rest.lines().next().unwrap().trim_end();
    assert!(address.starts_with("https://"), "{screen}");
    let modules = modules(&screen);
    assert_eq!(read(&modules).as_deref(), Some(address), "{screen}");
    // With the quiet zone of four modules, without which cameras find nothing.
    assert!(modules[..4].iter().flatten().all(|dark| !dark), "{screen}");
    assert!(modules.iter().all(|row| row.len() == modules[0].len() && row[..4] == [false; 4]), "{screen}");
    // It fits into a terminal of the usual size.
    assert!(modules[0].len() <= 80, "{}", modules[0].len());
}

#[tokio::test]
async fn a_person_is_asked_what_is_wanted_and_what_becomes_of_taken_names() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    let server = format!("http://{}", server.http());
    let photos = folder.path().join("photos");
    let out = folder.path().join("out/photos");
    for place in [&photos, &out] {
        std::fs::create_dir_all(place).unwrap();
    }
    for name in ["a", "b", "c"] {
        std::fs::write(photos.join(name), "new").unwrap();
        std::fs::write(out.join(name), "old one").unwrap();
    }
    let mut sender = End::start(&["send", photos.to_str().unwrap()], &server);
    let code = sender.wait("code")["code"].as_str().unwrap().to_owned();
    let output = folder.path().join("out");
    let mut person =
        Session::start(&["receive", &code, "--output", output.to_str().unwrap(), "--server", &server]);
    eventually(|| person.screen().contains("Receive photos: 3 files (9 B)? [Y/n] ")).await;
    person.say("");
    // One after the other; what is no answer is asked again.
    for (count, answer) in [(1, "o"), (2, "perhaps"), (3, "ka")] {
        eventually(|| {
            person.screen().matches("is there already (7 B; the new one has 3 B)").count() == count
        })
        .await;
        person.say(answer);
    }
    eventually(|| person.screen().contains("3 files, 9 B, complete.")).await;
    assert_eq!(sender.exit().0, Some(0));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).ok();
    let kept = ["a", "b", "c"].map(|name| (read(name), read(&format!("{name} (2)"))));
    let [replaced, both] = [(Some("new"), None), (Some("old one"), Some("new"))]
        .map(|(one, other)| (one.map(str::to_owned), other.map(str::to_owned)));
    // Whichever came first was asked about first.
    assert_eq!(kept.iter().filter(|one| **one == replaced).count(), 1, "{kept:?}");
    assert_eq!(kept.iter().filter(|one| **one == both).count(), 2, "{kept:?}");
}
