//! Files into live streams and out of them, between a terminal and a browser.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use media::{Color, Container, FlatVp8, Frame, FrameSource as _, Pattern, Track, create};
use natlab::{Lab, Nat};
use rtp::codec::Codec;
use serde_json::json;
use tempfile::tempdir;
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Scene, begin};

use crate::streams::{PUBLISH, open, watch};
use crate::terminal::Terminal;

/// The number in the file's picture: no page's.
pub(crate) const SOURCE: u32 = 45;

/// The picture that counts, as `driver/in-page.js` reads it: 8 by 4 cells, each of four squares.
fn counting(frame: u32) -> Vec<Color> {
    let cells = cells(frame);
    let square = |at: u32| {
        let cell = at / 32 * 8 + at % 16 / 2;
        if cells >> (31 - cell) & 1 == 1 { Color::WHITE } else { Color::BLACK }
    };
    (0..16 * 8).map(square).collect()
}

/// Its cells, row by row, the first in the highest bit.
pub(crate) fn cells(frame: u32) -> u32 {
    let check = (frame ^ frame >> 6 ^ frame >> 12 ^ frame >> 18 ^ SOURCE) & 63 ^ 0b10_1101;
    frame << 12 | SOURCE << 6 | check
}

/// Ten seconds of it, with beeps.
fn make(path: &Path) {
    let mut encoder = FlatVp8::new(16, 8);
    let video = Track { size: Some(encoder.size()), ..Track::new(Codec::Vp8) };
    let tracks = [video, Track::new(Codec::Opus)];
    let mut sink = create(Container::WebM, File::create(path).expect("a file"), &tracks).expect("begun");
    let mut frames: Vec<Frame> = (0..200)
        .map(|number| {
            let key = number % 20 == 0;
            let bytes = encoder.encode(&counting(number + 1), key).into();
            Frame { track: 0, time: Duration::from_millis(50) * number, key, bytes }
        })
        .collect();
    let mut pattern = Pattern::new(Arc::default());
    let sound = std::iter::from_fn(|| pattern.next_frame().ok().flatten()).filter(|frame| frame.track == 1);
    frames.extend(sound.take(500));
    frames.sort_by_key(|frame| frame.time);
    frames.iter().for_each(|frame| sink.write_frame(frame).expect("written"));
    sink.finish().expect("finished");
}

#[test]
fn a_published_file_is_watched_in_a_browser() {
    let Some(_turn) = begin("a file published", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::Symmetric);
    let mut scene = Scene::new("streamed-files-in", lab);
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("film.webm");
    make(&path);
    let film = path.display().to_string();
    let mut publisher = Terminal::start(scene.lab(), "studio", &["publish", &film, "--to", "show", "--loop"]);
    publisher.named("connected");
    for browser in [Chromium, Firefox] {
        let home = watch(&mut scene, "home", browser);
        home.wait("lab.seen('#show').frames > 40");
        assert_eq!(home.eval("lab.seen('#show').source"), SOURCE);
        home.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
    }
    let told = publisher.named("progress");
    assert!(told["bitrate"].as_u64() > Some(0), "{told}");
}

#[test]
fn a_sealed_file_is_watched_by_who_has_its_link() {
    let Some(_turn) = begin("a sealed file published", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::Symmetric);
    let mut scene = Scene::new("streamed-files-sealed", lab);
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("film.webm");
    make(&path);
    let film = path.display().to_string();
    let arguments = ["publish", &film, "--to", "show", "--loop", "--seal"];
    let mut publisher = Terminal::start(scene.lab(), "studio", &arguments);
    let connected = publisher.named("connected");
    let code = connected["link"].as_str().and_then(|link| link.split_once('#')).expect("a code").1.to_owned();
    for browser in [Chromium, Firefox] {
        let home = scene.visit("home", browser, &format!("/live/show?name=bob&join=1#{code}"));
        let picture = "[data-testid=tile] video";
        home.wait(&format!("lab.seen({picture:?}).frames > 40"));
        assert_eq!(home.eval(&format!("lab.seen({picture:?}).source")), SOURCE);
        home.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
    }
}

#[test]
fn what_a_browser_streams_is_recorded_and_plays() {
    let Some(_turn) = begin("a stream recorded", &[Chromium]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::PortRestricted);
    let mut scene = Scene::new("streamed-files-out", lab);
    let folder = tempdir().expect("a folder");
    for (codec, name, kind) in [("VP8", "show.webm", "video/webm"), ("H264", "show.mp4", "video/mp4")] {
        let studio = open(&mut scene, "studio", Chromium);
        assert_eq!(studio.eval(&PUBLISH.replace("CODEC", codec).replace("ROOM", codec)), 201);
        studio.wait("peer.connectionState === 'connected'");
        let path = folder.path().join(name);
        let shown = path.display().to_string();
        let options = ["record", codec, "--output", &shown, "--duration", "4"];
        let mut recorder = Terminal::start(scene.lab(), "home", &options);
        let begun = recorder.named("recording");
        assert_eq!(begun["codecs"], json!([codec, "opus"]));
        let done = recorder.named("done");
        assert_eq!(recorder.exit_code(), Some(0));
        assert!(done["frames"].as_u64() > Some(200), "{done}");
        let bytes = base64::prelude::BASE64_STANDARD.encode(std::fs::read(&path).expect("the file"));
        let page = scene.page("home", Chromium);
        page.goto_own(&format!("<video id=show muted autoplay src='data:{kind};base64,{bytes}'></video>"));
        page.wait("lab.seen('#show').frames > 20");
        assert_eq!(page.eval("lab.seen('#show').source"), studio.source());
        let length = page.wait("document.querySelector('#show').duration");
        assert!(length.as_f64().is_some_and(|length| (3.0..5.0).contains(&length)), "{length} s");
        page.wait("document.querySelector('#show').ended");
        scene.clear();
    }
}

/// Frames of pictures, and of sound, in a file.
fn count(path: &Path) -> [usize; 2] {
    let mut source = media::open(File::open(path).expect("the file")).expect("read");
    let is_audio: Vec<usize> =
        source.tracks().iter().map(|track| usize::from(track.codec.is_audio())).collect();
    let mut counts = [0; 2];
    while let Some(frame) = source.next_frame().expect("whole") {
        counts[is_audio[frame.track]] += 1;
    }
    counts
}

#[test]
fn packets_that_are_lost_on_the_way_are_in_the_recording() {
    let Some(_turn) = begin("a recording over a path that loses", &[]) else { return };
    let lab = Lab::new()
        .client("studio", Nat::PortRestricted.loss_per_mille(30))
        .client("home", Nat::PortRestricted.loss_per_mille(30));
    let scene = Scene::new("streamed-files-loss", lab);
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("show.webm");
    let mut publisher = Terminal::start(scene.lab(), "studio", &["publish", "test", "--to", "show"]);
    publisher.named("connected");
    let shown = path.display().to_string();
    let options = ["record", "show", "--output", &shown, "--duration", "10"];
    let mut recorder = Terminal::start(scene.lab(), "home", &options);
    let done = recorder.named("done");
    assert_eq!(recorder.exit_code(), Some(0));
    let [pictures, sounds] = count(&path);
    println!("{pictures} pictures of 300, {sounds} packets of sound of 500: {done}");
    // Sound is not asked for again: a twentieth of it is lost, and more where chance has it.
    assert!(pictures >= 285 && sounds >= 420, "{pictures} pictures, {sounds} packets of sound");
}

#[test]
fn a_cut_is_mended_while_the_stream_goes_on() {
    let Some(_turn) = begin("a published file whose network is cut", &[]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::PortRestricted);
    let scene = Scene::new("streamed-files-cut", lab);
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("show.webm");
    let mut publisher = Terminal::start(scene.lab(), "studio", &["publish", "test", "--to", "show"]);
    publisher.named("connected");
    let shown = path.display().to_string();
    let mut recorder =
        Terminal::start(scene.lab(), "home", &["record", "show", "--output", &shown, "--duration", "25"]);
    recorder.wait(|event| event["seconds"].as_f64() > Some(2.0));
    scene.lab().cut("studio").expect("cut");
    publisher.named("restarting");
    scene.lab().mend("studio").expect("mended");
    let before = recorder.wait(|event| event["event"] == "waiting" || event["fps"] == 0);
    recorder.wait(|event| event["fps"].as_u64() > Some(10));
    println!("{before}");
    assert_eq!(recorder.named("done")["event"], "done");
    assert_eq!(recorder.exit_code(), Some(0));
}

#[test]
fn what_a_path_does_not_carry_is_left_out() {
    let Some(_turn) = begin("a file that needs more than its path carries", &[]) else { return };
    let lab = Lab::new()
        .client("studio", Nat::PortRestricted.kilobits_per_second(800))
        .client("home", Nat::PortRestricted);
    let scene = Scene::new("streamed-files-slow", lab);
    let folder = tempdir().expect("a folder");
    let (film, path) = (folder.path().join("film.webm"), folder.path().join("show.webm"));
    make_large(&film);
    let film = film.display().to_string();
    let mut publisher = Terminal::start(scene.lab(), "studio", &["publish", &film, "--to", "show", "--loop"]);
    publisher.named("connected");
    let shown = path.display().to_string();
    let options = ["record", "show", "--output", &shown, "--duration", "20"];
    let mut recorder = Terminal::start(scene.lab(), "home", &options);
    let told = publisher.named("leaving_out");
    assert!(told["target"].as_u64() < Some(2_000_000), "{told}");
    recorder.named("done");
    let [pictures, sounds] = count(&path);
    println!("{pictures} pictures of 400, {sounds} packets of sound of 1000 over 800 kbit/s");
    assert!(pictures > 20 && sounds > 600, "{pictures} pictures, {sounds} packets of sound");
}

/// Ten seconds of noise, at about 1.6 Mbit/s, with a key frame in each.
fn make_large(path: &Path) {
    let mut encoder = FlatVp8::new(80, 45);
    let video = Track { size: Some(encoder.size()), ..Track::new(Codec::Vp8) };
    let tracks = [video, Track::new(Codec::Opus)];
    let mut sink = create(Container::WebM, File::create(path).expect("a file"), &tracks).expect("begun");
    let mut state = 1_u32;
    let mut pattern = Pattern::new(Arc::default());
    let sound = std::iter::from_fn(|| pattern.next_frame().ok().flatten()).filter(|frame| frame.track == 1);
    let mut frames: Vec<Frame> = sound.take(500).collect();
    for number in 0..200 {
        let squares: Vec<Color> = (0..80 * 45)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                Color(if at % 2 == 0 { [(state >> 24) as u8, 128, 128] } else { [64, 128, 128] })
            })
            .collect();
        let bytes = encoder.encode(&squares, number % 20 == 0).into();
        let key = number % 20 == 0;
        frames.push(Frame { track: 0, time: Duration::from_millis(50) * number, key, bytes });
    }
    let total: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
    assert!((1_500_000..3_000_000).contains(&total), "{total} bytes");
    frames.sort_by_key(|frame| frame.time);
    frames.iter().for_each(|frame| sink.write_frame(frame).expect("written"));
    sink.finish().expect("finished");
}
