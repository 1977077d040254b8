//! What a peer connection tells its owner.

use std::net::SocketAddr;

use peer::{IceCandidateInit, IceGatheringState, PeerConnectionState, SignalingState, TransceiverId};

use crate::{CandidatePair, DataChannel, IceConnectionState};

/// Something happened (the events of W3C's `RTCPeerConnection` and of the transports under it).
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerEvent {
    /// An exchange of descriptions is needed: make an offer.
    NegotiationNeeded,
    /// Where the exchange of descriptions stands.
    SignalingState(SignalingState),
    /// A candidate of ours, to be told to the peer; none: that was all.
    IceCandidate(Option<IceCandidateInit>),
    /// A server could not be asked for candidates. Others may have been.
    IceCandidateError(IceCandidateError),
    /// This machine has other addresses than before; what they bring is told in candidates. Where the old path is gone
    /// with its address and the new ones do not take over by themselves, the state says so: then restart ICE.
    NetworkChange,
    /// How far gathering is.
    IceGatheringState(IceGatheringState),
    /// How far ICE is.
    IceConnectionState(IceConnectionState),
    /// Data goes this way from now on.
    SelectedCandidatePair(CandidatePair),
    /// How the connection is, all together.
    ConnectionState(PeerConnectionState),
    /// Why the connection has failed for good: not for lack of a path, which an ICE restart may mend, but because
    /// the peer at its other end could not be made sure of. The state says it, too.
    Failed(dtls::Failure),
    /// The peer opened a data channel.
    DataChannel(DataChannel),
    /// The peer will send a track, over this transceiver. Where that was not made here, its handle is to be had from
    /// [`take_transceivers`](crate::PeerConnection::take_transceivers).
    Track(TransceiverId),
    /// The peer will not send that track any more.
    TrackRemoved(TransceiverId),
    /// The peer cannot go on without a key frame of an encoding that we send: it says so, or asks for what is kept no more.
    KeyFrameRequested {
        /// Whose it is.
        transceiver: TransceiverId,
        /// Its place among the encodings.
        encoding: usize,
    },
    /// So much may be sent, over all that is sent: bits per second, headers included. Told when it changes.
    TargetBitrate(u64),
}

/// A server could not be asked for candidates (W3C's `RTCPeerConnectionIceErrorEvent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidateError {
    /// Where we asked from, as far as it got.
    pub address: Option<SocketAddr>,
    /// The server, as in the configuration.
    pub url: Box<str>,
    /// The code that the server answered; 701 where there was no answer.
    pub error_code: u16,
    /// What is wrong.
    pub error_text: Box<str>,
}
