//! What each of a room sends: sound, and pictures in three sizes at once, as a browser does, without pictures in them (RFC 7741,
//! RFC 6386 §9.1).

use std::io;
use std::time::{Duration, Instant};

use rtp::Timestamp;
use rtp::codec::{PictureId, vp8};
use rtp::extension::AudioLevel;
use twocan::{OutgoingPacket, Prefix, RtpSender};

/// One size of the pictures.
pub(super) struct Layer {
    pub(super) rid: &'static str,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) kbps: usize,
}

/// The lowest first.
pub(super) const LAYERS: [Layer; 3] = [
    Layer { rid: "q", width: 320, height: 180, kbps: 150 },
    Layer { rid: "h", width: 640, height: 360, kbps: 500 },
    Layer { rid: "f", width: 1280, height: 720, kbps: 1700 },
];

/// From one picture to the next, and from one sound to the next.
pub(super) const PICTURE: Duration = Duration::from_nanos(1_000_000_000 / FRAME_RATE);
pub(super) const SOUND: Duration = Duration::from_millis(20);

const FRAME_RATE: u64 = 30;
/// Bytes of a packet's payload at most.
pub(super) const PAYLOAD: usize = 1100;
/// Bytes of a sound: 32 kbit/s.
pub(super) const SOUND_BYTES: usize = 80;
/// Of four pictures in turn: the temporal layer, whether it rests on the lowest alone, and how large it is, in tenths of the mean.
const PATTERN: [(u8, bool, usize); 4] = [(0, false, 16), (2, true, 8), (1, true, 8), (2, false, 8)];
/// The same of a key frame.
const KEY_SIZE: usize = 40;

impl Layer {
    /// Of a picture that is so many tenths of the mean, and so many percent of that.
    pub(super) fn bytes(&self, tenths: usize, percent: usize) -> usize {
        let mean = self.kbps * 1000 / 8 / FRAME_RATE as usize;
        (mean * tenths / 10 * percent / 100).max(1)
    }
}

/// How large a picture is that is no key frame: tenths of the mean.
pub(super) fn tenths(picture: usize) -> usize {
    let (_, _, tenths) = PATTERN[picture % PATTERN.len()];
    tenths
}

/// What makes pictures differ.
pub(super) struct Dice(pub(super) u32);

impl Dice {
    /// 75 to 125.
    pub(super) fn percent(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        75 + (self.0 >> 16) as usize % 51
    }
}

/// An encoder of one size.
struct Encoder {
    picture: u16,
    lowest: u8,
    /// Its place in the pattern.
    phase: usize,
    /// Whether the next one is a key frame.
    key: bool,
}

/// Of one who sends.
pub(super) struct Camera {
    pictures: RtpSender,
    sound: RtpSender,
    encoders: [Encoder; LAYERS.len()],
    /// Timestamps are of a clock, as who switches between sizes relies on: nothing was sent for a while, and they go on.
    begun: Instant,
    last: Timestamps,
    dice: Dice,
    /// Pictures so far, of each size.
    pub(super) frames: u64,
}

/// The last ones of pictures, and of sound.
#[derive(Clone, Copy, Default)]
struct Timestamps {
    picture: u32,
    sound: u32,
}

impl Camera {
    /// Different ones have pictures of different sizes.
    pub(super) fn new(pictures: RtpSender, sound: RtpSender, seed: usize) -> Self {
        let encoder = |place: usize| Encoder {
            picture: (seed * 977 + place * 313) as u16,
            lowest: place as u8,
            phase: 0,
            key: true,
        };
        Self {
            pictures,
            sound,
            encoders: [encoder(0), encoder(1), encoder(2)],
            begun: Instant::now(),
            last: Timestamps::default(),
            dice: Dice(seed as u32),
            frames: 0,
        }
    }

    /// The next picture of this size shall need no other.
    pub(super) fn begin_anew(&mut self, layer: usize) {
        if let Some(encoder) = self.encoders.get_mut(layer) {
            encoder.key = true;
        }
    }

    pub(super) async fn send_picture(&mut self) -> io::Result<()> {
        let Some(agreement) = self.pictures.agreement() else { return Ok(()) };
        let Some(codec) = agreement.preferred() else { return Ok(()) };
        // None twice.
        let timestamp = (self.begun.elapsed().as_micros() * 9 / 100) as u32;
        self.last.picture = timestamp.max(self.last.picture + 1);
        for (place, layer) in LAYERS.iter().enumerate() {
            let percent = self.dice.percent();
            let encoder = &mut self.encoders[place];
            if encoder.key {
                encoder.phase = 0;
            }
            let (temporal, sync, tenths) = PATTERN[encoder.phase];
            encoder.lowest = encoder.lowest.wrapping_add(u8::from(temporal == 0));
            let tenths = if encoder.key { KEY_SIZE } else { tenths };
            let bytes = layer.bytes(tenths, percent);
            // As nearly equal as can be, as libwebrtc cuts them.
            let count = bytes.div_ceil(PAYLOAD);
            for part in 0..count {
                let length = bytes / count + usize::from(part < bytes % count);
                let mut payload = Vec::with_capacity(length + 16);
                let descriptor = vp8::Descriptor {
                    start: part == 0,
                    picture_id: Some(PictureId { value: encoder.picture & 0x7FFF, long: true }),
                    tl0_picture_index: Some(encoder.lowest),
                    temporal: Some((temporal, sync)),
                    ..vp8::Descriptor::default()
                };
                descriptor.write(&mut payload);
                let whole = payload.len() + length;
                if part == 0 {
                    // Shown; and a key frame's size.
                    payload.extend([0x10 | u8::from(!encoder.key), 0, 0]);
                    if encoder.key {
                        payload.extend([0x9D, 0x01, 0x2A]);
                        payload.extend(layer.width.to_le_bytes());
                        payload.extend(layer.height.to_le_bytes());
                    }
                }
                payload.resize(whole.max(payload.len()), 7);
                let packet = OutgoingPacket {
                    payload_type: codec.send,
                    marker: part + 1 == count,
                    timestamp: Timestamp(self.last.picture),
                    sequence_number: None,
                    prefix: Prefix::default(),
                    payload: payload.into(),
                };
                self.pictures.send_packet(place, packet).await.map_err(io::Error::other)?;
            }
            encoder.picture = encoder.picture.wrapping_add(1);
            encoder.phase = (encoder.phase + 1) % PATTERN.len();
            encoder.key = false;
        }
        self.frames += 1;
        Ok(())
    }

    pub(super) async fn send_sound(&mut self) -> io::Result<()> {
        let Some(agreement) = self.sound.agreement() else { return Ok(()) };
        let Some(codec) = agreement.preferred() else { return Ok(()) };
        // Whole sounds of 20 ms.
        let timestamp = (self.begun.elapsed().as_millis() / 20 * 960) as u32;
        self.last.sound = timestamp.max(self.last.sound + 960);
        let packet = OutgoingPacket {
            payload_type: codec.send,
            marker: false,
            timestamp: Timestamp(self.last.sound),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: vec![0xFC; SOUND_BYTES].into(),
        };
        // Nobody is heard above the others.
        let level = AudioLevel { level: 60, voice: false };
        self.sound.send_sound(packet, level).await.map_err(io::Error::other)?;
        Ok(())
    }
}
