//! Codecs, and when two descriptions of one mean the same (W3C webrtc-pc §5.3.3, "RTCRtpCodec").

use std::fmt;

/// Sound or pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl MediaKind {
    /// Its name in descriptions and in JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// What a section is of; none where it is of something else.
    pub(crate) fn of(media: &sdp::Media) -> Option<Self> {
        match media.kind {
            sdp::MediaKind::Audio if media.protocol.is_rtp() => Some(Self::Audio),
            sdp::MediaKind::Video if media.protocol.is_rtp() => Some(Self::Video),
            _ => None,
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A codec with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Codec {
    /// Its name, without `audio/` or `video/`; case does not matter.
    pub name: Box<str>,
    /// Ticks of its clock per second.
    pub clock_rate: u32,
    /// Channels of sound; 1 for pictures.
    pub channels: u8,
    /// `sdpFmtpLine`: `name=value;name=value`; may be empty.
    pub parameters: Box<str>,
}

impl Codec {
    /// A codec of pictures: all have a clock of 90 kHz.
    pub fn video(name: &str, parameters: &str) -> Self {
        Self { name: name.into(), clock_rate: 90_000, channels: 1, parameters: parameters.into() }
    }

    /// A codec of sound.
    pub fn audio(name: &str, clock_rate: u32, channels: u8, parameters: &str) -> Self {
        Self { name: name.into(), clock_rate, channels, parameters: parameters.into() }
    }

    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
        all.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether it only goes with another codec: no media can do with it alone.
    pub fn is_auxiliary(&self) -> bool {
        ["rtx", "red", "ulpfec", "flexfec-03", "telephone-event", "CN"].iter().any(|name| self.is(name))
    }

    /// Whether what one end sends as this codec is what the other means by `other`: the same name, clock and channels,
    /// and the parameters that make another format of it.
    pub fn matches(&self, other: &Self) -> bool {
        let same = |parameter, default: &str| {
            let of = |codec: &Self| codec.parameter(parameter).unwrap_or(default).to_ascii_lowercase();
            of(self) == of(other)
        };
        self.is(&other.name)
            && self.clock_rate == other.clock_rate
            && self.channels == other.channels
            && match self.name.to_ascii_lowercase().as_str() {
                // RFC 6184 §8.2.2: the level may differ, the profile and the mode may not.
                "h264" => same("packetization-mode", "0") && self.h264_profile() == other.h264_profile(),
                // RFC 9628 §6.3.
                "vp9" => same("profile-id", "0"),
                // The AV1 RTP specification §7.3.
                "av1" => same("profile", "0") && same("tier", "0"),
                // RFC 7798 §7.2.2.
                "h265" => same("profile-id", "1") && same("tier-flag", "0") && same("tx-mode", "SRST"),
                _ => true,
            }
    }

    /// Whether whoever has agreed to receive `other` can take what is sent as this codec: where they match; and H.264 of single
    /// NAL units (mode 0, which it is where nothing is said: RFC 6184 §8.1) goes to a receiver of mode 1, which has such packets
    /// among others (§6.3). Not the other way round.
    pub fn goes_to(&self, other: &Self) -> bool {
        let is_mode_0 = self.is("H264") && self.parameter("packetization-mode").unwrap_or("0") == "0";
        self.matches(other)
            || is_mode_0
                && other.is("H264")
                && other.parameter("packetization-mode") == Some("1")
                && self.clock_rate == other.clock_rate
                && self.h264_profile() == other.h264_profile()
    }

    /// RFC 6184 §8.1, table 5.
    fn h264_profile(&self) -> H264Profile {
        let text = self.parameter("profile-level-id").unwrap_or("42000a");
        let number = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 6).unwrap_or(0);
        let [_, profile, constraints, _] = number.to_be_bytes();
        match (profile, constraints) {
            (0x42, set) if set & 0x4F == 0x40 => H264Profile::ConstrainedBaseline,
            (0x4D, set) if set & 0x8F == 0x80 => H264Profile::ConstrainedBaseline,
            (0x58, set) if set & 0xCF == 0xC0 => H264Profile::ConstrainedBaseline,
            (0x42, set) if set & 0x4F == 0x00 => H264Profile::Baseline,
            (0x58, set) if set & 0xCF == 0x80 => H264Profile::Baseline,
            (0x4D, set) if set & 0xAF == 0x00 => H264Profile::Main,
            (0x64, 0x00) => H264Profile::High,
            (0x64, 0x0C) => H264Profile::ConstrainedHigh,
            _ => H264Profile::Other(profile, constraints),
        }
    }
}

#[derive(PartialEq, Eq)]
enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
    Other(u8, u8),
}

impl From<&sdp::Codec<'_>> for Codec {
    fn from(codec: &sdp::Codec<'_>) -> Self {
        let parameters: Vec<&str> = codec.fmtps.iter().map(|fmtp| fmtp.parameters.as_str()).collect();
        Self {
            name: codec.name.into(),
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            parameters: parameters.join(";").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(parameters: &str) -> Codec {
        Codec::video("H264", parameters)
    }

    #[test]
    fn profiles_of_h264_are_compared_not_levels() {
        let ours = h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
        for same in
            ["packetization-mode=1;profile-level-id=42C034", "PROFILE-LEVEL-ID=4d801f; packetization-mode=1"]
        {
            assert!(ours.matches(&h264(same)), "{same}");
        }
        for other in [
            "packetization-mode=0;profile-level-id=42e01f",
            "packetization-mode=1;profile-level-id=42001f",
            "packetization-mode=1;profile-level-id=64001f",
            "packetization-mode=1",
            "packetization-mode=1;profile-level-id=zz",
        ] {
            assert!(!ours.matches(&h264(other)), "{other}");
        }
    }

    #[test]
    fn single_nal_units_go_to_whoever_takes_more_than_those() {
        let mode = |mode: &str| h264(&format!("packetization-mode={mode};profile-level-id=42e01f"));
        assert!(mode("0").goes_to(&mode("1")) && mode("0").goes_to(&mode("0")));
        assert!(h264("profile-level-id=42e01f").goes_to(&mode("1")), "mode 0 is what is not said");
        assert!(!mode("1").goes_to(&mode("0")));
        assert!(!mode("0").goes_to(&h264("packetization-mode=1;profile-level-id=64001f")));
        assert!(!mode("0").goes_to(&Codec::video("VP8", "packetization-mode=1")));
        // Nothing said at all: Baseline (RFC 6184 §8.1).
        assert!(h264("").goes_to(&h264("packetization-mode=1;profile-level-id=42001f")));
    }

    #[test]
    fn parameters_that_only_tell_do_not_make_another_codec() {
        let opus = Codec::audio("opus", 48_000, 2, "minptime=10;useinbandfec=1");
        assert!(opus.matches(&Codec::audio("OPUS", 48_000, 2, "")));
        assert!(!opus.matches(&Codec::audio("opus", 48_000, 1, "")));
        assert!(Codec::video("VP9", "").matches(&Codec::video("VP9", "profile-id=0")));
        assert!(!Codec::video("VP9", "").matches(&Codec::video("VP9", "profile-id=2")));
    }
}
