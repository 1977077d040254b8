//! What this end can send and receive (W3C webrtc-pc §5.2 `getCapabilities`, RFC 8834, RFC 7742, RFC 7874).

use rtp::extension::Kind;
use sdp::attribute::Feedback;

use super::codec::{Codec, MediaKind};

/// A codec that is offered and taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecCapability {
    /// The codec.
    pub codec: Codec,
    /// The payload type that is offered for it, unless the peer has given that another meaning.
    pub payload_type: u8,
    /// The payload type for its retransmissions, where it has some (RFC 4588).
    pub retransmission: Option<u8>,
    /// The feedback about it.
    pub feedback: Vec<Feedback>,
}

/// A header extension that is offered and taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionCapability {
    /// Which one.
    pub kind: Kind,
    /// Its number, 1 to 14 in short headers, unless the peer has given that another meaning.
    pub id: u8,
}

/// All that this end can do, in order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaCapabilities {
    /// Codecs of sound.
    pub audio: Vec<CodecCapability>,
    /// Codecs of pictures.
    pub video: Vec<CodecCapability>,
    /// Header extensions of sound.
    pub audio_extensions: Vec<ExtensionCapability>,
    /// Header extensions of pictures.
    pub video_extensions: Vec<ExtensionCapability>,
    /// Whether arrivals are told stream by stream (RFC 8888), where the peer can do that, too; else transport-wide.
    pub congestion_feedback: bool,
    /// Whether header extensions are encrypted (RFC 9335), where the peer can do that, too.
    pub cryptex: bool,
}

const AUDIO_EXTENSIONS: &[Kind] =
    &[Kind::Mid, Kind::TransportSequenceNumber, Kind::AbsSendTime, Kind::AbsCaptureTime, Kind::AudioLevel];

const VIDEO_EXTENSIONS: &[Kind] = &[
    Kind::Mid,
    Kind::TransportSequenceNumber,
    Kind::AbsSendTime,
    Kind::AbsCaptureTime,
    Kind::RtpStreamId,
    Kind::RepairedRtpStreamId,
    Kind::VideoOrientation,
    Kind::PlayoutDelay,
    Kind::ColorSpace,
    Kind::VideoLayersAllocation,
    Kind::DependencyDescriptor,
];

impl MediaCapabilities {
    /// The capabilities for a kind.
    pub fn codecs(&self, kind: MediaKind) -> &[CodecCapability] {
        match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        }
    }

    /// The header extensions for a kind.
    pub fn extensions(&self, kind: MediaKind) -> &[ExtensionCapability] {
        match kind {
            MediaKind::Audio => &self.audio_extensions,
            MediaKind::Video => &self.video_extensions,
        }
    }
}

/// All codecs that browsers have, as far as packets of them can be read and made here.
impl Default for MediaCapabilities {
    fn default() -> Self {
        let audio = |codec, payload_type, feedback: &[Feedback]| CodecCapability {
            codec,
            payload_type,
            retransmission: None,
            feedback: feedback.to_vec(),
        };
        let sound = |name, clock_rate, payload_type| {
            audio(Codec::audio(name, clock_rate, 1, ""), payload_type, &[Feedback::TransportCc])
        };
        let opus = Codec::audio("opus", 48_000, 2, "minptime=10;useinbandfec=1");
        let tones = |clock_rate, payload_type| {
            audio(Codec::audio("telephone-event", clock_rate, 1, "0-15"), payload_type, &[])
        };
        let video = |name: &str, parameters: &str, payload_type: u8| CodecCapability {
            codec: Codec::video(name, parameters),
            payload_type,
            retransmission: Some(payload_type + 1),
            feedback: vec![
                Feedback::GoogRemb,
                Feedback::TransportCc,
                Feedback::CcmFir,
                Feedback::Nack,
                Feedback::NackPli,
            ],
        };
        let h264 = |profile: &str, mode: u8, payload_type| {
            let parameters =
                format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}");
            video("H264", &parameters, payload_type)
        };
        // The same number for sound as for pictures, as they share a transport (RFC 9143 §7.4).
        let mut numbers: Vec<Kind> = Vec::new();
        let mut extensions = |all: &[Kind]| -> Vec<ExtensionCapability> {
            let number = |kind: &Kind| {
                let known = numbers.iter().position(|known| known == kind);
                let place = known.unwrap_or_else(|| {
                    numbers.push(*kind);
                    numbers.len() - 1
                });
                ExtensionCapability { kind: *kind, id: place as u8 + 1 }
            };
            all.iter().map(number).collect()
        };
        Self {
            audio: vec![
                audio(opus, 111, &[Feedback::TransportCc]),
                audio(Codec::audio("red", 48_000, 2, "111/111"), 63, &[]),
                sound("G722", 8_000, 9),
                sound("PCMU", 8_000, 0),
                sound("PCMA", 8_000, 8),
                tones(48_000, 110),
                tones(8_000, 126),
            ],
            video: vec![
                video("VP8", "", 96),
                video("VP9", "profile-id=0", 98),
                video("VP9", "profile-id=2", 100),
                h264("42e01f", 1, 102),
                h264("42e01f", 0, 104),
                h264("42001f", 1, 106),
                // What an offer means that says nothing of it (RFC 6184 §8.1).
                h264("42001f", 0, 108),
                h264("4d001f", 1, 112),
                h264("64001f", 1, 116),
                video("AV1", "level-idx=5;profile=0;tier=0", 45),
                video("H265", "level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST", 49),
            ],
            audio_extensions: extensions(AUDIO_EXTENSIONS),
            video_extensions: extensions(VIDEO_EXTENSIONS),
            congestion_feedback: true,
            cryptex: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_means_two_things() {
        let all = MediaCapabilities::default();
        let mut numbers: Vec<u8> = all
            .audio
            .iter()
            .chain(&all.video)
            .flat_map(|codec| [Some(codec.payload_type), codec.retransmission])
            .flatten()
            .collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
        // RFC 5761 §4: 64 to 95 look like RTCP.
        assert!(numbers.iter().all(|number| !(64..96).contains(number) && *number < 128));
        let mut extensions: Vec<_> = all.audio_extensions.iter().chain(&all.video_extensions).collect();
        extensions.sort_by_key(|extension| extension.id);
        extensions.dedup();
        assert!(extensions.windows(2).all(|two| two[0].id < two[1].id && two[1].id < 15));
    }
}
