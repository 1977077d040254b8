//! Cutting an encoder's frames into payloads (RFC 7741, 9628, 6184, 7798, 7587, 3551; AOM's for AV1).

use std::error::Error;
use std::fmt;

use super::av1::ObuPayloads;
use super::split::Split;
use super::{Codec, PictureId, h264, h265, vp8, vp9};

/// The smallest payload that a frame is cut into, in bytes: smaller wishes count as this one.
pub const MIN_PAYLOAD: usize = 64;
/// The largest: aggregates have lengths of 16 bits, and datagrams too.
const MAX_PAYLOAD: usize = 65_000;

/// What an encoder made of a picture, or of some milliseconds of sound.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodedFrame<'a> {
    /// As the codec's libraries give it: NAL units with start codes for H.264 and H.265, OBUs with sizes for AV1.
    pub bytes: &'a [u8],
    /// Whether it depends on no other.
    pub key: bool,
    /// The temporal layer, and whether it depends on the lowest alone; written for VP8.
    pub temporal: Option<(u8, bool)>,
    /// Whether no other depends on it; written for VP8.
    pub discardable: bool,
}

/// Why a frame cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketizeError {
    /// There is nothing in it: no bytes, no NAL unit, no OBU.
    Empty,
    /// A frame of sound is larger than a packet. It cannot be cut.
    TooLarge,
    /// An OBU's size exceeds its frame.
    Malformed,
}

impl fmt::Display for PacketizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "give the packetizer a frame that holds something",
            Self::TooLarge => "have the encoder make smaller frames: sound must fit one packet",
            Self::Malformed => "give AV1 as OBUs with sizes that add up",
        })
    }
}

impl Error for PacketizeError {}

/// Cuts the frames of one stream.
#[derive(Clone, Debug)]
pub struct Packetizer {
    codec: Codec,
    picture_id: u16,
    tl0_picture_index: u8,
}

/// A frame's payloads, one after another.
#[derive(Clone, Debug)]
pub struct Payloads<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    Whole(Option<&'a [u8]>),
    Vp8(Split<'a>, vp8::Descriptor),
    Vp9(Split<'a>, vp9::Descriptor),
    H264(h264::NalPayloads<'a>),
    H265(h265::NalPayloads<'a>),
    Av1(ObuPayloads<'a>),
}

impl Packetizer {
    /// For a stream whose first picture has this number; any will do, and a random one is best.
    pub fn new(codec: Codec, first_picture_id: u16) -> Self {
        let [_, low] = first_picture_id.to_be_bytes();
        Self { codec, picture_id: first_picture_id & 0x7FFF, tl0_picture_index: low }
    }

    /// Begins with a frame, whose payloads are to keep within `max_payload` bytes. Video is cut into pieces of nearly the
    /// same size.
    pub fn begin<'a>(
        &mut self,
        frame: &EncodedFrame<'a>,
        max_payload: usize,
    ) -> Result<Payloads<'a>, PacketizeError> {
        let max = max_payload.clamp(MIN_PAYLOAD, MAX_PAYLOAD);
        let kind = match self.codec {
            Codec::Opus | Codec::Pcmu | Codec::Pcma | Codec::G722 => {
                if frame.bytes.len() > max {
                    return Err(PacketizeError::TooLarge);
                }
                Kind::Whole(Some(frame.bytes).filter(|bytes| !bytes.is_empty()))
            }
            Codec::Vp8 => {
                let descriptor = self.vp8_descriptor(frame);
                Kind::Vp8(Split::new(frame.bytes, max - vp8::MAX_DESCRIPTOR_LEN), descriptor)
            }
            Codec::Vp9 => {
                let descriptor = vp9::Descriptor {
                    picture_id: Some(PictureId { value: self.picture_id, long: true }),
                    inter_predicted: !frame.key,
                    start: true,
                    ..vp9::Descriptor::default()
                };
                // The descriptor takes three bytes.
                Kind::Vp9(Split::new(frame.bytes, max - 3), descriptor)
            }
            Codec::H264 => Kind::H264(h264::NalPayloads::new(frame.bytes, max)),
            Codec::H265 => Kind::H265(h265::NalPayloads::new(frame.bytes, max)),
            Codec::Av1 => {
                Kind::Av1(ObuPayloads::new(frame.bytes, frame.key, max).ok_or(PacketizeError::Malformed)?)
            }
        };
        let payloads = Payloads(kind);
        if payloads.is_done() {
            return Err(PacketizeError::Empty);
        }
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7FFF;
        Ok(payloads)
    }

    fn vp8_descriptor(&mut self, frame: &EncodedFrame<'_>) -> vp8::Descriptor {
        if !frame.bytes.is_empty() && frame.temporal.is_some_and(|(layer, _)| layer == 0) {
            self.tl0_picture_index = self.tl0_picture_index.wrapping_add(1);
        }
        vp8::Descriptor {
            non_reference: frame.discardable,
            start: true,
            partition: 0,
            picture_id: Some(PictureId { value: self.picture_id, long: true }),
            tl0_picture_index: frame.temporal.map(|_| self.tl0_picture_index),
            temporal: frame.temporal,
            key_index: None,
        }
    }
}

impl Payloads<'_> {
    /// Whether all were written.
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Kind::Whole(frame) => frame.is_none(),
            Kind::Vp8(split, _) | Kind::Vp9(split, _) => split.is_done(),
            Kind::H264(payloads) => payloads.is_done(),
            Kind::H265(payloads) => payloads.is_done(),
            Kind::Av1(payloads) => payloads.is_done(),
        }
    }

    /// Appends the next payload, and says whether it is the frame's last, which has the packet's marker set in video; none
    /// if there is no more.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> Option<bool> {
        match &mut self.0 {
            Kind::Whole(frame) => out.extend_from_slice(frame.take()?),
            Kind::Vp8(split, descriptor) => {
                let piece = split.next()?;
                descriptor.write(out);
                descriptor.start = false;
                out.extend_from_slice(piece);
            }
            Kind::Vp9(split, descriptor) => {
                descriptor.end = split.is_last();
                let piece = split.next()?;
                descriptor.write(out);
                descriptor.start = false;
                out.extend_from_slice(piece);
            }
            Kind::H264(payloads) => payloads.write_next(out).then_some(())?,
            Kind::H265(payloads) => payloads.write_next(out).then_some(())?,
            Kind::Av1(payloads) => payloads.write_next(out).then_some(())?,
        }
        Some(self.is_done())
    }
}
