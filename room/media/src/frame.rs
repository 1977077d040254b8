//! What containers hold: tracks, and frames of them.

use std::time::Duration;

use bytes::Bytes;
use rtp::codec::Codec;

use crate::stream;

/// One medium of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// What it is encoded with.
    pub codec: Codec,
    /// Width and height in pixels, where they are known.
    pub size: Option<(u32, u32)>,
    /// Channels of sound.
    pub channels: u8,
    /// What a decoder needs before the first frame, as it stands in key frames too: NAL units with start codes for H.264
    /// and H.265, the sequence header's OBU for AV1. Empty for others.
    pub parameters: Bytes,
    /// Whether pictures are shown in another order than they are decoded in. WebRTC has no place for that.
    pub reorders: bool,
}

impl Track {
    /// Of a codec, and nothing more known.
    pub fn new(codec: Codec) -> Self {
        let channels = u8::from(codec.is_audio()) + u8::from(codec == Codec::Opus);
        Self { codec, size: None, channels, parameters: Bytes::new(), reorders: false }
    }

    /// As its first frame describes it, which should be a key frame.
    pub fn of_frame(codec: Codec, frame: &[u8]) -> Self {
        Self {
            size: stream::size(codec, frame),
            parameters: stream::parameters(codec, frame).into(),
            ..Self::new(codec)
        }
    }
}

/// A frame of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its place among the tracks.
    pub track: usize,
    /// When it is shown, or heard, since the beginning.
    pub time: Duration,
    /// Whether it depends on no other.
    pub key: bool,
    /// As the codec's libraries give it: NAL units with start codes for H.264 and H.265, OBUs with sizes for AV1.
    pub bytes: Bytes,
}
