//! What a room tells its driver, and what it is waiting for.

use crate::id::{ParticipantId, PublicationId, SubscriptionId};

/// What has come about. Events wait until they are taken: take all of them after each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A publication's sender is to be asked for a key frame (RFC 4585 §6.3.1, or RFC 5104 §3.5.1). What all receivers
    /// ask is one request; it comes at most every [`KEY_FRAME_PAUSE`](crate::limits::KEY_FRAME_PAUSE) for an encoding.
    RequestKeyFrame {
        /// Whose.
        publication: PublicationId,
        /// Of which encoding.
        encoding: usize,
    },
    /// Which encodings of a publication somebody watches; at first all are. The sender may switch off the others. What
    /// is watched again is told at once, what is not any more after [`UNWATCHED`](crate::limits::UNWATCHED).
    Wanted {
        /// Whose.
        publication: PublicationId,
        /// A bit for each, the lowest one's is the lowest.
        encodings: u8,
    },
    /// A subscription to video gets another layer from now on.
    Layer {
        /// Which.
        subscription: SubscriptionId,
        /// None: nothing of it is forwarded.
        layer: Option<Layer>,
        /// What keeps it from a better one.
        why: Why,
    },
    /// What all that a receiver wishes for would take: for its estimator, which may see whether there is so much.
    WantsBitrate {
        /// Who receives.
        participant: ParticipantId,
        /// Bits per second.
        bits_per_second: u64,
    },
    /// Somebody else speaks.
    Speaker {
        /// None: nobody does.
        participant: Option<ParticipantId>,
    },
}

/// What is forwarded of a publication of video: an encoding, and its layers up to these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layer {
    /// Which simulcast encoding; 0 is the lowest.
    pub encoding: usize,
    /// The highest spatial layer.
    pub spatial: u8,
    /// The highest temporal layer.
    pub temporal: u8,
}

/// What decides about a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The receiver wishes for no more.
    Wish,
    /// There is no room for more on the way to the receiver.
    Bandwidth,
    /// There is no more, or it does not come now, or is muted.
    Source,
}

/// What the next deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A key frame is due to be asked for.
    KeyFrame,
    /// Layers are chosen anew.
    Allocation,
}
