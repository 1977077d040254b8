//! One room: who is in it, oldest first.

use std::time::{Duration, Instant};

use super::{
    inbound::{Kind, Policy, Role},
    limits::Limits,
    lock::Lock,
    names::{PeerId, RoomName},
    outbound::Mode,
};

/// The number of viewers is announced at most so often.
pub(super) const AUDIENCE_INTERVAL: Duration = Duration::from_secs(1);

/// What a room is found by. A lobby's matches have no name that a `join` could say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RoomKey {
    Named(RoomName),
    Match(u64),
}

/// Peers of one kind of conversation. Exists while it has a member, connected or away.
pub(super) struct Room {
    pub(super) kind: Kind,
    pub(super) lock: Option<Lock>,
    /// Oldest first.
    pub(super) members: Vec<Member>,
    /// A match made anew from the tokens of its two peers, after the server was restarted: the other may
    /// still come.
    pub(super) restored: bool,
    pub(super) audience: Audience,
    pub(super) topology: Route,
}

/// How media travels, and when that is to change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Route {
    pub(super) mode: Mode,
    pub(super) policy: Policy,
    /// When people send to each other again, if no more come until then.
    pub(super) mesh_at: Option<Instant>,
    /// When nobody needs a way through the server any more.
    pub(super) close_at: Option<Instant>,
}

/// A session in a room, with what decides who sees whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) peer: PeerId,
    pub(super) role: Option<Role>,
}

/// The announcement of how many watch.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) announced: usize,
    pub(super) last: Option<Instant>,
    pub(super) scheduled: bool,
}

impl Room {
    pub(super) fn new(kind: Kind, lock: Option<Lock>) -> Self {
        Self {
            kind,
            lock,
            members: Vec::new(),
            restored: false,
            audience: Audience::default(),
            topology: Route::default(),
        }
    }

    pub(super) fn capacity(&self, limits: &Limits) -> usize {
        capacity(self.kind, limits)
    }

    /// Whether one more with this role fits. In a live room one place is the streamer's.
    pub(super) fn has_place_for(&self, role: Option<Role>, limits: &Limits) -> bool {
        let reserved = usize::from(role == Some(Role::Viewer) && self.streamer().is_none());
        self.members.len() + reserved < self.capacity(limits)
    }

    pub(super) fn member(&self, peer: PeerId) -> Option<Member> {
        self.members.iter().copied().find(|member| member.peer == peer)
    }

    pub(super) fn streamer(&self) -> Option<PeerId> {
        self.members.iter().find(|member| member.role == Some(Role::Streamer)).map(|member| member.peer)
    }

    pub(super) fn viewers(&self) -> usize {
        self.members.iter().filter(|member| member.role == Some(Role::Viewer)).count()
    }

    /// Those whom `peer` sees and who see it, oldest first, without itself.
    pub(super) fn seen_by(&self, peer: PeerId) -> impl Iterator<Item = PeerId> + '_ {
        let own = self.member(peer);
        self.members
            .iter()
            .filter(move |other| other.peer != peer && own.is_some_and(|own| own.sees(other)))
            .map(|other| other.peer)
    }
}

impl Member {
    /// Viewers do not see each other.
    pub(super) fn sees(&self, other: &Self) -> bool {
        !(self.role == Some(Role::Viewer) && other.role == Some(Role::Viewer))
    }
}

/// How many peers fit into a room of this kind.
pub(super) fn capacity(kind: Kind, limits: &Limits) -> usize {
    match kind {
        Kind::Call => limits.call_capacity,
        Kind::Live => limits.live_capacity,
        Kind::Send => limits.send_capacity,
        Kind::Lobby => 2,
    }
}
