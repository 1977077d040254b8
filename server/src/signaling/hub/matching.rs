//! The lobby: pairs strangers.

use rand_core::Rng;

use crate::signaling::{
    error::{ErrorCode, Refusal},
    inbound::Kind,
    names::{PeerId, RoomName},
    outbound::{LeaveReason, Message},
    room::{Member, Room, RoomKey},
    session::Place,
    time::Now,
};

use super::{ConnectionId, Hub, timers::Timer};

impl Hub {
    /// `next`: leaves the partner and waits again.
    pub(super) fn next_partner(&mut self, now: Now, id: ConnectionId) -> Result<(), Refusal> {
        let peer = self.joined_peer(id)?;
        let Some(session) = self.sessions.get(&peer) else { return Ok(()) };
        if session.kind != Kind::Lobby {
            return Err(Refusal::new(ErrorCode::NotPermitted, "`next` works in a lobby only."));
        }
        self.leave_room(now, peer, LeaveReason::Next);
        self.wait(now, peer);
        Ok(())
    }

    /// Puts a connected peer into its lobby's queue, tells it so, and looks for a partner.
    pub(super) fn wait(&mut self, now: Now, peer: PeerId) {
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        session.place = Place::Waiting;
        let (home, last_partner) = (session.home.clone(), session.last_partner);
        let (started, connection) = (session.started, session.connection());
        let lobby = self.lobbies.entry(home.clone()).or_default();
        if !lobby.contains(peer) {
            lobby.push(now.instant, peer, last_partner);
        }
        let text = Message::Waiting { people: lobby.people() }.to_bytes();
        match connection {
            _ if started => self.send_counted(peer, &text),
            Some(connection) => self.send_now(connection, text),
            None => {}
        }
        self.make_matches(now, &home);
    }

    /// Pairs whoever can be paired.
    pub(super) fn make_matches(&mut self, now: Now, home: &RoomName) {
        while let Some(lobby) = self.lobbies.get_mut(home) {
            if lobby.people() == 0 {
                self.forget_lobby(home);
                return;
            }
            if self.rooms.len() >= self.settings.limits.rooms {
                self.starved.insert(home.clone());
                return;
            }
            let Some((first, second)) = lobby.next_match(now.instant) else {
                if let Some(at) = lobby.next_rematch() {
                    self.timers.add(at, Timer::Rematch(home.clone()));
                }
                return;
            };
            self.start_match(now, first, second);
        }
    }

    /// Takes a peer out of its lobby's queue, if it is in one.
    pub(super) fn stop_waiting(&mut self, peer: PeerId) {
        let Some(home) = self.sessions.get(&peer).map(|session| session.home.clone()) else { return };
        if let Some(lobby) = self.lobbies.get_mut(&home) {
            lobby.remove(peer);
            if lobby.people() == 0 {
                self.forget_lobby(&home);
            }
        }
    }

    /// A room is gone: there is place for a match of those who could have none.
    pub(super) fn feed_the_starved(&mut self, now: Now) {
        while self.rooms.len() < self.settings.limits.rooms
            && let Some(home) = self.starved.pop_first()
        {
            self.make_matches(now, &home);
        }
    }

    fn forget_lobby(&mut self, home: &RoomName) {
        self.lobbies.remove(home);
        self.starved.remove(home);
    }

    fn start_match(&mut self, now: Now, first: PeerId, second: PeerId) {
        self.counters.matches += 1;
        let key = RoomKey::Match(self.random.next_u64());
        let mut room = Room::new(Kind::Lobby, None);
        for (peer, partner) in [(first, second), (second, first)] {
            room.members.push(Member { peer, role: None });
            if let Some(session) = self.sessions.get_mut(&peer) {
                session.place = Place::Room(key.clone());
                session.last_partner = Some(partner);
            }
        }
        self.rooms.insert(key, room);
        for peer in [first, second] {
            // Not the first `joined` of these sessions' connections, except for those who came newly:
            // counts that have started go on.
            let resumed = self.sessions.get(&peer).is_some_and(|session| session.started);
            self.send_joined(now, peer, resumed);
        }
    }
}
