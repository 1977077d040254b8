//! What a peer connection tells its owner.

use peer::{IceCandidateInit, IceGatheringState, PeerConnectionState, SignalingState};

use crate::{DataChannel, IceConnectionState};

/// Something happened (the events of W3C's `RTCPeerConnection`).
#[derive(Debug)]
pub enum PeerEvent {
    /// An exchange of descriptions is needed: make an offer.
    NegotiationNeeded,
    /// Where the exchange of descriptions stands.
    SignalingState(SignalingState),
    /// A candidate of ours, to be told to the peer; none: that was all.
    IceCandidate(Option<IceCandidateInit>),
    /// How far gathering is.
    IceGatheringState(IceGatheringState),
    /// How far ICE is.
    IceConnectionState(IceConnectionState),
    /// How the connection is, all together.
    ConnectionState(PeerConnectionState),
    /// The peer opened a data channel.
    DataChannel(DataChannel),
}
