//! What signaling and the media workers say to each other about rooms that are forwarded in.
//!
//! No message format and no socket: whoever speaks another protocol with its clients says the same words. A room has
//! participants; each of them has legs (peer connections), by which it publishes and watches. A publication is a track that
//! somebody sends into the room; a slot is a section by which a leg gets whatever publication its participant wishes for.

use std::sync::Arc;

/// A room on the media workers. Rooms of different kinds have names of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) enum RoomKey {
    /// People call each other.
    Call(Arc<str>),
    /// One streams, others watch: over signaling, WHIP and WHEP.
    Live(Arc<str>),
}

/// Somebody in a room, by a number of signaling's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Member(pub(crate) u64);

/// A peer connection of a member's, by the member's own word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LegName {
    pub(crate) room: RoomKey,
    pub(crate) member: Member,
    pub(crate) connection: Arc<str>,
}

/// What a publication is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Source {
    Microphone,
    Camera,
    Screen,
    /// What a screen's programs play.
    Sound,
}

/// What signaling asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A member's offer: answered by [`Notice::Answer`] or [`Notice::Refused`]. A connection that is not known yet takes
    /// the place of the member's other one.
    Offer(Box<Offer>),
    /// All that a leg wishes for; what is not named gets nothing. Answered only where something of it cannot be.
    Watch { leg: LegName, request: Option<u64>, slots: Vec<SlotWish> },
    /// A leg is not needed any more.
    Close { leg: LegName },
    /// A member is gone, with all its legs.
    Leave { room: RoomKey, member: Member },
}

/// A description, and what its sections are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) leg: LegName,
    /// What the answer is to repeat.
    pub(crate) request: Option<u64>,
    pub(crate) sdp: String,
    /// What comes by which section.
    pub(crate) publish: Vec<(Box<str>, Source)>,
    /// Sections that receive and are played in step: what they get belongs together.
    pub(crate) seats: Vec<Vec<Box<str>>>,
    pub(crate) may_publish: bool,
    /// Only who knows a password, or was invited, is let into the room.
    pub(crate) is_locked: bool,
}

/// What one slot of a leg is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotWish {
    /// The slot's section.
    pub(crate) mid: Box<str>,
    /// None: nothing.
    pub(crate) publication: Option<Box<str>>,
    /// How large it is shown, width and height in pixels; none: as good as it comes.
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) paused: bool,
    pub(crate) priority: u8,
}

/// What the media workers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An offer's answer.
    Answer { leg: LegName, request: Option<u64>, sdp: String },
    /// A request was not carried out, or not all of it.
    Refused { leg: LegName, request: Option<u64>, problem: Problem, why: String },
    /// All that is sent into a room, oldest first: after each answer, and when it changes.
    Publications { room: RoomKey, publications: Vec<Publication> },
    /// Which encodings of what a leg sends are watched: for each section, the lowest first.
    Wanted { leg: LegName, encodings: Vec<(Box<str>, Vec<bool>)> },
    /// What slots get from now on: those that get something else than before.
    Layers {
        leg: LegName,
        slots: Vec<SlotLayer>,
        /// What the way to the leg carries, in bits per second; none: unknown.
        estimate: Option<u64>,
    },
    /// Somebody else speaks; none: nobody, or nobody that signaling knows.
    Speaker { room: RoomKey, member: Option<Member> },
    /// A leg is over, on the worker's side.
    Closed { leg: LegName, reason: Ending },
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The offer cannot be used.
    Offer,
    /// The receiver has not the publication's codec.
    Codec,
    /// There is no such publication.
    Publication,
    /// The leg has no such slot, or there is no such leg.
    Slot,
    /// There is too much to do, or as much as there may be.
    Busy,
}

/// Why a leg is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// There is no path any more, or there never was.
    Failed,
    /// Another leg of the member's has taken its place.
    Replaced,
    /// The worker began anew.
    Restart,
}

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) id: Box<str>,
    /// None: of somebody whom signaling does not know.
    pub(crate) member: Option<Member>,
    pub(crate) source: Source,
    pub(crate) is_audio: bool,
    /// As descriptions name it.
    pub(crate) codec: Box<str>,
}

/// What a slot gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotLayer {
    pub(crate) mid: Box<str>,
    pub(crate) publication: Option<Box<str>>,
    /// None: nothing.
    pub(crate) layer: Option<Layer>,
    /// What it takes, in bits per second by the last measure.
    pub(crate) bitrate: Option<u64>,
    pub(crate) why: Why,
}

/// What is forwarded of a publication of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Which simulcast encoding; 0 is the lowest.
    pub(crate) encoding: usize,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

/// What keeps a slot from more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No more is wished for.
    Wish,
    /// No more fits the way to the receiver.
    Bandwidth,
    /// There is no more.
    Source,
}
