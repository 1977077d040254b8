//! Putting payloads together to frames, as decoders want them (RFC 7741, 9628, 6184, 7798, 7587, 3551; AOM's for AV1).

use super::{Codec, PayloadFault, PayloadInfo, av1, h264, h265, vp8, vp9};
use crate::header::Fields;
use crate::number::{SequenceNumber, Timestamp};

/// Assembles the frames of one stream from its packets, which come in the order of their numbers. Where one is missing, its
/// frame is dropped.
///
/// Keeps one frame, of at most the limit's bytes, in a buffer that is used again.
#[derive(Clone, Debug)]
pub struct FrameAssembler {
    codec: Codec,
    limit: usize,
    buffer: Vec<u8>,
    /// The number of the next packet, if none is missing.
    next: Option<SequenceNumber>,
    state: State,
    dropped: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The next packet begins a frame.
    Boundary,
    /// A frame is open.
    Frame { timestamp: Timestamp, first: PayloadInfo, open: Open },
    /// Packets are passed over until a frame begins for certain: those of this timestamp are of one that is lost.
    Lost(Timestamp),
    /// As before, and nothing is known of any frame.
    Unknown,
}

/// What of a frame goes on in the next packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A NAL unit.
    Unit,
    /// The OBU that begins here.
    Obu(usize),
}

/// A whole frame.
#[derive(Clone, Copy, Debug)]
pub struct AssembledFrame<'a> {
    /// As [`super::EncodedFrame`] has it. Of VP9 with spatial layers it is all layers' frames, one behind the other.
    pub bytes: &'a [u8],
    /// Its packets' timestamp.
    pub timestamp: Timestamp,
    /// What its first payload said; `key` if any of them did.
    pub info: PayloadInfo,
}

impl FrameAssembler {
    /// For frames of at most `limit` bytes.
    pub fn new(codec: Codec, limit: usize) -> Self {
        Self { codec, limit, buffer: Vec::new(), next: None, state: State::Unknown, dropped: 0 }
    }

    /// How many frames were begun, and dropped for packets that are missing or malformed or for their size.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a packet's payload; the frame, if it was its last. One without bytes is padding.
    pub fn push(
        &mut self,
        fields: &Fields,
        payload: &[u8],
    ) -> Result<Option<AssembledFrame<'_>>, PayloadFault> {
        if self.next.is_some_and(|next| next != fields.sequence_number) {
            self.lose(State::Unknown);
        }
        self.next = Some(fields.sequence_number.plus(1));
        if payload.is_empty() {
            return Ok(None);
        }
        let result = self.take(fields, payload);
        if result.is_err() {
            // What is left of it is passed over; behind its last packet a new one begins.
            self.lose(if fields.marker { State::Boundary } else { State::Lost(fields.timestamp) });
        }
        let Some(info) = result? else { return Ok(None) };
        self.state = State::Boundary;
        Ok(Some(AssembledFrame { bytes: &self.buffer, timestamp: fields.timestamp, info }))
    }

    /// Forgets an open frame.
    fn lose(&mut self, state: State) {
        self.dropped += u64::from(matches!(self.state, State::Frame { .. }));
        self.state = state;
    }

    fn take(&mut self, fields: &Fields, payload: &[u8]) -> Result<Option<PayloadInfo>, PayloadFault> {
        let info = self.codec.describe(payload, fields.marker)?;
        let (mut first, open) = match self.state {
            State::Frame { timestamp, first, open } if timestamp == fields.timestamp => (first, open),
            State::Frame { .. } => {
                // Its last packet had no marker: whether it is whole cannot be known in time.
                self.dropped += 1;
                self.begin(info)?
            }
            State::Boundary => self.begin(info)?,
            State::Lost(timestamp) if timestamp != fields.timestamp => self.begin(info)?,
            State::Lost(_) | State::Unknown if self.is_certain_start(info) => self.begin(info)?,
            State::Lost(_) | State::Unknown => return Err(PayloadFault::Orphan),
        };
        first.key |= info.key;
        self.state = State::Frame { timestamp: fields.timestamp, first, open };
        let open = self.append(payload, open)?;
        // Over the limit by one payload at most, and by what start codes add to it.
        if self.buffer.len() > self.limit {
            return Err(PayloadFault::TooLarge);
        }
        self.state = State::Frame { timestamp: fields.timestamp, first, open };
        if !(fields.marker || self.codec.is_audio()) {
            return Ok(None);
        }
        if open == Open::Nothing { Ok(Some(first)) } else { Err(PayloadFault::Unfinished) }
    }

    /// Begins a frame; a fault where the payload says that it is in the middle of one.
    fn begin(&mut self, info: PayloadInfo) -> Result<(PayloadInfo, Open), PayloadFault> {
        self.buffer.clear();
        self.state = State::Boundary;
        let says_so = matches!(self.codec, Codec::Vp8 | Codec::Vp9);
        if says_so && !info.start { Err(PayloadFault::Orphan) } else { Ok((info, Open::Nothing)) }
    }

    /// Whether a payload begins a frame, whatever was before it.
    fn is_certain_start(&self, info: PayloadInfo) -> bool {
        match self.codec {
            Codec::Vp9 => info.start && info.spatial.is_none_or(|layer| layer == 0),
            // Parameter sets stand first, and so does a sequence header.
            Codec::H264 | Codec::H265 | Codec::Av1 => info.start && info.key,
            _ => info.start,
        }
    }

    fn append(&mut self, payload: &[u8], open: Open) -> Result<Open, PayloadFault> {
        let buffer = &mut self.buffer;
        let unit = |is_open| if is_open { Open::Unit } else { Open::Nothing };
        match self.codec {
            Codec::Opus | Codec::Pcmu | Codec::Pcma | Codec::G722 => buffer.extend_from_slice(payload),
            Codec::Vp8 => buffer.extend_from_slice(vp8::Descriptor::parse(payload)?.1),
            Codec::Vp9 => buffer.extend_from_slice(vp9::Descriptor::parse(payload)?.1),
            Codec::H264 => return h264::assemble(payload, open == Open::Unit, buffer).map(unit),
            Codec::H265 => return h265::assemble(payload, open == Open::Unit, buffer).map(unit),
            Codec::Av1 => {
                let start = if let Open::Obu(start) = open { Some(start) } else { None };
                return Ok(av1::assemble(payload, start, buffer)?.map_or(Open::Nothing, Open::Obu));
            }
        }
        Ok(Open::Nothing)
    }
}
