//! Files that nothing has encoded, encoded as they are sent: into a browser, over a path that carries less than they could have.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use media::I420Buffer;
use natlab::{Lab, Nat};
use tempfile::tempdir;
use twocan_interop::Browser::Chromium;
use twocan_interop::{Scene, begin};

use crate::streamed_files::{SOURCE, cells};
use crate::streams::{watch, watch_room};
use crate::terminal::Terminal;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
/// Pictures in a second.
const RATE: u32 = 20;

/// Five seconds of a picture that counts, covered with a veil that moves, so that it takes bits.
fn make_pictures(path: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg")?;
    let mut picture = I420Buffer::new(WIDTH, HEIGHT).expect("a size");
    for plane in picture.planes_mut() {
        plane.fill(128);
    }
    for number in 1..=RATE * 5 {
        let cells = cells(number);
        let [luma, ..] = picture.planes_mut();
        for (y, row) in (0..).zip(luma.chunks_mut(WIDTH as usize)) {
            for (x, pixel) in (0..).zip(row) {
                let cell = y * 4 / HEIGHT * 8 + x * 8 / WIDTH;
                let light = if cells >> (31 - cell) & 1 == 1 { 200 } else { 30 };
                let veil = (x.wrapping_mul(7919) ^ (y + number * 2).wrapping_mul(104_729))
                    .wrapping_mul(2_654_435_761);
                *pixel = light + (veil >> 28) as u8 * 2;
            }
        }
        file.write_all(b"FRAME\n")?;
        picture.picture().rows().try_for_each(|row| file.write_all(row))?;
    }
    file.flush()
}

/// Five seconds of a tone.
fn make_sound(path: &Path) -> std::io::Result<()> {
    const HERTZ: u32 = 48_000;
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x01\0")?;
    file.write_all(&[HERTZ.to_le_bytes(), (HERTZ * 2).to_le_bytes()].concat())?;
    file.write_all(b"\x02\0\x10\0data\xFF\xFF\xFF\xFF")?;
    for at in 0..HERTZ * 5 {
        let value = (f64::from(at) / f64::from(HERTZ) * 440.0 * std::f64::consts::TAU).sin() * 10_000.0;
        file.write_all(&(value as i16).to_le_bytes())?;
    }
    file.flush()
}

#[test]
fn what_nothing_has_encoded_is_seen_and_heard_over_a_narrow_path() {
    let Some(_turn) = begin("files encoded as they are sent", &[Chromium]) else { return };
    let lab = Lab::new()
        .client("studio", Nat::PortRestricted.kilobits_per_second(260))
        .client("stage", Nat::PortRestricted)
        .client("home", Nat::Symmetric);
    let mut scene = Scene::new("encoded-files", lab);
    let folder = tempdir().expect("a folder");
    let (film, talk) = (folder.path().join("film.y4m"), folder.path().join("talk.wav"));
    make_pictures(&film).expect("written");
    make_sound(&talk).expect("written");
    let (film, talk) = (film.display().to_string(), talk.display().to_string());
    let mut sound = Terminal::start(scene.lab(), "stage", &["publish", &talk, "--to", "talk", "--loop"]);
    let told = sound.wait(|event| event["event"] == "connected" || event["event"] == "error");
    if told["message"].as_str().is_some_and(|words| words.contains("--features media")) {
        println!("skipped: files encoded as they are sent: twocan was built without --features media");
        return;
    }
    let mut pictures = Terminal::start(scene.lab(), "studio", &["publish", &film, "--to", "show", "--loop"]);
    pictures.named("connected");
    let home = watch(&mut scene, "home", Chromium);
    home.wait("lab.seen('#show').frames > 40");
    assert_eq!(home.eval("lab.seen('#show').source"), SOURCE);
    let home = watch_room(&mut scene, "home", Chromium, "talk");
    home.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
    // They could have 322 kbit/s. Once it is known what there is, all go, in that.
    let told = pictures.wait(|event| {
        let is_settled = event["seconds"].as_f64() > Some(12.0);
        let is_all = event["fps"].as_f64() > Some(f64::from(RATE) * 0.9);
        is_settled && is_all && (50_000..250_000).contains(&event["bitrate"].as_u64().unwrap_or(0))
    });
    println!("{told}");
}
