use std::io::Cursor;

use super::*;

fn frame(at: u64, len: usize) -> Frame {
    // 20 ms of CELT.
    let mut bytes = vec![0xFC];
    bytes.resize(len, at as u8);
    Frame { track: 0, time: Duration::from_millis(at * 20), key: true, bytes: bytes.into() }
}

fn written(frames: &[Frame]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = OggWriter::new(&mut out, &Track::new(Codec::Opus)).unwrap();
    frames.iter().for_each(|frame| writer.write_frame(frame).unwrap());
    writer.finish().unwrap();
    out
}

fn read(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = OggReader::new(Cursor::new(bytes)).unwrap();
    std::iter::from_fn(|| reader.next_frame().unwrap()).collect()
}

#[test]
fn frames_come_back() {
    // Some of a page's segment, of several, and of exactly one.
    let frames: Vec<Frame> = (0..200).map(|at| frame(at, [3, 254, 255, 256, 900][at as usize % 5])).collect();
    assert_eq!(read(&written(&frames)), frames);
}

#[test]
fn a_gap_stays_one() {
    let frames: Vec<Frame> = (0..10).chain(50..60).map(|at| frame(at, 40)).collect();
    assert_eq!(read(&written(&frames)), frames);
}

#[test]
fn what_is_cut_off_counts_as_far_as_it_is_whole() {
    let frames: Vec<Frame> = (0..120).map(|at| frame(at, 100)).collect();
    let bytes = written(&frames);
    let got = read(&bytes[..bytes.len() / 2]);
    assert!(got.len() >= 50, "{}", got.len());
    assert_eq!(got, frames[..got.len()]);
}

#[test]
fn a_page_that_is_damaged_is_left_out() {
    let frames: Vec<Frame> = (0..120).map(|at| frame(at, 100)).collect();
    let mut bytes = written(&frames);
    let place = bytes.windows(4).enumerate().filter(|(_, four)| *four == SIGNATURE).nth(3).unwrap().0;
    bytes[place + 200] ^= 1;
    let got = read(&bytes);
    assert!(got.len() < frames.len() && got.iter().all(|frame| frames.contains(frame)));
}
