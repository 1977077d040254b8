//! `twocan publish` of files that nothing has encoded: with the feature `media` it encodes them itself.

use std::process::Stdio;
use std::time::Duration;

use tempfile::tempdir;

use crate::program::Program;
use crate::recordings::{Run, read};

/// Pictures of 64x48, ten in a second, each of another grey.
fn y4m(shades: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut file = b"YUV4MPEG2 W64 H48 F10:1 Ip A1:1 C420jpeg\n".to_vec();
    for shade in shades {
        file.extend_from_slice(b"FRAME\n");
        file.extend_from_slice(&[shade; 64 * 48]);
        file.extend_from_slice(&[128; 64 * 48 / 2]);
    }
    file
}

#[test]
fn pictures_that_are_not_encoded_are() {
    let found = |name| {
        std::process::Command::new(name).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    if !cfg!(feature = "media") && found("vpxenc").is_err() && found("ffmpeg").is_err() {
        eprintln!("skipped: streaming Y4M: vpxenc is missing: apt-get install vpx-tools");
        return;
    }
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    // Two seconds.
    std::fs::write(folder.path().join("raw.y4m"), y4m((0..20).map(|number| number * 10 + 20))).unwrap();
    let mut publisher = Run::start(&server, folder.path(), &["publish", "raw.y4m", "--to", "show", "--loop"]);
    assert_eq!(publisher.until("source")["codecs"], serde_json::json!(["VP8"]));
    publisher.until("connected");
    let arguments = ["record", "show", "--output", "show.ivf", "--duration", "3"];
    Run::start(&server, folder.path(), &arguments).until("done");
    let [pictures, _] = read(&folder.path().join("show.ivf"));
    assert!(pictures[0].key && pictures.len() > 20, "{} pictures", pictures.len());
    // A tenth of a second apart, but where the file begins again.
    let even =
        pictures.windows(2).filter(|two| two[1].time - two[0].time == Duration::from_millis(100)).count();
    assert!(even + 4 > pictures.len(), "{even} of {}", pictures.len());
    std::fs::write(folder.path().join("half.y4m"), "YUV4MPEG2 Wfour").unwrap();
    let mut half = Run::start(&server, folder.path(), &["publish", "half.y4m", "--to", "other"]);
    let words = if cfg!(feature = "media") { "damaged" } else { "could not encode it" };
    assert!(half.until("error")["message"].as_str().unwrap().contains(words));
}

/// Sound alone, of a tone.
fn wav(rate: u32, seconds: u32) -> Vec<u8> {
    let mut file = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend([rate.to_le_bytes(), (rate * 2).to_le_bytes()].concat());
    file.extend(b"\x02\0\x10\0data");
    file.extend((seconds * rate * 2).to_le_bytes());
    let value = |at: u32| (f64::from(at) / f64::from(rate) * 400.0 * std::f64::consts::TAU).sin() * 10_000.0;
    file.extend((0..seconds * rate).flat_map(|at| (value(at) as i16).to_le_bytes()));
    file
}

#[cfg(not(feature = "media"))]
#[test]
fn what_nobody_can_encode_is_told() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Program::start(&data, &[]);
    std::fs::write(folder.path().join("talk.wav"), wav(48_000, 1)).unwrap();
    let mut talk = Run::start(&server, folder.path(), &["publish", "talk.wav", "--to", "show"]);
    assert!(talk.until("error")["message"].as_str().unwrap().contains("--features media"));
    std::fs::write(folder.path().join("raw.y4m"), y4m(0..2)).unwrap();
    let input = std::fs::File::open(folder.path().join("raw.y4m")).unwrap();
    let mut piped = Run::start_with(&server, folder.path(), &["publish", "-", "--to", "show"], input.into());
    assert!(piped.until("error")["message"].as_str().unwrap().contains("--features media"));
}

#[cfg(feature = "media")]
mod encoded {
    use std::io::Write as _;

    use media::codec::opus::{Channels, MOST};
    use media::codec::{OpusDecoder, Vp8Decoder};

    use super::*;

    /// Which of the pictures whose shades are four apart it is.
    fn number(decoder: &mut Vp8Decoder, frame: &[u8]) -> u8 {
        let picture = decoder.decode(frame).unwrap().expect("it is shown");
        assert_eq!((picture.width(), picture.height()), (64, 48));
        let (mut sum, mut count) = (0, 0);
        for pixel in picture.rows().take(48).flatten() {
            sum += u32::from(*pixel);
            count += 1;
        }
        ((sum / count + 2) / 4) as u8
    }

    #[test]
    fn whoever_joins_is_given_a_key_frame_and_pictures_that_are_what_they_were() {
        let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
        let server = Program::start(&data, &[]);
        // It ends before a key frame comes by itself.
        std::fs::write(folder.path().join("raw.y4m"), y4m((0..60).map(|number| number * 4))).unwrap();
        let mut publisher = Run::start(&server, folder.path(), &["publish", "raw.y4m", "--to", "show"]);
        publisher.until("connected");
        while publisher.until("progress")["seconds"].as_f64().unwrap() < 1.0 {}
        let arguments = ["record", "show", "--output", "show.ivf", "--duration", "2"];
        Run::start(&server, folder.path(), &arguments).until("done");
        let [pictures, _] = read(&folder.path().join("show.ivf"));
        let mut decoder = Vp8Decoder::new(64, 48).unwrap();
        let shown: Vec<u8> = pictures.iter().map(|frame| number(&mut decoder, &frame.bytes)).collect();
        assert!(pictures[0].key && shown[0] > 5, "it was made for us: {shown:?}");
        assert!(shown.len() >= 15 && shown.is_sorted(), "{shown:?}");
        let done = publisher.until("done");
        assert!(done["frames"].as_u64().unwrap() >= 50, "{done}");
        assert_eq!(publisher.exit_code(), Some(0));
    }

    #[test]
    fn what_another_program_pipes_is_encoded() {
        let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
        let server = Program::start(&data, &[]);
        let (input, mut output) = std::io::pipe().unwrap();
        let writer = std::thread::spawn(move || {
            // Whoever reads it may have had enough.
            let _ = output.write_all(&y4m((0..40).map(|number| number * 4)));
        });
        let mut publisher =
            Run::start_with(&server, folder.path(), &["publish", "-", "--to", "show"], input.into());
        assert_eq!(publisher.until("source")["codecs"], serde_json::json!(["VP8"]));
        let done = publisher.until("done");
        assert!(done["frames"].as_u64().unwrap() > 30, "{done}");
        assert_eq!(publisher.exit_code(), Some(0));
        writer.join().unwrap();
    }

    #[test]
    fn sound_that_is_not_encoded_is() {
        let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
        let server = Program::start(&data, &[]);
        std::fs::write(folder.path().join("talk.wav"), wav(16_000, 3)).unwrap();
        let mut publisher =
            Run::start(&server, folder.path(), &["publish", "talk.wav", "--to", "show", "--loop"]);
        assert_eq!(publisher.until("source")["codecs"], serde_json::json!(["opus"]));
        publisher.until("connected");
        let arguments = ["record", "show", "--output", "show.ogg", "--duration", "2"];
        Run::start(&server, folder.path(), &arguments).until("done");
        let [_, sound] = read(&folder.path().join("show.ogg"));
        assert!(sound.len() > 80, "{} packets", sound.len());
        let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
        let mut out = [0.0; MOST];
        let loud = sound.iter().filter(|packet| {
            let count = decoder.decode(&packet.bytes, &mut out).unwrap();
            assert_eq!(count, 960);
            out[..count].iter().any(|sample| sample.abs() > 0.2)
        });
        assert!(loud.count() > 70);
        publisher.interrupt();
        publisher.until("stopped");
        assert_eq!(publisher.exit_code(), Some(0));
        std::fs::write(folder.path().join("odd.wav"), wav(44_000, 1)).unwrap();
        let mut odd = Run::start(&server, folder.path(), &["publish", "odd.wav", "--to", "other"]);
        assert!(odd.until("error")["message"].as_str().unwrap().contains("-ar 48000"));
    }
}
