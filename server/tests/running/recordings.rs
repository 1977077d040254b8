//! `twocan publish` and `twocan record`, against a running server.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use media::{Color, Container, FlatVp8, Frame, FrameSource as _, Track, create, open};
use rtp::codec::Codec;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{DEADLINE, Program, command};

const SETS: [u8; 19] =
    [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDC, 0x14, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80];
/// Pictures of a file: two seconds of them.
pub(crate) const PICTURES: u32 = 60;

/// A command that runs, and what it says.
pub(crate) struct Run {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Run {
    pub(crate) fn start(server: &Program, folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(server, folder, arguments, Stdio::inherit())
    }

    /// With what there is to be read from standard input.
    pub(crate) fn start_with(server: &Program, folder: &Path, arguments: &[&str], input: Stdio) -> Self {
        let address = format!("http://{}", server.http());
        let mut command = command(arguments);
        command.args(["--server", &address, "--json"]).current_dir(folder).stdin(input);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads on to an event.
    pub(crate) fn until(&mut self, event: &str) -> Value {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if line["event"] == event {
                return line;
            }
            seen.push(line);
        }
        panic!("it ended without {event}: {seen:?}");
    }

    pub(crate) fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < DEADLINE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// No two are the same.
fn picture(codec: Codec, encoder: &mut FlatVp8, number: u32) -> (Vec<u8>, bool) {
    let key = number.is_multiple_of(15);
    let bytes = match codec {
        Codec::H264 => {
            let mut slice = vec![0, 0, 0, 1, if key { 0x65 } else { 0x41 }, 0x88];
            slice.extend(number.to_be_bytes().map(|byte| byte | 0x80));
            // Some take several packets.
            slice.resize(if number % 10 == 3 { 4000 } else { 20 }, 0x77);
            if key { [&SETS[..], &slice].concat() } else { slice }
        }
        _ => {
            // The number's bits, each in a shade that goes with the number: no two frames change the same.
            let shade = |at: u32| Color([16 + number as u8 * 3 + (number >> (at % 8) & 1) as u8, 128, 128]);
            let squares: Vec<Color> = (0..32 * 32).map(shade).collect();
            encoder.encode(&squares, key)
        }
    };
    (bytes, key)
}

/// A file of two seconds, and its frames, those of pictures first.
pub(crate) fn make(
    folder: &TempDir,
    container: Container,
    name: &str,
    codec: Codec,
) -> (PathBuf, [Vec<Frame>; 2]) {
    let mut encoder = FlatVp8::new(32, 32);
    let mut frames = [Vec::new(), Vec::new()];
    for number in 0..PICTURES {
        let (bytes, key) = picture(codec, &mut encoder, number);
        let time = Duration::from_secs(number.into()) / 30;
        frames[0].push(Frame { track: 0, time, key, bytes: bytes.into() });
    }
    for number in 0..100_u8 {
        let bytes = vec![0xF8, number, 1, 2, 3];
        let time = Duration::from_millis(20) * number.into();
        frames[1].push(Frame { track: 1, time, key: true, bytes: bytes.into() });
    }
    let path = folder.path().join(name);
    let tracks = [Track::of_frame(codec, &frames[0][0].bytes), Track::new(Codec::Opus)];
    let mut sink = create(container, File::create(&path).unwrap(), &tracks).unwrap();
    let mut all: Vec<&Frame> = frames.iter().flatten().collect();
    all.sort_by_key(|frame| frame.time);
    all.into_iter().for_each(|frame| sink.write_frame(frame).unwrap());
    sink.finish().unwrap();
    (path, frames)
}

/// A file's frames, by their codecs: pictures, and sound.
pub(crate) fn read(path: &Path) -> [Vec<Frame>; 2] {
    let mut source = open(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let is_audio: Vec<bool> = source.tracks().iter().map(|track| track.codec.is_audio()).collect();
    let mut frames = [Vec::new(), Vec::new()];
    while let Some(frame) = source.next_frame().unwrap() {
        frames[usize::from(is_audio[frame.track])].push(frame);
    }
    frames
}

/// What was recorded is what was streamed again and again: each frame as it was, one behind another, as far apart.
fn compare(sent: &[Frame], got: &[Frame], least: usize) {
    assert!(got.len() >= least, "{} frames", got.len());
    let place =
        |frame: &Frame| sent.iter().position(|own| own.bytes == frame.bytes).expect("one that was sent");
    for two in got.windows(2) {
        let (before, after) = (place(&two[0]), place(&two[1]));
        assert_eq!(after, (before + 1) % sent.len(), "a frame is missing");
        if after > before {
            let apart = two[1].time - two[0].time;
            let wanted = sent[after].time - sent[before].time;
            assert!(apart.abs_diff(wanted) <= Duration::from_millis(1), "{apart:?} for {wanted:?}");
        }
    }
}

/// Frames of both that were taken at the same time are at the same time.
fn compare_tracks(sent: &[Vec<Frame>; 2], got: &[Vec<Frame>; 2]) {
    let offset = |kind: usize, frame: &Frame| {
        let own = sent[kind].iter().find(|own| own.bytes == frame.bytes).unwrap();
        frame.time.as_millis() as i64 - own.time.as_millis() as i64
    };
    let pictures = offset(0, &got[0][0]);
    // The first of the same turn.
    let sound =
        got[1].iter().map(|frame| offset(1, frame)).min_by_key(|sound| sound.abs_diff(pictures)).unwrap();
    assert!(sound.abs_diff(pictures) <= 2, "{sound} ms and {pictures} ms");
}

#[test]
fn what_is_published_is_recorded_as_it_was() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    for (container, name, codec, ending) in
        [(Container::WebM, "film.webm", Codec::Vp8, "webm"), (Container::Mp4, "film.mp4", Codec::H264, "mp4")]
    {
        let (path, sent) = make(&folder, container, name, codec);
        let room = format!("room-{ending}");
        let mut publisher =
            Run::start(&server, folder.path(), &["publish", path.to_str().unwrap(), "--to", &room, "--loop"]);
        publisher.until("connected");
        let mut recorder = Run::start(&server, folder.path(), &["record", &room, "--duration", "2"]);
        let begun = recorder.until("recording");
        assert_eq!(begun["codecs"], serde_json::json!([codec.name(), "opus"]));
        let shown = begun["path"].as_str().unwrap();
        assert!(shown.starts_with(&format!("{room}-")) && shown.ends_with(&format!(".{ending}")), "{shown}");
        let done = recorder.until("done");
        assert_eq!((&done["lost"], recorder.exit_code()), (&serde_json::json!(0), Some(0)));
        let got = read(&folder.path().join(shown));
        assert!(got[0][0].key && got[0][0].time < Duration::from_millis(50));
        compare(&sent[0], &got[0], 50);
        compare(&sent[1], &got[1], 80);
        compare_tracks(&sent, &got);
        publisher.interrupt();
        publisher.until("stopped");
        assert_eq!(publisher.exit_code(), Some(0));
    }
}

#[test]
fn only_who_has_the_code_can_watch_what_is_sealed() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    for (container, name, codec) in
        [(Container::WebM, "film.webm", Codec::Vp8), (Container::Mp4, "film.mp4", Codec::H264)]
    {
        let (path, sent) = make(&folder, container, name, codec);
        let arguments = ["publish", path.to_str().unwrap(), "--to", "show", "--loop", "--seal"];
        let mut publisher = Run::start(&server, folder.path(), &arguments);
        let connected = publisher.until("connected");
        let link = connected["link"].as_str().unwrap();
        assert!(link.starts_with(&format!("http://{}/live/show#", server.http())), "{link}");
        let output = format!("opened-{name}");
        let record = |from: &str, output: &str| {
            Run::start(&server, folder.path(), &["record", from, "--output", output, "--duration", "2"])
        };
        let mut recorder = record(link, &output);
        recorder.until("done");
        assert_eq!(recorder.exit_code(), Some(0));
        let got = read(&folder.path().join(&output));
        for (sent, got) in sent.iter().zip(&got) {
            assert!(got.len() > 20, "{} frames", got.len());
            assert!(got.iter().all(|frame| sent.iter().any(|own| own.bytes == frame.bytes)));
        }
        // The server, or whoever has its words alone, gets frames, and in none of them what was sent.
        let endpoint = connected["to"].as_str().unwrap().replace("/whip/", "/whep/");
        assert!(!endpoint.contains("show"), "{endpoint}");
        let output = format!("closed-{name}");
        record(&endpoint, &output).until("done");
        let got = read(&folder.path().join(&output));
        assert!(got[0].len() > 10 && got[1].len() > 10, "{} and {} frames", got[0].len(), got[1].len());
        for frame in got.iter().flatten() {
            let is_plain = sent
                .iter()
                .flatten()
                .any(|own| own.bytes[own.bytes.len() - 3..] == frame.bytes[frame.bytes.len() - 3..]);
            assert!(!is_plain && frame.bytes.len() > 16);
        }
        record(&format!("{endpoint}#k3m9x-7qv2t-h4n80-2wx1z"), "other.webm").until("not_opened");
        publisher.interrupt();
        assert_eq!(publisher.exit_code(), Some(0));
    }
}

#[test]
fn a_recorder_waits_and_ends_its_file_when_told_to() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    let mut recorder = Run::start(&server, folder.path(), &["record", "show", "--output", "show.webm"]);
    recorder.until("waiting");
    let mut publisher = Run::start(&server, folder.path(), &["publish", "test", "--to", "show"]);
    publisher.until("connected");
    recorder.until("recording");
    while recorder.until("progress")["seconds"].as_f64().unwrap() < 1.0 {}
    recorder.interrupt();
    recorder.until("done");
    assert_eq!(recorder.exit_code(), Some(0));
    let got = read(&folder.path().join("show.webm"));
    assert!(got[0].len() > 20 && got[1].len() > 30, "{} pictures, {} sounds", got[0].len(), got[1].len());
    // Nothing is written over that nobody asked for.
    let again = Run::start(&server, folder.path(), &["record", "show", "--output", "show.webm"]);
    assert_eq!(again.exit_code(), Some(2));
    assert_eq!(read(&folder.path().join("show.webm")), got);
    publisher.interrupt();
    assert_eq!(publisher.exit_code(), Some(0));
}

#[test]
fn a_file_that_ends_ends_its_stream() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    let (path, _) = make(&folder, Container::WebM, "film.webm", Codec::Vp8);
    let mut publisher =
        Run::start(&server, folder.path(), &["publish", path.to_str().unwrap(), "--to", "show"]);
    publisher.until("connected");
    let done = publisher.until("done");
    assert_eq!((&done["frames"], &done["left_out"]), (&160.into(), &0.into()));
    assert_eq!(publisher.exit_code(), Some(0));
    // The room is free again, at once.
    let mut next = Run::start(&server, folder.path(), &["publish", "test", "--to", "show"]);
    next.until("connected");
}

#[test]
fn what_is_wrong_is_told() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &["--publish-token", "open-sesame"]);
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let mut run = Run::start(&server, folder.path(), arguments);
        let error = run.until("error");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert_eq!((error["exit"].as_i64(), run.exit_code()), (Some(code.into()), Some(code)));
    };
    fails(&["publish", "none.webm", "--to", "show"], 2, "none.webm: ");
    std::fs::write(folder.path().join("noise.webm"), [7; 100]).unwrap();
    fails(&["publish", "noise.webm", "--to", "show"], 2, "none of the files that can be sent");
    fails(&["publish", "-", "--to", "show", "--loop"], 2, "leave out --loop");
    fails(&["publish", "test", "--to", "show#k3m9x-7qv2t-h4n80-2wx1z", "--seal"], 2, "leave out --seal");
    fails(&["publish", "test", "--to", "show"], 3, "--token");
    fails(&["publish", "test", "--to", "show", "--token", "guess"], 3, "--token");
    fails(&["record", "show", "--output", "show.txt"], 2, ".webm");
    // Nothing listens at port 1.
    fails(&["publish", "test", "--to", "http://127.0.0.1:1/whip/show"], 1, "nothing listens there");
    let mut right =
        Run::start(&server, folder.path(), &["publish", "test", "--to", "show", "--token", "open-sesame"]);
    right.until("connected");
}

#[test]
fn a_server_that_comes_back_finds_both_again() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    let address = server.http().to_string();
    let mut publisher = Run::start(&server, folder.path(), &["publish", "test", "--to", "show"]);
    publisher.until("connected");
    let mut recorder = Run::start(&server, folder.path(), &["record", "show", "--output", "show.webm"]);
    recorder.until("recording");
    while recorder.until("progress")["seconds"].as_f64().unwrap() < 1.0 {}
    server.kill();
    let _server = Program::start_at(&data, &address, &[]);
    assert_eq!(publisher.until("connected")["again"], true);
    recorder.until("connected");
    let before = recorder.until("progress")["seconds"].as_f64().unwrap();
    while recorder.until("progress")["seconds"].as_f64().unwrap() < before + 2.0 {}
    recorder.interrupt();
    let done = recorder.until("done");
    assert_eq!(recorder.exit_code(), Some(0));
    // It is one file, with a gap in it that begins and ends with a key frame behind it.
    let got = read(&folder.path().join("show.webm"));
    let gaps: Vec<usize> = (1..got[0].len())
        .filter(|at| got[0][*at].time > got[0][at - 1].time + Duration::from_secs(1))
        .collect();
    assert_eq!(gaps.len(), 1, "{done}");
    assert!(got[0][gaps[0]].key);
    let sound = got[1].windows(2).filter(|two| two[1].time > two[0].time + Duration::from_secs(1)).count();
    assert_eq!(sound, 1);
}
