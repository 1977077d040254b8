//! What can be wrong with calls, under the names of W3C webrtc-pc (§4.4.1, §11.2).

use std::error::Error;
use std::fmt;

use crate::SignalingState;
use crate::description::SdpType;

/// Why a description was not taken, or not made. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescriptionError {
    /// `close` was called.
    Closed,
    /// This type of description does not belong into this state.
    WrongState {
        /// The description's type.
        kind: SdpType,
        /// Where the exchange stands.
        state: SignalingState,
    },
    /// An answer was asked for, and there is no offer.
    NoOffer(SignalingState),
    /// It is no session description.
    Syntax(sdp::ParseError),
    /// The description is not the one that was made here: change nothing in it.
    Modified,
    /// Sections are missing, or are not the ones of the other description.
    Sections(&'static str),
    /// A section that is not rejected says no ICE credentials, no fingerprint or no setup.
    Missing(&'static str),
    /// It asks for what this end cannot do.
    Unsupported(&'static str),
    /// The peer's `sctp-init` cannot be used (draft-hancke-tsvwg-snap §5.3, §5.6).
    SctpInit(sctp::BadInit),
    /// As many sections as are taken at most.
    TooManySections,
}

impl DescriptionError {
    /// The name of the exception in JavaScript.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed | Self::WrongState { .. } | Self::NoOffer(_) => "InvalidStateError",
            Self::Modified => "InvalidModificationError",
            Self::Syntax(_) => "RTCError (sdp-syntax-error)",
            Self::Sections(_) | Self::Missing(_) => "InvalidAccessError",
            Self::Unsupported(_) | Self::SctpInit(_) | Self::TooManySections => "OperationError",
        }
    }
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer connection is closed"),
            Self::WrongState { kind, state } => {
                write!(
                    f,
                    "{} {kind} does not belong into the state {state}",
                    if *kind == SdpType::Rollback { "a" } else { "an" }
                )
            }
            Self::NoOffer(state) => write!(f, "there is no offer to answer in the state {state}"),
            Self::Syntax(error) => error.fmt(f),
            Self::Modified => f.write_str("the description is not the one that was made here"),
            Self::Sections(why) => write!(f, "the sections do not match: {why}"),
            Self::Missing(what) => write!(f, "a section that is not rejected says no {what}"),
            Self::SctpInit(why) => why.fmt(f),
            Self::Unsupported(what) => write!(f, "not supported: {what}"),
            Self::TooManySections => {
                write!(f, "a description has at most {} sections", crate::limits::SECTIONS)
            }
        }
    }
}

impl Error for DescriptionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Syntax(error) => Some(error),
            Self::SctpInit(why) => Some(why),
            _ => None,
        }
    }
}

impl From<sdp::ParseError> for DescriptionError {
    fn from(error: sdp::ParseError) -> Self {
        Self::Syntax(error)
    }
}

/// Why a candidate was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandidateError {
    /// `close` was called.
    Closed,
    /// There is no remote description to which it could belong.
    NoRemoteDescription,
    /// It says neither `sdp_mid` nor `sdp_m_line_index`.
    NoSection,
    /// There is no such section.
    UnknownSection,
    /// It is no candidate.
    Syntax(ice::ParseError),
    /// It belongs to no generation that is known.
    UnknownGeneration,
    /// As many as are kept for an answer that has not been given yet.
    TooMany,
}

impl CandidateError {
    /// The name of the exception in JavaScript.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed | Self::NoRemoteDescription => "InvalidStateError",
            Self::NoSection => "TypeError",
            Self::UnknownSection | Self::Syntax(_) | Self::UnknownGeneration | Self::TooMany => {
                "OperationError"
            }
        }
    }
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the peer connection is closed",
            Self::NoRemoteDescription => "a candidate came before the remote description: set that first",
            Self::NoSection => "a candidate must say sdp_mid or sdp_m_line_index",
            Self::UnknownSection => "the candidate's section is not in the remote description",
            Self::Syntax(error) => return error.fmt(f),
            Self::UnknownGeneration => "the candidate belongs to credentials that are in no description",
            Self::TooMany => "too many candidates came before the answer",
        })
    }
}

impl Error for CandidateError {}

/// Why a packet of media is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The connection is not secured yet, or not any more.
    NotConnected,
    /// The transceiver does not send, or has no such encoding.
    NotSending,
    /// The payload type is none that was agreed on.
    PayloadType,
    /// Its number is taken, or far behind the last one.
    TooLate,
    /// Too many packets wait: leave the rest of the frame out, and go on with a key frame.
    Full,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "nothing can be sent: wait until the connection is connected",
            Self::NotSending => "the transceiver does not send that: both ends must have agreed on it",
            Self::PayloadType => "the payload type was not agreed on: take one from the agreement's codecs",
            Self::TooLate => "the packet's number was sent before, or is far behind the last one",
            Self::Full => "too many packets wait: drop the frame and go on with a key frame",
        })
    }
}

impl Error for SendError {}
