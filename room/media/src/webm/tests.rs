use std::io::Cursor;
use std::time::Duration;

use rtp::codec::Codec;

use super::*;
use crate::{Frame, FrameSink as _, FrameSource as _, Track};

fn key_frame(number: u8) -> Vec<u8> {
    vec![0x50, 0x42, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01, number]
}

/// Pictures, 25 in a second with a key frame in each, and sound between them.
fn frames(count: u64) -> Vec<Frame> {
    let mut all = Vec::new();
    for at in 0..count {
        let key = at % 25 == 0;
        let bytes = if key { key_frame(at as u8) } else { vec![0x51, at as u8] };
        all.push(Frame { track: 0, time: Duration::from_millis(at * 40), key, bytes: bytes.into() });
        for half in 0..2 {
            let time = Duration::from_millis(at * 40 + half * 20);
            all.push(Frame { track: 1, time, key: true, bytes: vec![0xFC, at as u8, half as u8].into() });
        }
    }
    all
}

fn written(frames: &[Frame], finish: bool) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let tracks = [Track::of_frame(Codec::Vp8, &key_frame(0)), Track::new(Codec::Opus)];
    let mut writer = WebMWriter::new(&mut out, &tracks, true).unwrap();
    frames.iter().for_each(|frame| writer.write_frame(frame).unwrap());
    if finish {
        writer.finish().unwrap();
    }
    out.into_inner()
}

fn read(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = WebMReader::new(bytes).unwrap();
    assert_eq!(reader.tracks()[0].size, Some((640, 360)));
    std::iter::from_fn(|| reader.next_frame().unwrap()).collect()
}

#[test]
fn frames_come_back_whether_it_was_finished_or_killed() {
    let frames = frames(300);
    assert_eq!(read(&written(&frames, true)), frames);
    let killed = written(&frames, false);
    assert_eq!(read(&killed), frames);
    let got = read(&killed[..killed.len() - 5]);
    assert_eq!(got, frames[..frames.len() - 1]);
}

#[test]
fn places_to_seek_by_are_where_clusters_are() {
    let bytes = written(&frames(100), true);
    let find = |id: u32| {
        let id = id.to_be_bytes();
        let id = &id[id.iter().position(|byte| *byte != 0).unwrap()..];
        bytes
            .windows(id.len())
            .enumerate()
            .filter(|(_, other)| *other == id)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let segment = find(id::SEGMENT)[0] + 12;
    let clusters = find(id::CLUSTER);
    assert_eq!(clusters.len(), 4);
    let mut cues = Vec::new();
    let mut elements = ebml::Elements::of(&bytes[*find(id::CUES).last().unwrap()..]);
    let (_, points) = elements.next().unwrap().unwrap();
    let mut points = ebml::Elements::of(points);
    while let Some((_, point)) = points.next().unwrap() {
        let mut parts = ebml::Elements::of(point);
        while let Some((kind, part)) = parts.next().unwrap() {
            if kind == id::CUE_TRACK_POSITIONS {
                let mut places = ebml::Elements::of(part);
                while let Some((kind, place)) = places.next().unwrap() {
                    if kind == id::CUE_CLUSTER_POSITION {
                        cues.push(ebml::unsigned(place).unwrap() as usize + segment);
                    }
                }
            }
        }
    }
    assert_eq!(cues, clusters);
    // The segment says how long it is.
    assert_eq!(bytes[segment - 8..segment], ebml::long_size((bytes.len() - segment) as u64));
}

#[test]
fn codecs_that_have_no_place_are_told() {
    let track = Track::new(Codec::H264);
    let error = WebMWriter::new(Cursor::new(Vec::new()), &[track], true).unwrap_err();
    assert!(error.to_string().contains("write .mp4 or .mkv"), "{error}");
}

#[test]
fn h264_goes_into_matroska() {
    let sets = [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x0A, 0xDC, 0x14, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80];
    let key = [&sets[..], &[0, 0, 0, 1, 0x65, 0x88, 1]].concat();
    let delta = vec![0, 0, 0, 1, 0x41, 0x88, 2];
    let mut out = Cursor::new(Vec::new());
    let track = Track { size: Some((16, 16)), ..Track::of_frame(Codec::H264, &key) };
    let mut writer = WebMWriter::new(&mut out, std::slice::from_ref(&track), false).unwrap();
    let frames = [(key, true), (delta, false)].map(|(bytes, key)| Frame {
        track: 0,
        time: Duration::from_millis(if key { 0 } else { 40 }),
        key,
        bytes: bytes.into(),
    });
    frames.iter().for_each(|frame| writer.write_frame(frame).unwrap());
    let bytes = out.into_inner();
    let mut reader = WebMReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.tracks(), [track]);
    let got: Vec<Frame> = std::iter::from_fn(|| reader.next_frame().unwrap()).collect();
    assert_eq!(got, frames);
}
