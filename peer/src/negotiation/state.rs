//! Where the exchange of descriptions stands (RFC 9429 §3.2, W3C webrtc-pc §4.3.1).

use std::fmt;

use crate::description::SdpType;

/// `RTCSignalingState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalingState {
    /// No exchange is under way.
    #[default]
    Stable,
    /// Ours is offered.
    HaveLocalOffer,
    /// The peer's is offered.
    HaveRemoteOffer,
    /// The peer's is offered, and answered for the time being.
    HaveLocalPranswer,
    /// Ours is offered, and answered for the time being.
    HaveRemotePranswer,
    /// The peer connection is closed.
    Closed,
}

/// Whose description it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Ours,
    Theirs,
}

impl SignalingState {
    /// Its name in JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::HaveLocalOffer => "have-local-offer",
            Self::HaveRemoteOffer => "have-remote-offer",
            Self::HaveLocalPranswer => "have-local-pranswer",
            Self::HaveRemotePranswer => "have-remote-pranswer",
            Self::Closed => "closed",
        }
    }

    /// The state that a description leads to; none where it does not belong.
    pub(crate) fn after(self, whose: Whose, kind: SdpType) -> Option<Self> {
        use SdpType::{Answer, Offer, Pranswer, Rollback};
        use Whose::{Ours, Theirs};
        Some(match (self, whose, kind) {
            (Self::Stable | Self::HaveLocalOffer, Ours, Offer) => Self::HaveLocalOffer,
            (Self::Stable | Self::HaveRemoteOffer, Theirs, Offer) => Self::HaveRemoteOffer,
            (Self::HaveRemoteOffer | Self::HaveLocalPranswer, Ours, Pranswer) => Self::HaveLocalPranswer,
            (Self::HaveRemoteOffer | Self::HaveLocalPranswer, Ours, Answer)
            | (Self::HaveLocalOffer | Self::HaveRemotePranswer, Theirs, Answer)
            | (Self::HaveLocalOffer | Self::HaveRemotePranswer, Ours, Rollback)
            | (Self::HaveRemoteOffer | Self::HaveLocalPranswer, Theirs, Rollback) => Self::Stable,
            (Self::HaveLocalOffer | Self::HaveRemotePranswer, Theirs, Pranswer) => Self::HaveRemotePranswer,
            _ => return None,
        })
    }
}

impl fmt::Display for SignalingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glare_is_no_transition_but_a_rollback_away() {
        let state = SignalingState::HaveLocalOffer;
        assert_eq!(state.after(Whose::Theirs, SdpType::Offer), None);
        assert_eq!(state.after(Whose::Ours, SdpType::Rollback), Some(SignalingState::Stable));
        assert_eq!(SignalingState::Stable.after(Whose::Ours, SdpType::Rollback), None);
        assert_eq!(SignalingState::Stable.after(Whose::Theirs, SdpType::Answer), None);
        for kind in [SdpType::Offer, SdpType::Answer, SdpType::Pranswer, SdpType::Rollback] {
            assert_eq!(SignalingState::Closed.after(Whose::Ours, kind), None);
        }
    }
}
