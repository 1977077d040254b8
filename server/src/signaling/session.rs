//! One person in one room, connected or away.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{
    hub::ConnectionId,
    inbound::{Kind, Role},
    names::{DisplayName, PeerId, RoomName},
    outbound::Peer,
    outbox::Outbox,
    room::RoomKey,
};

/// A peer's session. It outlives its connection by the grace time.
pub(super) struct Session {
    /// Which of this peer id's sessions.
    pub(super) generation: u64,
    /// The room, or the lobby, that was joined.
    pub(super) home: RoomName,
    pub(super) kind: Kind,
    pub(super) role: Option<Role>,
    pub(super) name: DisplayName,
    pub(super) presence: Option<Box<RawValue>>,
    pub(super) place: Place,
    pub(super) link: Link,
    /// Whether the first `joined` was sent: from then on both sides count.
    pub(super) started: bool,
    /// How many counted messages of the client were processed.
    pub(super) handled: u64,
    pub(super) outbox: Outbox,
    /// The partner of the last match: not to be met again while others wait.
    pub(super) last_partner: Option<PeerId>,
    /// What it has on the media workers, once it has offered.
    pub(super) media: Option<Media>,
}

/// A session's media, as far as signaling knows them.
#[derive(Debug, Default)]
pub(super) struct Media {
    /// The connection that was answered last, by the client's word.
    pub(super) connection: Option<Arc<str>>,
    /// What it was told of the room's publications.
    pub(super) publications: Option<Bytes>,
}

/// Where a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a lobby's queue (or about to be, once its connection is back).
    Waiting,
    Room(RoomKey),
}

/// How a session is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Connected(ConnectionId),
    Away { until: Instant },
}

impl Session {
    pub(super) fn room(&self) -> Option<&RoomKey> {
        match &self.place {
            Place::Room(room) => Some(room),
            Place::Waiting => None,
        }
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self.link {
            Link::Connected(connection) => Some(connection),
            Link::Away { .. } => None,
        }
    }

    pub(super) fn as_peer(&self, id: PeerId) -> Peer<'_> {
        Peer { id, name: &self.name, role: self.role, presence: self.presence.as_deref() }
    }
}
