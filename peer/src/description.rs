//! Descriptions and candidates as signaling carries them (W3C webrtc-pc §4.6, §4.8.1).

use std::fmt;
use std::str::FromStr;

/// What a description is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SdpType {
    /// Proposes a session, or a change of it.
    Offer,
    /// Answers an offer for the time being.
    Pranswer,
    /// Answers an offer, and ends the exchange.
    Answer,
    /// Takes an offer back; its text counts for nothing.
    Rollback,
}

impl SdpType {
    /// Its name in JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No type of description has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSdpType;

impl fmt::Display for UnknownSdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a description's type is offer, pranswer, answer or rollback")
    }
}

impl std::error::Error for UnknownSdpType {}

impl FromStr for SdpType {
    type Err = UnknownSdpType;

    fn from_str(text: &str) -> Result<Self, UnknownSdpType> {
        Ok(match text {
            "offer" => Self::Offer,
            "pranswer" => Self::Pranswer,
            "answer" => Self::Answer,
            "rollback" => Self::Rollback,
            _ => return Err(UnknownSdpType),
        })
    }
}

/// `RTCSessionDescription`: a description as text, for signaling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionDescription {
    /// What it is for.
    pub kind: SdpType,
    /// SDP; empty for a rollback.
    pub sdp: String,
}

impl SessionDescription {
    /// An offer.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Offer, sdp: sdp.into() }
    }

    /// An answer.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Answer, sdp: sdp.into() }
    }

    /// What takes the pending offer back.
    pub fn rollback() -> Self {
        Self { kind: SdpType::Rollback, sdp: String::new() }
    }
}

/// `RTCIceCandidateInit`: a candidate as text, for signaling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IceCandidateInit {
    /// `candidate:…`, or empty where no more come.
    pub candidate: String,
    /// The section it belongs to, by name.
    pub sdp_mid: Option<String>,
    /// The section it belongs to, by its place.
    pub sdp_m_line_index: Option<u16>,
    /// The generation it belongs to.
    pub username_fragment: Option<String>,
}
