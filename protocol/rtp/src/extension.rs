//! Header extensions (RFC 8285): what rides along with a packet's payload, one file each.
//!
//! Offer and answer give every extension a local id; an [`ExtensionMap`] remembers which. A value reads itself from an
//! element's bytes and appends itself to a buffer. Those that [`Kind`] knows without a type of their own here pass
//! through a forwarder as bytes.

mod abs_capture_time;
mod abs_send_time;
mod audio_level;
mod color_space;
mod elements;
mod map;
mod mid;
mod playout_delay;
mod stream_id;
mod transport_sequence_number;
mod video_layers;
mod video_orientation;
mod video_timing;

pub use abs_capture_time::AbsCaptureTime;
pub use abs_send_time::AbsSendTime;
pub use audio_level::AudioLevel;
pub use color_space::{Chromaticity, ColorSpace, HdrMetadata};
pub use elements::Elements;
pub use map::{BadId, ExtensionMap};
pub use mid::Mid;
pub use playout_delay::PlayoutDelay;
pub use stream_id::{RepairedRtpStreamId, RtpStreamId};
pub use transport_sequence_number::{FeedbackRequest, TransportSequenceNumber};
pub use video_layers::{LayerSize, SpatialLayer, VideoLayersAllocation};
pub use video_orientation::{Rotation, VideoOrientation};
pub use video_timing::VideoTiming;

/// The highest id of the one-byte form; 15 is reserved (RFC 8285 §4.2).
pub const MAX_ONE_BYTE_ID: u8 = 14;
/// Bytes of the longest value in the one-byte form.
pub const MAX_ONE_BYTE_LEN: usize = 16;
/// Bytes of the longest value in any form.
pub const MAX_LEN: usize = 255;

/// A header extension's value.
pub trait Extension<'a>: Sized {
    /// Which extension it is of.
    const KIND: Kind;

    /// Reads an element's bytes. None where they are no such value: the extension is ignored, the packet is not.
    fn parse(bytes: &'a [u8]) -> Option<Self>;

    /// Appends the value, at most [`MAX_LEN`] bytes.
    fn write(&self, out: &mut Vec<u8>);
}

macro_rules! kinds {
    ($($(#[doc = $text:literal])+ $name:ident => $uri:literal,)*) => {
        /// The extensions that are known here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $text])+ $name,)*
        }

        impl Kind {
            /// Every extension there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in session descriptions (`a=extmap`).
            pub const fn uri(self) -> &'static str {
                match self {
                    $(Self::$name => $uri,)*
                }
            }

            /// Which one a session description names.
            pub fn from_uri(uri: &str) -> Option<Self> {
                match uri {
                    $($uri => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// How loud a sender's sound is (RFC 6464).
    AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    /// How loud each contributing source is in a mixer's sound (RFC 6465).
    MixedAudioLevels => "urn:ietf:params:rtp-hdrext:csrc-audio-level",
    /// Which section of the description a stream belongs to (RFC 8843 §15).
    Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
    /// Which encoding of its section a stream is (RFC 8852).
    RtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    /// Which encoding a stream repairs (RFC 8852).
    RepairedRtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    /// When a packet was sent, in 24 bits.
    AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    /// How much later than its timestamp a packet was sent (RFC 5450).
    TransmissionOffset => "urn:ietf:params:rtp-hdrext:toffset",
    /// A number that counts the packets of a whole transport.
    TransportSequenceNumber => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    /// The same, with feedback when the sender asks for it.
    TransportSequenceNumber2 => "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02",
    /// When a frame was captured, by the clock of whoever captured it.
    AbsCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    /// Between which delays a frame should be shown.
    PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    /// How a picture must be turned to stand upright.
    VideoOrientation => "urn:3gpp:video-orientation",
    /// Whether a picture is one of a screen.
    VideoContentType => "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    /// How long a frame took on its way through the sender.
    VideoTiming => "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
    /// What a picture's numbers mean as colours.
    ColorSpace => "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    /// What bitrate, size and frame rate each layer has.
    VideoLayersAllocation => "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
    /// What a frame depends on: see [`crate::dependency`].
    DependencyDescriptor => "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
}

impl Kind {
    /// Whether it says something of the media, for all who receive it, and not of the stream or the way of one leg: what
    /// a forwarder copies as it is.
    pub const fn is_of_media(self) -> bool {
        !matches!(
            self,
            Self::Mid
                | Self::RtpStreamId
                | Self::RepairedRtpStreamId
                | Self::TransportSequenceNumber
                | Self::TransportSequenceNumber2
                | Self::AbsSendTime
                | Self::TransmissionOffset
        )
    }
}

#[cfg(test)]
mod tests;
