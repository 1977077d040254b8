//! What handles ask of the driver, and what they see of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use peer::{
    CandidateError, ChannelError, DescriptionError, IceCandidateInit, PeerConnectionState,
    SessionDescription, SignalingState, StatsReport,
};
use tokio::sync::oneshot;

use crate::bell::Bell;
use crate::{CandidatePair, DataChannel, DataChannelOptions, IceConnectionState};

/// What handles ask.
#[derive(Debug)]
pub(crate) enum Command {
    CreateOffer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    CreateAnswer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetLocal(Option<SessionDescription>, oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetRemote(SessionDescription, oneshot::Sender<Result<(), DescriptionError>>),
    AddCandidate(Option<IceCandidateInit>, oneshot::Sender<Result<(), CandidateError>>),
    LocalDescription(oneshot::Sender<Option<SessionDescription>>),
    Stats(oneshot::Sender<StatsReport>),
    CreateChannel {
        label: String,
        options: DataChannelOptions,
        reply: oneshot::Sender<Result<DataChannel, ChannelError>>,
    },
}

/// A wish to restart ICE: it waits for nothing, and any number of them is one.
#[derive(Debug, Default)]
pub(crate) struct Restart {
    is_wanted: AtomicBool,
    wanted: Bell,
}

impl Restart {
    pub(crate) fn want(&self) {
        self.is_wanted.store(true, Ordering::SeqCst);
        self.wanted.ring();
    }

    pub(super) fn poll_wanted(&self, context: &Context<'_>) -> bool {
        self.wanted.poll(context, || self.is_wanted.swap(false, Ordering::SeqCst).then_some(())).is_ready()
    }
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
