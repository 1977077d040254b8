use std::io::Cursor;
use std::time::Duration;

use rtp::codec::Codec;

use super::boxes::{put, put_full};
use super::*;
use crate::{Frame, FrameSink as _, FrameSource as _, Track};

/// Of 16x16, as short as may be.
const SETS: [u8; 19] =
    [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDC, 0x14, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80];

fn picture(number: u64, key: bool) -> Vec<u8> {
    let slice = [0, 0, 0, 1, if key { 0x65 } else { 0x41 }, 0x88, 1, number as u8 | 0x80];
    if key { [&SETS[..], &slice].concat() } else { slice.to_vec() }
}

/// Pictures, 30 in a second with a key frame in each, and sound between them, in the order of their times.
fn frames(count: u64) -> Vec<Frame> {
    let picture = |at: u64| Frame {
        track: 0,
        time: Duration::from_nanos(at * 1_000_000_000 / 30),
        key: at.is_multiple_of(30),
        bytes: picture(at, at.is_multiple_of(30)).into(),
    };
    let sound = |at: u64| Frame {
        track: 1,
        time: Duration::from_millis(at * 20),
        key: true,
        bytes: vec![0xFC, at as u8, 1].into(),
    };
    let mut all: Vec<Frame> = (0..count).map(picture).chain((0..count * 5 / 3).map(sound)).collect();
    all.sort_by_key(|frame| (frame.time, frame.track));
    all
}

fn tracks() -> [Track; 2] {
    [Track::of_frame(Codec::H264, &picture(0, true)), Track::new(Codec::Opus)]
}

fn written(frames: &[Frame], finish: bool) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut writer = Mp4Writer::new(&mut out, &tracks()).unwrap();
    frames.iter().for_each(|frame| writer.write_frame(frame).unwrap());
    if finish {
        writer.finish().unwrap();
    }
    out.into_inner()
}

fn read(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = Mp4Reader::new(Cursor::new(bytes)).unwrap();
    assert_eq!(reader.tracks(), tracks());
    let mut frames: Vec<Frame> = std::iter::from_fn(|| reader.next_frame().unwrap()).collect();
    frames.sort_by_key(|frame| (frame.time, frame.track));
    frames
}

/// The same, with times as far as a track's clock tells them.
fn rounded(frames: &[Frame]) -> Vec<Frame> {
    let rate = |frame: &Frame| if frame.track == 0 { 90_000 } else { 48_000 };
    let round = |frame: &Frame| {
        let ticks = crate::input::ticks(frame.time, rate(frame));
        Frame { time: crate::input::duration(ticks, rate(frame).into()), ..frame.clone() }
    };
    frames.iter().map(round).collect()
}

#[test]
fn frames_come_back() {
    let frames = frames(200);
    let bytes = written(&frames, true);
    assert_eq!(read(&bytes), rounded(&frames));
    // The whole says how long it is: 200 pictures.
    let place = bytes.windows(4).position(|four| four == b"mehd").unwrap();
    let length = u64::from_be_bytes(bytes[place + 8..place + 16].try_into().unwrap());
    assert!((6660..=6680).contains(&length), "{length} ms");
}

#[test]
fn what_was_killed_has_its_fragments() {
    let frames = frames(200);
    let bytes = written(&frames, false);
    let got = read(&bytes);
    assert!(got.len() > 500 - 30 * 4, "{}", got.len());
    let expected = rounded(&frames);
    assert!(got.iter().all(|frame| expected.contains(frame)));
    let cut = read(&bytes[..bytes.len() - 7]);
    assert_eq!(cut, got[..cut.len()]);
}

/// A file that is not in fragments, whose pictures are shown in another order than they are decoded in, and begin late.
fn plain(reorders: bool) -> Vec<u8> {
    let samples: Vec<Vec<u8>> =
        (0..6).map(|at| crate::stream::with_lengths(Codec::H264, &picture(at, at == 0), &SETS)).collect();
    let mut file = Vec::new();
    put(&mut file, b"ftyp", |out| out.extend(*b"isom\0\0\0\0"));
    let data = file.len() as u32 + 8;
    put(&mut file, b"mdat", |out| samples.iter().for_each(|sample| out.extend_from_slice(sample)));
    let words =
        |out: &mut Vec<u8>, words: &[u32]| words.iter().for_each(|word| out.extend(word.to_be_bytes()));
    let sizes: Vec<u32> = samples.iter().map(|sample| sample.len() as u32).collect();
    let mut entry = Vec::new();
    let configuration = crate::stream::avc_configuration(&SETS).unwrap();
    put(&mut entry, b"avc1", |out| {
        out.extend([0; 24]);
        out.extend([0, 16, 0, 16]);
        out.extend([0; 50]);
        put(out, b"avcC", |out| out.extend_from_slice(&configuration));
    });
    put(&mut file, b"moov", |out| {
        put_full(out, b"mvhd", (0, 0), |out| words(out, &[0, 0, 1000, 0]));
        put(out, b"trak", |out| {
            put_full(out, b"tkhd", (0, 3), |out| words(out, &[0, 0, 7, 0, 0]));
            put(out, b"edts", |out| {
                // Half a second of nothing, then from tick 20 on.
                put_full(out, b"elst", (0, 0), |out| {
                    words(out, &[2, 500, u32::MAX, 1 << 16, 600, 20, 1 << 16]);
                });
            });
            put(out, b"mdia", |out| {
                put_full(out, b"mdhd", (0, 0), |out| words(out, &[0, 0, 100, 0, 0]));
                put(out, b"minf", |out| {
                    put(out, b"stbl", |out| {
                        put_full(out, b"stsd", (0, 0), |out| {
                            words(out, &[1]);
                            out.extend_from_slice(&entry);
                        });
                        put_full(out, b"stts", (0, 0), |out| words(out, &[2, 4, 10, 2, 5]));
                        let third = if reorders { 50 } else { 20 };
                        put_full(out, b"ctts", (0, 0), |out| words(out, &[3, 2, 20, 1, third, 3, 20]));
                        // Two chunks of two samples, then of one.
                        put_full(out, b"stsc", (0, 0), |out| words(out, &[2, 1, 2, 1, 3, 1, 1]));
                        put_full(out, b"stsz", (0, 0), |out| {
                            words(out, &[0, 6]);
                            words(out, &sizes);
                        });
                        let at = |count: usize| data + sizes[..count].iter().sum::<u32>();
                        put_full(out, b"stco", (0, 0), |out| words(out, &[4, at(0), at(2), at(4), at(5)]));
                    });
                });
            });
        });
    });
    file
}

#[test]
fn tables_are_walked() {
    let file = plain(false);
    let mut reader = Mp4Reader::new(Cursor::new(&file)).unwrap();
    let track = reader.tracks()[0].clone();
    assert_eq!((track.codec, track.size, track.reorders), (Codec::H264, Some((16, 16)), false));
    let frames: Vec<Frame> = std::iter::from_fn(|| reader.next_frame().unwrap()).collect();
    let times: Vec<u128> = frames.iter().map(|frame| frame.time.as_millis()).collect();
    assert_eq!(times, [500, 600, 700, 800, 900, 950]);
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!((&frame.bytes[..], frame.key), (&picture(at as u64, at == 0)[..], at == 0));
    }
    let reader = Mp4Reader::new(Cursor::new(plain(true))).unwrap();
    assert!(reader.tracks()[0].reorders);
}

#[test]
fn a_file_without_contents_says_what_happened() {
    let file = plain(false);
    let moov = file.windows(4).position(|four| four == b"moov").unwrap() - 4;
    let error = Mp4Reader::new(Cursor::new(&file[..moov])).unwrap_err();
    assert!(error.to_string().contains("no table of contents"), "{error}");
    let error = Mp4Reader::new(Cursor::new(&file[..file.len() - 3])).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    let mut aac = file.clone();
    let place = aac.windows(4).position(|four| four == b"avc1").unwrap();
    aac[place..place + 4].copy_from_slice(b"mp4a");
    let error = Mp4Reader::new(Cursor::new(&aac)).unwrap_err();
    assert!(error.to_string().contains("AAC"), "{error}");
}
