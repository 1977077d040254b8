//! Files that nothing has encoded as sources of frames: what they hold is encoded as it is read, at the rate and with the key
//! frames that are wanted then.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rtp::codec::Codec;

use super::opus::{Channels, SampleRate};
use super::{CodecError, OpusEncoder, Vp8Encoder, Vp8Settings, opus::OpusSettings};
use crate::{Frame, FrameSource, ReadError, Track, WavReader, Wishes, Y4mReader};

/// A key frame comes at least once in so long, for whoever cannot ask for one.
const KEY_INTERVAL: Duration = Duration::from_secs(10);
/// Of sound, in a packet.
const PACKET: Duration = Duration::from_millis(20);

impl From<CodecError> for ReadError {
    fn from(error: CodecError) -> Self {
        Self::Unsupported(error.to_string())
    }
}

/// Pictures of a file as VP8: one frame for each. That of a picture which is left out, as there are no bits for it, is empty, so
/// that whoever waits until a frame is due never reads further ahead than that: what comes later may be wanted otherwise.
#[derive(Debug)]
pub struct EncodedPictures<R> {
    reader: Y4mReader<R>,
    encoder: Vp8Encoder,
    track: Track,
    most: u64,
    wishes: Arc<Wishes>,
}

impl<R: Read> EncodedPictures<R> {
    /// Of so many bits in a second at most, and fewer where `wishes` says so. A key frame that is wished for is the next one.
    ///
    /// # Errors
    /// If there is no encoder for pictures of that size, or no memory.
    pub fn new(reader: Y4mReader<R>, most: u64, wishes: Arc<Wishes>) -> Result<Self, CodecError> {
        let header = reader.header();
        let interval = header.interval();
        let key_interval = KEY_INTERVAL.as_nanos() / interval.as_nanos().max(1);
        let settings = Vp8Settings {
            interval: interval.clamp(Duration::from_millis(1), Duration::from_secs(10)),
            key_interval: u32::try_from(key_interval).unwrap_or(u32::MAX),
            ..Vp8Settings::new(header.width, header.height, most)
        };
        let track = Track { size: Some((header.width, header.height)), ..Track::new(Codec::Vp8) };
        Ok(Self { reader, encoder: Vp8Encoder::new(settings)?, track, most, wishes })
    }
}

impl<R: Read + Send> FrameSource for EncodedPictures<R> {
    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let Some((picture, time)) = self.reader.next_picture()? else { return Ok(None) };
        let wanted = self.wishes.bitrate().map_or(self.most, |bitrate| bitrate.min(self.most));
        self.encoder.set_bitrate(wanted)?;
        let key = self.wishes.take_key_frame();
        let encoded = self.encoder.encode(&picture, time, key)?;
        if encoded.is_none() && key {
            self.wishes.want_key_frame();
        }
        Ok(Some(encoded.unwrap_or(Frame { track: 0, time, key: false, bytes: Bytes::new() })))
    }
}

/// Sound of a file as Opus.
#[derive(Debug)]
pub struct EncodedSound<R> {
    reader: WavReader<R>,
    encoder: OpusEncoder,
    track: Track,
    samples: Vec<f32>,
    packets: u32,
}

impl<R: Read> EncodedSound<R> {
    /// In packets of 20 ms.
    ///
    /// # Errors
    /// If Opus takes no sound of that sample rate, or there is no memory.
    pub fn new(reader: WavReader<R>) -> Result<Self, ReadError> {
        let rate = SampleRate::from_hertz(reader.rate()).ok_or_else(|| {
            ReadError::Unsupported(format!(
                "its sound has {} samples in a second, and can have 48000, 24000, 16000, 12000 or 8000: convert it, for \
                 example with ffmpeg -i talk.wav -ar 48000 fit.wav",
                reader.rate()
            ))
        })?;
        let channels = if reader.channels() == 1 { Channels::Mono } else { Channels::Stereo };
        let encoder = OpusEncoder::new(OpusSettings::music(rate, channels))?;
        let track = Track { channels: reader.channels(), ..Track::new(Codec::Opus) };
        let each = rate.hertz() as usize * PACKET.as_millis() as usize / 1000;
        Ok(Self { reader, encoder, track, samples: vec![0.0; each * channels.count()], packets: 0 })
    }
}

impl<R: Read + Send> FrameSource for EncodedSound<R> {
    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let count = self.reader.read(&mut self.samples)?;
            if count == 0 {
                return Ok(None);
            }
            // The last packet ends with silence.
            self.samples.iter_mut().skip(count).for_each(|sample| *sample = 0.0);
            let time = PACKET * self.packets;
            self.packets = self.packets.saturating_add(1);
            if let Some(bytes) = self.encoder.encode(&self.samples)? {
                return Ok(Some(Frame { track: 0, time, key: true, bytes }));
            }
        }
    }
}
