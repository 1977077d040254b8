//! What holds between any two calls. Tests check it after every step.

use std::collections::BTreeSet;

use crate::signaling::{
    inbound::{Kind, Policy},
    outbound::Mode,
    room::{RoomKey, Route},
    session::{Link, Place},
};

use super::{Hub, timers::Timer};

impl Hub {
    /// Panics where the hub's books disagree with each other.
    pub(super) fn check_invariants(&self) {
        for (id, connection) in &self.connections {
            let Some(peer) = connection.session else { continue };
            assert_eq!(self.sessions[&peer].link, Link::Connected(*id), "a connection's session is its own");
        }
        for (peer, session) in &self.sessions {
            if let Link::Connected(id) = session.link {
                assert_eq!(self.connections[&id].session, Some(*peer), "a session's connection is its own");
            }
            match &session.place {
                Place::Room(key) => {
                    let room = &self.rooms[key];
                    assert_eq!(room.kind, session.kind);
                    assert_eq!(room.members.iter().filter(|member| member.peer == *peer).count(), 1);
                    if let RoomKey::Named(name) = key {
                        assert_eq!(*name, session.home);
                    }
                }
                Place::Waiting => {
                    assert_eq!(session.kind, Kind::Lobby);
                    let queued = self.lobbies.get(&session.home).is_some_and(|lobby| lobby.contains(*peer));
                    assert_eq!(queued, session.connection().is_some(), "only the connected wait");
                }
            }
            assert!(session.outbox.is_within(self.settings.limits.queued_bytes), "queues are bounded");
        }
        let mut members = 0;
        for room in self.rooms.values() {
            assert!(!room.members.is_empty(), "empty rooms are forgotten");
            assert!(room.members.len() <= room.capacity(&self.settings.limits));
            members += room.members.len();
        }
        self.check_topologies();
        for home in &self.starved {
            assert!(self.lobbies.contains_key(home), "only those who wait are starved");
        }
        let idle_checks = self.timers.iter().filter(|timer| matches!(timer, Timer::Idle(_))).count();
        assert_eq!(idle_checks, self.connections.len(), "a connection's timer goes with it");
        let waiting: usize = self.lobbies.values().map(crate::signaling::lobby::Lobby::people).sum();
        let away = |session: &&crate::signaling::session::Session| {
            session.place == Place::Waiting && session.connection().is_none()
        };
        assert_eq!(members + waiting + self.sessions.values().filter(away).count(), self.sessions.len());
        assert!(self.sessions.len() <= self.settings.limits.connections);
        assert!(self.connections.len() <= self.settings.limits.connections);
    }

    fn check_topologies(&self) {
        let timers: Vec<_> = self.timers.iter().filter(|timer| matches!(timer, Timer::Topology(_))).collect();
        let mut waited_for = 0;
        for (key, room) in &self.rooms {
            let Route { mode, policy, mesh_at, close_at } = room.topology;
            let count = room.members.len();
            let dues: BTreeSet<_> = [mesh_at, close_at].into_iter().flatten().collect();
            let own = timers.iter().filter(|timer| ***timer == Timer::Topology(key.clone())).count();
            assert_eq!(own, dues.len(), "each due has its timer");
            waited_for += own;
            let most = self.settings.limits.mesh_capacity;
            match policy {
                _ if topology_is_fixed(room.kind) || !self.settings.media => assert_eq!(mode, Mode::P2p),
                Policy::P2p if count > 2 * most => assert_eq!((mode, mesh_at), (Mode::Sfu, None)),
                Policy::P2p => assert_eq!(mesh_at.is_some(), mode == Mode::Sfu),
                Policy::Sfu => assert_eq!((mode, mesh_at), (Mode::Sfu, None)),
                Policy::Auto if room.kind == Kind::Live && self.streamed.contains(key) => {
                    assert_eq!((mode, mesh_at), (Mode::Sfu, None));
                }
                Policy::Auto if count > most => assert_eq!((mode, mesh_at), (Mode::Sfu, None)),
                Policy::Auto if count < most => assert_eq!(mesh_at.is_some(), mode == Mode::Sfu),
                Policy::Auto => {}
            }
            assert!(close_at.is_none() || mode == Mode::P2p);
        }
        assert_eq!(waited_for, timers.len(), "a room's timers go with it");
        for session in self.sessions.values().filter(|session| session.media.is_some()) {
            assert!(session.room().is_some(), "only who is in a room has a way through the server");
        }
    }
}

/// Whether there is no choice how media travels.
fn topology_is_fixed(kind: Kind) -> bool {
    matches!(kind, Kind::Send | Kind::Lobby)
}
