//! What is streamed.

use std::io;
use std::time::Instant;

use rtp::Timestamp;
use twocan::{OutgoingPacket, Prefix};

use super::end::End;

/// Frames from one key frame to the next, where nobody asks for one.
const KEYS: u32 = 120;
/// Bytes of a packet's payload.
const PAYLOAD: u64 = 1100;

/// So many bytes of VP8 without a picture in them: what says if a frame begins, and which (RFC 7741 §4.2), and a key frame's
/// header (RFC 6386 §9.1).
pub(crate) fn vp8_payload(begins: bool, frame: u32, key: bool, length: usize) -> Vec<u8> {
    let start = if begins { 0x10 } else { 0 };
    let [high, low] = ((frame & 0x7FFF) as u16 | 0x8000).to_be_bytes();
    let mut payload = vec![0x80 | start, 0x80, high, low, u8::from(!key)];
    payload.extend([0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]);
    payload.resize(length, 7);
    payload
}

/// What is streamed: frames of VP8 without pictures in them, and sound.
pub(super) struct Source {
    pub(super) video: rtp::PayloadType,
    pub(super) audio: rtp::PayloadType,
    packets: u64,
    frame: u32,
    /// The next frame to be a key frame.
    key_at: u32,
    /// Packets so far.
    pub(super) sent: u64,
    frames_per_second: u64,
    /// What packets' times are counted from.
    pub(super) begin: Instant,
}

impl Source {
    pub(super) fn new(studio: &End, kbps: u64, frames_per_second: u64) -> Self {
        let codec = |at: usize| {
            let agreement = studio.media[at].sender.agreement();
            agreement.and_then(|agreement| agreement.preferred().map(|codec| codec.send))
        };
        let none = rtp::PayloadType::new(0).unwrap_or_else(|| unreachable!());
        Self {
            video: codec(1).unwrap_or(none),
            audio: codec(0).unwrap_or(none),
            packets: (kbps * 1000 / 8 / frames_per_second / PAYLOAD).max(1),
            frame: 0,
            key_at: 0,
            sent: 0,
            frames_per_second,
            begin: Instant::now(),
        }
    }

    /// When a packet was made.
    fn now(&self) -> [u8; 8] {
        (self.begin.elapsed().as_nanos() as u64).to_be_bytes()
    }

    /// The next frame is a key frame.
    pub(super) fn want_key(&mut self) {
        self.key_at = self.frame;
    }

    pub(super) async fn send_frame(&mut self, studio: &mut End) -> io::Result<()> {
        let key = self.frame >= self.key_at;
        if key {
            self.key_at = self.frame + KEYS;
        }
        for place in 0..self.packets {
            let mut payload = vp8_payload(place == 0, self.frame, key, PAYLOAD as usize - 8);
            payload.extend(self.now());
            let packet = OutgoingPacket {
                payload_type: self.video,
                marker: place + 1 == self.packets,
                timestamp: Timestamp(self.frame.wrapping_mul((90_000 / self.frames_per_second) as u32)),
                sequence_number: None,
                prefix: Prefix::default(),
                payload: payload.into(),
            };
            studio.media[1].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
            self.sent += 1;
        }
        // Sound: as long as the picture, in one packet.
        let packet = OutgoingPacket {
            payload_type: self.audio,
            marker: false,
            timestamp: Timestamp(self.frame.wrapping_mul((48_000 / self.frames_per_second) as u32)),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: [[0xFC; 92].as_slice(), &self.now()].concat().into(),
        };
        studio.media[0].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
        self.sent += 1;
        self.frame += 1;
        Ok(())
    }
}
