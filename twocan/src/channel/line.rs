//! What a channel's handles and its driver both see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use peer::{ChannelId, Kind};

use super::Returned;
use crate::DataChannelState;
use crate::bell::Bell;
use crate::queue::Sender;
use crate::room::Room;

/// What handles have the driver do, in this order.
#[derive(Debug)]
pub(crate) enum Job {
    /// Room was taken for it.
    Send {
        channel: ChannelId,
        kind: Kind,
        message: Bytes,
    },
    Close(ChannelId),
}

impl Job {
    pub(crate) fn channel(&self) -> ChannelId {
        match self {
            Self::Send { channel, .. } | Self::Close(channel) => *channel,
        }
    }
}

/// What all channels of a connection share.
#[derive(Debug)]
pub(crate) struct Trunk {
    pub(crate) jobs: Sender<Job>,
    /// The longest message that the peer takes.
    pub(crate) longest: AtomicU64,
    pub(crate) returned: Arc<Returned>,
}

/// A data channel, as both sides see it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) id: ChannelId,
    pub(crate) label: Box<str>,
    pub(crate) protocol: Box<str>,
    pub(crate) stream: AtomicUsize,
    pub(crate) ordered: bool,
    pub(crate) trunk: Arc<Trunk>,
    pub(crate) room: Room,
    state: AtomicU8,
    /// Bytes that the application has queued, ever.
    pub(crate) queued: AtomicU64,
    /// How many of them have left, or never will.
    pub(crate) left: AtomicU64,
    pub(crate) threshold: AtomicUsize,
    /// State or amount have changed.
    pub(crate) changed: Bell,
}

/// No stream yet.
pub(crate) const NO_STREAM: usize = usize::MAX;

impl Line {
    pub(crate) fn new(id: ChannelId, channel: &peer::Channel, trunk: Arc<Trunk>) -> Self {
        let line = Self {
            id,
            label: channel.label().into(),
            protocol: channel.protocol().into(),
            stream: AtomicUsize::new(channel.stream().map_or(NO_STREAM, usize::from)),
            ordered: channel.options().ordered,
            trunk,
            room: Room::default(),
            state: AtomicU8::new(0),
            queued: AtomicU64::new(0),
            left: AtomicU64::new(0),
            threshold: AtomicUsize::new(0),
            changed: Bell::default(),
        };
        line.set_state(Some(channel.state()));
        line
    }

    pub(crate) fn set_state(&self, state: Option<DataChannelState>) {
        let number = match state {
            Some(DataChannelState::Connecting) => 0,
            Some(DataChannelState::Open) => 1,
            Some(DataChannelState::Closing) => 2,
            None => 3,
        };
        self.state.store(number, Ordering::SeqCst);
        self.changed.ring();
    }

    pub(crate) fn state(&self) -> Option<DataChannelState> {
        match self.state.load(Ordering::SeqCst) {
            0 => Some(DataChannelState::Connecting),
            1 => Some(DataChannelState::Open),
            2 => Some(DataChannelState::Closing),
            _ => None,
        }
    }

    pub(crate) fn buffered_amount(&self) -> u64 {
        // What has left was queued before: read in this order, the difference is never negative.
        let left = self.left.load(Ordering::SeqCst);
        self.queued.load(Ordering::SeqCst).saturating_sub(left)
    }
}
