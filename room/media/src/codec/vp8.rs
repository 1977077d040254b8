//! VP8 (RFC 6386), by libvpx: for calls and live streams, so that frames come at once and at the rate that the network takes.

mod shim;

use std::time::Duration;

use rtp::codec::Codec;

use super::CodecError;
use crate::input::ticks;
use crate::picture::I420;
use crate::{Frame, stream};

/// Pixels of a side, at most: its header has 14 bits for them (RFC 6386 §9.1).
const LONGEST_SIDE: u32 = 16_383;
/// Ticks of time in a second.
const CLOCK_RATE: u32 = 90_000;
/// Bits in a second, least and most.
const BITRATES: [u64; 2] = [10_000, 1_000_000_000];

/// How pictures are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vp8Settings {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// How long a picture is shown, as a rule: between a millisecond and ten seconds.
    pub interval: Duration,
    /// Bits in a second, of frames alone; between 10 kbit/s and 1 Gbit/s what is nearest is taken.
    pub bitrate: u64,
    /// Pictures from one key frame to the next, at most, for those who cannot ask for one.
    pub key_interval: u32,
    /// How much is done in a hurry: 0 to 16, of which 16 takes least time and gives the worst pictures.
    pub speed: u8,
    /// Whether pictures are left out where the bitrate does not suffice; else it is exceeded.
    pub leaves_out: bool,
    /// Threads of libvpx's own beside the caller's, 1 for none: 1 to 16.
    pub threads: u8,
}

impl Vp8Settings {
    /// For a live stream of 30 pictures a second, by one thread.
    pub fn new(width: u32, height: u32, bitrate: u64) -> Self {
        Self {
            width,
            height,
            interval: Duration::from_secs(1) / 30,
            bitrate,
            key_interval: 3000,
            speed: 4,
            leaves_out: true,
            threads: 1,
        }
    }
}

/// Pictures into frames.
#[derive(Debug)]
pub struct Vp8Encoder {
    inner: shim::Encoder,
    settings: Vp8Settings,
    kilobits: u32,
    /// When the last picture was.
    last: Option<i64>,
}

impl Vp8Encoder {
    /// Begins; the first frame is a key frame.
    ///
    /// # Errors
    /// If a side is 0 or longer than 16,383 pixels, a setting is out of its bounds, or there is no memory.
    pub fn new(settings: Vp8Settings) -> Result<Self, CodecError> {
        let Vp8Settings { width, height, .. } = settings;
        let is_side = |side| (1..=LONGEST_SIDE).contains(&side);
        if !is_side(width) || !is_side(height) {
            return Err(CodecError::Size { width, height });
        }
        if !(Duration::from_millis(1)..=Duration::from_secs(10)).contains(&settings.interval) {
            return Err(CodecError::Setting("an interval between pictures"));
        }
        if settings.speed > 16 {
            return Err(CodecError::Setting("speed"));
        }
        if !(1..=16).contains(&settings.threads) {
            return Err(CodecError::Setting("a number of threads"));
        }
        let kilobits = kilobits(settings.bitrate);
        let inner = shim::Encoder::new(&shim::Settings {
            width,
            height,
            duration: ticks(settings.interval, CLOCK_RATE) as u32,
            kilobits,
            key_interval: settings.key_interval.clamp(1, i32::MAX as u32),
            threads: settings.threads.into(),
            // What libvpx takes as positive numbers depends on how fast this computer is at the moment.
            speed: -i32::from(settings.speed),
            drop_below: if settings.leaves_out { 30 } else { 0 },
        })?;
        Ok(Self { inner, settings, kilobits, last: None })
    }

    /// From the next picture on, so many bits in a second; the nearest that there is.
    ///
    /// # Errors
    /// If libvpx does not take it.
    pub fn set_bitrate(&mut self, bitrate: u64) -> Result<(), CodecError> {
        let kilobits = kilobits(bitrate);
        if kilobits != self.kilobits {
            self.inner.set_kilobits(kilobits)?;
            self.kilobits = kilobits;
        }
        Ok(())
    }

    /// Bits in a second that it keeps to.
    pub fn bitrate(&self) -> u64 {
        u64::from(self.kilobits) * 1000
    }

    /// Encodes the next picture, of `time` since the beginning; a key frame where `key` says so. None where it is left out, as
    /// there are no bits for it; a key frame that is wanted is to be asked for again then.
    ///
    /// # Errors
    /// If the picture is of another size, or libvpx fails.
    pub fn encode(
        &mut self,
        picture: &I420<'_>,
        time: Duration,
        key: bool,
    ) -> Result<Option<Frame>, CodecError> {
        let (width, height) = (picture.width(), picture.height());
        if (width, height) != (self.settings.width, self.settings.height) {
            return Err(CodecError::Size { width, height });
        }
        // Time goes on from each picture to the next: libvpx has no frame rate without.
        let now = i64::try_from(ticks(time, CLOCK_RATE)).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
        let now = self.last.map_or(now, |last| now.max(last + 1));
        let encoded =
            self.inner.encode(picture, now, ticks(self.settings.interval, CLOCK_RATE) as u32, key)?;
        self.last = Some(now);
        Ok(encoded.map(|(bytes, key)| Frame { track: 0, time, key, bytes: bytes.to_vec().into() }))
    }
}

fn kilobits(bitrate: u64) -> u32 {
    let [least, most] = BITRATES;
    (bitrate.clamp(least, most) / 1000) as u32
}

/// Frames into pictures.
#[derive(Debug)]
pub struct Vp8Decoder {
    inner: shim::Decoder,
    most: (u32, u32),
}

impl Vp8Decoder {
    /// Decodes pictures of at most so many pixels each way: what a frame claims takes memory.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(width: u32, height: u32) -> Result<Self, CodecError> {
        Ok(Self { inner: shim::Decoder::new(1)?, most: (width, height) })
    }

    /// Decodes the next frame. The picture lies in the decoder, until the next call; there is none where the frame is not to be
    /// shown.
    ///
    /// # Errors
    /// If the frame is damaged, needs one that was not there, or is larger than allowed. It may go on with any other, and does
    /// with the next key frame.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Option<I420<'_>>, CodecError> {
        // Nothing at all would be the word that a frame is lost.
        if frame.is_empty() {
            return Err(CodecError::Malformed);
        }
        if stream::is_key(Codec::Vp8, frame) {
            let (width, height) = stream::size(Codec::Vp8, frame).ok_or(CodecError::Malformed)?;
            let is_side = |side, most| (1..=most).contains(&side);
            if !is_side(width, self.most.0) || !is_side(height, self.most.1) {
                return Err(CodecError::Size { width, height });
            }
        }
        self.inner.decode(frame)
    }
}
