//! A film of pictures that count, which can be read from what a decoder makes of it, and of beeps.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{Color, Container, FlatVp8, Frame, FrameSource as _, Pattern, Track, create};
use rtp::codec::Codec;
use tempfile::TempDir;

/// Pictures of it: what follows the last is the first.
pub(crate) const FRAMES: usize = 200;

pub(crate) const PICTURE: Duration = Duration::from_micros(33_333);
pub(crate) const SOUND: Duration = Duration::from_millis(20);

pub(crate) struct Film {
    pub(crate) pictures: Vec<(Bytes, bool)>,
    pub(crate) sound: Vec<Bytes>,
    folder: TempDir,
}

/// 8 by 4 cells, each of four squares, black or white: a number of 26 bits and 6 bits to check it by, the highest first.
fn counting(number: u32) -> Vec<Color> {
    let check = (number ^ number >> 6 ^ number >> 12 ^ number >> 18) & 63 ^ 0b10_1101;
    let cells = number << 6 | check;
    let square = |at: u32| {
        let cell = at / 32 * 8 + at % 16 / 2;
        if cells >> (31 - cell) & 1 == 1 { Color::WHITE } else { Color::BLACK }
    };
    (0..16 * 8).map(square).collect()
}

impl Film {
    pub(crate) fn new() -> Self {
        let mut encoder = FlatVp8::new(16, 8);
        let pictures: Vec<(Bytes, bool)> = (0..FRAMES)
            .map(|number| {
                let key = number % 20 == 0;
                (encoder.encode(&counting(number as u32), key).into(), key)
            })
            .collect();
        let mut pattern = Pattern::new(Arc::default());
        let all = std::iter::from_fn(|| pattern.next_frame().ok().flatten());
        let length = PICTURE * FRAMES as u32;
        let count = length.as_millis() / SOUND.as_millis();
        let sound =
            all.filter(|frame| frame.track == 1).take(count as usize).map(|frame| frame.bytes).collect();
        let film = Self { pictures, sound, folder: tempfile::tempdir().expect("a folder") };
        film.write(Container::Ivf, &film.ivf());
        film.write(Container::WebM, &film.webm());
        film
    }

    /// Pictures alone.
    pub(crate) fn ivf(&self) -> PathBuf {
        self.folder.path().join("film.ivf")
    }

    pub(crate) fn webm(&self) -> PathBuf {
        self.folder.path().join("film.webm")
    }

    fn write(&self, container: Container, path: &std::path::Path) {
        let video = Track { size: Some((256, 128)), ..Track::new(Codec::Vp8) };
        let mut tracks = vec![video];
        let mut frames: Vec<Frame> = (0_u32..)
            .zip(&self.pictures)
            .map(|(at, (bytes, key))| Frame { track: 0, time: PICTURE * at, key: *key, bytes: bytes.clone() })
            .collect();
        if container == Container::WebM {
            tracks.push(Track::new(Codec::Opus));
            let sound = (0_u32..).zip(&self.sound);
            frames.extend(sound.map(|(at, bytes)| Frame {
                track: 1,
                time: SOUND * at,
                key: true,
                bytes: bytes.clone(),
            }));
        }
        frames.sort_by_key(|frame| frame.time);
        let mut sink = create(container, File::create(path).expect("a file"), &tracks).expect("begun");
        frames.iter().for_each(|frame| sink.write_frame(frame).expect("written"));
        sink.finish().expect("finished");
    }

    /// Which of its pictures this is: the first of those that are the same bytes (as they change the same), from this one on.
    pub(crate) fn number(&self, bytes: &[u8], from: usize) -> Option<usize> {
        (from..from + FRAMES).map(|at| at % FRAMES).find(|at| self.pictures[*at].0 == bytes)
    }
}

/// Pictures that come one behind another.
#[derive(Debug, Default)]
pub(crate) struct Count {
    last: Option<usize>,
    pub(crate) so_far: usize,
}

impl Count {
    /// Which one is to come.
    pub(crate) fn next(&self) -> usize {
        self.last.map_or(0, |last| (last + 1) % FRAMES)
    }

    #[track_caller]
    pub(crate) fn take(&mut self, number: usize, what: &str) {
        if let Some(last) = self.last.replace(number) {
            assert_eq!(
                number,
                (last + 1) % FRAMES,
                "{what}: what follows {last}, after {} in order",
                self.so_far
            );
        }
        self.so_far += 1;
    }
}
