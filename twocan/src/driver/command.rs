//! What handles ask of the driver, and what they see of it.

use peer::{
    BadTransceiver, CandidateError, ChannelError, DescriptionError, IceCandidateInit, MediaKind,
    PeerConnectionState, SenderClock, SessionDescription, SignalingState, StatsReport, TransceiverId,
    TransceiverInit,
};
use tokio::sync::oneshot;

use crate::media::Change;
use crate::{CandidatePair, DataChannel, DataChannelOptions, IceConnectionState, Transceiver};

/// What handles ask, in this order. Whoever asks waits for the answer (restarts apart), so that few of them wait here.
#[derive(Debug)]
pub(crate) enum Command {
    CreateOffer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    CreateAnswer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetLocal(Option<SessionDescription>, oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetRemote(SessionDescription, oneshot::Sender<Result<(), DescriptionError>>),
    AddCandidate(Option<IceCandidateInit>, oneshot::Sender<Result<(), CandidateError>>),
    LocalDescription(oneshot::Sender<Option<SessionDescription>>),
    Stats(oneshot::Sender<StatsReport>),
    RestartIce,
    CreateChannel {
        label: String,
        options: DataChannelOptions,
        reply: oneshot::Sender<Result<DataChannel, ChannelError>>,
    },
    AddTransceiver {
        kind: MediaKind,
        init: TransceiverInit,
        reply: oneshot::Sender<Result<Transceiver, BadTransceiver>>,
    },
    AddTrack {
        kind: MediaKind,
        track: String,
        streams: Vec<String>,
        reply: oneshot::Sender<Result<Option<Transceiver>, BadTransceiver>>,
    },
    /// Those that the peer's descriptions have made, and that nobody has taken.
    TakeTransceivers(oneshot::Sender<Vec<Transceiver>>),
    Change(Change, oneshot::Sender<Result<(), BadTransceiver>>),
    RequestKeyFrame(TransceiverId, usize, oneshot::Sender<bool>),
    SenderClock(TransceiverId, usize, oneshot::Sender<Option<SenderClock>>),
    WantBitrate(u64),
}

/// What getters see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) signaling: SignalingState,
    pub(crate) ice: IceConnectionState,
    pub(crate) connection: PeerConnectionState,
    pub(crate) selected: Option<CandidatePair>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            signaling: SignalingState::Stable,
            ice: IceConnectionState::New,
            connection: PeerConnectionState::New,
            selected: None,
        }
    }
}
