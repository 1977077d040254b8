//! How each codec's frames are cut into payloads and put together again: Opus (RFC 7587), G.711 and G.722 (RFC 3551),
//! VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184), H.265 (RFC 7798) and AV1 (AOM's RTP payload format).
//!
//! A forwarder asks [`Codec::describe`] what a payload is; who has an encoder cuts frames with a [`Packetizer`]; who has a
//! decoder puts payloads together with a [`FrameAssembler`]. What a codec alone has is in its own module.
//!
//! ```
//! use twocan_rtp::codec::{Codec, EncodedFrame, Packetizer};
//!
//! let frame = EncodedFrame { bytes: &[7; 2500], ..EncodedFrame::default() };
//! let mut packetizer = Packetizer::new(Codec::Vp8, 100);
//! let mut payloads = packetizer.begin(&frame, 1200).unwrap();
//! let (mut buffer, mut lens) = (Vec::new(), Vec::new());
//! while let Some(last) = payloads.write_next(&mut buffer) {
//!     lens.push((buffer.len(), last));
//!     buffer.clear();
//! }
//! assert_eq!(lens, [(838, false), (837, false), (837, true)]);
//! ```

mod assembler;
pub mod av1;
pub mod h264;
pub mod h265;
mod nal;
pub mod opus;
mod packetizer;
mod split;
pub mod vp8;
pub mod vp9;

pub use assembler::{AssembledFrame, FrameAssembler};
pub use nal::NalUnits;
pub use packetizer::{EncodedFrame, MIN_PAYLOAD, PacketizeError, Packetizer, Payloads};

pub use crate::dependency::Resolution;

wire::faults! {
    /// Why a payload says nothing, or a frame does not come about.
    pub enum PayloadFault {
        /// It ends before its fields do.
        Truncated => "payload_truncated",
        /// It is of a kind that nobody agreed to: interleaved H.264, H.265 with PACI.
        Unsupported => "payload_unsupported",
        /// It begins in the middle of a frame whose beginning is not there.
        Orphan => "payload_orphan",
        /// Its frame exceeds the assembler's limit.
        TooLarge => "payload_too_large",
        /// Its frame has no end: another one began.
        Unfinished => "payload_unfinished",
    }
}

impl From<wire::Truncated> for PayloadFault {
    fn from(_: wire::Truncated) -> Self {
        Self::Truncated
    }
}

/// What a payload type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the codec of that name")]
pub enum Codec {
    Opus,
    /// G.711 μ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    G722,
    Vp8,
    Vp9,
    H264,
    H265,
    Av1,
}

/// What a payload says about its frame, as far as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadInfo {
    /// Whether a frame begins with it. H.264 and H.265 do not say so outright: there it is whether one may, by the first
    /// NAL unit; a new timestamp tells. AV1 says only whether an OBU begins.
    pub start: bool,
    /// Whether a frame ends with it; where the payload does not say so, it is the packet's marker.
    pub end: bool,
    /// Whether its frame depends on none before, or brings what such a frame needs. Where only a frame's first payload
    /// says so, false for the others.
    pub key: bool,
    /// Which picture it is of.
    pub picture_id: Option<PictureId>,
    /// Which picture of the lowest temporal layer came last, with this one.
    pub tl0_picture_index: Option<u8>,
    /// The temporal layer.
    pub temporal: Option<u8>,
    /// The spatial layer.
    pub spatial: Option<u8>,
    /// Whether those who received up to this temporal layer may go on with higher ones from here.
    pub switching_point: bool,
    /// Whether no frame depends on it.
    pub discardable: bool,
    /// Where it is a key frame's and says so.
    pub resolution: Option<Resolution>,
}

/// A picture's number in 7 or 15 bits, which wraps around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId {
    /// Below 2^7 or 2^15.
    pub value: u16,
    /// Whether it has 15 bits.
    pub long: bool,
}

impl PictureId {
    /// How many pictures later this one is than `other`, in the bits that both have; negative where it is earlier.
    pub const fn ahead_of(self, other: Self) -> i16 {
        let unused = if self.long && other.long { 1 } else { 9 };
        (self.value.wrapping_sub(other.value) << unused).cast_signed() >> unused
    }
}

impl Codec {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Opus,
        Self::Pcmu,
        Self::Pcma,
        Self::G722,
        Self::Vp8,
        Self::Vp9,
        Self::H264,
        Self::H265,
        Self::Av1,
    ];

    /// Its name in descriptions (`a=rtpmap`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::H265 => "H265",
            Self::Av1 => "AV1",
        }
    }

    /// The codec of a name in descriptions, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Ticks of its timestamps in a second. G.722's is 8,000 although it takes 16,000 samples (RFC 3551 §4.5.2).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::H265 | Self::Av1 => 90_000,
        }
    }

    /// Whether it is one of sound.
    pub const fn is_audio(self) -> bool {
        matches!(self, Self::Opus | Self::Pcmu | Self::Pcma | Self::G722)
    }

    /// How many ticks a payload of sound lasts. None for video, and for what is no packet of Opus.
    pub fn audio_ticks(self, payload: &[u8]) -> Option<u32> {
        match self {
            Self::Opus => opus::ticks(payload),
            // A byte for each tick: G.722 has two samples in it.
            Self::Pcmu | Self::Pcma | Self::G722 => u32::try_from(payload.len()).ok(),
            _ => None,
        }
    }

    /// Whether a frame brings the parameter sets without which no decoder can begin; true for codecs whose key frames have
    /// all in themselves.
    pub fn has_parameter_sets(self, frame: &[u8]) -> bool {
        let has = |is_one: fn(u8) -> bool| NalUnits::new(frame).any(|unit| is_one(unit[0]));
        match self {
            Self::H264 => has(h264::is_parameter_set),
            Self::H265 => has(h265::is_parameter_set),
            _ => true,
        }
    }

    /// What a payload is, in a packet with this marker.
    #[inline]
    pub fn describe(self, payload: &[u8], marker: bool) -> Result<PayloadInfo, PayloadFault> {
        match self {
            Self::Opus | Self::Pcmu | Self::Pcma | Self::G722 => {
                Ok(PayloadInfo { start: true, end: true, key: true, ..PayloadInfo::default() })
            }
            Self::Vp8 => vp8::describe(payload, marker),
            Self::Vp9 => vp9::describe(payload),
            Self::H264 => h264::describe(payload, marker),
            Self::H265 => h265::describe(payload, marker),
            Self::Av1 => av1::describe(payload, marker),
        }
    }
}

#[cfg(test)]
mod tests;
