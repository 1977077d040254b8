//! `twocan send` and `twocan receive`, each a process of its own, by way of a running server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{DEADLINE, Program, command};

const MIB: usize = 1 << 20;

/// Either end of a transfer, in a terminal of its own; killed when dropped.
pub(crate) struct End {
    child: Child,
    events: Receiver<Value>,
}

impl End {
    pub(crate) fn start(arguments: &[&str], server: &str) -> Self {
        Self::start_with(arguments, server, Stdio::null())
    }

    fn start_with(arguments: &[&str], server: &str, stdin: Stdio) -> Self {
        let all = [arguments, &["--json", "--server", server]].concat();
        let mut child = command(&all).stdin(stdin).stdout(Stdio::piped()).spawn().expect("twocan starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, events }
    }

    /// Types a line.
    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("it listens"), "{line}").expect("it reads");
    }

    /// The next event of this name; others are passed over.
    pub(crate) fn wait(&mut self, name: &str) -> Value {
        self.wait_until(|event| event["event"] == name)
    }

    pub(crate) fn wait_until(&mut self, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.events.recv_timeout(left) {
                Ok(event) if is_it(&event) => return event,
                Ok(event) => seen.push(event),
                Err(_) => break,
            }
        }
        panic!("it did not come; what came: {seen:#?}");
    }

    /// Its exit code, and what it said last.
    pub(crate) fn exit(mut self) -> (Option<i32>, Vec<Value>) {
        let end = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "it does not end: {:#?}",
                self.events.try_iter().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(10));
        };
        (status.code(), self.events.iter().collect())
    }

    /// Ends it; what it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, Vec<Value>) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let status = self.child.wait().expect("it is ours");
        (status.code(), self.events.iter().collect())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As if the power had failed.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        let _ = self.child.wait();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two folders and a server.
struct Place {
    folder: TempDir,
    _data: TempDir,
    server: Program,
}

impl Place {
    fn new() -> Self {
        Self::with(&[])
    }

    /// Where the server has these options, too.
    fn with(options: &[&str]) -> Self {
        let data = tempdir().unwrap();
        let server = Program::start(&data, options);
        Self { folder: tempdir().unwrap(), _data: data, server }
    }

    fn address(&self) -> String {
        format!("http://{}", self.server.http())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of bytes that do not repeat.
    fn file(&self, name: &str, size: usize) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, noise(size)).unwrap();
        path
    }

    /// Waits until more than so many bytes have come of a file that is not whole yet. An end says so twice a second at most, and
    /// may be through before.
    fn until_has_more_than(&self, bytes: u64) {
        let end = Instant::now() + DEADLINE;
        let is_part = |path: &Path| path.extension().is_some_and(|extension| extension == "part");
        loop {
            let parts = fs::read_dir(self.path("out")).into_iter().flatten().flatten();
            let mut sizes =
                parts.filter(|part| is_part(&part.path())).filter_map(|part| part.metadata().ok());
            if sizes.any(|part| part.len() > bytes) {
                return;
            }
            assert!(Instant::now() < end, "no more than {bytes} bytes have come");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn send(&self, paths: &[&Path], more: &[&str]) -> (End, String) {
        let mut arguments = vec!["send"];
        arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
        arguments.extend(more);
        let mut end = End::start(&arguments, &self.address());
        let code = end.wait("code")["code"].as_str().unwrap().to_owned();
        (end, code)
    }

    fn receive(&self, code: &str, more: &[&str]) -> End {
        self.receive_with(code, more, Stdio::null())
    }

    fn receive_answering(&self, code: &str, more: &[&str]) -> End {
        self.receive_with(code, more, Stdio::piped())
    }

    fn receive_with(&self, code: &str, more: &[&str], stdin: Stdio) -> End {
        let output = self.path("out");
        let arguments = [&["receive", code, "--output", output.to_str().unwrap()], more].concat();
        End::start_with(&arguments, &self.address(), stdin)
    }
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Every file below, with its contents.
fn tree(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
                found.push((name, None));
            } else {
                found.push((name, Some(fs::read(path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

fn assert_done(end: End) {
    let (code, events) = end.exit();
    assert_eq!(code, Some(0), "{events:#?}");
}

#[test]
fn files_and_folders_arrive_whole() {
    let place = Place::new();
    let film = place.file("film.bin", 20 * MIB + 7);
    place.file("photos/a.txt", 5);
    place.file("photos/deep/er/b.bin", MIB);
    place.file("photos/deep/empty", 0);
    fs::create_dir_all(place.path("photos/nothing/here")).unwrap();
    fs::create_dir_all(place.path("hollow")).unwrap();
    for number in 0..150 {
        place.file(&format!("photos/many/{number}"), number);
    }
    let (sender, code) = place.send(&[&film, &place.path("photos"), &place.path("hollow")], &[]);
    let mut receiver = place.receive(&code, &[]);
    let offered = receiver.wait("offered");
    assert_eq!(offered["files"], 154);
    assert_done(receiver);
    assert_done(sender);
    assert!(fs::read(place.path("out/film.bin")).unwrap() == fs::read(&film).unwrap());
    assert!(tree(&place.path("photos")) == tree(&place.path("out/photos")));
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 3);

    let (sender, code) = place.send(&[&place.path("hollow")], &[]);
    fs::remove_dir(place.path("out/hollow")).unwrap();
    assert_done(place.receive(&code, &[]));
    assert_done(sender);
    assert!(place.path("out/hollow").is_dir(), "a folder that holds nothing, and nothing else");
}

#[test]
fn either_end_may_die_and_go_on() {
    let place = Place::new();
    // So much that no end is through before it is stopped.
    let film = place.file("film.bin", 320 * MIB);
    let (mut sender, code) = place.send(&[&film], &[]);
    let receiver = place.receive(&code, &[]);
    place.until_has_more_than(12 << 20);
    receiver.kill();

    let mut receiver = place.receive(&code, &[]);
    let again = receiver.wait("file");
    assert!(again["offset"].as_u64() >= Some(8 << 20), "{again}");
    sender.wait("interrupted");
    let before = again["offset"].as_u64().unwrap();
    place.until_has_more_than(before + (4 << 20));
    sender.kill();

    let (sender, same) = place.send(&[&film], &["--code", &code]);
    assert_eq!(same, code);
    let third = receiver.wait("file");
    assert!(third["offset"].as_u64() > Some(before), "{third}");
    assert_done(receiver);
    assert_done(sender);
    assert!(fs::read(place.path("out/film.bin")).unwrap() == fs::read(&film).unwrap());
}

#[test]
fn the_server_may_vanish_once_they_are_connected() {
    let mut place = Place::new();
    let film = place.file("film.bin", 48 * MIB);
    let (sender, code) = place.send(&[&film], &[]);
    let mut receiver = place.receive(&code, &[]);
    receiver.wait("file");
    let data = tempdir().unwrap();
    std::mem::replace(&mut place.server, Program::start(&data, &[])).kill();
    assert_done(receiver);
    assert_done(sender);
    assert!(fs::read(place.path("out/film.bin")).unwrap() == fs::read(&film).unwrap());
}

#[test]
fn with_relay_only_everything_goes_through_the_relay() {
    let loopback = ["--stun-turn", "127.0.0.1:0", "--stun-alternate", "off", "--allow-peer", "127.0.0.0/8"];
    let place = Place::with(&loopback);
    let film = place.file("film.bin", 3 * MIB);
    for (for_sender, for_receiver) in [(true, true), (true, false), (false, true)] {
        let flag = |is_set: bool| if is_set { &["--relay-only"][..] } else { &[] };
        let (mut sender, code) = place.send(&[&film], flag(for_sender));
        let mut receiver = place.receive(&code, flag(for_receiver));
        for (end, own, other) in
            [(&mut sender, for_sender, for_receiver), (&mut receiver, for_receiver, for_sender)]
        {
            // A check may overtake what the server carries, so that the first word is another.
            let path = end.wait_until(|event| event["event"] == "path" && event["relayed"] == true);
            // Whoever hides nothing may be relayed, too.
            let pair = path["pair"].as_str().unwrap();
            assert!(!own || pair.starts_with("relay "), "{path}");
            // A relay from which a check came before word of it has no other name than that; its own end says what it is.
            let is_relay = pair.contains(" - relay ") || pair.contains(" - prflx ");
            assert!(!other || is_relay, "{path}");
        }
        assert_done(receiver);
        assert_done(sender);
        fs::remove_file(place.path("out/film.bin")).unwrap();
    }
}

#[test]
fn with_relay_only_and_no_relay_one_is_told_at_once() {
    let place = Place::new();
    let film = place.file("film.bin", 1);
    let (sender, _) = place.send(&[&film], &["--relay-only"]);
    let (exit, events) = sender.exit();
    let last = events.last().unwrap();
    assert_eq!((exit, &last["code"]), (Some(1), &"no_relay".into()), "{events:#?}");
    assert!(last["message"].as_str().unwrap().contains("without --relay-only"), "{last}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_has_arrived_and_says_how_to_go_on() {
    let place = Place::new();
    let film = place.file("film.bin", 320 * MIB);
    let (sender, code) = place.send(&[&film], &[]);
    let receiver = place.receive(&code, &[]);
    place.until_has_more_than(2 << 20);
    let id = rustix::process::Pid::from_raw(i32::try_from(receiver.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let (exit, events) = receiver.exit();
    let last = events.last().unwrap();
    assert_eq!((exit, &last["code"]), (Some(130), &"interrupted".into()));
    let again = format!("twocan receive {code} --server {}", place.address());
    assert!(last["message"].as_str().unwrap().contains(&again), "{last}");
    let mut receiver = place.receive(&code, &[]);
    assert!(receiver.wait("file")["offset"].as_u64() > Some(0));
    assert_done(receiver);
    assert_done(sender);
}

/// Size in MiB, to send 10 GB where there is time: `TWOCAN_FILES_MIB=10240`.
const SIZE: &str = "TWOCAN_FILES_MIB";
const ORDINARY_SIZE: u64 = 192;
/// What either end may use at most, whatever the size.
const MOST_MEMORY: u64 = 160 << 20;

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_whatever_the_size() {
    let mebibytes = std::env::var(SIZE).ok().and_then(|mib| mib.parse().ok()).unwrap_or(ORDINARY_SIZE);
    let place = Place::new();
    let film = place.path("film.bin");
    // Holes cost no disk, and are read and hashed as anything else.
    fs::File::create(&film).unwrap().set_len(mebibytes << 20).unwrap();
    let (mut sender, code) = place.send(&[&film], &[]);
    let receiver = place.receive(&code, &[]);
    let ids = [sender.id(), receiver.id()];
    let mut most = [0; 2];
    let end = Instant::now() + DEADLINE * u32::try_from(1 + mebibytes / 256).unwrap();
    loop {
        for (most, id) in most.iter_mut().zip(ids) {
            *most = peak(id).unwrap_or_default().max(*most);
        }
        let over = |event: &Value| event["event"] == "done";
        if receiver.events.recv_timeout(Duration::from_millis(20)).is_ok_and(|event| over(&event)) {
            break;
        }
        assert!(Instant::now() < end, "it takes too long");
    }
    sender.wait("done");
    assert_done(receiver);
    assert_done(sender);
    println!("{mebibytes} MiB; the ends used at most {most:?} bytes");
    assert!(most.iter().all(|bytes| (1..=MOST_MEMORY).contains(bytes)), "{most:?}");
}

/// The most memory that a process has had, bytes.
#[cfg(target_os = "linux")]
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// A disk of so many MiB, for as long as the value lives. Nothing where one may not mount.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(path: PathBuf, options: &str) -> Option<Self> {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(path))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ =
            std::process::Command::new("umount").arg("--lazy").arg(&self.0).stderr(Stdio::null()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it_and_keeps_what_has_arrived() {
    let place = Place::new();
    let film = place.file("film.bin", 48 * MIB);
    fs::create_dir(place.path("out")).unwrap();
    let Some(_disk) = SmallDisk::mount(place.path("out"), "size=24m") else {
        return println!("skipped: a full disk, because nothing may be mounted here (be root)");
    };
    let (mut sender, code) = place.send(&[&film], &[]);
    let (exit, events) = place.receive(&code, &[]).exit();
    let last = events.last().unwrap();
    assert_eq!((exit, &last["code"]), (Some(5), &"disk_full".into()), "{events:#?}");
    assert!(last["message"].as_str().unwrap().contains("Make room"), "{last}");
    // The sender waits for them to come back.
    sender.wait("interrupted");
    let _larger = SmallDisk::mount(place.path("out"), "remount,size=100m").unwrap();
    let mut receiver = place.receive(&code, &[]);
    assert!(receiver.wait("file")["offset"].as_u64() >= Some(16 << 20));
    assert_done(receiver);
    assert_done(sender);
    assert!(fs::read(place.path("out/film.bin")).unwrap() == fs::read(&film).unwrap());
}

#[test]
fn names_of_the_other_side_stay_inside_and_overwrite_nothing() {
    let place = Place::new();
    for name in ["photos/.hidden", "photos/con", "photos/a:b?.txt", ".profile"] {
        place.file(name, 100);
    }
    fs::create_dir_all(place.path("out/photos")).unwrap();
    fs::write(place.path("out/profile"), "mine").unwrap();
    let (sender, code) = place.send(&[&place.path("photos"), &place.path(".profile")], &[]);
    assert_done(place.receive(&code, &[]));
    assert_done(sender);
    let names: Vec<String> = tree(&place.path("out")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["photos", "photos/.hidden", "photos/_con", "photos/a_b_.txt", "profile", "profile (2)"]
    );
    assert_eq!(fs::read_to_string(place.path("out/profile")).unwrap(), "mine");
}

#[test]
fn a_taken_name_is_treated_as_one_says() {
    let place = Place::new();
    let film = place.file("film.bin", 100);
    fs::create_dir_all(place.path("out")).unwrap();
    let read = |name: &str| fs::read(place.path(name)).map(|bytes| bytes.len()).ok();
    for (what, exit, own, beside) in
        [("skip", 3, 4, None), ("keep-both", 0, 4, Some(100)), ("overwrite", 0, 100, None)]
    {
        fs::write(place.path("out/film.bin"), "mine").unwrap();
        let (sender, code) = place.send(&[&film], &[]);
        let mut receiver = place.receive(&code, &["--existing", what]);
        let exists = receiver.wait("exists");
        assert_eq!(
            (&exists["what"], &exists["existing"], &exists["size"]),
            (&what.into(), &4.into(), &100.into())
        );
        assert_done(receiver);
        // What is skipped has not arrived.
        assert_eq!(sender.exit().0, Some(exit));
        assert_eq!((read("out/film.bin"), read("out/film (2).bin")), (Some(own), beside), "{what}");
        let _ = fs::remove_file(place.path("out/film (2).bin"));
    }
}

#[test]
fn a_script_may_say_what_becomes_of_each_taken_name() {
    let place = Place::new();
    fs::create_dir_all(place.path("out/photos")).unwrap();
    for name in ["a", "b", "c", "d", "new"] {
        place.file(&format!("photos/{name}"), 100);
        if name != "new" {
            fs::write(place.path(&format!("out/photos/{name}")), "mine").unwrap();
        }
    }
    let (_sender, code) = place.send(&[&place.path("photos")], &[]);
    let mut receiver = place.receive_answering(&code, &["--existing", "ask"]);
    let mut asked = Vec::new();
    for answer in ["overwrite", "what?", "keep-both", "skip all"] {
        // What is no answer is asked about again, without a further event.
        if answer != "keep-both" {
            let exists = receiver.wait("exists");
            assert_eq!(exists["what"], "ask", "{exists}");
            asked.push(exists["path"].as_str().unwrap().to_owned());
        }
        receiver.say(answer);
    }
    assert_done(receiver);
    let lengths = |name: &str| fs::read(place.path("out").join(name)).map(|bytes| bytes.len()).ok();
    assert_eq!(asked.iter().map(|path| lengths(path)).collect::<Vec<_>>(), [Some(100), Some(4), Some(4)]);
    assert_eq!(lengths(&format!("{} (2)", asked[1])), Some(100));
    assert_eq!(lengths("photos/new"), Some(100));
    assert_eq!(fs::read_dir(place.path("out/photos")).unwrap().count(), 6);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_taken_where_one_says_so() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &["--https", "127.0.0.1:0"]);
    let address = format!("https://{}", server.port_after("https://127.0.0.1:"));
    let arguments = ["receive", "k3m9x-7qv2t-h4n80-2wx1z", "--output", folder.path().to_str().unwrap()];
    let mut wary = End::start(&arguments, &address);
    let why = wary.wait("server_away");
    assert!(why["reason"].as_str().unwrap().contains("add --insecure"), "{why}");
    End::start(&[&arguments[..], &["--insecure"]].concat(), &address).wait("waiting");
}

#[test]
fn whoever_waits_in_vain_is_told_what_may_be_the_reason() {
    let place = Place::new();
    // Another code than anybody has.
    place.receive("k3m9x-7qv2t-h4n80-2wx1z", &[]).wait("nobody");

    let output = place.path("out");
    let arguments = ["receive", "k3m9x-7qv2t-h4n80-2wx1z", "--output", output.to_str().unwrap()];
    let why = |server: &str| {
        let event = End::start(&arguments, server).wait("server_away");
        event["reason"].as_str().unwrap().to_owned()
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(why(&format!("http://{free}")).contains("`twocan serve`"));
    assert!(why(&format!("https://{}", place.server.http())).contains("http://"));
    assert!(why("http://nowhere.invalid").contains("--server"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_told_of_before_anything_comes() {
    let place = Place::new();
    fs::create_dir(place.path("out")).unwrap();
    let Some(_disk) = SmallDisk::mount(place.path("out"), "ro") else {
        return println!(
            "skipped: a disk that cannot be written to, because nothing may be mounted here (be root)"
        );
    };
    let (exit, events) = place.receive("k3m9x-7qv2t-h4n80-2wx1z", &[]).exit();
    let last = events.last().unwrap();
    assert_eq!((exit, &last["code"]), (Some(2), &"output".into()), "{events:#?}");
    assert!(last["message"].as_str().unwrap().contains("--output"), "{last}");
}

#[test]
fn a_file_that_is_removed_or_changed_is_told_of_and_the_others_arrive() {
    let place = Place::new();
    let names = ["a", "b", "c"].map(|name| place.file(&format!("photos/{name}"), 100));
    let (mut sender, code) = place.send(&[&place.path("photos")], &[]);
    fs::remove_file(&names[0]).unwrap();
    fs::write(&names[1], "shorter").unwrap();
    let mut receiver = place.receive(&code, &[]);
    let mut reasons = [(); 2].map(|()| {
        let failed = sender.wait("file_failed");
        (failed["path"].as_str().unwrap().to_owned(), failed["reason"].as_str().unwrap().to_owned())
    });
    reasons.sort();
    assert!(reasons[0].1.contains("No such file") && reasons[0].1.contains("send it again"), "{reasons:?}");
    assert!(reasons[1].1.contains("changed"), "{reasons:?}");
    receiver.wait("file_done");
    assert_eq!((sender.exit().0, receiver.exit().0), (Some(3), Some(3)));
    assert_eq!(tree(&place.path("out/photos")), [("c".to_owned(), Some(noise(100)))]);
}

#[test]
fn what_is_wrong_is_told_with_the_next_step() {
    let place = Place::new();
    let server = place.address();
    let run = |arguments: &[&str]| {
        let output = command(arguments).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (arguments, exit, words) in [
        (&["send"][..], 2, "PATH"),
        (&["send", "/nonexistent/file"], 2, "/nonexistent/file: No such file"),
        (&["send", "/nonexistent/file"], 2, "compare the name"),
        (&["receive", "k3m9x-7qv2t-h4n80-2wx1z", "--existing", "burn"], 2, "keep-both"),
        (&["receive"], 2, "CODE"),
        (&["receive", "k3m9x"], 2, "a code has 20 letters and digits, this has 5"),
        (&["receive", "k3m9x-7qv2t-h4n80-2wx1u"], 2, "no code has a 'u' in it"),
        (&["receive", "k3m9x-7qv2t-h4n80-2wx1z", "--server", "ftp://x"], 2, "write the server's address"),
        (
            &["receive", "k3m9x-7qv2t-h4n80-2wx1z", "--output", "/dev/null/x", "--server", &server],
            2,
            "--output",
        ),
    ] {
        let (code, text) = run(arguments);
        assert_eq!(code, Some(exit), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}
