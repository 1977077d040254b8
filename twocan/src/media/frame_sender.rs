//! Whole frames on their way out: cut into packets of the codec that was agreed on (W3C webrtc-encoded-transform has the same
//! at this place: frames that are encoded already).

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use peer::{OutgoingPacket, Prefix};
use rtp::codec::{Codec, EncodedFrame, PacketizeError, Packetizer};
use rtp::{NtpTime, PayloadType, Timestamp};

use super::sender::RtpSender;
use super::transceiver::Transceiver;
use crate::Error;
use crate::error::SendError;

/// Bytes of a payload: with headers, extensions and the seal a datagram keeps within 1,200, which every path carries.
const MAX_PAYLOAD: usize = 1100;

/// How often a frame says when it was captured, at least; receivers count on from there.
const TELL_CAPTURED: Duration = Duration::from_secs(1);

/// A frame, as an encoder gives it.
#[derive(Clone, Debug, Default)]
pub struct MediaFrame {
    /// NAL units with start codes for H.264 and H.265, OBUs with sizes for AV1, what the codec's library gives for others.
    pub bytes: Bytes,
    /// When its first sample was taken, since any moment that all frames of all tracks have in common.
    pub time: Duration,
    /// Whether it depends on no other. Sound always does not.
    pub key: bool,
    /// The same by the wall clock, for the peer to know where it is told: by it sound and pictures are put together, however
    /// many servers are between.
    pub captured: Option<SystemTime>,
}

/// Why a frame is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The connection is closed, or does not take the codec any more.
    Send(SendError),
    /// The codec cannot carry it.
    Packetize(PacketizeError),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => error.fmt(f),
            Self::Packetize(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FrameError {}

/// Sends the frames of one encoding.
///
/// When a key frame is wanted, and how much the path carries, the connection says
/// ([`PeerEvent::KeyFrameRequested`](crate::PeerEvent::KeyFrameRequested),
/// [`PeerEvent::TargetBitrate`](crate::PeerEvent::TargetBitrate)).
#[derive(Debug)]
pub struct FrameSender {
    sender: RtpSender,
    encoding: usize,
    codec: Codec,
    payload_type: PayloadType,
    packetizer: Packetizer,
    /// The timestamp of time zero.
    first: Timestamp,
    is_first: bool,
    told_captured: Option<Duration>,
    packets: u64,
    bytes: u64,
}

impl FrameSender {
    /// Waits until both ends have agreed, and sends what the peer likes best.
    ///
    /// # Errors
    /// If the transceiver ends before, or no codec is agreed on.
    pub async fn new(transceiver: &mut Transceiver) -> Result<Self, Error> {
        Self::of(transceiver, |_| true).await
    }

    /// The same for one codec, whichever of its profiles is agreed on.
    ///
    /// # Errors
    /// If the transceiver ends before, or the codec is not agreed on.
    pub async fn with_codec(transceiver: &mut Transceiver, codec: Codec) -> Result<Self, Error> {
        Self::of(transceiver, |agreed| agreed == codec).await
    }

    async fn of(transceiver: &mut Transceiver, wanted: impl Fn(Codec) -> bool) -> Result<Self, Error> {
        let agreement = transceiver.agreed().await?;
        let known = agreement.codecs.iter().filter(|agreed| !agreed.codec.is_auxiliary());
        let mut known = known.filter_map(|agreed| Some((Codec::from_name(&agreed.codec.name)?, agreed.send)));
        let (codec, payload_type) = known.find(|(codec, _)| wanted(*codec)).ok_or(Error::NoCodec)?;
        let mut random = [0; 6];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Randomness)?;
        let [a, b, c, d, high, low] = random;
        Ok(Self {
            sender: transceiver.sender.clone(),
            encoding: 0,
            codec,
            payload_type,
            packetizer: Packetizer::new(codec, u16::from_be_bytes([high, low])),
            first: Timestamp(u32::from_be_bytes([a, b, c, d])),
            is_first: true,
            told_captured: None,
            packets: 0,
            bytes: 0,
        })
    }

    /// Has another encoding sent: a place in [`TransceiverState::encodings`](crate::TransceiverState).
    #[must_use]
    pub fn encoding(mut self, encoding: usize) -> Self {
        self.encoding = encoding;
        self
    }

    /// What frames must be of.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many packets have gone out.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// And how many bytes of payload.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends a frame. It waits while more is queued than the connection takes; pacing beyond that, by frames' times, is the
    /// caller's business.
    ///
    /// # Errors
    /// If the connection is closed, or the frame is none of the codec's; then the next one may be sent all the same.
    pub async fn send(&mut self, frame: &MediaFrame) -> Result<(), FrameError> {
        let encoded = EncodedFrame { bytes: &frame.bytes, key: frame.key, ..EncodedFrame::default() };
        let mut payloads = self.packetizer.begin(&encoded, MAX_PAYLOAD).map_err(FrameError::Packetize)?;
        let timestamp = self.first.plus(ticks(frame.time, self.codec.clock_rate()));
        let is_due = self.told_captured.is_none_or(|told| frame.time.abs_diff(told) >= TELL_CAPTURED);
        let mut captured =
            frame.captured.filter(|_| frame.key && !self.codec.is_audio() || is_due).map(|time| {
                self.told_captured = Some(frame.time);
                NtpTime::from_unix(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
            });
        // Sound has its marker where it begins (RFC 3551 §4.1), pictures where each ends.
        let begins = std::mem::take(&mut self.is_first) && self.codec.is_audio();
        loop {
            let mut payload = Vec::with_capacity(MAX_PAYLOAD);
            let Some(is_last) = payloads.write_next(&mut payload) else { return Ok(()) };
            self.packets += 1;
            self.bytes += payload.len() as u64;
            let packet = OutgoingPacket {
                payload_type: self.payload_type,
                marker: if self.codec.is_audio() { begins } else { is_last },
                timestamp,
                sequence_number: None,
                prefix: Prefix::default(),
                payload: payload.into(),
            };
            let sent = self.sender.send_captured(self.encoding, packet, captured.take());
            sent.await.map_err(FrameError::Send)?;
        }
    }
}

/// So long in ticks, to the nearest one, as they wrap around.
fn ticks(time: Duration, clock_rate: u32) -> u32 {
    ((time.as_nanos() * u128::from(clock_rate) + 500_000_000) / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_nearest_ticks() {
        for number in 0..1000_u32 {
            let time = Duration::from_nanos(u64::from(number) * 1_000_000_000 / 90_000);
            assert_eq!(ticks(time, 90_000), number);
        }
        let wraps = Duration::from_secs(1 << 32) / 48_000;
        assert_eq!(ticks(wraps + Duration::from_millis(1), 48_000), 48);
    }
}
