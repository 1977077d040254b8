//! How media travels in a room: from each to each, or through the media workers.

use std::time::Duration;

use crate::signaling::{
    error::{ErrorCode, Refusal},
    inbound::{Kind, Policy, Role},
    names::PeerId,
    outbound::{CloseReason, Message, Mode, Topology},
    room::{Room, RoomKey, Route},
    time::Now,
};

use super::{ConnectionId, Hub, timers::Timer};

/// So long there must have been few people before they send to each other again.
const CALM: Duration = Duration::from_secs(10);

/// What a choice costs, in messages: everybody in the room has much to do for it.
const CHOICE_COST: u32 = 20;

/// So many times the usual number of people may send to each other where somebody has chosen it.
const STRETCHED: usize = 2;

/// So long the ways through the server stay when they do.
const OVERLAP: Duration = Duration::from_secs(15);

impl Hub {
    /// `topology`: anybody in a call says who decides, in a live room the streamer.
    pub(super) fn set_policy(&mut self, now: Now, id: ConnectionId, policy: Policy) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let Some(key) = self.media_room(peer)? else { return Ok(()) };
        if self.sessions.get(&peer).is_some_and(|session| session.role == Some(Role::Viewer)) {
            let why = "In a live room the streamer decides how media travels.";
            return Err(Refusal::new(ErrorCode::NotPermitted, why));
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.rate.charge(now.instant, CHOICE_COST);
        }
        let Some(room) = self.rooms.get_mut(&key) else { return Ok(()) };
        room.topology.policy = policy;
        let mode = wanted(
            room,
            self.settings.limits.mesh_capacity,
            room.kind == Kind::Live && self.streamed.contains(&key),
        );
        self.enter_mode(now, &key, mode, None);
        Ok(())
    }

    /// Somebody has come or gone; `newest` will be told by its `joined`.
    pub(super) fn count_people(&mut self, now: Now, key: &RoomKey, newest: Option<PeerId>) {
        let most = self.settings.limits.mesh_capacity;
        let Some(room) = self.rooms.get(key).filter(|room| self.settings.media && is_forwarded(room)) else {
            return;
        };
        let Route { mode, mesh_at, .. } = room.topology;
        let is_streamed = room.kind == Kind::Live && self.streamed.contains(key);
        match (mode, wanted(room, most, is_streamed)) {
            (Mode::P2p, Mode::Sfu) => self.enter_mode(now, key, Mode::Sfu, newest),
            (Mode::Sfu, Mode::P2p) if mesh_at.is_none() => self.plan(key, |route| {
                route.mesh_at = Some(now.instant + CALM);
            }),
            (Mode::Sfu, Mode::Sfu) if mesh_at.is_some() => self.plan(key, |route| route.mesh_at = None),
            _ => {}
        }
    }

    /// What is due has come.
    pub(super) fn settle_topology(&mut self, now: Now, key: &RoomKey) {
        let Some(room) = self.rooms.get(key) else { return };
        let Route { mesh_at, close_at, .. } = room.topology;
        if mesh_at.is_some_and(|at| at <= now.instant) {
            self.enter_mode(now, key, Mode::P2p, None);
        }
        if close_at.is_some_and(|at| at <= now.instant) {
            self.plan(key, |route| route.close_at = None);
            self.close_legs(key);
        }
    }

    /// How media travels, where there is a choice.
    pub(super) fn topology_of(&self, room: &Room) -> Option<Topology> {
        let Route { mode, policy, .. } = room.topology;
        (self.settings.media && is_forwarded(room)).then_some(Topology { mode, policy })
    }

    fn enter_mode(&mut self, now: Now, key: &RoomKey, mode: Mode, newest: Option<PeerId>) {
        let Some(room) = self.rooms.get(key) else { return };
        let has_changed = room.topology.mode != mode;
        self.plan(key, |route| {
            route.mode = mode;
            route.mesh_at = None;
            route.close_at = match mode {
                Mode::Sfu => None,
                Mode::P2p if has_changed => Some(now.instant + OVERLAP),
                Mode::P2p => route.close_at,
            };
        });
        let Some(room) = self.rooms.get(key) else { return };
        let Some(topology) = self.topology_of(room) else { return };
        let text = Message::Topology(topology).to_bytes();
        let members: Vec<PeerId> = room.members.iter().map(|member| member.peer).collect();
        for peer in members.into_iter().filter(|peer| Some(*peer) != newest) {
            self.send_counted(peer, &text);
        }
    }

    /// Changes what a room waits for, and its timers with it.
    fn plan(&mut self, key: &RoomKey, change: impl FnOnce(&mut Route)) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let dues = |route: &Route| [route.mesh_at, route.close_at].into_iter().flatten();
        let before: Vec<_> = dues(&room.topology).collect();
        change(&mut room.topology);
        let after: Vec<_> = dues(&room.topology).collect();
        for at in before {
            self.timers.remove(at, Timer::Topology(key.clone()));
        }
        for at in after {
            self.timers.add(at, Timer::Topology(key.clone()));
        }
    }

    /// People have had time to find each other: what is left of the ways through the server goes.
    fn close_legs(&mut self, key: &RoomKey) {
        let Some(room) = self.rooms.get(key) else { return };
        let members: Vec<PeerId> = room.members.iter().map(|member| member.peer).collect();
        for peer in members {
            let media = self.sessions.get(&peer).and_then(|session| session.media.as_ref());
            let connection = media.and_then(|media| media.connection.clone());
            self.leave_media(peer, key);
            if let Some(connection) = connection {
                let (connection, reason) = (&*connection, CloseReason::Topology);
                self.send_counted(peer, &Message::MediaClosed { connection, reason }.to_bytes());
            }
        }
    }
}

/// Whether the media workers can forward in a room of this kind.
pub(super) fn is_forwarded(room: &Room) -> bool {
    matches!(room.kind, Kind::Call | Kind::Live)
}

/// How media is to travel among as many people as there are, or where a program streams. Between too many and few enough it
/// stays as it is.
fn wanted(room: &Room, most: usize, is_streamed: bool) -> Mode {
    let count = room.members.len();
    match room.topology.policy {
        // However much somebody wishes for it, nobody's line carries what a large mesh sends.
        Policy::P2p if count > most.saturating_mul(STRETCHED) => Mode::Sfu,
        Policy::P2p => Mode::P2p,
        Policy::Sfu => Mode::Sfu,
        Policy::Auto if is_streamed || count > most => Mode::Sfu,
        Policy::Auto if count < most => Mode::P2p,
        Policy::Auto => room.topology.mode,
    }
}
