//! A test picture, and a beep: frames that are made here, without a codec's library.
//!
//! The picture has a clock, the frame's number, a bar that moves by a square with each frame, colours, and a field that lights
//! up at each full second, when the beep begins: whoever sees and hears both knows how late they are, and whether together.

mod bools;
mod picture;
mod updates;
mod vp8;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rtp::codec::Codec;

pub use vp8::{Color, FlatVp8};

use crate::{Frame, FrameSource, OggReader, ReadError, Track, Wishes};

/// Pictures in a second.
const RATE: u32 = 30;
/// A key frame comes at least once in so many pictures.
const KEY_INTERVAL: u32 = 60;
/// Between packets of sound.
const SOUND: Duration = Duration::from_millis(20);
/// A second of Opus: a tenth of it a tone of 1 kHz, the rest silence, so that it can follow itself.
const BEEP: &[u8] = include_bytes!("pattern/beep.ogg");

/// Frames without end.
#[derive(Debug)]
pub struct Pattern {
    tracks: [Track; 2],
    encoder: FlatVp8,
    beep: Vec<Bytes>,
    picture: u32,
    since_key: u32,
    sound: u32,
    wishes: Arc<Wishes>,
}

impl Pattern {
    /// Begins at zero. A key frame that is wished for is the next one.
    pub fn new(wishes: Arc<Wishes>) -> Self {
        let encoder = FlatVp8::new(picture::COLUMNS, picture::ROWS);
        let pictures = Track { size: Some(encoder.size()), ..Track::new(Codec::Vp8) };
        let mut beep = Vec::new();
        // It is ours, and read by a test.
        if let Ok(mut source) = OggReader::new(BEEP) {
            while let Ok(Some(frame)) = source.next_frame() {
                beep.push(frame.bytes);
            }
        }
        Self {
            tracks: [pictures, Track { channels: 1, ..Track::new(Codec::Opus) }],
            encoder,
            beep,
            picture: 0,
            since_key: 0,
            sound: 0,
            wishes,
        }
    }

    fn next_picture(&mut self, time: Duration) -> Frame {
        let is_wanted = self.wishes.take_key_frame();
        let key = self.picture == 0 || is_wanted || self.since_key >= KEY_INTERVAL;
        self.since_key = if key { 1 } else { self.since_key + 1 };
        let bytes = self.encoder.encode(&picture::draw(self.picture, time), key).into();
        self.picture = self.picture.wrapping_add(1);
        Frame { track: 0, time, key, bytes }
    }
}

impl FrameSource for Pattern {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let picture = Duration::from_secs(self.picture.into()) / RATE;
        let sound = SOUND * self.sound;
        if picture <= sound {
            return Ok(Some(self.next_picture(picture)));
        }
        let bytes = self.beep.get(self.sound as usize % self.beep.len().max(1)).cloned().unwrap_or_default();
        self.sound = self.sound.wrapping_add(1);
        Ok(Some(Frame { track: 1, time: sound, key: true, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use rtp::codec::opus;

    use super::*;

    #[test]
    fn a_second_has_as_many_frames_as_it_should() {
        let wishes = Arc::<Wishes>::default();
        let mut pattern = Pattern::new(Arc::clone(&wishes));
        assert_eq!(pattern.beep.len(), 50);
        assert!(pattern.beep.iter().all(|packet| opus::ticks(packet) == Some(960)));
        let mut keys = Vec::new();
        let mut counts = [0; 2];
        for _ in 0..80 * 5 {
            let frame = pattern.next_frame().unwrap().unwrap();
            counts[frame.track] += 1;
            if frame.track == 0 {
                assert_eq!(frame.key, crate::stream::is_key(Codec::Vp8, &frame.bytes));
                assert!(frame.bytes.len() < 10_000, "{} bytes", frame.bytes.len());
                if frame.key {
                    keys.push(counts[0]);
                }
                if counts[0] == 100 {
                    wishes.want_key_frame();
                }
            }
        }
        assert_eq!(counts, [150, 250]);
        assert_eq!(keys, [1, 61, 101]);
        assert_eq!(pattern.tracks()[0].size, Some((1280, 720)));
    }
}
